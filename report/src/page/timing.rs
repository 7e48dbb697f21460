//! Where the time went: epochs, sittings with the pauses between them, parts of a step.

use events::{Ending, Epoch, History, Metrics, Sitting, Speed, Split};
use maud::{Markup, html};

use super::classes::bar;
use super::format::{duration, figure, moment, percent};

/// Rows of the table of epochs; of more, every so many are shown.
const MOST_ROWS: usize = 400;
/// Sittings that are shown, the last ones.
const MOST_SITTINGS: usize = 100;

/// A row for each epoch: scores and time.
pub(super) fn epochs(history: &History) -> Markup {
    let epochs = &history.epochs;
    let every = epochs.len().div_ceil(MOST_ROWS).max(1);
    let is_shown = |(place, epoch): &(usize, &Epoch)| {
        place % every == 0
            || *place + 1 == epochs.len()
            || history.kept().is_some_and(|best| best.epoch == epoch.epoch)
    };
    let has_average = epochs.iter().any(|epoch| epoch.average.is_some());
    html! {
        @if every > 1 { p class="faint" { "One in " (every) " epochs, the kept one and the last." } }
        div class="scroll tall" tabindex="0" role="region" aria-label="epochs" {
            table class="epochs" {
                thead {
                    tr {
                        th scope="col" { "epoch" }
                        th scope="col" { "train loss" }
                        th scope="col" { "accuracy" }
                        th scope="col" { (history.name_of(Split::Validation)) " loss" }
                        th scope="col" { "accuracy" }
                        @if has_average {
                            th scope="col" { "average loss" }
                            th scope="col" { "accuracy" }
                        }
                        th scope="col" { "time" }
                        th scope="col" { "" }
                    }
                }
                tbody {
                    @for (_, epoch) in epochs.iter().enumerate().filter(is_shown) { (row(history, epoch, has_average)) }
                }
            }
        }
    }
}

fn row(history: &History, epoch: &Epoch, has_average: bool) -> Markup {
    let is_kept = history.kept().is_some_and(|best| best.epoch == epoch.epoch);
    let mut sets = vec![
        (Split::Train, Some(&epoch.train)),
        (Split::Validation, Some(&epoch.validation)),
    ];
    if has_average {
        sets.push((Split::Average, epoch.average.as_ref()));
    }
    // Figures of one name have one definition, as in a chart.
    let value = |split: Split, metrics: Option<&Metrics>, name: &str| {
        metrics?.get(history.figure_in(split, name)?)
    };
    html! {
        tr class=[is_kept.then_some("kept")] {
            th scope="row" { (epoch.epoch) }
            @for (split, metrics) in sets {
                @for name in ["loss", "accuracy"] {
                    td { @if let Some(value) = value(split, metrics, name) { (figure(name, value)) } }
                }
            }
            td { (duration(epoch.took)) }
            td class="text" { @if is_kept { "kept" } @else if epoch.best && !history.keeps_last() { span class="faint" { "kept till then" } } }
        }
    }
}

