//! Which curves a run has.

use events::{Axis, Bucket, Epoch, History, Metrics, Split};

use super::figure::{Across, Figure, Grid, Line};
use super::format::{is_share, metric_name};
use crate::chart::{Scale, Style};

/// Points of a curve with more of them than this are joined.
const POINTS: usize = 200;
/// Charts of figures that this program does not know by name.
const MOST_OTHERS: usize = 24;
/// These come first, in this order.
const KNOWN: [&str; 5] = ["loss", "accuracy", "top5", "rate", "calibration_error"];
/// The curves of the training pictures, the validation pictures, and the average there.
const STYLES: [Style; 3] = [
    Style {
        colour: 0,
        dash: 0,
        marked: false,
    },
    Style {
        colour: 1,
        dash: 0,
        marked: true,
    },
    Style {
        colour: 2,
        dash: 1,
        marked: true,
    },
];

/// The figures of all runs in the order in which they are shown.
pub(super) fn metrics(histories: &[&History]) -> Vec<String> {
    let names: std::collections::BTreeSet<&str> = histories
        .iter()
        .flat_map(|history| history.metrics())
        .collect();
    let known = KNOWN.into_iter().filter(|name| names.contains(name));
    let others = names
        .iter()
        .filter(|name| !KNOWN.contains(name))
        .take(MOST_OTHERS);
    known.chain(others.copied()).map(str::to_owned).collect()
}

/// What charts can be drawn against: epochs, if it is known how long they are.
pub(super) fn across(histories: &[&History]) -> Across {
    match histories.iter().all(|history| per_epoch(history) > 0.0) {
        true => Across::Epoch,
        false => Across::Step,
    }
}

fn per_epoch(history: &History) -> f64 {
    let started = history.started.as_ref();
    started.map_or(0.0, |started| started.steps_per_epoch as f64)
}

/// A chart of a figure; none if the run has no such.
pub(super) fn metric_figure(history: &History, metric: &str) -> Option<Figure> {
    let lines = Split::ALL
        .into_iter()
        .zip(STYLES)
        .filter_map(|(split, style)| {
            let label = split.name().to_owned();
            line(history, split, metric, label, style)
        });
    figure(metric, metric_name(metric), lines.collect())
}

/// A chart of lines of one figure; none without lines.
pub(super) fn figure(metric: &str, title: String, lines: Vec<Line>) -> Option<Figure> {
    if lines.is_empty() {
        return None;
    }
    let unit = if is_share(metric) { " %" } else { "" };
    let name = metric_name(metric);
    Some(Figure {
        title,
        y: match metric {
            "loss" => "loss (nats)".to_owned(),
            _ if unit.is_empty() => name,
            _ => format!("{name} (%)"),
        },
        unit,
        scale: match metric {
            "rate" => Scale::FromZero,
            _ => Scale::Linear,
        },
        lines,
    })
}

