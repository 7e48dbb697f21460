//! Finds the exact figure at one position.

use super::{Axis, Split};
use crate::history::History;

impl History {
    /// Returns the point nearest to a position on the axis, `[x, figure]`, as written: neither
    /// averaged nor smoothed. NaN values are skipped. For infinity, the last point is the nearest.
    pub fn nearest(&self, split: Split, metric: &str, axis: Axis, place: f64) -> Option<[f64; 2]> {
        let figures = self.steps.figures(metric);
        let Some(figures) = figures.filter(|_| split == Split::Train) else {
            let range = [f64::NEG_INFINITY, f64::INFINITY];
            let curve = self.epoch_curve(split, metric, axis, range);
            let points = curve.buckets.iter().map(|bucket| [bucket.x, bucket.mean]);
            return nearest(points, place.min(self.extent(axis)));
        };
        let row = self.rows_before(axis, place, false);
        let is_number = |figure: &f32| figure.is_finite();
        let before = figures[..row].iter().rposition(is_number);
        let after = figures[row..].iter().position(is_number);
        let rows = [before, after.map(|after| row + after)];
        let points = rows.into_iter().flatten();
        nearest(
            points.map(|row| [self.place(axis, row), f64::from(figures[row])]),
            place,
        )
    }
}

fn nearest(points: impl Iterator<Item = [f64; 2]>, place: f64) -> Option<[f64; 2]> {
    let distance = |point: &[f64; 2]| (point[0] - place).abs();
    points.min_by(|one, other| distance(one).total_cmp(&distance(other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Epoch, Event, Started, Step};
    use crate::metrics::Metrics;

    #[test]
    fn nearest_step_with_a_value_is_returned() {
        let mut history = History::default();
        history.push(Event::Started(Box::new(Started {
            steps_per_epoch: 10,
            ..Started::default()
        })));
        for step in 1..=20 {
            let loss = match step {
                5..=8 => f64::NAN,
                _ => step as f64 / 2.0,
            };
            history.push(Event::Step(Step {
                seconds: step as f64 / 4.0,
                epoch: 1,
                step,
                metrics: Metrics::from_iter([("loss", loss)]),
            }));
        }
        for epoch in [1, 2] {
            history.push(Event::Epoch(Box::new(Epoch {
                epoch,
                step: epoch * 10,
                validation: Metrics::from_iter([("loss", epoch as f64)]),
                ..Epoch::default()
            })));
        }
        let train = |axis, place| history.nearest(Split::Train, "loss", axis, place);
        assert_eq!(train(Axis::Step, 12.4), Some([12.0, 6.0]));
        assert_eq!(train(Axis::Epoch, 1.26), Some([1.3, 6.5]));
        assert_eq!(train(Axis::Time, 3.0), Some([3.0, 6.0]));
        assert_eq!(train(Axis::Step, 6.0), Some([4.0, 2.0]));
        assert_eq!(train(Axis::Step, f64::INFINITY), Some([20.0, 10.0]));
        assert_eq!(train(Axis::Step, -1.0), Some([1.0, 0.5]));
        let scored = |place| history.nearest(Split::Validation, "loss", Axis::Step, place);
        assert_eq!(scored(14.0), Some([10.0, 1.0]));
        assert_eq!(scored(f64::INFINITY), Some([20.0, 2.0]));
        let none = history.nearest(Split::Average, "loss", Axis::Step, 1.0);
        assert_eq!(none, None);
    }
}
