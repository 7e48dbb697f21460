//! Speed of a run, time spent in the parts of a step, and utilization of the machine.

use events::History;

use super::curves::{POINTS, empty};
use super::figure::{Figure, Line};
use crate::chart::{Scale, Style};

/// A measurement: step, seconds, value.
type Sample = [f64; 3];

/// Returns charts of speed, step time, CPU and memory, as far as they were measured.
pub(super) fn figures(history: &History) -> Vec<Figure> {
    let speeds = |part: fn(&events::Speed) -> f64, factor: f64| -> Vec<Sample> {
        let samples = history.speeds.iter();
        samples
            .map(|speed| [speed.step as f64, speed.seconds, factor * part(speed)])
            .collect()
    };
    let systems = |part: fn(&events::System) -> Option<f64>| -> Vec<Sample> {
        let samples = history.systems.iter().filter_map(|system| {
            let step = history.steps.at(system.seconds) as f64;
            Some([step, system.seconds, part(system)?])
        });
        samples.collect()
    };
    let figures = [
        (
            "speed",
            "images per second",
            " /s",
            vec![("images", speeds(|speed| speed.images, 1.0))],
        ),
        (
            "time of a step",
            "milliseconds per step",
            " ms",
            vec![
                ("waiting for data", speeds(|speed| speed.waiting, 1e3)),
                ("forward", speeds(|speed| speed.forward, 1e3)),
                ("backward", speeds(|speed| speed.backward, 1e3)),
                ("optimizer", speeds(|speed| speed.optimizer, 1e3)),
                ("other", speeds(|speed| speed.rest, 1e3)),
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
                    color: number,
                    dash: number,
                    marked: false,
                };
                line.grid.per_epoch = history.steps_per_epoch() as f64;
                line
            })
            .collect(),
    });
    drawn.filter(|figure| !figure.lines.is_empty()).collect()
}

/// Returns a line of means over neighboring samples.
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
