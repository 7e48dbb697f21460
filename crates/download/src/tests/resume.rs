//! Resuming from existing bytes.

use std::fs;
use std::ops::ControlFlow;

use super::server::{Reply, Server};
use super::{Setup, content};
use crate::{DownloadError, Outcome, Progress};

#[test]
fn cut_off_download_resumes() {
    let file = content(1000);
    let server = Server::with(&file, |asked, file| {
        let reply = Reply::good(asked, file, "\"1\"");
        if asked.index < 4 {
            reply.cut(200)
        } else {
            reply
        }
    });
    let place = Setup::new();
    let outcome = place.fetch(&server.mirrors(), &file).unwrap();
    assert_eq!(outcome, Outcome::Downloaded { received: 1000 });
    place.assert_holds(&file);
    let ranges = [None, Some(200), Some(400), Some(600), Some(800)];
    assert_eq!(server.ranges(), ranges);
    assert_eq!(server.asked()[1].if_range.as_deref(), Some("\"1\""));
}

#[test]
fn download_resumes_from_next_mirror() {
    let file = content(1000);
    let bad = Server::with(&file, |asked, file| match asked.index {
        0 => Reply::good(asked, file, "\"bad\"").cut(300),
        _ => Reply::status(503),
    });
    let good = Server::of(&file);
    let place = Setup::new();
    let outcome = place
        .fetch(&[bad.url("/file"), good.url("/file")], &file)
        .unwrap();
    assert_eq!(outcome, Outcome::Downloaded { received: 1000 });
    place.assert_holds(&file);
    assert_eq!(bad.asked().len(), 3);
    // The other mirror's validator must not be sent.
    let asked = &good.asked()[0];
    assert_eq!((asked.range, asked.if_range.clone()), (Some(300), None));
}

#[test]
fn stalled_mirror_is_abandoned_and_part_kept() {
    let file = content(1000);
    let server = Server::with(&file, |asked, file| match asked.index {
        0 => Reply::good(asked, file, "\"1\"").cut(300),
        _ => Reply::good(asked, file, "\"1\"").cut(0),
    });
    let place = Setup::new();
    let error = place.fetch(&server.mirrors(), &file).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("closed the connection after 300 bytes of 1000"),
        "{text}"
    );
    assert_eq!(server.asked().len(), 3);
    assert_eq!(place.names(), ["file.part", "file.part.json"]);
    assert_eq!(fs::read(place.part()).unwrap(), file[..300]);
}

#[test]
fn server_without_ranges_restarts_download() {
    let file = content(1000);
    let server = Server::with(&file, |asked, file| {
        let reply = Reply::whole(file);
        if asked.index < 2 {
            reply.cut(400)
        } else {
            reply
        }
    });
    let place = Setup::new();
    let outcome = place.fetch(&server.mirrors(), &file).unwrap();
    assert_eq!(outcome, Outcome::Downloaded { received: 1800 });
    place.assert_holds(&file);
}

