//! Mirror selection, and errors if no mirror has the file.

use std::fs;
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ureq::Proxy;

use super::server::{Reply, Server};
use super::{Setup, content, sha256};
use crate::fetch::fetch_with;
use crate::{ChecksumError, Download, DownloadError, MirrorFailure, Outcome, Problem, Progress};

fn failures(error: DownloadError) -> Vec<MirrorFailure> {
    match error {
        DownloadError::NoMirror { failures, .. } => failures,
        error => panic!("{error}"),
    }
}

#[test]
fn file_is_downloaded_once() {
    let file = content(300_000);
    let server = Server::of(&file);
    let mut place = Setup::new();
    place.path = place.folder.path().join("a/b/file");
    let outcome = place.fetch(&server.mirrors(), &file).unwrap();
    assert_eq!(outcome, Outcome::Downloaded { received: 300_000 });
    assert!(fs::read(&place.path).unwrap() == file);
    assert_eq!(
        fs::read_dir(place.path.parent().unwrap()).unwrap().count(),
        1
    );

    let outcome = place.fetch(&server.mirrors(), &file).unwrap();
    assert_eq!(outcome, Outcome::AlreadyThere);
    assert_eq!(server.ranges(), [None]);
}

#[test]
fn empty_file_is_downloaded() {
    let server = Server::of(b"");
    let place = Setup::new();
    place.fetch(&server.mirrors(), b"").unwrap();
    place.assert_holds(b"");
}

#[test]
fn unknown_length_is_accepted() {
    let file = content(1000);
    let bare = Server::with(&file, |_, file| Reply::bare(200, file));
    let chunked = Server::with(&file, |_, file| {
        let mut body = format!("{:x}\r\n", file.len()).into_bytes();
        body.extend(file);
        body.extend(b"\r\n0\r\n\r\n");
        Reply::bare(200, &body).field("Transfer-Encoding: chunked")
    });
    for server in [bare, chunked] {
        let place = Setup::new();
        place.fetch(&server.mirrors(), &file).unwrap();
        place.assert_holds(&file);
    }
}

#[test]
fn content_encoding_is_not_decoded() {
    let file = content(1000);
    let server = Server::with(&file, |asked, file| {
        Reply::good(asked, file, "\"1\"")
            .field("Content-Encoding: gzip")
            .field("Content-Type: text/plain; charset=iso-8859-1")
    });
    let place = Setup::new();
    place.fetch(&server.mirrors(), &file).unwrap();
    place.assert_holds(&file);
}

#[test]
fn download_accepts_checksum_prefix() {
    let file = content(1000);
    let server = Server::of(&file);
    let place = Setup::new();
    let download = Download {
        mirrors: &server.mirrors(),
        checksum: &sha256(&file)[..8].to_uppercase(),
        path: &place.path,
        max_bytes: 1000,
    };
    fetch_with(&download, &place.patience, &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    place.assert_holds(&file);
}

#[test]
fn progress_reports_received_bytes() {
    let file = content(300_000);
    let server = Server::of(&file);
    let place = Setup::new();
    let mut said = Vec::new();
    let mut listen = |progress| {
        said.push(progress);
        ControlFlow::Continue(())
    };
    place
        .fetch_watched(&server.mirrors(), &file, &mut listen)
        .unwrap();
    let bytes: Vec<u64> = said
        .iter()
        .filter_map(|progress| match progress {
            Progress::Receiving { received, .. } => Some(*received),
            _ => None,
        })
        .collect();
    assert!(bytes.is_sorted());
    assert_eq!((bytes[0], bytes[bytes.len() - 1]), (0, 300_000));
    let total = Some(300_000);
    assert!(said.contains(&Progress::Receiving {
        received: 300_000,
        total
    }));
}

#[test]
fn mirror_without_file_is_skipped() {
    let file = content(1000);
    let good = Server::of(&file);
    for status in [403, 404, 410, 429, 500, 503] {
        let bad = Server::new(move |_| Reply::status(status));
        let place = Setup::new();
        place
            .fetch(&[bad.url("/file"), good.url("/file")], &file)
            .unwrap();
        place.assert_holds(&file);
        assert_eq!(bad.asked().len(), 1);
    }
}

#[test]
fn mirror_with_different_file_is_skipped() {
    let (file, other) = (content(1000), content(2000));
    let (bad, good) = (Server::of(&other), Server::of(&file));
    let place = Setup::new();
    place
        .fetch(&[bad.url("/file"), good.url("/file")], &file)
        .unwrap();
    place.assert_holds(&file);
    // No bytes of the other file were used.
    assert_eq!((bad.ranges(), good.ranges()), (vec![None], vec![None]));
}

#[test]
fn different_file_on_all_mirrors_reports_both_checksums() {
    let (file, other) = (content(1000), content(2000));
    let server = Server::of(&other);
    let place = Setup::new();
    let error = place.fetch(&server.mirrors(), &file).unwrap_err();
    assert!(error.to_string().contains(&sha256(&file)[..16]), "{error}");
    assert!(error.to_string().contains(&sha256(&other)[..16]), "{error}");
    assert!(place.names().is_empty());
}

#[test]
fn redirects_keep_the_range() {
    let file = content(1000);
    let server = Server::with(&file, |asked, file| match asked.path.as_str() {
        "/file" => Reply::status(302).field("Location: /elsewhere/file"),
        "/loop" => Reply::status(301).field("Location: /loop"),
        _ => Reply::good(asked, file, "\"1\""),
    });
    let place = Setup::new();
    place.leave_part(&file[..400], Some((&server.url("/file"), "\"1\"")));
    place
        .fetch(&[server.url("/loop"), server.url("/file")], &file)
        .unwrap();
    place.assert_holds(&file);
    let last = server.asked().pop().unwrap();
    assert_eq!(
        (last.range, last.if_range.as_deref()),
        (Some(400), Some("\"1\""))
    );

    let place = Setup::new();
    let error = place.fetch(&[server.url("/loop")], &file).unwrap_err();
    assert!(matches!(failures(error)[0].problem, Problem::Redirects));
}

#[test]
fn unreachable_mirrors_give_hint() {
    // A port that was free just before.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = format!("http://{address}/file");
    let missing = Server::new(|_| Reply::status(404));
    let place = Setup::new();
    let error = place
        .fetch(
            &[refused.clone(), missing.url("/file"), "file".to_owned()],
            b"abc",
        )
        .unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("cannot download file: "), "{text}");
    assert!(
        text.contains(&format!("{refused} cannot be reached: ")),
        "{text}"
    );
    assert!(text.contains("answers 404 Not Found"), "{text}");
    assert!(
        text.ends_with("file is not the address of a file"),
        "{text}"
    );
    let hint = error.hint().unwrap();
    assert!(
        hint.contains(&format!("download {refused} on another machine")),
        "{hint}"
    );
    assert!(hint.contains(&place.path.display().to_string()), "{hint}");
    assert!(place.names().is_empty());
}

