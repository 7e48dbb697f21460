//! Limits of an axis, and its ticks at round values.

use super::Scale;

/// Approximate number of labeled values.
const TICKS: f64 = 5.0;
/// Maximum number of powers of ten on a logarithmic axis.
const MAX_DECADES: i32 = 300;
const MOST_PERCENT: f64 = 100.0;

/// Limits and labels of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ticks {
    scale: Scale,
    low: f64,
    high: f64,
    /// Values within the limits, with their labels.
    pub labels: Vec<(f64, String)>,
}

impl Ticks {
    /// Returns an axis for the given values, ignoring those that cannot be shown on it. Without any
    /// values, it ranges from 0 to 1, or from 1 to 10.
    pub(super) fn new(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let is_shown = |value: &f64| shown(scale, *value);
        let (low, high) = values
            .filter(is_shown)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        match scale {
            Scale::Logarithmic if low > high => Self::logarithmic(1.0, 10.0),
            Scale::Logarithmic => Self::logarithmic(low, high),
            _ if low > high => Self::linear(scale, 0.0, 1.0),
            Scale::FromZero => Self::linear(scale, low.min(0.0), high.max(0.0)),
            Scale::Linear | Scale::Percent => Self::linear(scale, low, high),
            Scale::ZeroToLast => Self::to_last(low.min(0.0), high.max(0.0)),
        }
    }

    /// Returns an axis that ends at `high`, with those labels of the wider round axis that lie
    /// within.
    fn to_last(low: f64, high: f64) -> Self {
        let mut ticks = Self::linear(Scale::ZeroToLast, low, high);
        let span = high - low;
        if span > 0.0 && span.is_finite() {
            (ticks.low, ticks.high) = (low, high);
            ticks
                .labels
                .retain(|(value, _)| (low..=high).contains(value));
        }
        ticks
    }

    fn linear(scale: Scale, low: f64, high: f64) -> Self {
        let span = match high - low {
            span if span > 0.0 && span.is_finite() => span,
            _ => low.abs().max(1.0),
        };
        let step = round_step(span / TICKS);
        let mut first = (low / step).floor();
        let mut last = (high / step).ceil().max(first + 1.0);
        // A step that is round in percent divides 100.
        let most = (MOST_PERCENT / step).round();
        if scale == Scale::Percent && high <= MOST_PERCENT && last > most {
            (first, last) = (first.min(most - 1.0), most);
        }
        let count = (last - first).min(100.0) as u32;
        let labels = (0..=count)
            .map(|tick| {
                let value = (first + f64::from(tick)) * step;
                (value, label(value, step))
            })
            .collect();
        Self {
            scale,
            low: first * step,
            high: last * step,
            labels,
        }
    }

    fn logarithmic(low: f64, high: f64) -> Self {
        let first = (low.log10().floor() as i32).clamp(-MAX_DECADES, MAX_DECADES - 1);
        let last = (high.log10().ceil() as i32).clamp(first + 1, MAX_DECADES);
        let every = ((last - first) as f64 / (2.0 * TICKS)).ceil() as usize;
        let labels = (first..=last)
            .step_by(every.max(1))
            .map(|power| (10_f64.powi(power), power_label(power)))
            .collect();
        Self {
            scale: Scale::Logarithmic,
            low: 10_f64.powi(first),
            high: 10_f64.powi(last),
            labels,
        }
    }

    /// Returns the position of a value, 0 at the start of the axis and 1 at its end, or `None` if
    /// it cannot be shown.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        if !shown(self.scale, value) {
            return None;
        }
        let place = match self.scale {
            Scale::Logarithmic => {
                (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
            }
            Scale::Linear | Scale::Percent | Scale::FromZero | Scale::ZeroToLast => {
                (value - self.low) / (self.high - self.low)
            }
        };
        place.is_finite().then(|| place.clamp(0.0, 1.0))
    }
}

fn shown(scale: Scale, value: f64) -> bool {
    value.is_finite() && (scale != Scale::Logarithmic || value > 0.0)
}

/// Returns the smallest of 1, 2 and 5 times a power of ten that is not less than `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * power >= step * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// Formats a value with the decimals that the step between values needs, or like 2.0e7 if it is
/// very large or very small.
fn label(value: f64, step: f64) -> String {
    if value == 0.0 && step < 1e-5 {
        return "0".to_owned();
    }
    if value.abs() >= 1e7 || step < 1e-5 {
        return format!("{value:.1e}");
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{value:.decimals$}")
}

/// Formats a power of ten: 0.01, 1, 1000, and 1e4 and so on beyond.
fn power_label(power: i32) -> String {
    match power {
        -3..=-1 => format!("{:.*}", power.unsigned_abs() as usize, 10_f64.powi(power)),
        0..=3 => format!("{:.0}", 10_f64.powi(power)),
        _ => format!("1e{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, values: &[f64]) -> Vec<String> {
        let ticks = Ticks::new(scale, values.iter().copied());
        ticks.labels.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        assert_eq!(
            labels(Scale::Linear, &[1.0, 10.0]),
            ["0", "2", "4", "6", "8", "10"]
        );
        assert_eq!(
            labels(Scale::FromZero, &[0.31, 0.62]),
            ["0.0", "0.2", "0.4", "0.6", "0.8"]
        );
        assert_eq!(
            labels(Scale::Linear, &[-0.01, 0.02]),
            ["-0.01", "0.00", "0.01", "0.02"]
        );
        assert_eq!(labels(Scale::Percent, &[100.0, 100.0]), ["80", "100"]);
        assert_eq!(
            labels(Scale::Percent, &[99.96, 100.0]),
            ["99.96", "99.97", "99.98", "99.99", "100.00"]
        );
        assert_eq!(
            labels(Scale::FromZero, &[2e7]),
            ["0", "5000000", "1.0e7", "1.5e7", "2.0e7"]
        );
        assert_eq!(
            labels(Scale::FromZero, &[2e-9]),
            ["0", "5.0e-10", "1.0e-9", "1.5e-9", "2.0e-9"]
        );
        assert_eq!(labels(Scale::FromZero, &[1e-300])[0], "0");
        assert_eq!(
            labels(Scale::Logarithmic, &[0.02, 300.0]),
            ["0.01", "0.1", "1", "10", "100", "1000"]
        );
        assert_eq!(labels(Scale::Logarithmic, &[1e-30, 1.0]).len(), 11);
        assert_eq!(
            labels(Scale::ZeroToLast, &[1.0, 16.0]),
            ["0", "5", "10", "15"]
        );
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
