//! Limits of an axis, and its ticks at round values.

use events::ticks::{Scale as Limits, Tick, Unit};

use super::Scale;

/// Approximate number of labeled values, and the maximum on a logarithmic axis.
const TICKS: usize = 5;
const LOG_TICKS: usize = 10;
const MOST_PERCENT: f64 = 100.0;

/// Limits and labels of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ticks {
    limits: Limits,
    /// Labeled places within the limits.
    pub labels: Vec<Tick>,
}

impl Ticks {
    /// Returns an axis for the given values, ignoring those that cannot be shown on it. Without any
    /// values, it ranges from 0 to 1, or from 1 to 10. The script draws the same axes.
    pub(super) fn new(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let log = scale == Scale::Logarithmic;
        let [low, high] = if log { [1.0, 10.0] } else { [0.0, 1.0] };
        let shown = Limits::of(values, log).unwrap_or(Limits { low, high, log });
        let from_zero = Limits {
            low: shown.low.min(0.0),
            high: shown.high.max(0.0),
            log,
        };
        let span = from_zero.high - from_zero.low;
        let (limits, labels) = match scale {
            Scale::Logarithmic => shown.rounded(LOG_TICKS, f64::INFINITY),
            Scale::Linear => shown.rounded(TICKS, f64::INFINITY),
            Scale::Percent => shown.rounded(TICKS, MOST_PERCENT),
            Scale::ZeroToLast if span > 0.0 && span.is_finite() => {
                (from_zero, from_zero.ticks(TICKS, Unit::Number))
            }
            Scale::FromZero | Scale::ZeroToLast => from_zero.rounded(TICKS, f64::INFINITY),
        };
        Self { limits, labels }
    }

    /// Returns the position of a value, 0 at the start of the axis and 1 at its end, or `None` if
    /// it cannot be shown.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let place = self.limits.place(value)?;
        Some(place.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, values: &[f64]) -> Vec<String> {
        let ticks = Ticks::new(scale, values.iter().copied());
        ticks.labels.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn axes_begin_and_end_as_their_scales_say() {
        assert_eq!(
            labels(Scale::Linear, &[1.0, 10.0]),
            ["0", "2", "4", "6", "8", "10"]
        );
        assert_eq!(
            labels(Scale::FromZero, &[0.31, 0.62]),
            ["0.0", "0.2", "0.4", "0.6", "0.8"]
        );
        assert_eq!(labels(Scale::Percent, &[100.0, 100.0]), ["80", "100"]);
        assert_eq!(
            labels(Scale::ZeroToLast, &[1.0, 16.0]),
            ["0", "5", "10", "15"]
        );
        assert_eq!(labels(Scale::Logarithmic, &[]), ["1", "2", "5", "10"]);
    }

    #[test]
    fn any_values_get_an_axis() {
        let strange = [
            vec![],
            vec![f64::NAN, f64::INFINITY],
            vec![3.0],
            vec![0.0, 0.0],
            vec![-1.0, -2.0],
            vec![f64::MAX, f64::MIN],
            vec![1e-300, 1e300],
            vec![f64::MIN_POSITIVE],
            vec![1e17, 1e17 + 16.0],
        ];
        for scale in [
            Scale::Linear,
            Scale::FromZero,
            Scale::ZeroToLast,
            Scale::Logarithmic,
        ] {
            for values in &strange {
                let ticks = Ticks::new(scale, values.iter().copied());
                assert!(
                    (1..=102).contains(&ticks.labels.len()),
                    "{scale:?} {values:?}: {ticks:?}"
                );
                for &value in values {
                    if let Some(place) = ticks.place(value) {
                        assert!(
                            (0.0..=1.0).contains(&place),
                            "{scale:?} {values:?}: {place}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn positions_are_fractions_of_axis() {
        let ticks = Ticks::new(Scale::FromZero, [4.0, 10.0].into_iter());
        assert_eq!(ticks.place(5.0), Some(0.5));
        assert_eq!(ticks.place(f64::NAN), None);
        let ticks = Ticks::new(Scale::Logarithmic, [1.0, 100.0].into_iter());
        assert_eq!(ticks.place(10.0), Some(0.5));
        assert_eq!(ticks.place(0.0), None);
    }
}
