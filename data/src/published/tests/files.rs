//! Tests of sets read as published, and of the search for files.

use super::super::locate::locate;
use super::super::{CIFAR10, FASHION_MNIST, MNIST};
use super::*;

/// Returns a set of two files.
fn set<'a>(downloads: &'a [RemoteFile<'a>], mirrors: &'a [&'a str]) -> PublishedSet<'a> {
    PublishedSet {
        name: "small",
        subfolders: &["small", "Small/raw"],
        files: &FILES,
        contents: &[],
        downloads,
        mirrors,
        form: Form::Files,
    }
}

fn remote<'a>(name: &'a str, sha256: &'a str) -> RemoteFile<'a> {
    RemoteFile {
        name,
        sha256,
        bytes: 1 << 10,
    }
}

#[test]
fn files_are_downloaded_once_from_first_working_mirror() {
    let (train, test) = (vec![1; 500], vec![2; 300]);
    let sums = [sha256(&train), sha256(&test)];
    let downloads = [remote("train.bin", &sums[0]), remote("test.bin", &sums[1])];
    let empty = server(vec![("train.bin", train.clone())]);
    let full = server(vec![
        ("train.bin", train.clone()),
        ("test.bin", test.clone()),
    ]);
    let urls = [empty.url("/"), full.url("/")];
    let mirrors = [urls[0].as_str(), urls[1].as_str()];
    let set = set(&downloads, &mirrors);

    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("not/yet/there");
    fetch_into(&set, &base).unwrap();
    assert_eq!(contents(&base), ["small/test.bin", "small/train.bin"]);
    assert_eq!(fs::read(base.join("small/test.bin")).unwrap(), test);
    assert_eq!((empty.asked().len(), full.asked().len()), (2, 1));

    fetch_into(&set, &base).unwrap();
    assert_eq!((empty.asked().len(), full.asked().len()), (2, 1));
}

#[test]
fn files_in_other_folders_are_not_downloaded() {
    let folder = tempfile::tempdir().unwrap();
    let [mine, system] = ["mine", "system"].map(|name| folder.path().join(name));
    for file in ["train.bin", "test.bin"] {
        fs::create_dir_all(system.join("Small/raw")).unwrap();
        fs::write(system.join("Small/raw").join(file), "").unwrap();
    }
    let set = set(&[], &[]);
    let searched = [mine.clone(), system];
    fetch(&set, &searched, &searched[..1], &mut |_| {
        panic!("nothing is to be done")
    })
    .unwrap();
    assert!(!mine.exists());
}

#[test]
fn failed_download_hint_names_files_and_folder() {
    let sum = sha256(b"right");
    let downloads = [remote("train.bin", &sum), remote("test.bin", &sum)];
    let wrong = server(vec![("train.bin", b"wrong".to_vec())]);
    let url = wrong.url("/");
    let mirrors = [url.as_str()];
    let folder = tempfile::tempdir().unwrap();
    let error = fetch_into(&set(&downloads, &mirrors), folder.path()).unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("the files of small are missing: cannot download train.bin: http"),
        "{message}"
    );
    assert!(message.contains("a different file"), "{message}");
    let place = folder.path().join("small");
    assert_eq!(
        error.hint().unwrap(),
        format!(
            "put train.bin, test.bin into {}, from {url}train.bin, {url}test.bin",
            place.display()
        )
    );
    assert_eq!(contents(folder.path()), Vec::<String>::new());
}

#[test]
fn different_file_of_same_name_is_kept() {
    let sum = sha256(b"right");
    let downloads = [remote("train.bin", &sum), remote("test.bin", &sum)];
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("small")).unwrap();
    let path = folder.path().join("small/train.bin");
    fs::write(&path, "mine").unwrap();
    let error = fetch_into(&set(&downloads, &[]), folder.path()).unwrap_err();
    assert!(error.hint().unwrap().starts_with("delete "), "{error}");
    assert_eq!(fs::read(path).unwrap(), b"mine");
}

#[cfg(target_os = "linux")]
#[test]
fn unwritable_folder_falls_back_to_next() {
    let content = b"content".to_vec();
    let sum = sha256(&content);
    let downloads = [remote("train.bin", &sum), remote("test.bin", &sum)];
    let server = server(vec![("train.bin", content.clone()), ("test.bin", content)]);
    let url = server.url("/");
    let mirrors = [url.as_str()];
    let set = set(&downloads, &mirrors);
    let cache = tempfile::tempdir().unwrap();
    // Not even root can create folders there.
    let bases = [PathBuf::from("/sys/kernel"), cache.path().to_owned()];
    fetch(&set, &bases, &bases, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(
        contents(cache.path()),
        ["small/test.bin", "small/train.bin"]
    );

    let error = fetch_into(&set, &bases[0]).unwrap_err();
    assert!(
        error.to_string().contains("cannot write /sys/kernel"),
        "{error}"
    );
}

#[test]
fn missing_files_are_named_with_searched_folders() {
    let root = tempfile::tempdir().unwrap();
    let bases = [root.path().to_owned(), "/nowhere".into()];
    let error = locate(&MNIST, &bases).unwrap_err();
    let (message, hint) = (error.to_string(), error.hint().unwrap());
    for file in MNIST.downloads {
        assert!(message.contains(file.name), "{message}");
        assert!(hint.contains(file.name), "{hint}");
    }
    for folder in [&*bases[0].to_string_lossy(), "/nowhere", "MNIST/raw"] {
        assert!(message.contains(folder), "{message}");
    }
    let place = root.path().join("mnist").display().to_string();
    assert!(hint.contains(&place), "{hint}");

    let batches = ["1", "2", "4", "5"].map(|number| format!("data_batch_{number}.bin"));
    for name in batches.iter().map(String::as_str).chain(["test_batch.bin"]) {
        fs::write(root.path().join(name), "").unwrap();
    }
    let message = locate(&CIFAR10, &bases).unwrap_err().to_string();
    assert!(
        message.contains("looked for data_batch_3.bin in"),
        "{message}"
    );
}

#[test]
fn sets_with_same_file_names_use_separate_folders() {
    let root = tempfile::tempdir().unwrap();
    let bases = [root.path().to_owned()];
    fs::create_dir(root.path().join("mnist")).unwrap();
    for file in MNIST.downloads {
        fs::write(root.path().join("mnist").join(file.name), "").unwrap();
    }
    assert!(locate(&MNIST, &bases).is_ok());
    assert!(locate(&FASHION_MNIST, &bases).is_err());
}
