//! Lines into events, many at a time.
//!
//! A run has millions of steps and few events of other kinds, so lines of steps go straight into
//! columns, and large texts are shared out to all cores.

use std::fmt;
use std::panic::resume_unwind;
use std::thread::ScopedJoinHandle;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use crate::event::Event;
use crate::steps::Steps;

/// How a line begins that the writer made of a step.
const STEP: &[u8] = b"{\"event\":\"step\",";
/// Fewer bytes are not worth a thread.
const LEAST: usize = 1 << 18;

/// Steps, or another event, in the order of their lines.
#[derive(Debug)]
pub(crate) enum Part {
    Steps(Steps),
    Event(Event),
}

/// What lines come to.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub parts: Vec<Part>,
    /// Lines that are no events.
    pub damaged: usize,
}

/// Which steps are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    /// Those that another event or the end of a piece follows; the lines of the others are not looked
    /// into.
    Last,
}

/// Parses whole lines.
pub(crate) fn parse(text: &[u8], wanted: Wanted) -> Vec<Parsed> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pieces = (text.len() / LEAST).clamp(1, threads);
    if pieces == 1 {
        return vec![parse_lines(text, wanted)];
    }
    share_out(cut(text, pieces), |piece| parse_lines(piece, wanted))
}

/// Works on each piece on a thread of its own. What panics there panics here, as it would with one piece:
/// a history must not lack a part without a word.
fn share_out<T: Send>(pieces: Vec<&[u8]>, work: impl Fn(&[u8]) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = pieces
            .into_iter()
            .map(|piece| scope.spawn(move || work(piece)))
            .collect();
        let join = |thread: ScopedJoinHandle<T>| {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}

/// Pieces of about the same length that end with a line.
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

/// Lines as they come.
#[derive(Default)]
struct Lines {
    parsed: Parsed,
    /// Those since the last other event.
    steps: Steps,
    row: Row,
}

impl Lines {
    fn push(&mut self, line: &[u8]) {
        if line.starts_with(STEP) && self.row.read(line) {
            self.row.push(&mut self.steps);
            return;
        }
        match serde_json::from_slice(line) {
            Ok(Event::Step(step)) => self.steps.push(&step),
            Ok(event) => {
                self.flush();
                self.parsed.parts.push(Part::Event(event));
            }
            Err(_) => self.parsed.damaged += 1,
        }
    }

    fn flush(&mut self) {
        if !self.steps.is_empty() {
            let steps = std::mem::take(&mut self.steps);
            self.parsed.parts.push(Part::Steps(steps));
        }
    }
}

/// The figures of a line, in memory that serves all lines.
#[derive(Default)]
struct Row {
    step: Option<u64>,
    seconds: f64,
    /// The first `used` of them count.
    figures: Vec<(String, f32)>,
    used: usize,
}

impl Row {
    /// Whether the line has all that a step has.
    fn read(&mut self, line: &[u8]) -> bool {
        self.step = None;
        self.seconds = f64::NAN;
        self.used = 0;
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        let read = (&mut *self).deserialize(&mut deserializer);
        read.is_ok() && deserializer.end().is_ok() && self.step.is_some() && !self.seconds.is_nan()
    }

    fn push(&self, steps: &mut Steps) {
        let Some(step) = self.step else {
            return;
        };
        steps.begin(step, self.seconds);
        for (name, figure) in &self.figures[..self.used] {
            steps.set(name, *figure);
        }
        steps.end();
    }

    fn set(&mut self, name: &str, figure: f32) {
        match self.figures.get_mut(self.used) {
            // As a rule, lines have the same names in the same order.
            Some((before, value)) => {
                if before != name {
                    name.clone_into(before);
                }
                *value = figure;
            }
            None => self.figures.push((name.to_owned(), figure)),
        }
        self.used += 1;
    }
}

impl<'de> DeserializeSeed<'de> for &mut Row {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Row {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a step")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        // A name with an escape cannot be borrowed; such lines go the other way.
        while let Some(name) = map.next_key::<&str>()? {
            match name {
                "event" | "epoch" => {
                    map.next_value::<IgnoredAny>()?;
                }
                "step" => self.step = Some(map.next_value()?),
                "seconds" => self.seconds = map.next_value()?,
                _ => {
                    let figure: Option<f64> = map.next_value()?;
                    self.set(name, figure.unwrap_or(f64::NAN) as f32);
                }
            }
        }
        Ok(())
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
    fn the_writers_lines_take_the_fast_way() {
        assert!(line(3).as_bytes().starts_with(STEP));
        let mut row = Row::default();
        assert!(row.read(line(3).as_bytes()));
        assert_eq!(row.step, Some(3));
        assert_eq!(row.seconds, 0.375);
        assert_eq!(row.figures[1], ("loss".to_owned(), 0.25));
        assert!(row.figures[0].1.is_nan());
        // Another order of names, and one with an escape, go the slow way to the same end.
        for slow in [
            r#"{"step":3,"epoch":1,"event":"step","seconds":0.375,"loss":0.25}"#,
            r#"{"event":"step","step":3,"epoch":1,"seconds":0.375,"lo\u0073s":0.25}"#,
        ] {
            let parsed = parse_lines(slow.as_bytes(), Wanted::All);
            let Part::Steps(steps) = &parsed.parts[0] else {
                panic!("{slow}");
            };
            assert_eq!(steps.steps(), [3]);
            assert_eq!(steps.figures("loss"), Some(&[0.25][..]));
        }
    }

    #[test]
    fn damaged_lines_are_counted_and_passed_over() {
        let text = [
            &line(1),
            "",
            "{\"event\":\"step\",",
            "{\"event\":\"step\",\"seconds\":1,\"epoch\":1}",
            "\u{1b}[2J",
            "null",
            "{\"event\":\"hologram\",\"colour\":[1]}",
            &line(2),
        ]
        .join("\r\n");
        let parsed = parse_lines(text.as_bytes(), Wanted::All);
        assert_eq!(parsed.damaged, 4);
        assert!(matches!(
            &parsed.parts[..],
            [Part::Steps(_), Part::Event(Event::Unknown), Part::Steps(_)]
        ));
        assert_eq!(parse_lines(b"\xff\xfe\n\0\n", Wanted::All).damaged, 2);
    }

    #[test]
    fn of_steps_in_a_row_the_last_can_be_had() {
        let message = r#"{"event":"message","seconds":1,"level":"info","text":""}"#;
        let text = [&line(1), &line(2), message, &line(3), &line(4), &line(5)].join("\n");
        let parsed = parse_lines(text.as_bytes(), Wanted::Last);
        let steps = parsed.parts.iter().filter_map(|part| match part {
            Part::Steps(steps) => Some(steps.steps().to_vec()),
            Part::Event(_) => None,
        });
        assert_eq!(steps.collect::<Vec<_>>(), [[2], [5]]);
        assert_eq!(parsed.parts.len(), 3);
    }

    #[test]
    fn no_piece_is_missing_without_a_word() {
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
