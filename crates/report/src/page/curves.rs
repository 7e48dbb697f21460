//! Training curves of a run.

use events::{Axis, Bucket, Epoch, History, Split, is_share};

use super::figure::{Across, Figure, Grid, Line};
use super::format::metric_name;
use crate::chart::{Scale, Style};

/// Maximum number of points of a curve; more are joined. In a chart of several runs, all runs use
/// the same number of steps per point as the longest.
pub(super) const POINTS: usize = 200;
/// Maximum number of epochs of a curve; of more, only every n-th is shown.
const EPOCHS: usize = 500;
/// Maximum number of charts of figures that this program does not know by name.
const MOST_OTHERS: usize = 24;
/// Charts that come first, in this order.
const KNOWN: [&str; 7] = [
    "loss",
    events::OPTIMIZED_LOSS,
    "accuracy",
    events::MIXED_ACCURACY,
    "top5",
    "rate",
    "calibration_error",
];
/// Styles of the curves of the training images, the validation images, and the average on the
/// validation images.
const STYLES: [Style; 3] = [
    Style {
        color: 0,
        dash: 0,
        marked: false,
    },
    Style {
        color: 1,
        dash: 0,
        marked: true,
    },
    Style {
        color: 2,
        dash: 1,
        marked: true,
    },
];

/// Returns the charts of all runs in display order.
pub(super) fn metrics(histories: &[&History]) -> Vec<String> {
    let names: std::collections::BTreeSet<&str> = histories
        .iter()
        .flat_map(|history| history.charts())
        .collect();
    let known = KNOWN.into_iter().filter(|name| names.contains(name));
    let others = names
        .iter()
        .filter(|name| !KNOWN.contains(name))
        .take(MOST_OTHERS);
    known.chain(others.copied()).map(str::to_owned).collect()
}

/// Returns the axis for charts: epochs, if the number of steps per epoch is known.
pub(super) fn across(histories: &[&History]) -> Across {
    match histories
        .iter()
        .all(|history| history.steps_per_epoch() > 0)
    {
        true => Across::Epoch,
        false => Across::Step,
    }
}

/// Returns the number of steps per point, at least one, so that all lines of a chart are equally
/// smooth.
pub(super) fn steps_in_point(histories: &[&History]) -> f64 {
    let ends = histories.iter().map(|history| history.extent(Axis::Step));
    let longest = ends.fold(0.0, f64::max);
    (longest / POINTS as f64).max(1.0)
}

/// Returns a chart of a figure, or `None` if the run does not have it.
pub(super) fn metric_figure(history: &History, metric: &str) -> Option<Figure> {
    let steps = steps_in_point(&[history]);
    let lines = Split::ALL
        .into_iter()
        .zip(STYLES)
        .filter_map(|(split, style)| {
            let label = history.name_of(split).to_owned();
            line(history, split, metric, label, style, steps)
        });
    figure(metric, metric_name(metric), lines.collect())
}

/// Returns a chart with lines of one figure, or `None` without lines.
pub(super) fn figure(metric: &str, title: String, lines: Vec<Line>) -> Option<Figure> {
    if lines.is_empty() {
        return None;
    }
    let unit = if is_share(metric) { " %" } else { "" };
    let name = metric_name(metric);
    Some(Figure {
        title,
        y: match metric {
            "loss" => "loss (cross entropy)".to_owned(),
            events::OPTIMIZED_LOSS => format!("{name} (smoothed or mixed labels)"),
            _ if unit.is_empty() => name,
            _ => format!("{name} (%)"),
        },
        unit,
        scale: match metric {
            "rate" => Scale::FromZero,
            _ if is_share(metric) => Scale::Percent,
            _ => Scale::Linear,
        },
        lines,
    })
}

/// Returns the curve of a run in a chart on all axes, with the given number of steps per point, or
/// `None` if it has none.
pub(super) fn line(
    history: &History,
    split: Split,
    chart: &str,
    label: String,
    style: Style,
    steps: f64,
) -> Option<Line> {
    let metric = history.figure_in(split, chart)?;
    let factor = if is_share(metric) { 100.0 } else { 1.0 };
    let is_of_steps = split == Split::Train && history.steps.figures(metric).is_some();
    let mut line = match is_of_steps {
        true => step_line(history, metric, steps),
        false => epoch_line(history, split, metric),
    };
    if line.values.is_empty() {
        return None;
    }
    line.values.iter_mut().for_each(|value| *value *= factor);
    line.range
        .iter_mut()
        .flatten()
        .for_each(|value| *value *= factor);
    // A line whose lowest and highest values are equal has no range to show, and the rate is
    // exactly as set.
    if metric == "rate" || line.range.iter().all(|[least, greatest]| least == greatest) {
        line.range.clear();
    }
    line.grid.per_epoch = history.steps_per_epoch() as f64;
    Some(Line {
        label,
        style,
        ..line
    })
}

/// Returns a line without points.
pub(super) fn empty() -> Line {
    Line {
        label: String::new(),
        style: Style::default(),
        grid: Grid::default(),
        values: Vec::new(),
        range: Vec::new(),
        best: None,
    }
}

