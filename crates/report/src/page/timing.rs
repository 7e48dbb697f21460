//! Timing of a run: epochs, sessions with the pauses between them, parts of a step.

use events::{Epoch, History, Sitting, Speed, Split, State};
use maud::{Markup, html};

use super::classes::bar;
use super::format::{duration, figure, moment, percent};

/// Maximum rows of the epoch table; of more epochs, only every n-th is shown.
const MOST_ROWS: usize = 400;
/// Maximum number of sessions; the last ones are shown.
const MOST_SESSIONS: usize = 100;

/// A row of the epoch table.
pub(super) struct EpochRow {
    /// One cell per column of the head.
    pub cells: Vec<String>,
    pub is_kept: bool,
}

/// Returns the head of the epoch table and its rows: scores, time, and whether the epoch's model
/// was kept.
pub(super) fn epoch_rows(history: &History) -> (Vec<String>, Vec<EpochRow>) {
    let epochs = &history.epochs;
    let every = every(history);
    let is_shown = |(place, epoch): &(usize, &Epoch)| {
        place % every == 0
            || *place + 1 == epochs.len()
            || history.kept().is_some_and(|best| best.epoch == epoch.epoch)
    };
    let has_average = history.has_average();
    let mut head = vec![
        "epoch".to_owned(),
        "train loss".to_owned(),
        "accuracy".to_owned(),
        format!("{} loss", history.name_of(Split::Validation)),
        "accuracy".to_owned(),
    ];
    if has_average {
        head.extend(["average loss", "accuracy"].map(str::to_owned));
    }
    head.extend(["time", ""].map(str::to_owned));
    let shown = epochs.iter().enumerate().filter(is_shown);
    let rows = shown.map(|(_, epoch)| row(history, epoch, has_average));
    (head, rows.collect())
}

/// Returns `n` if every n-th epoch is shown.
fn every(history: &History) -> usize {
    history.epochs.len().div_ceil(MOST_ROWS).max(1)
}

fn row(history: &History, epoch: &Epoch, has_average: bool) -> EpochRow {
    let is_kept = history.kept().is_some_and(|best| best.epoch == epoch.epoch);
    // Figures with the same name have the same definition, as in a chart.
    let value = |split, name| epoch.metrics(split)?.get(history.figure_in(split, name)?);
    let mut cells = vec![epoch.epoch.to_string()];
    let splits = Split::ALL.into_iter();
    for split in splits.filter(|split| has_average || *split != Split::Average) {
        for name in ["loss", "accuracy"] {
            let value = value(split, name);
            cells.push(value.map_or_else(String::new, |value| figure(name, value)));
        }
    }
    cells.push(duration(epoch.took));
    let word = match is_kept {
        true => "kept",
        false if epoch.best && !history.keeps_last() => "best so far",
        false => "",
    };
    cells.push(word.to_owned());
    EpochRow { cells, is_kept }
}

