//! Progress of a run.

use events::{History, State as RunState, Work};
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::panel::bar;
use crate::pen::Pen;
use crate::runs::Run;
use events::format::{count, duration, percent};

/// Seconds without events from a running run before it is reported as silent.
const SILENT: f64 = 60.0;
/// Usual columns of the remaining time.
const NOTE: u16 = 20;
/// Maximum columns of the remaining time on the narrowest screens.
const SHORT_NOTE: u16 = 13;
/// Rows that [`draw`] takes.
pub(crate) const ROWS: u16 = 2;

/// Returns the time that a run has taken, up to now.
pub(crate) fn elapsed(run: &Run) -> f64 {
    let idle = if run.is_running { run.idle } else { 0.0 };
    run.history.seconds() + idle
}

/// Returns the fraction of the planned steps that are done, 0 to 1.
pub(crate) fn share_of_run(history: &History) -> f64 {
    let planned = history.planned_steps().unwrap_or(0);
    match planned {
        0 => 0.0,
        planned => (history.step() as f64 / planned as f64).min(1.0),
    }
}

/// A task in progress.
struct Task {
    name: String,
    /// Fraction done, 0 to 1.
    share: f64,
    /// Remaining seconds as of the last event.
    left: Option<f64>,
}

/// Returns the current epoch, or the current pass over other images.
fn part(history: &History) -> Task {
    if let Some(progress) = history.progress {
        let name = match progress.work {
            Work::Validation => "validation",
            Work::Test => "test",
        };
        return Task {
            name: name.to_owned(),
            share: progress.done as f64 / progress.total.max(1) as f64,
            left: None,
        };
    }
    let epochs = history.planned_epochs();
    let (next, share) = history.epoch();
    let done = next - 1;
    let is_last_done = epochs > 0 && done >= epochs;
    // No epoch starts after the last one, even if more were planned.
    let (epoch, share) = match is_last_done || (is_over(history) && done > 0) {
        true => (done, 1.0),
        false => (next, share),
    };
    let name = match epochs >= epoch {
        true => format!("epoch {epoch} of {epochs}"),
        false => format!("epoch {epoch}"),
    };
    Task {
        name,
        share,
        left: epoch_left(history, share),
    }
}

/// Returns the remaining time of the epoch's steps.
fn epoch_left(history: &History, share: f64) -> Option<f64> {
    let steps = history.started.as_ref()?.steps_per_epoch as f64;
    Some((1.0 - share) * steps * history.seconds_per_step()?)
}

/// Returns whether no more steps follow: the test only runs after the last step.
fn is_over(history: &History) -> bool {
    let is_finished = history.state(false) == RunState::Finished;
    is_finished || history.tested.is_some()
}

/// Returns whether the run ended before all its steps, for example because its patience ended.
fn ended_early(history: &History) -> bool {
    let planned = history.planned_steps().unwrap_or(0);
    is_over(history) && history.step() < planned
}

/// Returns the whole run.
fn whole(history: &History) -> Task {
    let step = count(history.step() as u64);
    let planned = history.planned_steps();
    Task {
        name: match planned.filter(|planned| *planned >= history.step()) {
            Some(planned) => format!("step {step} of {}", count(planned as u64)),
            None => format!("step {step}"),
        },
        share: share_of_run(history),
        left: history.seconds_left(),
    }
}

/// Returns how to resume a run that ended early, if possible, or what to do instead.
pub(crate) fn resume_line(run: &Run) -> Option<String> {
    if run.is_running || run.loading.is_some() {
        return None;
    }
    let state = run.history.state(false);
    if state == RunState::Finished {
        return None;
    }
    let word = state.name();
    if let Some(hint) = run.history.instead_of_resuming() {
        return Some(format!("{word}; {hint}"));
    }
    Some(format!("{word}; resume it with: {}", run.resume?))
}

