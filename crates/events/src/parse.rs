//! Parses event lines, many at a time.
//!
//! A run has millions of steps and few other events, so lines of steps are parsed directly into
//! columns, and large texts are split across all cores.

use std::io;
use std::panic::resume_unwind;
use std::thread::{Builder, ScopedJoinHandle};

use crate::event::Event;
use crate::step_line::{Row, STEP};
use crate::steps::Steps;

/// Minimum number of bytes per thread.
const LEAST: usize = 1 << 18;

/// Steps, or another event, in line order.
#[derive(Debug)]
pub(crate) enum ParsedLines {
    Steps(Steps),
    Event(Event),
}

/// The result of parsing lines.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub parts: Vec<ParsedLines>,
    /// Number of lines that are not events.
    pub damaged: usize,
}

/// Steps to parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    /// Only steps followed by another event or the end of a piece; the lines of other steps are
    /// skipped.
    Last,
}

/// Parses complete lines.
pub(crate) fn parse(text: &[u8], wanted: Wanted) -> Vec<Parsed> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pieces = (text.len() / LEAST).clamp(1, threads);
    if pieces == 1 {
        return vec![parse_lines(text, wanted)];
    }
    share_out(cut(text, pieces), |piece| parse_lines(piece, wanted))
}

/// Processes each piece on its own thread, or on this thread if the system cannot start one. A
/// panic in a thread is propagated, so that a history never silently lacks a part.
fn share_out<T: Send>(pieces: Vec<&[u8]>, work: impl Fn(&[u8]) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let start = |piece| Builder::new().spawn_scoped(scope, move || work(piece));
        let threads: Vec<_> = pieces.iter().map(|&piece| start(piece)).collect();
        let join = |(thread, piece): (io::Result<ScopedJoinHandle<T>>, &[u8])| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => work(piece),
        };
        threads
            .into_iter()
            .zip(pieces.iter().copied())
            .map(join)
            .collect()
    })
}

/// Splits a text into pieces of about the same length that end at a line break.
fn cut(mut text: &[u8], pieces: usize) -> Vec<&[u8]> {
    let length = text.len().div_ceil(pieces);
    let mut cut = Vec::with_capacity(pieces);
    while text.len() > length {
        let end = match memchr::memchr(b'\n', &text[length..]) {
            Some(newline) => length + newline + 1,
            None => text.len(),
        };
        let (piece, rest) = text.split_at(end);
        cut.push(piece);
        text = rest;
    }
    if !text.is_empty() {
        cut.push(text);
    }
    cut
}

fn parse_lines(text: &[u8], wanted: Wanted) -> Parsed {
    let mut lines = Lines::default();
    let mut last = None;
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', text).chain([text.len()]);
    for end in ends {
        let line = text[start.min(end)..end].trim_ascii();
        start = end + 1;
        if line.is_empty() {
            continue;
        }
        if wanted == Wanted::Last && line.starts_with(STEP) {
            last = Some(line);
            continue;
        }
        if let Some(step) = last.take() {
            lines.push(step);
        }
        lines.push(line);
    }
    if let Some(step) = last {
        lines.push(step);
    }
    lines.flush();
    lines.parsed
}

/// Collects lines in order.
#[derive(Default)]
struct Lines {
    parsed: Parsed,
    /// Steps since the last other event.
    steps: Steps,
    row: Row,
}

impl Lines {
    fn push(&mut self, line: &[u8]) {
        if self.row.read(line) {
            self.row.push(&mut self.steps);
            return;
        }
        match serde_json::from_slice(line) {
            Ok(Event::Step(step)) => self.steps.push(&step),
            Ok(event) => {
                self.flush();
                self.parsed.parts.push(ParsedLines::Event(event));
            }
            Err(_) => self.parsed.damaged += 1,
        }
    }

    fn flush(&mut self) {
        if !self.steps.is_empty() {
            let steps = std::mem::take(&mut self.steps);
            self.parsed.parts.push(ParsedLines::Steps(steps));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Step;
    use crate::metrics::Metrics;

    fn line(step: usize) -> String {
        let event = Event::Step(Step {
            seconds: step as f64 / 8.0,
            epoch: 1,
            step,
            metrics: Metrics::from_iter([("loss", 0.25), ("accuracy", f64::NAN)]),
        });
        serde_json::to_string(&event).unwrap()
    }

    #[test]
    fn equivalent_step_lines_parse_the_same() {
        assert!(line(3).as_bytes().starts_with(STEP));
        // Another order of names, or a name with an escape, takes the slow path to the same result.
        for slow in [
            r#"{"step":3,"epoch":1,"event":"step","seconds":0.375,"loss":0.25}"#,
            r#"{"event":"step","step":3,"epoch":1,"seconds":0.375,"lo\u0073s":0.25}"#,
        ] {
            let parsed = parse_lines(slow.as_bytes(), Wanted::All);
            let ParsedLines::Steps(steps) = &parsed.parts[0] else {
                panic!("{slow}");
            };
            assert_eq!(steps.steps(), [3]);
            assert_eq!(steps.figures("loss"), Some(&[0.25][..]));
        }
    }

    #[test]
    fn damaged_lines_are_counted_and_skipped() {
        let text = [
            &line(1),
            "",
            "{\"event\":\"step\",",
            "{\"event\":\"step\",\"seconds\":1,\"epoch\":1}",
            "\u{1b}[2J",
            "null",
            "{\"event\":\"hologram\",\"color\":[1]}",
            &line(2),
        ]
        .join("\r\n");
        let parsed = parse_lines(text.as_bytes(), Wanted::All);
        assert_eq!(parsed.damaged, 4);
        assert!(matches!(
            &parsed.parts[..],
            [
                ParsedLines::Steps(_),
                ParsedLines::Event(Event::Unknown),
                ParsedLines::Steps(_)
            ]
        ));
        assert_eq!(parse_lines(b"\xff\xfe\n\0\n", Wanted::All).damaged, 2);
    }

    #[test]
    fn last_of_consecutive_steps_is_returned() {
        let message = r#"{"event":"message","seconds":1,"level":"info","text":""}"#;
        let text = [&line(1), &line(2), message, &line(3), &line(4), &line(5)].join("\n");
        let parsed = parse_lines(text.as_bytes(), Wanted::Last);
        let steps = parsed.parts.iter().filter_map(|part| match part {
            ParsedLines::Steps(steps) => Some(steps.steps().to_vec()),
            ParsedLines::Event(_) => None,
        });
        assert_eq!(steps.collect::<Vec<_>>(), [[2], [5]]);
        assert_eq!(parsed.parts.len(), 3);
    }

    #[test]
    fn missing_pieces_are_counted_as_damaged() {
        let pieces: Vec<&[u8]> = vec![b"a", b"bc", b"def"];
        assert_eq!(share_out(pieces.clone(), <[u8]>::len), [1, 2, 3]);
        let panicked = std::panic::catch_unwind(|| {
            share_out(pieces, |piece| {
                assert_ne!(piece, b"bc");
                piece.len()
            })
        });
        assert!(panicked.is_err());
    }

    #[test]
    fn pieces_are_whole_lines() {
        let text: String = (1..50).map(|step| line(step) + "\n").collect();
        for pieces in 1..9 {
            let cut = cut(text.as_bytes(), pieces);
            assert!(cut.len() <= pieces);
            assert!(cut.iter().all(|piece| piece.ends_with(b"\n")));
            assert_eq!(cut.concat(), text.as_bytes());
        }
    }
}
