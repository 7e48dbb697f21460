//! Servers that violate HTTP or are malicious.

use super::server::{Asked, Reply, Server};
use super::{Setup, content};
use crate::{DownloadError, MirrorFailure, Problem};

/// Returns the problem with a server, and checks that a good mirror is tried next.
fn problem(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static, part: &[u8]) -> Problem {
    let file = content(1000);
    let (bad, good) = (Server::new(reply), Server::of(&file));
    let mut place = Setup::new();
    place.max_bytes = 2000;
    place.leave_part(part, None);
    let error = place.fetch(&bad.mirrors(), &file).unwrap_err();
    place.leave_part(part, None);
    place
        .fetch(&[bad.url("/file"), good.url("/file")], &file)
        .unwrap();
    place.assert_holds(&file);
    match error {
        DownloadError::NoMirror { mut failures, .. } => {
            let MirrorFailure { problem, .. } = failures.remove(0);
            problem
        }
        error => panic!("{error}"),
    }
}

#[test]
fn oversized_bodies_are_rejected() {
    let endless = problem(|_| Reply::bare(200, &content(100_000)), b"");
    assert!(matches!(endless, Problem::TooLong { limit: 2000 }));
    let announced = problem(|_| Reply::whole(&content(2001)), b"");
    assert!(matches!(announced, Problem::TooLong { limit: 2000 }));
    let huge = |_: &Asked| Reply::bare(200, b"").field("Content-Length: 18446744073709551615");
    assert!(matches!(
        problem(huge, b""),
        Problem::TooLong { limit: 2000 }
    ));
}

#[test]
fn oversized_ranges_are_rejected() {
    let longer = |asked: &Asked| match asked.range {
        Some(_) => Reply::bare(206, &content(900)).field("Content-Range: bytes 500-999/1000"),
        None => Reply::status(404),
    };
    let problem = problem(longer, &content(1000)[..500]);
    assert!(
        matches!(problem, Problem::TooLong { limit: 1000 }),
        "{problem}"
    );
}

#[test]
fn unrequested_part_is_rejected() {
    let problem = problem(|_| Reply::rest(&content(1000), 500), b"");
    assert!(matches!(problem, Problem::Answer { .. }), "{problem}");
}

#[test]
fn mismatched_ranges_do_not_loop_forever() {
    let shifted = |asked: &Asked| match asked.range {
        Some(offset) => Reply::rest(&content(1000), offset - 1),
        None => Reply::good(asked, &content(1000), "\"1\"").cut(500),
    };
    let problem = problem(shifted, b"");
    assert!(matches!(problem, Problem::Answer { .. }), "{problem}");
}

#[test]
fn non_http_responses_skip_to_next_mirror() {
    for field in [
        "Content-Length: -1",
        "Content-Length: 10\r\nContent-Length: 20",
        "Transfer-Encoding: chunked\r\nContent-Length: nine",
        "\0\u{1b}[2J",
    ] {
        let field = field.to_owned();
        let problem = problem(move |_| Reply::bare(200, b"abc").field(&field), b"");
        let text = problem.to_string();
        assert!(!text.contains(char::is_control), "{text}");
    }
    let endless_head =
        |_: &Asked| Reply::bare(200, b"").field(&format!("a: {}", "b".repeat(1 << 20)));
    problem(endless_head, b"");
}

#[test]
fn invalid_redirects_skip_to_next_mirror() {
    for location in [
        "ftp://127.0.0.1/file",
        "http://",
        "//",
        "http://a b/",
        "\u{7f}",
    ] {
        let field = format!("Location: {location}");
        problem(move |_| Reply::status(302).field(&field), b"");
    }
    problem(|_| Reply::status(302), b"");
}

#[test]
fn range_errors_keep_the_part() {
    let refuses = |asked: &Asked| match asked.range {
        Some(_) => Reply::status(403),
        None => Reply::status(404),
    };
    let problem = problem(refuses, &content(1000)[..500]);
    assert!(
        matches!(problem, Problem::Status { status: 403 }),
        "{problem}"
    );
}