/// Draws progress bars of the current task and of the whole run, with the remaining time.
pub(crate) fn draw(pen: &mut Pen, run: &Run, area: Rect) {
    let history = run.history;
    let (accent, good) = (pen.theme.accent(), pen.theme.good());
    let rows = [(part(history), accent), (whole(history), good)];
    let names = rows.iter().map(|(part, _)| crate::text::width(&part.name));
    let names = (names.max().unwrap_or(0) as u16).min(area.width / 2);
    let silence = run.is_running && run.idle >= SILENT;
    let note = |row: usize, part: &Task| match part.left {
        _ if row == 1 && ended_early(history) => "ended early".to_owned(),
        _ if !run.is_running => String::new(),
        _ if silence && row == 0 => format!("no news for {}", duration(run.idle)),
        Some(left) => format!("{} left", duration((left - run.idle).max(0.0))),
        None => String::new(),
    };
    let notes = [0, 1].map(|row| note(row, &rows[row].0));
    let longest = notes.iter().map(|note| crate::text::width(note) as u16);
    // A few extra columns keep the bars at the same length while the time gets shorter.
    let beside = match longest.max().unwrap_or(0) {
        0 => 0,
        longest => (longest + 2)
            .max(NOTE)
            .min((area.width / 3).max(SHORT_NOTE)),
    };
    let length = area.width.saturating_sub(names + beside + 7);
    for (y, ((part, style), note)) in (0..).zip(rows.into_iter().zip(notes)) {
        let place = Rect {
            width: names,
            ..area
        };
        pen.print(place, 0, y, &part.name, Style::new());
        bar(pen, area, names + 1, y, length, part.share, style);
        let heading = pen.theme.heading();
        let shown = format!("{:>5}", percent(part.share, 0));
        let x = pen.print(area, names + length + 2, y, &shown, heading);
        pen.print(area, x + 2, y, &note, Style::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Ended, Ending, Epoch, Event, Metrics, Progress, Started, Step};

    /// Returns a history with epochs of ten steps, of which some are planned and some done.
    fn history(planned: usize, done: usize) -> History {
        let mut history = History::default();
        history.push(Event::Started(Box::new(Started {
            epochs: planned,
            steps_per_epoch: 10,
            ..Started::default()
        })));
        for epoch in 1..=done {
            history.push(Event::Step(Step {
                seconds: epoch as f64,
                epoch,
                step: epoch * 10,
                metrics: Metrics::default(),
            }));
            history.push(Event::Epoch(Box::new(Epoch {
                epoch,
                step: epoch * 10,
                ..Epoch::default()
            })));
        }
        history
    }

    fn ended(ending: Ending) -> Event {
        Event::Ended(Ended {
            seconds: 9.0,
            ending,
            hint: None,
            reason: None,
        })
    }

    #[test]
    fn finished_run_shows_no_unstarted_epoch() {
        let mut stopped = history(40, 4);
        stopped.push(ended(Ending::Stopped));
        assert_eq!(part(&stopped).name, "epoch 5 of 40");
        assert!(!ended_early(&stopped));
        let mut patient = history(40, 4);
        patient.push(ended(Ending::Finished));
        let last = part(&patient);
        assert_eq!((last.name.as_str(), last.share), ("epoch 4 of 40", 1.0));
        assert_eq!(whole(&patient).name, "step 40 of 400");
        assert!(ended_early(&patient));
        let mut tested = history(40, 4);
        tested.push(Event::Tested(Box::default()));
        assert_eq!(part(&tested).name, "epoch 4 of 40");
        let mut whole_run = history(4, 4);
        whole_run.push(ended(Ending::Finished));
        assert_eq!(part(&whole_run).name, "epoch 4 of 4");
        assert!(!ended_early(&whole_run));
    }

    #[test]
    fn progress_handles_more_epochs_than_planned() {
        let mut shortened = history(2, 3);
        shortened.push(ended(Ending::Finished));
        let last = part(&shortened);
        assert_eq!((last.name.as_str(), last.share), ("epoch 3", 1.0));
        assert_eq!(whole(&shortened).name, "step 30");
        assert_eq!(share_of_run(&shortened), 1.0);
        assert!(!ended_early(&shortened));
    }

    #[test]
    fn progress_names_current_work() {
        let mut history = History::default();
        assert_eq!(part(&history).name, "epoch 1");
        assert_eq!(share_of_run(&history), 0.0);
        history.push(Event::Started(Box::new(Started {
            epochs: 2,
            steps_per_epoch: 10,
            ..Started::default()
        })));
        for step in 1..=5 {
            history.push(Event::Step(Step {
                seconds: step as f64 * 2.0,
                epoch: 1,
                step,
                metrics: Metrics::default(),
            }));
        }
        let epoch = part(&history);
        assert_eq!((epoch.name.as_str(), epoch.share), ("epoch 1 of 2", 0.5));
        assert_eq!(epoch.left, Some(10.0));
        assert_eq!(share_of_run(&history), 0.25);
        history.push(Event::Progress(Progress {
            seconds: 11.0,
            work: Work::Validation,
            done: 3,
            total: 0,
        }));
        assert_eq!(part(&history).name, "validation");
        for epoch in [1, 2] {
            history.push(Event::Epoch(Box::new(Epoch {
                epoch,
                step: epoch * 10,
                ..Epoch::default()
            })));
        }
        let last = part(&history);
        assert_eq!((last.name.as_str(), last.share), ("epoch 2 of 2", 1.0));
    }
}
