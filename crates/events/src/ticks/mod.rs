//! Ticks at round values along an axis.

mod time;

/// Largest exponent of ten on a logarithmic axis.
const MAX_POWER: i32 = 300;
/// Maximum number of ticks of an axis with rounded ends.
const MOST: usize = 100;

/// Scale of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Value at the low end.
    pub low: f64,
    /// Value at the high end.
    pub high: f64,
    /// Whether equal ratios have equal length.
    pub log: bool,
}

/// A tick on an axis with its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Position from the low end to the high end, 0 to 1.
    pub place: f64,
    /// The value as text, with its unit.
    pub label: String,
}

/// Format of an axis's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain number.
    Number,
    /// A quantity without fractions.
    Whole,
    /// A fraction, shown in percent.
    Percent,
    /// A time in seconds.
    Time,
    /// Memory in bytes.
    Bytes,
}

impl Scale {
    /// Creates a scale from the lowest to the highest finite value, on a logarithmic axis of the
    /// positive ones. Returns `None` if there is no such value.
    pub fn of(values: impl Iterator<Item = f64>, log: bool) -> Option<Self> {
        let shown = values.filter(|value| value.is_finite() && (!log || *value > 0.0));
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        (low <= high).then_some(Self { low, high, log })
    }

    /// Creates a scale that fits values, with some space at the ends. Returns `None` if there is
    /// nothing to show.
    pub fn around(values: impl Iterator<Item = f64>, log: bool) -> Option<Self> {
        let Self { low, high, .. } = Self::of(values, log)?;
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

    /// Returns this scale with both ends moved outward to ticks, and about the requested number of
    /// ticks. The ends do not cross `limit` unless a value does.
    pub fn rounded(self, about: usize, limit: f64) -> (Self, Vec<Tick>) {
        match self.log {
            true => {
                let first = (self.low.log10().floor() as i32).clamp(-MAX_POWER, MAX_POWER - 1);
                let last = (self.high.log10().ceil() as i32).clamp(first + 1, MAX_POWER);
                let rounded = Self {
                    low: power(first),
                    high: power(last),
                    log: true,
                };
                (rounded, rounded.placed(powers(first, last, about)))
            }
            false => self.rounded_linearly(about, limit),
        }
    }

    fn rounded_linearly(self, about: usize, limit: f64) -> (Self, Vec<Tick>) {
        let Self { low, high, .. } = self;
        let span = match high - low {
            span if span > 0.0 && span.is_finite() => span,
            _ => low.abs().max(1.0),
        };
        let step = decimal(span / about as f64);
        let mut first = (low / step).floor();
        let mut last = (high / step).ceil().max(first + 1.0);
        // Limits, such as 100 percent, are multiples of round steps.
        let most = (limit / step).round();
        if high <= limit && last > most {
            (first, last) = (first.min(most - 1.0), most);
        }
        let rounded = Self {
            low: (first * step).max(f64::MIN),
            high: (last * step).min(f64::MAX),
            log: false,
        };
        let count = (last - first).min(MOST as f64) as u32;
        let values = (0..=count).map(|tick| (first + f64::from(tick)) * step);
        let ticks = values.map(|value| (value, label(value, step))).collect();
        (rounded, rounded.placed(ticks))
    }

    /// Returns the position of a value, 0 at the low end and 1 at the high end, or `None` if it is
    /// not on the scale.
    pub fn place(self, value: f64) -> Option<f64> {
        let place = match self.log {
            true if value <= 0.0 => return None,
            true => (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10()),
            // Halved, so that no difference is infinite.
            false => (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0),
        };
        place.is_finite().then_some(place)
    }

    /// Returns about the requested number of ticks, from low to high.
    pub fn ticks(self, about: usize, unit: Unit) -> Vec<Tick> {
        let (factor, suffix) = match unit {
            Unit::Number | Unit::Whole | Unit::Time => (1.0, ""),
            Unit::Percent => (100.0, " %"),
            Unit::Bytes => byte_unit(self.high),
        };
        let scaled = Self {
            low: self.low * factor,
            high: self.high * factor,
            ..self
        };
        let mut ticks = match self.log {
            true => scaled.log_ticks(about),
            false => scaled.linear_ticks(about, unit),
        };
        for (value, label) in &mut ticks {
            *value /= factor;
            label.push_str(suffix);
        }
        self.placed(ticks)
    }

    /// Returns the ticks at values with labels, without those outside the scale.
    fn placed(self, values: Vec<(f64, String)>) -> Vec<Tick> {
        let ticks = values.into_iter().filter_map(|(value, label)| {
            let place = self.place(value)?;
            (0.0..=1.0)
                .contains(&place)
                .then_some(Tick { place, label })
        });
        ticks.collect()
    }

    /// Returns multiples of a round step, about as many as requested, and at least two if possible.
    fn linear_ticks(self, about: usize, unit: Unit) -> Vec<(f64, String)> {
        let half = self.high / 2.0 - self.low / 2.0;
        let mut step = round(half / (about.max(1) as f64 / 2.0), unit);
        let mut values = self.multiples(step, about);
        for _ in 0..2 {
            if values.len() < 2 {
                // Use the next smaller step: round steps differ by at most this factor.
                step = round(step / 2.5, unit);
                values = self.multiples(step, about);
            }
        }
        let label = |value| match unit {
            Unit::Time => time::label(value, step, self.high),
            _ => label(value, step),
        };
        values
            .into_iter()
            .map(|value| (value, label(value)))
            .collect()
    }

    fn multiples(self, step: f64, about: usize) -> Vec<f64> {
        let first = (self.low / step).ceil();
        if !(step > 0.0 && first.is_finite()) {
            return Vec::new();
        }
        (0..=about + 2)
            .map(|index| (first + index as f64) * step)
            .take_while(|value| *value <= self.high)
            .collect()
    }

    /// Returns powers of ten, or values between them if there are few.
    fn log_ticks(self, about: usize) -> Vec<(f64, String)> {
        let Self { low, high, .. } = self;
        if !(low > 0.0 && low < high && high.is_finite()) {
            return Vec::new();
        }
        let mut ticks = powers(
            low.log10().floor() as i32,
            high.log10().ceil() as i32,
            about,
        );
        ticks.retain(|(value, _)| (low..=high).contains(value));
        match ticks.len() {
            0 | 1 => self.linear_ticks(about, Unit::Number),
            _ => ticks,
        }
    }
}

/// Returns the factor and the unit for a number of bytes.
fn byte_unit(bytes: f64) -> (f64, &'static str) {
    match bytes {
        1e9.. => (1e-9, " GB"),
        _ => (1e-6, " MB"),
    }
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
    let multiple = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|multiple| multiple * power >= least * (1.0 - 1e-9));
    multiple.unwrap_or(10.0) * power
}