/// Returns a row for each epoch: scores and time.
pub(super) fn epochs(history: &History) -> Markup {
    let (head, rows) = epoch_rows(history);
    let every = every(history);
    let last = head.len() - 1;
    html! {
        @if every > 1 { p class="faint" { "One in " (every) " epochs is shown, and the kept one and the last." } }
        div class="scroll tall" tabindex="0" role="region" aria-label="epochs" {
            table class="epochs" {
                thead { tr { @for title in &head { th scope="col" { (title) } } } }
                tbody {
                    @for EpochRow { cells, is_kept } in &rows {
                        tr class=[is_kept.then_some("kept")] {
                            th scope="row" { (cells[0]) }
                            @for cell in &cells[1..last] { td { (cell) } }
                            td class="text" {
                                @if *is_kept { (cells[last]) } @else { span class="faint" { (cells[last]) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns when programs trained the run: start, previous pause, first step, duration and end of
/// each session. Empty if that is unknown.
pub(super) fn session_rows(history: &History, is_running: bool) -> Vec<[String; 5]> {
    let sessions = &history.sittings;
    let left_out = sessions.len().saturating_sub(MOST_SESSIONS);
    let shown = sessions.iter().enumerate().skip(left_out);
    let rows = shown.map(|(place, session)| {
        let before = place.checked_sub(1).and_then(|before| sessions.get(before));
        let pause = before.and_then(|before| pause(before, session));
        [
            moment(&session.at),
            pause.map_or_else(String::new, |pause| between(0.0, pause)),
            session.step.to_string(),
            took(history, session, sessions.get(place + 1)),
            ending(session, is_running && place + 1 == sessions.len()).to_owned(),
        ]
    });
    rows.collect()
}

pub(super) fn sessions(history: &History, is_running: bool) -> Markup {
    let rows = session_rows(history, is_running);
    let left_out = history.sittings.len() - rows.len();
    html! {
        @if !rows.is_empty() {
            div class="scroll" {
                table {
                    caption { "Sessions" @if left_out > 0 { ", without the first " (left_out) } }
                    thead {
                        tr {
                            th scope="col" { "started" }
                            th scope="col" { "pause before" }
                            th scope="col" { "from step" }
                            th scope="col" { "duration" }
                            th scope="col" class="text" { "end" }
                        }
                    }
                    tbody {
                        @for [start, pause, step, duration, end] in &rows {
                            tr {
                                th scope="row" { (start) }
                                td { (pause) }
                                td { (step) }
                                td { (duration) }
                                td class="text" { (end) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn took(history: &History, sitting: &Sitting, next: Option<&Sitting>) -> String {
    let end = match (&sitting.ended, next) {
        (Some(ended), _) => ended.seconds,
        (None, None) => history.seconds(),
        // Nothing is known about it after its last checkpoint.
        (None, Some(next)) => {
            return format!(
                "{} until the checkpoint it was resumed from",
                between(sitting.seconds, next.seconds)
            );
        }
    };
    between(sitting.seconds, end)
}

/// Formats a duration, which is zero if the end precedes the start: a sitting without steps
/// continues from a checkpoint, and its clock starts slightly earlier.
fn between(start: f64, end: f64) -> String {
    match end - start {
        negative if negative < 0.0 => duration(0.0),
        seconds => duration(seconds),
    }
}

fn ending(sitting: &Sitting, is_running: bool) -> &'static str {
    match &sitting.ended {
        _ if is_running => State::Running.name(),
        Some(ended) => ended.ending.state().name(),
        None => "not recorded: killed or crashed",
    }
}

/// Returns the seconds from the end of a sitting to the start of the next, if both are known.
fn pause(before: &Sitting, sitting: &Sitting) -> Option<f64> {
    let began = |sitting: &Sitting| sitting.at.parse::<jiff::Timestamp>().ok();
    let between = began(sitting)?.duration_since(began(before)?).as_secs_f64();
    let took = before.ended.as_ref()?.seconds - before.seconds;
    Some(between - took)
}

/// Returns the known parts of a step with their time in seconds and their fraction of the whole
/// step, which comes last.
pub(super) fn parts(mean: &Speed) -> Vec<(&'static str, f64, Option<f64>)> {
    let names = [
        "waiting for data",
        "forward pass",
        "backward pass",
        "optimizer",
        "other",
    ];
    let known = names
        .into_iter()
        .zip(mean.parts())
        .filter(|(_, seconds)| seconds.is_finite());
    let whole: f64 = known.clone().map(|(_, seconds)| seconds).sum();
    let share = |seconds: f64| (whole > 0.0).then(|| seconds / whole);
    let rows = known.map(|(name, seconds)| (name, seconds, share(seconds)));
    rows.chain([("whole step", whole, None)]).collect()
}

pub(super) fn step_parts(mean: &Speed) -> Markup {
    html! {
        div class="scroll" {
            table {
                caption { "Average time of a step" }
                tbody {
                    @for (name, seconds, share) in parts(mean) {
                        tr {
                            th scope="row" { (name) }
                            td { (milliseconds(seconds)) }
                            td { @if let Some(share) = share { (percent(share)) } }
                            td class="wide" { @if let Some(share) = share { (bar(share)) } }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn milliseconds(seconds: f64) -> String {
    format!("{:.2} ms", 1e3 * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Ended, Ending};

    fn sitting(at: &str, seconds: f64, ended: Option<f64>) -> Sitting {
        Sitting {
            at: at.to_owned(),
            seconds,
            ended: ended.map(|seconds| Ended {
                seconds,
                ending: Ending::Stopped,
                hint: None,
                reason: None,
            }),
            ..Sitting::default()
        }
    }

    #[test]
    fn durations_are_not_negative() {
        let history = History {
            sittings: vec![
                sitting("2026-01-01T00:00:00Z", 0.0, Some(60.0)),
                sitting("2026-01-01T00:00:59Z", 60.0, Some(59.98)),
                sitting("2026-01-01T00:02:00Z", 60.0, Some(59.7)),
                sitting("2026-01-01T00:03:00Z", 60.0, None),
                sitting("2026-01-01T00:04:00Z", 59.0, None),
            ],
            ..History::default()
        };
        let page = sessions(&history, false).into_string();
        assert!(!page.contains(">-"), "{page}");
        assert_eq!(page.matches("<td>0.0 s</td>").count(), 4, "{page}");
        assert!(page.contains("0.0 s until the checkpoint"), "{page}");
        assert_eq!(between(0.0, f64::NAN), "–");
    }

    #[test]
    fn pauses_are_between_sessions() {
        let first = sitting("2026-01-01T00:00:00Z", 0.0, Some(60.0));
        let second = sitting("2026-01-01T01:02:00+01:00", 50.0, None);
        assert_eq!(pause(&first, &second), Some(60.0));
        assert_eq!(pause(&second, &first), None);
        assert_eq!(pause(&first, &sitting("\u{1b}", 0.0, None)), None);
    }
}
