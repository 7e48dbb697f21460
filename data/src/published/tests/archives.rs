//! Tests of sets published as an archive.

use std::env;
use std::process::{Command, Stdio};

use super::*;

fn set<'a>(downloads: &'a [RemoteFile<'a>], mirrors: &'a [&'a str]) -> PublishedSet<'a> {
    PublishedSet {
        name: "packed",
        subfolders: &["packed-bin"],
        files: &FILES,
        contents: &[],
        downloads,
        mirrors,
        form: Form::Archive,
    }
}

fn packed(sha256: &str) -> RemoteFile<'_> {
    RemoteFile {
        name: "packed.tar.gz",
        sha256,
        bytes: 1 << 20,
    }
}

/// Fetches an archive, by downloading it or from a copy that already exists.
fn fetch_archive(bytes: &[u8], base: &Path) -> (Result<(), PublishedError>, usize) {
    let server = server(vec![("packed.tar.gz", bytes.to_vec())]);
    let (sum, url) = (sha256(bytes), server.url("/"));
    let downloads = [packed(&sum)];
    let result = fetch_into(&set(&downloads, &[url.as_str()]), base);
    (result, server.asked().len())
}

fn good() -> Vec<u8> {
    gzip(&tar(&[
        Member {
            path: "packed-bin/",
            kind: EntryType::Directory,
            size: 0,
            content: b"",
        },
        Member::file("packed-bin/train.bin", &[1; 5000]),
        Member::file("./packed-bin/test.bin", b"22"),
        Member::file("packed-bin/readme.html", b"<html>"),
    ]))
}

const UNPACKED: [&str; 3] = [
    "packed-bin/readme.html",
    "packed-bin/test.bin",
    "packed-bin/train.bin",
];

#[test]
fn archive_is_unpacked_to_folder() {
    let folder = tempfile::tempdir().unwrap();
    // Leftover of a process that was killed.
    let leftover = folder.path().join(".packed-bin.unpacking-abc/packed-bin");
    fs::create_dir_all(&leftover).unwrap();
    fs::write(leftover.join("train.bin"), "half").unwrap();
    let (result, asked) = fetch_archive(&good(), folder.path());
    result.unwrap();
    assert_eq!(asked, 1);
    assert_eq!(contents(folder.path()), UNPACKED);
    let train = fs::read(folder.path().join("packed-bin/train.bin")).unwrap();
    assert!(train == [1; 5000]);
    let (result, asked) = fetch_archive(&good(), folder.path());
    result.unwrap();
    assert_eq!(asked, 0);
}

#[test]
fn user_provided_archive_is_unpacked_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("packed.tar.gz"), good()).unwrap();
    // A file that existed before is kept as well.
    fs::create_dir(folder.path().join("packed-bin")).unwrap();
    fs::write(folder.path().join("packed-bin/test.bin"), "mine").unwrap();
    let (result, asked) = fetch_archive(&good(), folder.path());
    result.unwrap();
    assert_eq!(asked, 0);
    assert_eq!(
        contents(folder.path()),
        [&UNPACKED[..], &["packed.tar.gz"]].concat()
    );
    let test = fs::read(folder.path().join("packed-bin/test.bin")).unwrap();
    assert_eq!(test, b"mine");
}

#[test]
fn suspicious_members_are_rejected() {
    let file = |path| Member::file(path, b"evil");
    let special = |kind| Member {
        path: "packed-bin/train.bin",
        kind,
        size: 0,
        content: b"",
    };
    let huge = Member {
        size: 1 << 40,
        ..file("packed-bin/train.bin")
    };
    let whole = good();
    for (bytes, words) in [
        (
            gzip(&tar(&[file("../evil")])),
            "`../evil` is outside of the",
        ),
        (
            gzip(&tar(&[file("packed-bin/../../evil")])),
            "is outside of",
        ),
        (
            gzip(&tar(&[file("/tmp/evil")])),
            "`/tmp/evil` is outside of",
        ),
        (gzip(&tar(&[file("elsewhere/evil")])), "is outside of"),
        (gzip(&tar(&[file("packed-bin")])), "is outside of"),
        (
            gzip(&tar(&[special(EntryType::Symlink)])),
            "is a link or a device",
        ),
        (
            gzip(&tar(&[special(EntryType::Link)])),
            "is a link or a device",
        ),
        (
            gzip(&tar(&[special(EntryType::Fifo)])),
            "is a link or a device",
        ),
        (gzip(&tar(&[huge])), "more than 100 times its size"),
        (
            gzip(&tar(&[file("packed-bin/train.bin")])),
            "it has no test.bin",
        ),
        (gzip(b"no archive at all"), "it is cut off"),
        (b"not even packed".to_vec(), "it is cut off"),
        (whole[..whole.len() / 2].to_vec(), "it is cut off"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let base = root.path().join("base");
        let (result, _) = fetch_archive(&bytes, &base);
        let error = result.unwrap_err();
        assert!(matches!(error, PublishedError::Archive { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.hint().unwrap().contains("packed.tar.gz"));
        assert_eq!(contents(root.path()), ["base/packed.tar.gz"], "{words}");
    }
}

#[test]
fn unpacking_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = good();
    fs::write(folder.path().join("packed.tar.gz"), &bytes).unwrap();
    let sum = sha256(&bytes);
    let downloads = [packed(&sum)];
    let bases = [folder.path().to_owned()];
    let mut stop = |progress: FetchProgress<'_>| match progress {
        FetchProgress::Unpacking { total, .. } => {
            assert_eq!(total, bytes.len() as u64);
            ControlFlow::Break(())
        }
        FetchProgress::Downloading { .. } => ControlFlow::Continue(()),
    };
    let error = fetch(&set(&downloads, &[]), &bases, &bases, &mut stop).unwrap_err();
    assert!(error.to_string().ends_with("was stopped"), "{error}");
    assert_eq!(contents(folder.path()), ["packed.tar.gz"]);
}

/// Environment variable with the URL, for the processes of the test below.
const URL: &str = "DATA_TEST_URL";
const CHECKSUM: &str = "DATA_TEST_CHECKSUM";
const BASE: &str = "DATA_TEST_BASE";

#[test]
fn concurrent_processes_download_and_unpack_once() {
    let bytes = good();
    let server = server(vec![("packed.tar.gz", bytes.clone())]);
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "published::tests::archives::process_of_several",
                "--ignored",
            ])
            .env(URL, server.url("/"))
            .env(CHECKSUM, sha256(&bytes))
            .env(BASE, folder.path())
            .env("NO_PROXY", "127.0.0.1")
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let processes: Vec<_> = (0..4).map(|_| start()).collect();
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(server.asked().len(), 1);
    assert_eq!(contents(folder.path()), UNPACKED);
}

/// Runs in the processes started by the test above.
#[test]
#[ignore = "does nothing by itself"]
fn process_of_several() {
    let (Ok(url), Ok(sum), Ok(base)) = (env::var(URL), env::var(CHECKSUM), env::var(BASE)) else {
        return;
    };
    let downloads = [packed(&sum)];
    fetch_into(&set(&downloads, &[url.as_str()]), base.as_ref()).unwrap();
    assert!(Path::new(&base).join("packed-bin/train.bin").is_file());
}
