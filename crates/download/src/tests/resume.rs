//! Resuming from existing bytes.

use std::fs;
use std::ops::ControlFlow;

use super::server::{Reply, Server};
use super::{Setup, content};
use crate::{DownloadError, Outcome, Progress};

#[test]
fn what_is_cut_off_goes_on() {
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
fn another_mirror_goes_on() {
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
fn a_mirror_that_gives_no_more_is_given_up_and_the_part_stays() {
    let file = content(1000);
    let server = Server::with(&file, |asked, file| match asked.index {
        0 => Reply::good(asked, file, "\"1\"").cut(300),
        _ => Reply::good(asked, file, "\"1\"").cut(0),
    });
    let place = Setup::new();
    let error = place.fetch(&server.mirrors(), &file).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("broke off after 300 bytes of 1000"), "{text}");
    assert_eq!(server.asked().len(), 3);
    assert_eq!(place.names(), ["file.part", "file.part.json"]);
    assert_eq!(fs::read(place.part()).unwrap(), file[..300]);
}

#[test]
fn a_server_without_ranges_starts_again() {
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
fn a_server_without_ranges_that_always_breaks_off_is_given_up() {
    let file = content(1000);
    let server = Server::with(&file, |_, file| Reply::whole(file).cut(400));
    let place = Setup::new();
    place.fetch(&server.mirrors(), &file).unwrap_err();
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_file_that_changed_between_tries_starts_again() {
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
fn a_file_that_changed_unnoticed_starts_again() {
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
fn starting_again_takes_as_many_tries_as_it_needs() {
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
fn a_change_that_the_tag_alone_shows_is_no_failure() {
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
fn a_server_may_give_less_than_was_asked_for() {
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
fn a_date_stands_in_for_a_tag() {
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
fn leftovers_of_any_kind_end_in_the_right_file() {
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
fn a_stopped_download_goes_on_another_time() {
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
fn a_download_can_be_stopped_while_nothing_comes() {
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
