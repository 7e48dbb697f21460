//! File names: what is printed of them is harmless, and each class folder is a class of its own.

#![no_main]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use data::{LoadOptions, Source};
use files::{LONGEST_SENTENCE, is_printable, printable, printable_chars, printable_json, sentence};
use libfuzzer_sys::fuzz_target;
use resnet_fuzz::Scratch;

/// Files in a tree at most.
const FILES: usize = 12;
const NAME_BYTES: usize = 64;
const DEPTH: usize = 4;

fuzz_target!(|paths: &[u8]| {
    let text = String::from_utf8_lossy(paths);
    check_text(&text);
    if let Ok(source) = text.parse::<Source>() {
        let again: Source = source
            .to_string()
            .parse()
            .expect("a source that was printed");
        assert_eq!(again, source);
    }

    let root = Scratch::folder().path().join("tree");
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).expect("the temporary folder can be written");
    let mut files = 0;
    for path in paths.split(|&byte| byte == b'\n').take(FILES) {
        files += usize::from(write_image(&root, path));
    }
    let loaded = Source::Folder(root.clone()).load(
        &LoadOptions::default()
            .with_image_size(Some(1))
            .with_skip_unreadable(true),
    );
    match loaded {
        Ok(data) => {
            let mut names = data.class_names.clone();
            names.sort();
            names.dedup();
            assert_eq!(
                names.len(),
                data.class_names.len(),
                "two classes have one name: {:?}",
                data.class_names
            );
            let held_back = data
                .validation
                .as_ref()
                .map_or(0, |validation| validation.len());
            assert!(
                data.train.len() + held_back + data.test.len() <= files,
                "an image is there twice"
            );
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

/// Writes an image under a path of names that a file system takes; whether it could.
fn write_image(root: &Path, path: &[u8]) -> bool {
    let names: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
    let is_name = |name: &&[u8]| {
        !name.is_empty()
            && name.len() <= NAME_BYTES
            && !name.contains(&0)
            && !matches!(*name, b"." | b"..")
    };
    if names.len() > DEPTH || !names.iter().all(|name| is_name(name)) {
        return false;
    }
    let file = names.iter().fold(root.to_owned(), |path, name| {
        path.join(OsStr::from_bytes(name))
    });
    let Some(folder) = file.parent() else {
        return false;
    };
    // A folder may be where the file is to be, or a file where a folder is to be.
    fs::create_dir_all(folder).is_ok()
        && !file.exists()
        && fs::write(&file, image(names.len())).is_ok()
}

/// A BMP file of one pixel.
fn image(shade: usize) -> Vec<u8> {
    let mut file = b"BM".to_vec();
    for number in [58_u32, 0, 54, 40, 1, 1, 0x18_0001, 0, 4, 0, 0, 0, 0] {
        file.extend(number.to_le_bytes());
    }
    file.extend([40 * shade as u8, 80, 120, 0]);
    file
}

fn check_text(text: &str) {
    let printed = printable(text);
    // What acts on a terminal, listed a second time.
    let acts = |character: char| {
        character.is_control()
            || matches!(
                character,
                '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}'
                    | '\u{2066}'..='\u{2069}'
            )
    };
    assert!(!printed.chars().any(acts), "{printed:?}");
    assert!(printed.chars().all(is_printable), "{printed:?}");
    assert_eq!(printable(&printed), printed);
    assert_eq!(printable_chars(text).collect::<String>(), printed);

    let short = sentence(text);
    assert!(
        short.chars().count() <= LONGEST_SENTENCE && short.chars().all(is_printable),
        "{short:?}"
    );
    let json = serde_json::to_string(text).expect("a text can be written");
    let safe = printable_json(&json);
    assert!(safe.chars().all(is_printable), "{safe:?}");
    assert_eq!(
        serde_json::from_str::<String>(&safe).ok().as_deref(),
        Some(text)
    );
}
