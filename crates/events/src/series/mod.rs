//! Curves of one figure, downsampled for display.

mod nearest;

use crate::event::Epoch;
use crate::history::History;
use crate::metrics::Split;
use crate::steps::Summary;

/// The horizontal axis of a curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// Steps taken.
    #[default]
    Step,
    /// Epochs, including fractions.
    Epoch,
    /// Time of the run in seconds.
    Time,
}

/// A group of neighboring points of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Position of the last point.
    pub x: f64,
    /// Lowest value.
    pub least: f64,
    /// Highest value.
    pub greatest: f64,
    /// Mean value.
    pub mean: f64,
}

/// A curve with at most the requested number of points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Buckets from left to right.
    pub buckets: Vec<Bucket>,
}

impl Curve {
    /// Smooths the means: each becomes a weighted average of itself and all before it, with weights
    /// that decay by `factor`, 0 to 1, per bucket.
    pub fn smoothed(mut self, factor: f64) -> Self {
        let factor = factor.clamp(0.0, 0.999);
        let (mut sum, mut weight) = (0.0, 0.0);
        for bucket in &mut self.buckets {
            sum = sum * factor + bucket.mean;
            weight = weight * factor + 1.0;
            bucket.mean = sum / weight;
        }
        self
    }
}

impl History {
    /// Returns the curve between two positions on the axis, both included, in at most `count`
    /// buckets. NaN values leave a gap.
    pub fn curve(
        &self,
        split: Split,
        metric: &str,
        axis: Axis,
        [from, to]: [f64; 2],
        count: usize,
    ) -> Curve {
        if from.is_nan() || to.is_nan() || from > to || count == 0 {
            return Curve::default();
        }
        match split {
            Split::Train if self.steps.figures(metric).is_some() => {
                self.step_curve(metric, axis, [from, to], count)
            }
            _ => self.epoch_curve(split, metric, axis, [from, to]),
        }
    }

    fn step_curve(&self, metric: &str, axis: Axis, [from, to]: [f64; 2], count: usize) -> Curve {
        let first = self.rows_before(axis, from, false);
        let last = self.rows_before(axis, to, true);
        let rows = last.saturating_sub(first);
        let mut buckets = Vec::with_capacity(count.min(rows));
        let mut push = |start: usize, end: usize| {
            let summary = self.steps.summary(metric, start..end);
            if let Some(Summary {
                least,
                greatest,
                sum,
                count: 1..,
            }) = summary
            {
                let points = summary.map_or(1, |summary| summary.count) as f64;
                buckets.push(Bucket {
                    x: self.place(axis, end - 1),
                    least: f64::from(least),
                    greatest: f64::from(greatest),
                    mean: sum / points,
                });
            }
        };
        if rows <= count {
            (first..last).for_each(|row| push(row, row + 1));
        } else {
            let mut start = first;
            for bucket in 1..=count {
                let edge = from + (to - from) * bucket as f64 / count as f64;
                let end = match bucket == count {
                    true => last,
                    false => self.rows_before(axis, edge, true).clamp(start, last),
                };
                if end > start {
                    push(start, end);
                }
                start = end;
            }
        }
        Curve { buckets }
    }

    /// Returns the number of steps before a position, or up to and including it.
    fn rows_before(&self, axis: Axis, place: f64, inclusive: bool) -> usize {
        let is_before = |own: f64| own < place || (inclusive && own == place);
        match axis {
            Axis::Step => self
                .steps
                .steps()
                .partition_point(|&step| is_before(step as f64)),
            Axis::Time => self
                .steps
                .seconds()
                .partition_point(|&seconds| is_before(seconds)),
            Axis::Epoch => {
                let per_epoch = self.steps_per_epoch().max(1) as f64;
                let steps = self.steps.steps();
                steps.partition_point(|&step| is_before(step as f64 / per_epoch))
            }
        }
    }

    fn place(&self, axis: Axis, row: usize) -> f64 {
        let step = self.steps.steps()[row] as f64;
        match axis {
            Axis::Step => step,
            Axis::Time => self.steps.seconds()[row],
            Axis::Epoch => step / self.steps_per_epoch().max(1) as f64,
        }
    }

    fn epoch_curve(&self, split: Split, metric: &str, axis: Axis, [from, to]: [f64; 2]) -> Curve {
        let points = self.epochs.iter().filter_map(|epoch| {
            let figure = epoch.metrics(split)?.get(metric)?;
            let x = epoch_place(epoch, axis);
            let is_shown = figure.is_finite() && (from..=to).contains(&x);
            is_shown.then_some(Bucket {
                x,
                least: figure,
                greatest: figure,
                mean: figure,
            })
        });
        Curve {
            buckets: points.collect(),
        }
    }

