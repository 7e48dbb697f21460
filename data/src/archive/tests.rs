use std::fs::{self, File};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::unpacked;
use crate::error::DataError;

fn unpack(archive: &Path) -> Result<PathBuf, DataError> {
    let cache = archive.parent().unwrap().join("cache");
    unpacked(archive, Some(&cache), &mut |_| ControlFlow::Continue(()))
}

fn zip(folder: &Path, members: &[(&str, &[u8])]) -> PathBuf {
    let path = folder.join("photos.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    for (name, bytes) in members {
        let options = SimpleFileOptions::default();
        match name.strip_suffix("@") {
            Some(name) => {
                let target = std::str::from_utf8(bytes).unwrap();
                zip.add_symlink(name, target, options).unwrap();
            }
            None => {
                zip.start_file(*name, options).unwrap();
                zip.write_all(bytes).unwrap();
            }
        }
    }
    zip.finish().unwrap();
    path
}

fn tar(folder: &Path, name: &str, members: &[(&str, tar::EntryType, &[u8])]) -> PathBuf {
    let path = folder.join(name);
    let mut bytes = Vec::new();
    let mut builder = tar::Builder::new(&mut bytes);
    for (name, kind, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        // The builder rejects names that escape the folder, but malicious archives contain them.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_size(0);
            header
                .set_link_name(std::str::from_utf8(content).unwrap())
                .unwrap();
            header.set_cksum();
            builder.append(&header, &b""[..]).unwrap();
        } else {
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
    }
    builder.finish().unwrap();
    drop(builder);
    if name.ends_with(".tar") {
        fs::write(&path, bytes).unwrap();
    } else {
        let mut gzip = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        gzip.write_all(&bytes).unwrap();
        gzip.finish().unwrap();
    }
    path
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path.to_string_lossy().into_owned()),
        }
    }
    found.sort();
    found
}

fn unpacked_files(archive: &Path) -> Vec<String> {
    let folder = unpack(archive).unwrap();
    let prefix = format!("{}/", folder.display());
    let files = files(&folder).into_iter();
    files
        .map(|file| file.strip_prefix(&prefix).unwrap().to_owned())
        .collect()
}

#[test]
fn archives_are_unpacked_once() {
    use tar::EntryType::{Directory, Regular};
    let root = TempDir::new().unwrap();
    let expected = ["photos/cat/1.png", "photos/dog/2.png"];
    let members = [
        ("photos/", Directory, &b""[..]),
        ("./photos/cat/1.png", Regular, b"one"),
        ("photos/dog/2.png", Regular, b"two"),
        ("__MACOSX/photos/cat/._1.png", Regular, b"x"),
        ("photos/.DS_Store", Regular, b"x"),
    ];
    for name in ["photos.tar", "photos.tar.gz", "photos.TGZ"] {
        let archive = tar(root.path(), name, &members);
        assert_eq!(unpacked_files(&archive), expected, "{name}");
    }
    let archive = zip(
        root.path(),
        &[
            ("photos/cat/1.png", b"one"),
            ("photos\\dog\\2.png", b"two"),
            ("__MACOSX/._photos", b"x"),
        ],
    );
    assert_eq!(unpacked_files(&archive), expected);

    // The unpacked folder is reused until the archive changes.
    let folder = unpack(&archive).unwrap();
    fs::write(folder.join("photos/cat/1.png"), "changed").unwrap();
    assert_eq!(unpack(&archive).unwrap(), folder);
    assert_eq!(
        fs::read(folder.join("photos/cat/1.png")).unwrap(),
        b"changed"
    );
    zip(root.path(), &[("photos/cat/one.png", b"one")]);
    assert_ne!(unpack(&archive).unwrap(), folder);
    let left = files(&root.path().join("cache"));
    assert!(
        left.iter().all(|file| !file.contains("unpacking")),
        "{left:?}"
    );
}