fn step_line(history: &History, metric: &str, steps_in_point: f64) -> Line {
    let mut line = empty();
    let last = history.extent(Axis::Step);
    // A quotient may be slightly above an integer because of rounding.
    let points = (last / steps_in_point - 1e-9).ceil();
    let end = (points * steps_in_point).max(last);
    // Non-finite values are in no point of the curve, but the first one ends the line.
    let figures = history.steps.figures(metric).unwrap_or_default();
    let first_not_finite = figures.iter().position(|figure| !figure.is_finite());
    let curve = history.curve(
        Split::Train,
        metric,
        Axis::Step,
        [0.0, end],
        points as usize,
    );
    let (steps, seconds) = (history.steps.steps(), history.steps.seconds());
    for Bucket {
        x,
        least,
        greatest,
        mean,
    } in curve.buckets
    {
        let row = steps.partition_point(|&step| (step as f64) < x);
        line.grid.steps.push(x);
        line.grid
            .seconds
            .push(seconds.get(row).copied().unwrap_or(f64::NAN));
        line.values.push(mean);
        line.range.push([least, greatest]);
    }
    if let Some(row) = first_not_finite
        && let (Some(&step), Some(&at)) = (steps.get(row), seconds.get(row))
        && line
            .grid
            .steps
            .last()
            .is_none_or(|&last| last < step as f64)
    {
        line.grid.steps.push(step as f64);
        line.grid.seconds.push(at);
        line.values.push(f64::NAN);
        line.range.push([f64::NAN; 2]);
    }
    line
}

fn epoch_line(history: &History, split: Split, metric: &str) -> Line {
    let mut line = empty();
    let best = history
        .best_of(split, metric)
        .filter(|_| split != Split::Train);
    let scored = history.epochs.iter().filter_map(|epoch| {
        let value = epoch.metrics(split)?.get(metric)?;
        value.is_finite().then_some((epoch, value))
    });
    let scored: Vec<(&Epoch, f64)> = scored.collect();
    let every = scored.len().div_ceil(EPOCHS).max(1);
    for (place, &(epoch, value)) in scored.iter().enumerate() {
        let is_best = best.is_some_and(|(best, _)| best.epoch == epoch.epoch);
        let is_last = place + 1 == scored.len();
        if place % every != 0 && !is_best && !is_last {
            continue;
        }
        if is_best {
            line.best = Some(line.values.len());
        }
        line.grid.steps.push(epoch.step as f64);
        line.grid.seconds.push(epoch.seconds);
        line.values.push(value);
    }
    // A single point is not the best.
    line.best = line.best.filter(|_| line.values.len() > 1);
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Metrics;

    /// Returns a run with figures that go up and down from step to step.
    fn history(steps: usize) -> History {
        let mut history = History::default();
        for step in 1..=steps {
            let up_and_down = (step % 2) as f64;
            history.push(events::Event::Step(events::Step {
                seconds: step as f64,
                epoch: 1,
                step,
                metrics: Metrics::from_iter([("loss", up_and_down), ("rate", step as f64)]),
            }));
        }
        history
    }

    #[test]
    fn smoothing_is_independent_of_run_length() {
        let (long, short) = (history(1600), history(170));
        let steps = steps_in_point(&[&short, &long]);
        assert_eq!(steps, 8.0);
        for history in [&long, &short] {
            let line = step_line(history, "loss", steps);
            assert!(line.values.iter().all(|mean| (mean - 0.5).abs() < 1e-9));
            let gaps = line.grid.steps.windows(2).map(|pair| pair[1] - pair[0]);
            let whole = line.values.len() - 2;
            assert_eq!(gaps.take(whole).fold(8.0, f64::max), 8.0);
            assert_eq!(line.grid.steps.last(), Some(&history.extent(Axis::Step)));
        }
        // On its own, there is room for each of its steps.
        let alone = step_line(&short, "loss", steps_in_point(&[&short]));
        assert_eq!(alone.values.len(), 170);
        assert!(
            step_line(&History::default(), "loss", 1.0)
                .values
                .is_empty()
        );
    }

    #[test]
    fn learning_rate_has_no_range_band() {
        let history = history(1600);
        let line = |metric| {
            let label = String::new();
            let line = line(&history, Split::Train, metric, label, STYLES[0], 8.0);
            line.unwrap()
        };
        assert_eq!(line("rate").range, Vec::<[f64; 2]>::new());
        assert_eq!(line("loss").range, vec![[0.0, 1.0]; 200]);
    }

    #[test]
    fn thinned_epochs_keep_best_and_last() {
        let mut history = History::default();
        for epoch in 1..=6001 {
            let accuracy = if epoch == 1234 { 0.9 } else { 0.5 };
            history.push(events::Event::Epoch(Box::new(Epoch {
                epoch,
                step: epoch,
                validation: Metrics::from_iter([("accuracy", accuracy)]),
                ..Epoch::default()
            })));
        }
        let line = epoch_line(&history, Split::Validation, "accuracy");
        assert!(line.values.len() <= EPOCHS + 2);
        assert_eq!(line.values[line.best.unwrap()], 0.9);
        assert_eq!(line.grid.steps.last(), Some(&6001.0));
    }
}
