//! Ticks at round numbers along an axis.

mod time;

use events::format::number;

/// Scale of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    pub low: f64,
    pub high: f64,
    pub log: bool,
}

/// A tick on an axis with its label.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    /// Position from the low end to the high end, 0 to 1.
    pub place: f64,
    pub label: String,
}

/// Format of an axis's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Number,
    /// A quantity without fractions.
    Whole,
    Percent,
    /// A time in seconds.
    Time,
    /// Memory in bytes.
    Bytes,
}

impl Scale {
    /// Creates a scale that fits values, with some space at the ends. Returns `None` if there is
    /// nothing to show.
    pub(crate) fn around(values: impl Iterator<Item = f64>, log: bool) -> Option<Self> {
        let shown = values.filter(|value| value.is_finite() && (!log || *value > 0.0));
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low > high {
            return None;
        }
        let (low, high) = match log {
            true => {
                let space = (0.04 * (high.ln() - low.ln())).max(1e-3).exp();
                let below = low / space;
                let least = if below > 0.0 { below } else { low };
                (least, (high * space).min(f64::MAX))
            }
            false => {
                let width = high / 2.0 - low / 2.0;
                let least = high.abs().max(low.abs()) * 1e-3 + f64::MIN_POSITIVE;
                let space = (0.08 * width).max(least);
                ((low - space).max(f64::MIN), (high + space).min(f64::MAX))
            }
        };
        (low < high).then_some(Self { low, high, log })
    }

    /// Returns the position of a value, 0 at the low end and 1 at the high end, or `None` if it is
    /// not on the scale.
    pub(crate) fn place(self, value: f64) -> Option<f64> {
        let place = match self.log {
            true if value <= 0.0 => return None,
            true => (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln()),
            // Halved, so that no difference is infinite.
            false => (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0),
        };
        place.is_finite().then_some(place)
    }

    /// Returns about the requested number of ticks, from low to high.
    pub(crate) fn ticks(self, about: usize, unit: Unit) -> Vec<Tick> {
        let (factor, suffix) = match unit {
            Unit::Number | Unit::Whole | Unit::Time => (1.0, ""),
            Unit::Percent => (100.0, " %"),
            Unit::Bytes => byte_unit(self.high),
        };
        let (low, high) = (self.low * factor, self.high * factor);
        let values = match self.log {
            true => log_values(low, high, about),
            false => values(low, high, about, unit),
        };
        let step = match &values[..] {
            [first, second, ..] if !self.log => second - first,
            _ => 0.0,
        };
        let ticks = values.into_iter().filter_map(|value| {
            let place = self.place(value / factor)?;
            let label = match unit {
                Unit::Time => time::label(value, step, self.high),
                _ => label(value, step) + suffix,
            };
            (0.0..=1.0)
                .contains(&place)
                .then_some(Tick { place, label })
        });
        ticks.collect()
    }
}

/// Returns the factor and the unit for a number of bytes.
fn byte_unit(bytes: f64) -> (f64, &'static str) {
    match bytes {
        1e9.. => (1e-9, " GB"),
        _ => (1e-6, " MB"),
    }
}

/// Returns multiples of a round step, about as many as requested, and at least two if possible.
fn values(low: f64, high: f64, about: usize, unit: Unit) -> Vec<f64> {
    let mut step = round((high / 2.0 - low / 2.0) * 2.0 / about.max(1) as f64, unit);
    let mut values = multiples(low, high, step, about);
    for _ in 0..2 {
        if values.len() < 2 {
            // Use the next smaller step: round steps differ by at most this factor.
            step = round(step / 2.5, unit);
            values = multiples(low, high, step, about);
        }
    }
    values
}

fn multiples(low: f64, high: f64, step: f64, about: usize) -> Vec<f64> {
    let first = (low / step).ceil();
    if !(step.is_normal() && first.is_finite()) {
        return Vec::new();
    }
    (0..=about + 2)
        .map(|index| (first + index as f64) * step)
        .take_while(|value| *value <= high)
        .collect()
}

/// Returns the smallest round step that is at least `least`.
fn round(least: f64, unit: Unit) -> f64 {
    match unit {
        Unit::Time => time::round(least),
        Unit::Whole => decimal(least).max(1.0),
        Unit::Number | Unit::Percent | Unit::Bytes => decimal(least),
    }
}

