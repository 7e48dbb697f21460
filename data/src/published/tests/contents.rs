//! Tests of file contents: synthetic files with the publishers' names.

use std::io;

use download::{DownloadError, MirrorFailure, Problem};

use super::super::{CIFAR10, MNIST};
use super::*;
use crate::cifar;
use crate::error::DataError;
use crate::mnist;

/// Returns an IDX file: a header of big-endian numbers, then bytes.
fn idx(header: &[u32], body: &[u8]) -> Vec<u8> {
    let header = header.iter().flat_map(|number| number.to_be_bytes());
    header.chain(body.iter().copied()).collect()
}

/// Returns six training and three test images of 2x3 pixels.
fn mnist_files() -> [(&'static str, Vec<u8>); 4] {
    let pixels: Vec<u8> = (0..36).collect();
    [
        ("train-images-idx3-ubyte", idx(&[0x0803, 6, 2, 3], &pixels)),
        (
            "train-labels-idx1-ubyte",
            idx(&[0x0801, 6], &[0, 1, 2, 9, 8, 7]),
        ),
        (
            "t10k-images-idx3-ubyte",
            idx(&[0x0803, 3, 2, 3], &pixels[..18]),
        ),
        ("t10k-labels-idx1-ubyte", idx(&[0x0801, 3], &[3, 4, 5])),
    ]
}

/// Returns a file in one of its possible names and forms.
fn in_form(form: &str, name: &str, content: &[u8]) -> (String, Vec<u8>) {
    match form {
        "packed" => (format!("{name}.gz"), gzip(content)),
        "dotted" => (name.replace("-idx", ".idx"), content.to_vec()),
        "packed in name only" => (format!("{name}.gz"), content.to_vec()),
        _ => (name.to_owned(), content.to_vec()),
    }
}

/// Asserts that a file has other content than that with a checksum.
#[track_caller]
fn assert_is_other(error: &DataError, file: &Path, sum: &str) {
    let DataError::Published(PublishedError::OtherContent { path, expected, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!((path.as_path(), expected.as_str()), (file, sum));
}

#[test]
fn files_are_found_in_all_forms_and_folders() {
    let sums = mnist_files().map(|(_, content)| sha256(&content));
    let contents = sums.each_ref().map(String::as_str);
    let set = PublishedSet {
        contents: &contents,
        ..MNIST
    };
    for subfolder in ["", "mnist", "MNIST/raw"] {
        for form in ["plain", "packed", "dotted", "packed in name only"] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join(subfolder);
            fs::create_dir_all(&folder).unwrap();
            for (name, content) in mnist_files() {
                let (name, bytes) = in_form(form, name, &content);
                fs::write(folder.join(name), bytes).unwrap();
            }
            let found = set.locate_in(&[root.path().to_owned()]).unwrap();
            let (train, test) = mnist::load(&found).unwrap();
            assert_eq!(train.len(), 6, "{form} in {subfolder}");
            assert_eq!(train.shape(), [1, 2, 3]);
            assert_eq!(train.labels(), [0, 1, 2, 9, 8, 7]);
            assert_eq!(train.planes(1), [6, 7, 8, 9, 10, 11]);
            assert_eq!(test.labels(), [3, 4, 5]);
        }
    }
}

#[test]
fn one_changed_byte_is_detected() {
    let sums = mnist_files().map(|(_, content)| sha256(&content));
    let contents = sums.each_ref().map(String::as_str);
    let set = PublishedSet {
        contents: &contents,
        ..MNIST
    };
    for form in ["plain", "packed"] {
        for (changed, sum) in sums.iter().enumerate() {
            let root = tempfile::tempdir().unwrap();
            let mut path = PathBuf::new();
            for (place, (name, mut content)) in mnist_files().into_iter().enumerate() {
                if place == changed {
                    *content.last_mut().unwrap() ^= 1;
                }
                let (name, bytes) = in_form(form, name, &content);
                fs::write(root.path().join(&name), bytes).unwrap();
                if place == changed {
                    path = root.path().join(name);
                }
            }
            let found = set.locate_in(&[root.path().to_owned()]).unwrap();
            let error = mnist::load(&found).unwrap_err();
            assert_is_other(&error, &path, sum);
            let hint = error.hint().unwrap();
            assert!(hint.starts_with(&format!("remove {}", path.display())));
        }
    }
}

#[test]
fn record_files_are_verified() {
    let root = tempfile::tempdir().unwrap();
    let record = |label: u8| [vec![label], vec![7; 3 * 32 * 32]].concat();
    let files: Vec<Vec<u8>> = (0..6).map(record).collect();
    let sums: Vec<String> = files.iter().map(|content| sha256(content)).collect();
    let contents: Vec<&str> = sums.iter().map(String::as_str).collect();
    let set = PublishedSet {
        contents: &contents,
        ..CIFAR10
    };
    for subfolder in ["", "cifar-10-batches-bin"] {
        let folder = root.path().join(subfolder);
        fs::create_dir_all(&folder).unwrap();
        for (names, content) in CIFAR10.files.iter().zip(&files) {
            fs::write(folder.join(names[0]), content).unwrap();
        }
        let load = || cifar::CIFAR10.load(&set.locate_in(&[root.path().to_owned()]).unwrap());
        let (class_names, train, test) = load().unwrap();
        assert_eq!(class_names[8], "ship");
        assert_eq!(train.labels(), [0, 1, 2, 3, 4]);
        assert_eq!(test.labels(), [5]);
        for (changed, sum) in [(2, &sums[2]), (5, &sums[5])] {
            let path = folder.join(CIFAR10.files[changed][0]);
            fs::write(&path, record(9)).unwrap();
            let error = load().unwrap_err();
            assert_is_other(&error, &path, sum);
            fs::write(&path, &files[changed]).unwrap();
        }
    }
}

#[test]
fn existing_files_are_used_packed_or_plain() {
    let files = mnist_files();
    let sums = files.each_ref().map(|(_, content)| sha256(content));
    let contents = sums.each_ref().map(String::as_str);
    let published = files.each_ref().map(|(_, content)| gzip(content));
    let checksums = published.each_ref().map(|packed| sha256(packed));
    let downloads: Vec<RemoteFile<'_>> = (MNIST.downloads.iter().zip(&checksums))
        .map(|(file, sha256)| RemoteFile { sha256, ..*file })
        .collect();
    let last = MNIST.downloads[3].name;
    let server = server(vec![(last, published[3].clone())]);
    let url = server.url("/");
    let full = [url.as_str()];
    let mut set = PublishedSet {
        contents: &contents,
        downloads: &downloads,
        mirrors: &[],
        ..MNIST
    };
    for subfolder in ["mnist", "MNIST/raw", ""] {
        for form in ["plain", "packed", "dotted", "packed in name only"] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join(subfolder);
            fs::create_dir_all(&folder).unwrap();
            for (name, content) in &files[..3] {
                let (name, bytes) = in_form(form, name, content);
                // A file packed by another program has another checksum.
                let bytes = match form {
                    "packed" => [bytes, gzip(b"")].concat(),
                    _ => bytes,
                };
                fs::write(folder.join(name), bytes).unwrap();
            }
            set.mirrors = &[];
            let error = fetch_into(&set, root.path()).unwrap_err();
            let (message, hint) = (error.to_string(), error.hint().unwrap());
            let place = folder.display().to_string();
            let place = place.trim_end_matches('/');
            let start = format!("{last} of mnist, whose other files are in {place}");
            assert!(message.starts_with(&start), "{message}");
            assert!(!message.contains("damaged"), "{message}");
            let start = format!("put {last} into {place}");
            assert!(hint.starts_with(&start), "{hint}");

            set.mirrors = &full;
            fetch_into(&set, root.path()).unwrap();
            assert!(folder.join(last).is_file(), "{form} in {subfolder}");
            let found = set.locate_in(&[root.path().to_owned()]).unwrap();
            assert_eq!(mnist::load(&found).unwrap().1.labels(), [3, 4, 5]);
        }
    }
    assert_eq!(server.asked().len(), 12);
}

#[test]
fn different_file_next_to_missing_one_is_named() {
    let files = mnist_files();
    let sums = files.each_ref().map(|(_, content)| sha256(content));
    let contents = sums.each_ref().map(String::as_str);
    let set = PublishedSet {
        contents: &contents,
        mirrors: &[],
        ..MNIST
    };
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("mnist");
    fs::create_dir(&folder).unwrap();
    for (name, content) in &files[..2] {
        fs::write(folder.join(name), content).unwrap();
        fs::write(root.path().join(name), b"another set's").unwrap();
    }
    let other = folder.join(files[2].0);
    fs::write(&other, b"other").unwrap();
    let error = fetch_into(&set, root.path()).unwrap_err();
    assert!(
        matches!(&error, PublishedError::OtherContent { path, .. } if *path == other),
        "{error}"
    );
    // Files outside the set's folders may belong to another set.
    fs::remove_dir_all(&folder).unwrap();
    let error = fetch_into(&set, root.path()).unwrap_err();
    assert!(
        matches!(&error, PublishedError::NotFetched { missing: None, files, .. } if files.len() == 4),
        "{error}"
    );
}

#[test]
fn missing_archive_member_is_named() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("small-bin");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("train.bin"), "").unwrap();
    let sum = sha256(b"archive");
    let set = PublishedSet {
        name: "small",
        subfolders: &["small-bin"],
        files: &FILES,
        contents: &[],
        downloads: &[RemoteFile {
            name: "small.tar.gz",
            sha256: &sum,
            bytes: 1 << 10,
        }],
        mirrors: &[],
        form: Form::Archive,
    };
    let error = fetch_into(&set, root.path()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("test.bin of small, whose other files are in "),
        "{text}"
    );
    let place = format!("put small.tar.gz into {}, from", root.path().display());
    assert!(error.hint().unwrap().starts_with(&place));
}

#[test]
fn hints_match_the_cause() {
    let hint = |source| {
        let error = PublishedError::NotFetched {
            name: "small".to_owned(),
            missing: None,
            files: vec!["small.tar.gz".to_owned()],
            urls: vec!["https://small.example/small.tar.gz".to_owned()],
            folder: "/data".into(),
            source: Box::new(source),
        };
        error.hint().unwrap()
    };
    let path = PathBuf::from("/data/small.tar.gz");
    let untrusted = hint(DownloadError::NoMirror {
        path: path.clone(),
        failures: vec![MirrorFailure {
            url: "https://small.example/small.tar.gz".to_owned(),
            problem: Problem::Certificate {
                reason: "UnknownIssuer".to_owned(),
            },
        }],
    });
    assert!(untrusted.contains("SSL_CERT_FILE"), "{untrusted}");
    assert!(
        untrusted.contains("put small.tar.gz into /data, from https"),
        "{untrusted}"
    );
    let read_only = hint(DownloadError::Write {
        path,
        source: io::ErrorKind::ReadOnlyFilesystem.into(),
    });
    assert!(read_only.contains("can be written to"), "{read_only}");
    assert!(read_only.contains("small.tar.gz"), "{read_only}");
}