/// A curve of a run on all axes; none if it has no such.
pub(super) fn line(
    history: &History,
    split: Split,
    metric: &str,
    label: String,
    style: Style,
) -> Option<Line> {
    let factor = if is_share(metric) { 100.0 } else { 1.0 };
    let is_of_steps = split == Split::Train && history.steps.figures(metric).is_some();
    let mut line = match is_of_steps {
        true => step_line(history, metric),
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
    // A line that is as low or as high as it gets has no range to show.
    if line.range.iter().all(|[least, greatest]| least == greatest) {
        line.range.clear();
    }
    line.grid.per_epoch = per_epoch(history);
    Some(Line {
        label,
        style,
        ..line
    })
}

fn empty() -> Line {
    Line {
        label: String::new(),
        style: Style::default(),
        grid: Grid::default(),
        values: Vec::new(),
        range: Vec::new(),
        best: None,
    }
}

fn step_line(history: &History, metric: &str) -> Line {
    let mut line = empty();
    let end = history.extent(Axis::Step);
    let curve = history.curve(Split::Train, metric, Axis::Step, [0.0, end], POINTS);
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
    line
}

fn epoch_line(history: &History, split: Split, metric: &str) -> Line {
    let mut line = empty();
    let best = history
        .best_of(split, metric)
        .filter(|_| split != Split::Train);
    for epoch in &history.epochs {
        let value = metrics_of(epoch, split).and_then(|metrics| metrics.get(metric));
        let Some(value) = value.filter(|value| value.is_finite()) else {
            continue;
        };
        if best.is_some_and(|(best, _)| best.epoch == epoch.epoch) {
            line.best = Some(line.values.len());
        }
        line.grid.steps.push(epoch.step as f64);
        line.grid.seconds.push(epoch.seconds);
        line.values.push(value);
    }
    // One point is the best of none.
    line.best = line.best.filter(|_| line.values.len() > 1);
    line
}

fn metrics_of(epoch: &Epoch, split: Split) -> Option<&Metrics> {
    match split {
        Split::Train => Some(&epoch.train),
        Split::Validation => Some(&epoch.validation),
        Split::Average => epoch.average.as_ref(),
    }
}

/// Something measured along the way: step, seconds, value.
type Sample = [f64; 3];

/// How fast it went, where a step's time went, how busy the machine was.
pub(super) fn machine_figures(history: &History) -> Vec<Figure> {
    let speeds = |part: fn(&events::Speed) -> f64, factor: f64| -> Vec<Sample> {
        let samples = history.speeds.iter();
        samples
            .map(|speed| [speed.step as f64, speed.seconds, factor * part(speed)])
            .collect()
    };
    let (steps, seconds) = (history.steps.steps(), history.steps.seconds());
    let systems = |part: fn(&events::System) -> Option<f64>| -> Vec<Sample> {
        let samples = history.systems.iter().filter_map(|system| {
            let row = seconds.partition_point(|&before| before <= system.seconds);
            let step = row.checked_sub(1).and_then(|row| steps.get(row));
            Some([
                step.map_or(0.0, |&step| step as f64),
                system.seconds,
                part(system)?,
            ])
        });
        samples.collect()
    };
    let figures = [
        (
            "speed",
            "pictures a second",
            " /s",
            vec![("pictures", speeds(|speed| speed.pictures, 1.0))],
        ),
        (
            "time of a step",
            "milliseconds of a step",
            " ms",
            vec![
                ("waiting for pictures", speeds(|speed| speed.waiting, 1e3)),
                ("forward", speeds(|speed| speed.forward, 1e3)),
                ("backward", speeds(|speed| speed.backward, 1e3)),
                ("optimizer", speeds(|speed| speed.optimizer, 1e3)),
                ("rest", speeds(|speed| speed.rest, 1e3)),
            ],
        ),
        (
            "processor",
            "share of all cores (%)",
            " %",
            vec![
                ("this program", systems(|system| Some(100.0 * system.cpu))),
                (
                    "machine",
                    systems(|system| Some(100.0 * system.cpu_machine)),
                ),
                ("GPU", systems(|system| Some(100.0 * system.gpu?))),
            ],
        ),
        (
            "memory",
            "gigabytes",
            " GB",
            vec![
                (
                    "this program",
                    systems(|system| Some(system.memory as f64 / 1e9)),
                ),
                (
                    "machine",
                    systems(|system| Some(system.memory_machine as f64 / 1e9)),
                ),
                (
                    "GPU",
                    systems(|system| Some(system.gpu_memory? as f64 / 1e9)),
                ),
            ],
        ),
    ];
    let drawn = figures.into_iter().map(|(title, y, unit, lines)| Figure {
        title: title.to_owned(),
        y: y.to_owned(),
        unit,
        scale: Scale::FromZero,
        lines: lines
            .into_iter()
            .enumerate()
            .filter(|(_, (_, samples))| !samples.is_empty())
            .map(|(number, (label, samples))| {
                let mut line = sampled(&samples);
                line.label = label.to_owned();
                line.style = Style {
                    colour: number,
                    dash: number,
                    marked: false,
                };
                line.grid.per_epoch = per_epoch(history);
                line
            })
            .collect(),
    });
    drawn.filter(|figure| !figure.lines.is_empty()).collect()
}

/// A line of means over neighbouring samples.
fn sampled(samples: &[Sample]) -> Line {
    let mut line = empty();
    for chunk in samples.chunks(samples.len().div_ceil(POINTS).max(1)) {
        let values: Vec<f64> = chunk
            .iter()
            .map(|sample| sample[2])
            .filter(|value| value.is_finite())
            .collect();
        let (Some(last), false) = (chunk.last(), values.is_empty()) else {
            continue;
        };
        line.grid.steps.push(last[0]);
        line.grid.seconds.push(last[1]);
        line.values
            .push(values.iter().sum::<f64>() / values.len() as f64);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_joined_in_order() {
        let samples: Vec<Sample> = (1..=1000)
            .map(|step| [f64::from(step), f64::from(step) / 2.0, 4.0])
            .collect();
        let line = sampled(&samples);
        assert_eq!(line.values, vec![4.0; 200]);
        assert_eq!(line.grid.steps[0], 5.0);
        assert_eq!(line.grid.seconds[199], 500.0);
        assert!(sampled(&[[1.0, 1.0, f64::NAN]]).values.is_empty());
    }
}
