//! The distribution of a value over all images.

/// Number of bins.
const BINS: usize = 4096;
/// Ranges are searched in steps of this many bins.
const SEARCH: usize = 16;

/// Counts of absolute values, in bins from zero to a limit that grows with the values.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    limit: f32,
    most: f32,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BINS],
            limit: 0.0,
            most: 0.0,
        }
    }
}

impl Histogram {
    /// Adds values. Values that are not finite are ignored.
    pub(super) fn add(&mut self, values: &[f32]) {
        let finite = || {
            values
                .iter()
                .map(|value| value.abs())
                .filter(|value| value.is_finite())
        };
        let most = finite().fold(0.0, f32::max);
        if most == 0.0 {
            self.counts[0] += finite().count() as u64;
            return;
        }
        self.most = self.most.max(most);
        if self.limit == 0.0 {
            self.limit = most;
        }
        while self.limit < most {
            self.limit *= 2.0;
            for bin in 0..BINS {
                let pair = self.counts.get(2 * bin..2 * bin + 2);
                self.counts[bin] = pair.map_or(0, |pair| pair.iter().sum());
            }
        }
        let factor = BINS as f32 / self.limit;
        for value in finite() {
            self.counts[((value * factor) as usize).min(BINS - 1)] += 1;
        }
    }

    /// Returns the value that a share of all values does not exceed.
    pub(super) fn percentile(&self, share: f64) -> f32 {
        let total: u64 = self.counts.iter().sum();
        let wanted = share * total as f64;
        let mut sum = 0;
        for (bin, &count) in self.counts.iter().enumerate() {
            sum += count;
            if sum as f64 >= wanted {
                return (self.width() * (bin + 1) as f32).min(self.most);
            }
        }
        self.most
    }

    /// Returns the end of the range with the least mean squared error, if values are rounded to
    /// `levels` steps and limited to the range.
    pub(super) fn least_error(&self, levels: f32) -> f32 {
        let error = |end: f32| {
            let step = end / levels;
            let bins = self
                .counts
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0);
            bins.map(|(bin, &count)| {
                let value = self.width() * (bin as f32 + 0.5);
                let error = match value < end {
                    // Errors of rounding are evenly distributed, but zeros have none.
                    true if bin > 0 => f64::from(step).powi(2) / 12.0,
                    true => 0.0,
                    false => f64::from(value - end).powi(2),
                };
                error * count as f64
            })
            .sum::<f64>()
        };
        let ends = (SEARCH..=BINS)
            .step_by(SEARCH)
            .map(|bin| self.width() * bin as f32);
        let ends = ends.filter(|&end| end < self.most).chain([self.most]);
        let errors = ends.map(|end| (end, error(end)));
        errors
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
            .map_or(self.most, |(end, _)| end)
    }

    fn width(&self) -> f32 {
        self.limit / BINS as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_hold_when_the_limit_grows() {
        let mut histogram = Histogram::default();
        for scale in [0.1, 1.0, 10.0] {
            let values: Vec<f32> = (1..=1000)
                .map(|value| value as f32 / 1000.0 * scale)
                .collect();
            histogram.add(&values);
        }
        assert!((histogram.percentile(0.5) - 0.454).abs() < 0.01);
        assert!((histogram.percentile(0.99) - 9.7).abs() < 0.05);
        assert_eq!(histogram.percentile(1.0), 10.0);
    }

    #[test]
    fn rare_large_values_are_cut_off() {
        let mut histogram = Histogram::default();
        let mut values: Vec<f32> = (0..100_000)
            .map(|value| (value % 1000) as f32 / 1000.0)
            .collect();
        values.push(-20.0);
        histogram.add(&values);
        let end = histogram.least_error(127.0);
        assert!((0.99..15.0).contains(&end), "{end}");
        // Many large values are not.
        histogram.add(&[20.0; 10_000]);
        assert!(histogram.least_error(127.0) > 18.0);
    }

    #[test]
    fn zeros_alone_have_no_range() {
        let mut histogram = Histogram::default();
        histogram.add(&[0.0; 10]);
        assert_eq!(histogram.least_error(127.0), 0.0);
        assert_eq!(histogram.percentile(0.999), 0.0);
    }
}