    /// Returns the last position with data on an axis, or 0 before the first.
    pub fn extent(&self, axis: Axis) -> f64 {
        let last = self.steps.len().checked_sub(1);
        let step = last.map_or(0.0, |row| self.place(axis, row));
        let epoch = self
            .epochs
            .last()
            .map_or(0.0, |epoch| epoch_place(epoch, axis));
        step.max(epoch)
    }

    /// Returns the epoch with the best figure of a split, and the figure. The best is the lowest
    /// loss or error, and the highest of all other figures; ties go to the lowest loss, then to the
    /// first epoch.
    pub fn best_of(&self, split: Split, metric: &str) -> Option<(&Epoch, f64)> {
        let lower_is_better = metric.contains("loss") || metric.contains("error");
        let sign = if lower_is_better { -1.0 } else { 1.0 };
        let points = self.epochs.iter().filter_map(|epoch| {
            let figure = epoch.metrics(split)?.get(metric)?;
            figure.is_finite().then_some((epoch, figure))
        });
        let loss = |epoch: &Epoch| epoch.metrics(split)?.get("loss");
        points.reduce(|best, next| {
            let is_better = match next.1 == best.1 {
                true => loss(next.0) < loss(best.0),
                false => sign * next.1 > sign * best.1,
            };
            if is_better { next } else { best }
        })
    }
}

fn epoch_place(epoch: &Epoch, axis: Axis) -> f64 {
    match axis {
        Axis::Step => epoch.step as f64,
        Axis::Epoch => epoch.epoch as f64,
        Axis::Time => epoch.seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Started, Step};
    use crate::metrics::Metrics;

    fn history(steps: usize) -> History {
        let mut history = History::default();
        history.push(Event::Started(Box::new(Started {
            steps_per_epoch: 100,
            epochs: 10,
            ..Started::default()
        })));
        for step in 1..=steps {
            let loss = match step {
                50 => f64::NAN,
                _ => (step % 10) as f64,
            };
            history.push(Event::Step(Step {
                seconds: step as f64 / 4.0,
                epoch: 1,
                step,
                metrics: Metrics::from_iter([("loss", loss)]),
            }));
        }
        history
    }

    #[test]
    fn few_points_are_unchanged() {
        let history = history(60);
        let curve = history.curve(Split::Train, "loss", Axis::Step, [45.0, 55.0], 20);
        let x: Vec<f64> = curve.buckets.iter().map(|bucket| bucket.x).collect();
        let expected = (45..=55).filter(|&step| step != 50).map(f64::from);
        assert_eq!(x, expected.collect::<Vec<_>>());
        assert_eq!(curve.buckets[0].mean, 5.0);
    }

    #[test]
    fn downsampling_keeps_range_on_every_axis() {
        let history = history(1000);
        for (axis, end) in [
            (Axis::Step, 1000.0),
            (Axis::Epoch, 10.0),
            (Axis::Time, 250.0),
        ] {
            assert_eq!(history.extent(axis), end);
            let curve = history.curve(Split::Train, "loss", axis, [0.0, end], 10);
            assert_eq!(curve.buckets.len(), 10, "{axis:?}");
            for bucket in &curve.buckets {
                assert_eq!((bucket.least, bucket.greatest), (0.0, 9.0));
                assert!((bucket.mean - 4.5).abs() < 0.06);
            }
            assert_eq!(curve.buckets[9].x, end);
        }
    }

    #[test]
    fn smoothing_has_no_initial_bias() {
        let history = history(40);
        let curve = history.curve(Split::Train, "loss", Axis::Step, [10.0, 10.0], 4);
        assert_eq!(curve.clone().smoothed(0.9), curve);
        let curve = history.curve(Split::Train, "loss", Axis::Step, [0.0, 40.0], 40);
        let smooth = curve.smoothed(0.99);
        assert!((smooth.buckets[39].mean - 4.5).abs() < 0.5);
    }

    #[test]
    fn invalid_ranges_are_empty() {
        let history = history(10);
        for range in [[5.0, 1.0], [f64::NAN, 1.0], [20.0, 30.0]] {
            let curve = history.curve(Split::Train, "loss", Axis::Step, range, 10);
            assert!(curve.buckets.is_empty());
        }
        let none = history.curve(Split::Validation, "loss", Axis::Step, [0.0, 10.0], 10);
        assert!(none.buckets.is_empty());
    }
}