/// When someone worked on the run, and for how long; nothing if that is not known.
pub(super) fn sittings(history: &History, is_running: bool) -> Markup {
    let sittings = &history.sittings;
    if sittings.is_empty() {
        return html! {};
    }
    let left_out = sittings.len().saturating_sub(MOST_SITTINGS);
    html! {
        div class="scroll" {
            table {
                caption { "Sittings" @if left_out > 0 { " but for the first " (left_out) } }
                thead {
                    tr {
                        th scope="col" { "began" }
                        th scope="col" { "pause before" }
                        th scope="col" { "from step" }
                        th scope="col" { "took" }
                        th scope="col" class="text" { "ended" }
                    }
                }
                tbody {
                    @for (place, sitting) in sittings.iter().enumerate().skip(left_out) {
                        @let before = place.checked_sub(1).and_then(|before| sittings.get(before));
                        tr {
                            th scope="row" { (moment(&sitting.at)) }
                            td { @if let Some(pause) = before.and_then(|before| pause(before, sitting)) { (between(0.0, pause)) } }
                            td { (sitting.step) }
                            td { (took(history, sitting, sittings.get(place + 1))) }
                            td class="text" { (ending(sitting, is_running && place + 1 == sittings.len())) }
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
        // What it did after its last checkpoint is not known any more.
        (None, Some(next)) => {
            return format!("{} that count", between(sitting.seconds, next.seconds));
        }
    };
    between(sitting.seconds, end)
}

/// A time that is none where its end was told of before its start: a sitting without a step goes on from a
/// checkpoint, and its clock from a moment before.
fn between(start: f64, end: f64) -> String {
    match end - start {
        negative if negative < 0.0 => duration(0.0),
        seconds => duration(seconds),
    }
}

fn ending(sitting: &Sitting, is_running: bool) -> &'static str {
    match sitting.ended.as_ref().map(|ended| ended.ending) {
        _ if is_running => "goes on",
        Some(Ending::Finished) => "finished",
        Some(Ending::Stopped) => "stopped",
        Some(Ending::Failed) => "failed",
        None => "without a word",
    }
}

/// Seconds from the end of a sitting to the next, where both are known.
fn pause(before: &Sitting, sitting: &Sitting) -> Option<f64> {
    let began = |sitting: &Sitting| sitting.at.parse::<jiff::Timestamp>().ok();
    let between = began(sitting)?.duration_since(began(before)?).as_secs_f64();
    let took = before.ended.as_ref()?.seconds - before.seconds;
    Some(between - took)
}

/// What the parts of a step took on average.
pub(super) fn step_parts(mean: &Speed) -> Markup {
    let parts = [
        ("waiting for pictures", mean.waiting),
        ("forward pass", mean.forward),
        ("backward pass", mean.backward),
        ("optimizer", mean.optimizer),
        ("rest", mean.rest),
    ];
    let known = parts.iter().map(|(_, seconds)| seconds);
    let whole: f64 = known.filter(|seconds| seconds.is_finite()).sum();
    html! {
        div class="scroll" {
            table {
                caption { "A step, on average" }
                tbody {
                    @for (name, seconds) in parts {
                        tr {
                            th scope="row" { (name) }
                            td { @if seconds.is_finite() { (milliseconds(seconds)) } }
                            td { @if seconds.is_finite() && whole > 0.0 { (percent(seconds / whole)) } }
                            td class="wide" { (bar(seconds / whole)) }
                        }
                    }
                    tr {
                        th scope="row" { "whole step" }
                        td { (milliseconds(whole)) }
                        td {}
                        td class="wide" {}
                    }
                }
            }
        }
    }
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.2} ms", 1e3 * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Ended;

    fn sitting(at: &str, seconds: f64, ended: Option<f64>) -> Sitting {
        Sitting {
            at: at.to_owned(),
            seconds,
            ended: ended.map(|seconds| Ended {
                seconds,
                ending: Ending::Stopped,
                reason: None,
            }),
            ..Sitting::default()
        }
    }

    #[test]
    fn no_time_is_negative() {
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
        let page = sittings(&history, false).into_string();
        assert!(!page.contains(">-"), "{page}");
        assert_eq!(page.matches("<td>0.0 s</td>").count(), 4, "{page}");
        assert!(page.contains("0.0 s that count"), "{page}");
        assert_eq!(between(0.0, f64::NAN), "unknown");
    }

    #[test]
    fn pauses_are_between_sittings() {
        let first = sitting("2026-01-01T00:00:00Z", 0.0, Some(60.0));
        let second = sitting("2026-01-01T01:02:00+01:00", 50.0, None);
        assert_eq!(pause(&first, &second), Some(60.0));
        assert_eq!(pause(&second, &first), None);
        assert_eq!(pause(&first, &sitting("\u{1b}", 0.0, None)), None);
    }
}