/// Returns the smallest of 1, 2 or 5 times a power of ten that is at least `least`.
fn decimal(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|multiple| multiple * power)
        .into_iter()
        .find(|step| *step >= least * 0.999)
        .unwrap_or(least)
}

/// Returns powers of ten, or values between them if there are few.
fn log_values(low: f64, high: f64, about: usize) -> Vec<f64> {
    if !(low > 0.0 && low < high && high.is_finite()) {
        return Vec::new();
    }
    let (from, to) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let decades = (to - from).unsigned_abs() as usize;
    let multiples: &[f64] = match decades {
        _ if decades * 3 <= about => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let stride = decades.div_ceil(about.max(1)).max(1);
    let powers = (from..=to).step_by(stride);
    let all = powers.flat_map(|power| {
        multiples
            .iter()
            .map(move |multiple| multiple * 10_f64.powi(power))
    });
    let shown: Vec<f64> = all.filter(|value| (low..=high).contains(value)).collect();
    match shown.len() {
        0 | 1 => values(low, high, about, Unit::Number),
        _ => shown,
    }
}

/// Formats a value with the decimals in which neighbors differ.
fn label(value: f64, step: f64) -> String {
    if step == 0.0 {
        let shown = number(value);
        return match shown.contains('.') && !shown.contains('e') {
            true => shown.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => shown,
        };
    }
    if value.abs() >= 1e6 || step < 1e-4 {
        return match value == 0.0 {
            true => "0".to_owned(),
            false => format!("{value:.1e}"),
        };
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    // Removes the sign of a negative zero.
    format!("{:.decimals$}", value + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(low: f64, high: f64, log: bool, unit: Unit) -> Vec<String> {
        let scale = Scale { low, high, log };
        let ticks = scale.ticks(5, unit).into_iter();
        ticks.map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round() {
        let plain = labels(0.03, 2.4, false, Unit::Number);
        assert_eq!(plain, ["0.5", "1.0", "1.5", "2.0"]);
        let shares = labels(0.61, 0.93, false, Unit::Percent);
        assert_eq!(shares, ["70 %", "80 %", "90 %"]);
        let steps = labels(0.0, 1.9, false, Unit::Whole);
        assert_eq!(steps, ["0", "1"]);
        let sizes = labels(0.0, 4e9, false, Unit::Bytes);
        assert_eq!(sizes, ["0 GB", "1 GB", "2 GB", "3 GB", "4 GB"]);
        let powers = labels(0.0004, 2.0, true, Unit::Number);
        assert_eq!(powers, ["0.001", "0.01", "0.1", "1"]);
        let few = labels(0.3, 0.9, true, Unit::Number);
        assert_eq!(few, ["0.4", "0.6", "0.8"]);
    }

    #[test]
    fn axes_have_at_least_two_ticks() {
        for high in (10..1000).map(f64::from) {
            for unit in [Unit::Number, Unit::Whole, Unit::Time] {
                let scale = Scale {
                    low: 0.0,
                    high,
                    log: false,
                };
                let shown = scale.ticks(2, unit);
                assert!((2..=5).contains(&shown.len()), "{high} {unit:?}: {shown:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_values_get_ticks(
            values in prop::collection::vec(any::<f64>(), 0..6),
            log in any::<bool>(),
            about in 0_usize..20,
        ) {
            let Some(scale) = Scale::around(values.iter().copied(), log) else {
                prop_assert!(!values.iter().any(|value| value.is_finite() && (!log || *value > 0.0))
                    || values.iter().any(|value| value.abs() > 1e307 || value.abs() < 1e-307));
                return Ok(());
            };
            for unit in [Unit::Number, Unit::Whole, Unit::Percent, Unit::Time, Unit::Bytes] {
                prop_assert!(scale.ticks(about, unit).len() <= 3 * about + 4);
            }
            for value in values.into_iter().filter(|value| value.is_finite()) {
                if let Some(place) = scale.place(value) {
                    prop_assert!((-1e-9..=1.0 + 1e-9).contains(&place), "{scale:?} {value} {place}");
                }
            }
        }
    }
}