#[test]
fn server_without_ranges_that_always_cuts_is_abandoned() {
    let file = content(1000);
    let server = Server::with(&file, |_, file| Reply::whole(file).cut(400));
    let place = Setup::new();
    place.fetch(&server.mirrors(), &file).unwrap_err();
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn file_changed_between_attempts_restarts_download() {
    let (old, new) = (content(1000), vec![7; 900]);
    for ignores_if_range in [false, true] {
        let server = Server::new({
            let (old, new) = (old.clone(), new.clone());
            move |asked| {
                let mut asked = asked.clone();
                if ignores_if_range {
                    asked.if_range = None;
                }
                match asked.index {
                    0 => Reply::good(&asked, &old, "\"old\"").cut(300),
                    _ => Reply::good(&asked, &new, "\"new\""),
                }
            }
        });
        let place = Setup::new();
        place.fetch(&server.mirrors(), &new).unwrap();
        place.assert_holds(&new);
        let expected: &[_] = match ignores_if_range {
            false => &[None, Some(300)],
            true => &[None, Some(300), None],
        };
        assert_eq!(server.ranges(), expected);
    }
}

#[test]
fn undetected_change_restarts_download() {
    let (old, new) = (content(1000), vec![7; 1000]);
    let server = Server::new({
        let (old, new) = (old.clone(), new.clone());
        move |asked| match asked.range {
            None if asked.index == 0 => Reply::whole(&old).cut(300),
            None => Reply::whole(&new),
            Some(offset) => Reply::rest(&new, offset),
        }
    });
    let place = Setup::new();
    place.fetch(&server.mirrors(), &new).unwrap();
    place.assert_holds(&new);
    assert_eq!(server.ranges(), [None, Some(300), None]);
}

#[test]
fn restart_does_not_use_up_attempts() {
    let (old, new) = (vec![7; 900], content(1000));
    let server = Server::with(&new, |asked, new| {
        Reply::good(asked, new, "\"new\"").cut(200)
    });
    let place = Setup::new();
    place.leave_part(&old, Some((&server.url("/file"), "\"old\"")));
    place.fetch(&server.mirrors(), &new).unwrap();
    place.assert_holds(&new);
}

#[test]
fn change_of_etag_only_is_not_an_error() {
    let (old, new) = (vec![7; 1000], content(1000));
    let server = Server::new({
        let (old, new) = (old.clone(), new.clone());
        move |asked| {
            let mut asked = asked.clone();
            asked.if_range = None;
            match asked.index {
                0 => Reply::good(&asked, &old, "\"old\"").cut(900),
                _ => Reply::good(&asked, &new, "\"new\"").cut(200),
            }
        }
    });
    let place = Setup::new();
    place.fetch(&server.mirrors(), &new).unwrap();
    place.assert_holds(&new);
}

#[test]
fn shorter_range_is_accepted() {
    let file = content(1000);
    let server = Server::with(&file, |asked, file| match asked.range {
        None => Reply::whole(file).cut(100),
        Some(offset) => {
            let end = (offset + 400).min(1000);
            Reply::bare(206, &file[offset..end])
                .field(&format!("Content-Length: {}", end - offset))
                .field(&format!("Content-Range: bytes {offset}-{}/1000", end - 1))
        }
    });
    let place = Setup::new();
    let outcome = place.fetch(&server.mirrors(), &file).unwrap();
    assert_eq!(outcome, Outcome::Downloaded { received: 1000 });
    assert_eq!(server.ranges(), [None, Some(100), Some(500), Some(900)]);
}

#[test]
fn last_modified_replaces_missing_etag() {
    let file = content(1000);
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let server = Server::with(&file, move |asked, file| match asked.range {
        None => Reply::whole(file)
            .field(&format!("Last-Modified: {date}"))
            .cut(10),
        Some(offset) => Reply::rest(file, offset),
    });
    let place = Setup::new();
    place.fetch(&server.mirrors(), &file).unwrap();
    place.assert_holds(&file);
    assert_eq!(server.asked()[1].if_range.as_deref(), Some(date));
}

#[test]
fn any_leftovers_yield_the_right_file() {
    let file = content(1000);
    let other = vec![7; 1000];
    let longer = content(1500);
    let leftovers: [(&[u8], usize); 6] = [
        (&file[..500], 500),       // resumed
        (&file[..], 0),            // complete
        (&other[..500], 1500),     // detected by the checksum
        (&other[..], 1000),        // no bytes left to request: 416
        (&longer[..], 1000),       // likewise
        (&vec![0; 1 << 21], 1000), // more than allowed
    ];
    for (leftover, expected) in leftovers {
        for noted in [false, true] {
            let server = Server::of(&file);
            let place = Setup::new();
            let url = server.url("/file");
            place.leave_part(leftover, noted.then_some((url.as_str(), "\"1\"")));
            let outcome = place.fetch(&server.mirrors(), &file).unwrap();
            let received = expected as u64;
            assert_eq!(outcome, Outcome::Downloaded { received });
            place.assert_holds(&file);
        }
    }
}

#[test]
fn interrupted_download_resumes_later() {
    let file = content(300_000);
    let server = Server::with(&file, |asked, file| {
        let reply = Reply::good(asked, file, "\"1\"");
        match asked.index {
            0 => reply.cut(100_000).stall(),
            _ => reply,
        }
    });
    let place = Setup::new();
    let mut stop = |progress| match progress {
        Progress::Receiving {
            received: 100_000, ..
        } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let error = place
        .fetch_watched(&server.mirrors(), &file, &mut stop)
        .unwrap_err();
    assert!(matches!(error, DownloadError::Interrupted));
    assert_eq!(place.names(), ["file.part", "file.part.json"]);

    let outcome = place.fetch(&server.mirrors(), &file).unwrap();
    assert_eq!(outcome, Outcome::Downloaded { received: 200_000 });
    place.assert_holds(&file);
}

#[test]
fn stalled_download_can_be_interrupted() {
    let server = Server::new(|_| Reply::bare(200, b"").field("Content-Length: 9").stall());
    let place = Setup::new();
    let mut calls = 0;
    let mut stop = |_| {
        calls += 1;
        match calls {
            5 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    };
    let error = place
        .fetch_watched(&server.mirrors(), b"abc", &mut stop)
        .unwrap_err();
    assert!(matches!(error, DownloadError::Interrupted));
    assert!(place.names().is_empty());
}
