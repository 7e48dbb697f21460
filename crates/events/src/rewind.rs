//! Restores an event file to its state at a checkpoint.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::Deserialize;

use crate::event::Resumed;

/// Removes from the file what a run discards when it continues from a checkpoint: everything after
/// that step, and the test. Messages and the ends of sittings are kept. The file is complete at all
/// times.
pub(crate) fn rewind(path: &Path, to: &Resumed) -> io::Result<()> {
    let file = match files::open_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    files::write_atomically_with(path, |target| copy_kept(BufReader::new(file), target, to))
}

fn copy_kept(mut source: impl BufRead, target: &mut dyn Write, to: &Resumed) -> io::Result<()> {
    let mut line = Vec::new();
    while source.read_until(b'\n', &mut line)? > 0 {
        if is_kept(&line, to) {
            target.write_all(&line)?;
        }
        line.clear();
    }
    Ok(())
}

/// The position of an event in a run.
#[derive(Deserialize)]
struct Mark {
    event: Kind,
    step: Option<usize>,
    epoch: Option<usize>,
    seconds: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Started,
    Step,
    Speed,
    Checkpoint,
    Epoch,
    System,
    Progress,
    Tested,
    #[serde(other)]
    Other,
}

/// Returns whether [`History`](crate::History) keeps the line. Lines that are not events are kept.
fn is_kept(line: &[u8], to: &Resumed) -> bool {
    let Ok(mark) = serde_json::from_slice::<Mark>(line) else {
        return true;
    };
    match mark.event {
        // A run that starts over writes its own event.
        Kind::Started => to.step > 0,
        Kind::Step | Kind::Speed | Kind::Checkpoint => mark.step.is_none_or(|step| step <= to.step),
        Kind::Epoch => mark.epoch.is_none_or(|epoch| epoch <= to.epochs_done),
        Kind::System | Kind::Progress => mark.seconds.is_none_or(|seconds| seconds <= to.seconds),
        Kind::Tested => false,
        Kind::Other => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{
        Checkpoint, Ended, Ending, Epoch, Event, Level, Message, Progress, Speed, Step, System,
        Work,
    };
    use crate::history::History;
    use crate::metrics::Metrics;

    fn line(event: &Event) -> String {
        serde_json::to_string(event).unwrap() + "\n"
    }

    /// Returns all events around a step, in a run of three steps per epoch.
    fn around(step: usize) -> Vec<Event> {
        let (seconds, epoch) = (step as f64, 1 + (step - 1) / 3);
        let mut events = vec![
            Event::Step(Step {
                seconds,
                epoch,
                step,
                metrics: Metrics::from_iter([("loss", f64::NAN)]),
            }),
            Event::Speed(Speed {
                seconds,
                step,
                ..Speed::default()
            }),
            Event::System(System {
                seconds,
                ..System::default()
            }),
            Event::Message(Message {
                seconds,
                level: Level::Info,
                text: format!("after {step}"),
            }),
            Event::Progress(Progress {
                seconds,
                work: Work::Validation,
                done: 1,
                total: 2,
            }),
        ];
        if step.is_multiple_of(3) {
            events.push(Event::Epoch(Box::new(Epoch {
                seconds,
                epoch,
                step,
                ..Epoch::default()
            })));
            events.push(Event::Checkpoint(Checkpoint {
                seconds,
                step,
                epoch: epoch + 1,
            }));
        }
        events
    }

    #[test]
    fn forgotten_events_are_removed_from_file() {
        let to = Resumed {
            step: 6,
            epochs_done: 2,
            seconds: 6.0,
            ..Resumed::default()
        };
        let mut events: Vec<Event> = (1..=8).flat_map(around).collect();
        events.push(Event::Tested(Box::default()));
        events.push(Event::Ended(Ended {
            seconds: 8.5,
            ending: Ending::Stopped,
            hint: None,
            reason: None,
        }));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let damage = "{\"event\":\"st\n\u{1b}[2J\n";
        let before: String = events.iter().map(line).collect();
        std::fs::write(&path, before + damage).unwrap();
        rewind(&path, &to).unwrap();

        let resumed = Event::Resumed(to.clone());
        let kept = std::fs::read_to_string(&path).unwrap();
        let (kept, rest) = kept.split_at(kept.len() - damage.len());
        assert_eq!(rest, damage);
        let kept: Vec<Event> = kept
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let steps = kept.iter().filter_map(|event| match event {
            Event::Step(step) => Some(step.step),
            _ => None,
        });
        assert!(steps.eq(1..=6));
        let [all, left] = [events, kept].map(|events| {
            let mut history = History::default();
            for event in events.into_iter().chain([resumed.clone()]) {
                history.push(event);
            }
            format!("{history:?}")
        });
        assert_eq!(all, left);
        assert!(left.contains("after 8") && left.contains("Stopped"));
        // Rewinding again changes nothing.
        let before = std::fs::read(&path).unwrap();
        rewind(&path, &to).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn rewind_without_file_does_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        rewind(&path, &Resumed::default()).unwrap();
        assert!(!path.exists());
    }
}