#[test]
fn members_outside_or_not_files_are_rejected() {
    use tar::EntryType::{Char, Fifo, Link, Regular, Symlink};
    let root = TempDir::new().unwrap();
    let refused = |archive: PathBuf, reason: &str| {
        let error = unpack(&archive).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(reason), "{text}");
        assert!(text.contains("photos."), "{text}");
        assert!(error.hint().is_some());
        let left = files(&root.path().join("cache"));
        assert_eq!(left, [""; 0], "{text}");
        assert!(!root.path().join("out.png").exists());
    };
    for name in ["../out.png", "a/../../out.png", "/tmp/out.png"] {
        refused(
            zip(root.path(), &[("a/1.png", b"1"), (name, b"2")]),
            "is outside of the archive",
        );
        let members = [("a/1.png", Regular, &b"1"[..]), (name, Regular, b"2")];
        refused(
            tar(root.path(), "photos.tar", &members),
            "is outside of the archive",
        );
    }
    refused(
        zip(root.path(), &[("..\\out.png", b"2")]),
        "is outside of the archive",
    );
    refused(
        zip(root.path(), &[("a@", b"/etc"), ("a/passwd.png", b"1")]),
        "link or a device",
    );
    for kind in [Symlink, Link] {
        let members = [("a/1.png", kind, &b"../../2.png"[..])];
        refused(
            tar(root.path(), "photos.tar.gz", &members),
            "link or a device",
        );
    }
    for kind in [Fifo, Char] {
        let members = [("a/1.png", kind, &b""[..])];
        refused(tar(root.path(), "photos.tar", &members), "link or a device");
    }
    let twice = [("a/1.png", Regular, &b"1"[..]), ("a/1.png", Regular, b"2")];
    refused(tar(root.path(), "photos.tar", &twice), "two members");
    let deep = format!("{}1.png", "a/".repeat(40));
    refused(
        tar(root.path(), "photos.tar", &[(&deep, Regular, b"1")]),
        "too deep",
    );
}

#[test]
fn zip_bombs_are_rejected() {
    use super::{Failure, Progress, Target};
    let root = TempDir::new().unwrap();
    let zeros = [0; 60_000];
    let refused = |archive: &Path, name: &str| {
        let folder = root.path().join(name);
        fs::create_dir(&folder).unwrap();
        assert_eq!(Target::new(&folder, 1).bytes, super::MAX_BYTES);
        assert_eq!(Target::new(&folder, 1 << 40).bytes, 100 << 40);
        let mut target = Target {
            bytes: 100_000,
            ..Target::new(&folder, 0)
        };
        let mut progress = Progress {
            name,
            total: 0,
            report: &mut |_| ControlFlow::Continue(()),
        };
        let file = File::open(archive).unwrap();
        let result = match name {
            "zip" => super::zip::unpack(file, &mut target, &mut progress),
            _ => super::tar::unpack(file, true, &mut target, &mut progress),
        };
        let Err(Failure::Archive(reason)) = result else {
            panic!("{result:?}");
        };
        assert!(reason.contains("more than 100 times its size"), "{reason}");
        files(&folder).len()
    };
    let archive = zip(root.path(), &[("a/1.png", &zeros), ("b/1.png", &zeros)]);
    assert!(fs::metadata(&archive).unwrap().len() < 2000);
    assert_eq!(refused(&archive, "zip"), 0, "before anything is written");
    let regular = tar::EntryType::Regular;
    let members = [
        ("a/1.png", regular, &zeros[..]),
        ("b/1.png", regular, &zeros[..]),
    ];
    assert_eq!(refused(&tar(root.path(), "a.tgz", &members), "tar"), 1);
}

#[test]
fn truncated_archives_are_rejected() {
    let root = TempDir::new().unwrap();
    let regular = tar::EntryType::Regular;
    let members = [("a/1.png", regular, &b"1"[..]), ("a/2.png", regular, b"2")];
    let path = tar(root.path(), "a.tar", &members);
    let whole = fs::read(&path).unwrap();
    // At the end of a member; each has two blocks, and one block of zeros marks an end.
    for (blocks, is_cut) in [(2, true), (4, true), (5, false)] {
        fs::write(&path, &whole[..512 * blocks]).unwrap();
        let result = unpack(&path).map_err(|error| error.to_string());
        match is_cut {
            true => assert!(result.unwrap_err().contains("cut off"), "{blocks}"),
            false => assert!(result.is_ok(), "{result:?}"),
        }
    }
    // Within a header, and within a member.
    for length in [512 + 9, 1024 + 9, 1024 + 512 + 9] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = unpack(&path).unwrap_err().to_string();
        assert!(error.contains("cut off"), "{length}: {error}");
    }
    let path = tar(root.path(), "a.tgz", &members);
    let whole = fs::read(&path).unwrap();
    for length in [whole.len() - 4, whole.len() - 8, whole.len() - 9] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = unpack(&path).unwrap_err().to_string();
        assert!(error.contains("cut off"), "{error}");
    }
    let mut wrong = whole.clone();
    wrong[whole.len() - 8] ^= 1;
    fs::write(&path, &wrong).unwrap();
    let error = unpack(&path).unwrap_err().to_string();
    assert!(error.ends_with("it is damaged"), "{error}");
    // Two gzip members form one file, and trailing zeros are not a member.
    let [one, other] = [&whole[..], &[0; 100]].map(<[u8]>::to_vec);
    fs::write(&path, [one, other].concat()).unwrap();
    assert!(unpack(&path).is_ok());
}