fn power(exponent: i32) -> f64 {
    10_f64.powi(exponent)
}

/// Returns powers of ten with their labels, at most about the requested number, or also 2 and 5
/// times each of them if there are few.
fn powers(first: i32, last: i32, about: usize) -> Vec<(f64, String)> {
    let decades = last.abs_diff(first) as usize;
    let multiples: &[u32] = match decades * 3 <= about {
        true => &[1, 2, 5],
        false => &[1],
    };
    let stride = decades.div_ceil(about.max(1)).max(1);
    let powers = (first..=last).step_by(stride);
    let ticks = powers.flat_map(|exponent| {
        let multiples = multiples.iter();
        multiples.map(move |&multiple| {
            let value = f64::from(multiple) * power(exponent);
            (value, power_label(multiple, exponent, value))
        })
    });
    ticks.collect()
}

/// Formats a multiple of a power of ten: 0.02, 1, 5000, and 1e4 and so on beyond.
fn power_label(multiple: u32, exponent: i32, value: f64) -> String {
    match exponent {
        -3..=3 => format!("{value:.*}", exponent.min(0).unsigned_abs() as usize),
        _ => format!("{multiple}e{exponent}"),
    }
}

/// Formats a value with the decimals in which neighbors differ, or like 2.0e7 if it is very large
/// or very small.
fn label(value: f64, step: f64) -> String {
    if value == 0.0 && step < 1e-5 {
        return "0".to_owned();
    }
    if value.abs() >= 1e7 || step < 1e-5 {
        return format!("{value:.1e}");
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
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
        let tiny = labels(1e-6, 0.5, true, Unit::Number);
        assert_eq!(tiny, ["1e-6", "1e-4", "0.01"]);
    }

    #[test]
    fn rounded_ends_are_ticks() {
        let labels = |low: f64, high: f64, log: bool, limit: f64| -> Vec<String> {
            let scale = Scale { low, high, log };
            let (rounded, ticks) = scale.rounded(if log { 10 } else { 5 }, limit);
            let edge = 1e-9 * high.abs();
            assert!(rounded.low <= low + edge && high <= rounded.high + edge);
            assert_eq!((ticks[0].place, ticks[ticks.len() - 1].place), (0.0, 1.0));
            ticks.into_iter().map(|tick| tick.label).collect()
        };
        let plain = |low, high| labels(low, high, false, f64::INFINITY);
        assert_eq!(plain(1.0, 10.0), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(plain(-0.01, 0.02), ["-0.01", "0.00", "0.01", "0.02"]);
        let large = ["0", "5000000", "1.0e7", "1.5e7", "2.0e7"];
        assert_eq!(plain(0.0, 2e7), large);
        let small = ["0", "5.0e-10", "1.0e-9", "1.5e-9", "2.0e-9"];
        assert_eq!(plain(0.0, 2e-9), small);
        assert_eq!(plain(0.0, 1e-300)[0], "0");
        let percent = |low, high| labels(low, high, false, 100.0);
        assert_eq!(percent(100.0, 100.0), ["80", "100"]);
        let near = ["99.96", "99.97", "99.98", "99.99", "100.00"];
        assert_eq!(percent(99.96, 100.0), near);
        let log = |low, high| labels(low, high, true, f64::INFINITY);
        let decades = ["0.01", "0.1", "1", "10", "100", "1000"];
        assert_eq!(log(0.02, 300.0), decades);
        assert_eq!(log(0.2, 0.7), ["0.1", "0.2", "0.5", "1"]);
        assert_eq!(log(1e-30, 1.0).len(), 11);
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
            let (rounded, ticks) = scale.rounded(about.max(1), f64::INFINITY);
            prop_assert!((1..=3 * MOST + 1).contains(&ticks.len()), "{rounded:?} {ticks:?}");
            for value in values.into_iter().filter(|value| value.is_finite()) {
                if let Some(place) = scale.place(value) {
                    prop_assert!((-1e-9..=1.0 + 1e-9).contains(&place), "{scale:?} {value} {place}");
                }
            }
        }
    }
}