#[test]
fn unreachable_proxy_is_named() {
    let proxy = Server::new(|_| Reply::status(403));
    let mut place = Setup::new();
    place.patience.proxy = Some(Proxy::new(&proxy.url("")).unwrap());
    let error = place
        .fetch(&["https://mirror.invalid/file".to_owned()], b"abc")
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("by the proxy 127.0.0.1:"), "{text}");
    assert_eq!(proxy.asked()[0].path, "mirror.invalid:443");
}

#[test]
fn silent_mirror_times_out() {
    let file = content(1000);
    let silent = Server::new(|_| Reply::bare(200, b"").stall());
    let halting = Server::with(&file, |_, file| Reply::whole(file).cut(500).stall());
    let mut place = Setup::new();
    // Long enough for the servers to respond on a busy machine.
    place.patience.silence = Duration::from_millis(400);
    let error = place
        .fetch(&[silent.url("/file"), halting.url("/file")], &file)
        .unwrap_err();
    let failures = failures(error);
    assert!(
        matches!(failures[0].problem, Problem::Silent),
        "{failures:?}"
    );
    assert!(
        matches!(failures[1].problem, Problem::Silent),
        "{failures:?}"
    );
    assert_eq!(fs::read(place.part()).unwrap(), file[..500]);
}

#[test]
fn existing_different_file_is_kept() {
    let server = Server::of(b"abc");
    let place = Setup::new();
    fs::write(&place.path, "abd").unwrap();
    let error = place.fetch(&server.mirrors(), b"abc").unwrap_err();
    assert!(matches!(error, DownloadError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(&sha256(b"abd")[..16]), "{error}");
    assert!(error.hint().unwrap().contains("delete"));
    place.assert_holds(b"abd");
    assert!(server.asked().is_empty());
}

#[test]
fn file_created_during_download_is_kept() {
    let file = content(1000);
    let place = Setup::new();
    let path = Arc::new(Mutex::new(place.path.clone()));
    for (put, is_right) in [(file.clone(), true), (b"mine".to_vec(), false)] {
        let server = Server::new({
            let (file, put, path) = (file.clone(), put.clone(), path.clone());
            move |asked| {
                fs::write(&*path.lock().unwrap(), &put).unwrap();
                Reply::good(asked, &file, "\"1\"")
            }
        });
        let result = place.fetch(&server.mirrors(), &file);
        assert_eq!(result.is_ok(), is_right);
        assert_eq!(fs::read(&place.path).unwrap(), put);
        fs::remove_file(&place.path).unwrap();
    }
}

#[test]
fn invalid_paths_and_checksums_are_rejected() {
    let mut place = Setup::new();
    let download = Download {
        mirrors: &[],
        checksum: "abc",
        path: &place.path,
        max_bytes: 1000,
    };
    let error = fetch_with(&download, &place.patience, &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap_err();
    let expected = ChecksumError::Length { found: 3 };
    assert!(matches!(error, DownloadError::Checksum { source, .. } if source == expected));

    let error = place.fetch(&[], b"abc").unwrap_err();
    assert!(failures(error).is_empty());
    place.path = place.folder.path().to_owned();
    let error = place.fetch(&[], b"abc").unwrap_err();
    assert!(matches!(error, DownloadError::Read { .. }), "{error}");
    place.path = "..".into();
    place.fetch(&[], b"abc").unwrap_err();
}