#[test]
fn misnamed_archives_are_unpacked() {
    let root = TempDir::new().unwrap();
    let members = [("a/1.png", tar::EntryType::Regular, &b"1"[..])];
    let named = |from: PathBuf, name: &str| {
        let path = root.path().join(name);
        fs::rename(from, &path).unwrap();
        path
    };
    for path in [
        named(tar(root.path(), "a.tgz", &members), "gzip.tar"),
        named(tar(root.path(), "a.tar", &members), "plain.tar.gz"),
        named(zip(root.path(), &[("a/1.png", b"1")]), "zip.tar"),
    ] {
        assert_eq!(unpacked_files(&path), ["a/1.png"], "{path:?}");
    }
}

#[test]
fn non_archives_get_plain_errors() {
    let root = TempDir::new().unwrap();
    let refused = |name: &str, bytes: &[u8]| {
        let path = root.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = unpack(&path).unwrap_err().to_string();
        error.rsplit_once(": ").unwrap().1.to_owned()
    };
    let text = b"just some text ".repeat(100);
    assert_eq!(
        refused("a.zip", &text),
        "it is not a zip file, or is damaged"
    );
    assert_eq!(
        refused("a.tar", &text),
        "it is not a tar file, or is damaged"
    );
    assert_eq!(
        refused("a.tgz", &text),
        "it is not a tar file, or is damaged"
    );
    assert_eq!(refused("b.zip", b""), "it is empty");
    assert_eq!(refused("b.tar", b""), "it is empty");
    assert_eq!(refused("c.zip", b"PK\x03\x04 and so on"), "it is cut off");
}

#[test]
fn duplicate_zip_members_are_rejected() {
    let root = TempDir::new().unwrap();
    let path = zip(root.path(), &[("a/1.png", b"1"), ("a/2.png", b"2")]);
    let mut bytes = fs::read(&path).unwrap();
    while let Some(place) = bytes.windows(7).position(|window| window == b"a/2.png") {
        bytes[place + 2] = b'1';
    }
    fs::write(&path, bytes).unwrap();
    let error = unpack(&path).unwrap_err().to_string();
    assert!(
        error.contains("several members with the same name"),
        "{error}"
    );
}

#[test]
fn damaged_and_unknown_archives_are_rejected() {
    let root = TempDir::new().unwrap();
    let whole = zip(root.path(), &[("a/1.png", &[7; 5000])]);
    let bytes = fs::read(&whole).unwrap();
    for cut in [0, 4, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&whole, &bytes[..cut]).unwrap();
        let error = unpack(&whole).unwrap_err();
        assert!(matches!(error, DataError::Archive { .. }), "{error}");
    }
    let gz = tar(
        root.path(),
        "a.tgz",
        &[("a/1.png", tar::EntryType::Regular, &[7; 5000])],
    );
    let bytes = fs::read(&gz).unwrap();
    fs::write(&gz, &bytes[..bytes.len() / 2]).unwrap();
    let error = unpack(&gz).unwrap_err().to_string();
    assert!(
        error.contains("cut off") || error.contains("damaged"),
        "{error}"
    );
    for name in ["a.rar", "a.7z", "a.tar.xz"] {
        let path = root.path().join(name);
        fs::write(&path, "").unwrap();
        let error = unpack(&path).unwrap_err();
        assert!(error.to_string().contains("are not supported"), "{error}");
        assert!(error.hint().unwrap().contains(".zip"));
    }
    let error = unpack(&root.path().join("none.zip")).unwrap_err();
    assert!(matches!(error, DataError::NotAFolder { .. }), "{error}");
}
