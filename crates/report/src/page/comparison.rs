//! Comparison of several runs.

use std::collections::{BTreeMap, BTreeSet};

use events::{History, Split, tells_runs_apart};
use maud::{Markup, html};

use super::NamedRun;
use super::curves;
use super::figure::{Figure, Figures, Line};
use super::format::{count, duration, metric_name, number, percent, settings, short};
use super::summary;
use crate::chart::{DASHES, Style};
use crate::places::RelativePaths;

/// A result of every run, and the best of them.
pub(super) struct Row {
    pub name: &'static str,
    pub values: Vec<Option<f64>>,
    pub text: fn(f64) -> String,
    pub best: Option<fn(f64, f64) -> f64>,
}

/// Returns a table of results, then of the settings that differ.
pub(super) fn table(runs: &[NamedRun]) -> Markup {
    let rows = results(runs);
    let differences = differences(runs);
    html! {
        div class="scroll" {
            table class="comparison" {
                thead {
                    tr {
                        td {}
                        @for run in runs { th scope="col" { (short(run.name)) } }
                    }
                }
                tbody {
                    tr {
                        th scope="row" { "state" }
                        @for run in runs { td { (summary::state(run)) } }
                    }
                    @for row in rows { (result(&row)) }
                    tr {
                        th scope="row" { "epochs" }
                        @for run in runs { td { (summary::epochs(run.history)) } }
                    }
                    tr { th class="table" scope="rowgroup" colspan=(runs.len() + 1) {
                        @if differences.is_empty() { "All settings are equal" } @else { "Settings that differ" }
                    } }
                    @for (name, values) in differences {
                        tr {
                            th scope="row" { (name) }
                            @for value in values { td class="text" { @if let Some(value) = value { code { (value) } } } }
                        }
                    }
                }
            }
        }
    }
}

fn result(row: &Row) -> Markup {
    let known = || {
        row.values
            .iter()
            .flatten()
            .copied()
            .filter(|value| value.is_finite())
    };
    // A value that all runs share is not the best.
    let differ = known().any(|value| Some(value) != known().next());
    let best = row
        .best
        .filter(|_| differ)
        .and_then(|better| known().reduce(better));
    html! {
        @if row.values.iter().any(Option::is_some) {
            tr {
                th scope="row" { (row.name) }
                @for value in &row.values {
                    td class=[(best.is_some() && *value == best).then_some("best")] {
                        @if let Some(value) = value { ((row.text)(*value)) }
                    }
                }
            }
        }
    }
}

pub(super) fn results(runs: &[NamedRun]) -> Vec<Row> {
    let each = |value: &dyn Fn(&History) -> Option<f64>| {
        runs.iter().map(|run| value(run.history)).collect()
    };
    let tested = |metric: &'static str| {
        move |history: &History| history.tested.as_ref()?.metrics.get(metric)
    };
    let validation =
        |metric: &'static str| move |history: &History| Some(summary::best(history, metric)?.1);
    let row = |name, values, text, best| Row {
        name,
        values,
        text,
        best,
    };
    // Results on different data cannot be compared.
    let data = |run: &NamedRun| {
        let started = run.history.started.as_ref()?;
        Some((started.data.clone(), started.images))
    };
    let is_same_data = runs.iter().all(|run| data(run) == data(&runs[0]));
    let result =
        |name, values, text, best| row(name, values, text, Some(best).filter(|_| is_same_data));
    let whole = |value: f64| count(value as u64);
    vec![
        result(
            "test accuracy",
            each(&tested("accuracy")),
            percent,
            f64::max,
        ),
        result(
            "test loss",
            each(&tested("loss")),
            number,
            f64::min as fn(f64, f64) -> f64,
        ),
        result(
            "best validation accuracy",
            each(&validation("accuracy")),
            percent,
            f64::max,
        ),
        result(
            "best validation loss",
            each(&validation("loss")),
            number,
            f64::min,
        ),
        row(
            "time",
            each(&|history| Some(history.seconds())),
            duration,
            None,
        ),
        row(
            "average images per second",
            each(&speed),
            whole,
            Some(f64::max),
        ),
        row(
            "parameters",
            each(&|history| Some(history.started.as_ref()?.parameters as f64)),
            whole,
            None,
        ),
    ]
}

fn speed(history: &History) -> Option<f64> {
    let mean = history.mean_speed()?.images;
    mean.is_finite().then_some(mean)
}

/// Returns settings with different values, and machine, processor and version where they differ.
pub(super) fn differences(runs: &[NamedRun]) -> Vec<(String, Vec<Option<String>>)> {
    let all: Vec<BTreeMap<String, String>> =
        runs.iter().map(|run| described(run.history)).collect();
    let names: BTreeSet<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    let values = |name: &String| -> Vec<Option<String>> {
        all.iter().map(|run| run.get(name).cloned()).collect()
    };
    let rows = names.into_iter().map(|name| (name.clone(), values(name)));
    rows.filter(|(_, values)| values.iter().any(|value| *value != values[0]))
        .collect()
}

fn described(history: &History) -> BTreeMap<String, String> {
    let Some(started) = &history.started else {
        return BTreeMap::new();
    };
    let beside = [
        ("machine", &started.machine),
        ("processor", &started.processor),
        ("version", &started.version),
    ];
    let beside = beside.map(|(name, value)| (name.to_owned(), short(value)));
    let settings = settings(started, &RelativePaths::of(history));
    let mut described: BTreeMap<String, String> = settings.into_iter().collect();
    described.extend(beside);
    described.retain(|name, _| tells_runs_apart(name));
    described
}

/// Returns charts with the curves of all runs.
pub(super) fn curves(runs: &[NamedRun], figures: &mut Figures) -> Markup {
    let drawn = self::figures(runs).into_iter();
    html! { div class="figures" { @for figure in drawn { (figures.draw(figure)) } } }
}

/// Returns a chart for each metric of the training images and of the validation images, or of the
/// average if one is kept.
pub(super) fn figures(runs: &[NamedRun]) -> Vec<Figure> {
    let histories: Vec<&History> = runs.iter().map(|run| run.history).collect();
    let steps = curves::steps_in_point(&histories);
    let mut drawn = Vec::new();
    for metric in curves::metrics(&histories) {
        let is_scored = histories
            .iter()
            .any(|history| history.best_of(Split::Validation, &metric).is_some());
        for (split, word) in [
            (Split::Validation, "validation"),
            (Split::Train, "training"),
        ] {
            let lines = runs
                .iter()
                .enumerate()
                .filter_map(|(place, run)| line(run, place, split, &metric, steps));
            let title = match is_scored {
                true => format!("{word} {}", metric_name(&metric)),
                false => metric_name(&metric),
            };
            if let Some(figure) = curves::figure(&metric, title, lines.collect()) {
                drawn.push(figure);
            }
        }
    }
    drawn
}

fn line(run: &NamedRun, place: usize, split: Split, metric: &str, steps: f64) -> Option<Line> {
    let style = Style {
        color: place,
        dash: place % DASHES.len(),
        marked: split != Split::Train,
    };
    let mut line = match split {
        Split::Train => None,
        // Uses the average if one is kept.
        _ => {
            let label = format!("{}, average", short(run.name));
            curves::line(run.history, Split::Average, metric, label, style, steps)
        }
    }
    .or_else(|| curves::line(run.history, split, metric, short(run.name), style, steps))?;
    // Bands of several runs would overlap.
    line.range.clear();
    Some(line)
}
