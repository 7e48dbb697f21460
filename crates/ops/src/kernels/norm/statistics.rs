//! Means, variances and sums of channels.

use std::ops::Range;

use crate::kernels::parallel;
use crate::kernels::pointer::Source;
use crate::kernels::rows::{Access, Rows, Step, Totals};
use crate::kernels::simd::{Simd, SimdLevel};

/// Computes the mean and biased variance of every channel; zero if there are no pixels.
///
/// # Panics
///
/// Panics if the input is not whole pixels, or if the results do not have one value per channel.
pub(crate) fn statistics(
    level: SimdLevel,
    input: &[f32],
    channels: usize,
    mean: &mut [f32],
    variance: &mut [f32],
) {
    assert!(mean.len() == channels && variance.len() == channels);
    let rows = Rows::new(level, input.len(), channels);
    if input.is_empty() {
        mean.fill(0.0);
        variance.fill(0.0);
        return;
    }
    let chunks = parallel::map(rows.chunks(), |index| {
        chunk_statistics(level, &rows, input, index)
    });
    for channel in 0..channels {
        let mut total = Moments::default();
        for chunk in &chunks {
            total.add(&chunk[channel]);
        }
        mean[channel] = total.mean as f32;
        variance[channel] = (total.squares / total.count) as f32;
    }
}

/// Sums each channel over all pixels.
///
/// # Panics
///
/// Panics if the input is not whole pixels, or if there is not one sum per channel.
pub(crate) fn channel_sum(level: SimdLevel, input: &[f32], channels: usize, sums: &mut [f32]) {
    assert_eq!(sums.len(), channels);
    let rows = Rows::new(level, input.len(), channels);
    let chunks = parallel::map(rows.chunks(), |index| {
        sums_of(level, &rows, input, rows.chunk(index))
    });
    for (channel, sum) in sums.iter_mut().enumerate() {
        *sum = chunks.iter().map(|chunk| chunk[channel]).sum::<f64>() as f32;
    }
}

/// Sums a range of the input over its pixels, on this thread.
pub(crate) fn sums_of(
    level: SimdLevel,
    rows: &Rows,
    input: &[f32],
    values: Range<usize>,
) -> Vec<f64> {
    assert_eq!(input.len(), rows.length());
    let mut totals = vec![0.0; rows.width()];
    let step = Sum {
        input: input.into(),
        totals: Totals::new(&mut totals),
    };
    // SAFETY: the rows match the input, and there are as many totals as columns.
    unsafe { rows.run_chunk(level, step, values) };
    rows.fold(&totals)
}

/// Number of a subset of the pixels, their mean, and their sum of squared deviations from it.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Merges another subset with the update of Chan, Golub and LeVeque.
    fn add(&mut self, other: &Self) {
        let count = self.count + other.count;
        let difference = other.mean - self.mean;
        self.mean += difference * (other.count / count);
        self.squares +=
            other.squares + difference * difference * (self.count * other.count / count);
        self.count = count;
    }
}

fn chunk_statistics(level: SimdLevel, rows: &Rows, input: &[f32], index: usize) -> Vec<Moments> {
    let chunk = rows.chunk(index);
    let channels = input.len() / rows.pixels();
    let count = (chunk.len() / channels) as f64;
    // Deviations from any one of the values are as small as the differences between values, however
    // large the mean. If that value is an outlier, the variance is large as well.
    let first = &input[chunk.start..chunk.start + channels];
    let shift = rows.repeat(first);
    let mut sums = vec![0.0; rows.width()];
    let mut squares = vec![0.0; rows.width()];
    let step = Deviations {
        input: input.into(),
        shift: shift[..].into(),
        sums: Totals::new(&mut sums),
        squares: Totals::new(&mut squares),
    };
    // SAFETY: the rows match the input; shift and totals are as many as columns.
    unsafe { rows.run_chunk(level, step, chunk) };
    let moments = |((&first, sum), square): ((&f32, f64), f64)| {
        let squares = square - sum * sum / count;
        Moments {
            count,
            mean: f64::from(first) + sum / count,
            // Not `max`, which would hide NaN.
            squares: if squares < 0.0 { 0.0 } else { squares },
        }
    };
    let sums = rows.fold(&sums);
    let squares = rows.fold(&squares);
    first.iter().zip(sums).zip(squares).map(moments).collect()
}

/// Sums of the deviations from `shift`, and of their squares.
#[derive(Clone, Copy)]
struct Deviations<'a> {
    input: Source<'a>,
    shift: Source<'a>,
    sums: Totals<'a>,
    squares: Totals<'a>,
}

impl Step for Deviations<'_> {
    type Held<S: Simd> = [S::Vector; 3];
    const SUMS: bool = true;

    #[inline(always)]
    unsafe fn hold<S: Simd, A: Access>(self, access: A, column: usize) -> Self::Held<S> {
        // SAFETY: the caller's column is within the row.
        unsafe {
            let zero = S::splat(0.0);
            [access.load::<S>(self.shift, column), zero, zero]
        }
    }

    #[inline(always)]
    unsafe fn step<S: Simd, A: Access>(self, access: A, held: &mut Self::Held<S>, index: usize) {
        // SAFETY: the caller's index is within the input.
        unsafe {
            let [shift, sum, square] = *held;
            let deviation = S::sub(access.load::<S>(self.input, index), shift);
            held[1] = S::add(sum, deviation);
            held[2] = S::mul_add(deviation, deviation, square);
        }
    }

    #[inline(always)]
    unsafe fn release<S: Simd, A: Access>(self, access: A, held: Self::Held<S>, column: usize) {
        // SAFETY: the caller's column is within the row.
        unsafe {
            self.sums.add::<S, A>(access, column, held[1]);
            self.squares.add::<S, A>(access, column, held[2]);
        }
    }
}

#[derive(Clone, Copy)]
struct Sum<'a> {
    input: Source<'a>,
    totals: Totals<'a>,
}

impl Step for Sum<'_> {
    type Held<S: Simd> = S::Vector;
    const SUMS: bool = true;

    #[inline(always)]
    unsafe fn hold<S: Simd, A: Access>(self, _: A, _: usize) -> Self::Held<S> {
        // SAFETY: the caller guarantees the instructions.
        unsafe { S::splat(0.0) }
    }

    #[inline(always)]
    unsafe fn step<S: Simd, A: Access>(self, access: A, held: &mut Self::Held<S>, index: usize) {
        // SAFETY: the caller's index is within the input.
        unsafe { *held = S::add(*held, access.load::<S>(self.input, index)) }
    }

    #[inline(always)]
    unsafe fn release<S: Simd, A: Access>(self, access: A, held: Self::Held<S>, column: usize) {
        // SAFETY: the caller's column is within the row.
        unsafe { self.totals.add::<S, A>(access, column, held) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{
        CHANNELS, PIXELS, assert_close, assert_close_to, assert_same_on_threads, poisoned, random,
    };

    fn reference(input: &[f32], channels: usize) -> (Vec<f64>, Vec<f64>) {
        let of_channel = |channel| {
            let values: Vec<f64> = (input.iter().skip(channel).step_by(channels))
                .map(|&value| f64::from(value))
                .collect();
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let squares = values.iter().map(|value| (value - mean).powi(2));
            (mean, squares.sum::<f64>() / count)
        };
        (0..channels).map(of_channel).unzip()
    }

    #[test]
    fn statistics_match_channel_formulas() {
        for level in SimdLevel::available() {
            for channels in CHANNELS {
                for pixels in PIXELS {
                    let input = random(1, pixels * channels);
                    let (expected_mean, expected_variance) = reference(&input, channels);
                    let mut mean = poisoned(channels);
                    let mut variance = poisoned(channels);
                    statistics(level, &input, channels, &mut mean, &mut variance);
                    assert_close(&mean, &expected_mean);
                    assert_close_to(&variance, &expected_variance, 1e-3);

                    let mut sums = poisoned(channels);
                    channel_sum(level, &input, channels, &mut sums);
                    let count = pixels as f64;
                    let expected: Vec<f64> =
                        expected_mean.iter().map(|mean| mean * count).collect();
                    assert_close_to(&sums, &expected, count.sqrt());
                }
            }
        }
    }

    #[test]
    fn large_mean_costs_no_accuracy() {
        for level in SimdLevel::available() {
            let input: Vec<f32> = random(2, 20 * 10_000)
                .iter()
                .map(|value| 1000.0 + value)
                .collect();
            let (expected_mean, expected_variance) = reference(&input, 20);
            let (mut mean, mut variance) = (poisoned(20), poisoned(20));
            statistics(level, &input, 20, &mut mean, &mut variance);
            assert_close(&mean, &expected_mean);
            assert_close_to(&variance, &expected_variance, 0.0);
        }
    }

    #[test]
    fn empty_input_has_zero_statistics() {
        for level in SimdLevel::available() {
            let (mut mean, mut variance) = (poisoned(3), poisoned(3));
            statistics(level, &[], 3, &mut mean, &mut variance);
            assert_eq!([mean, variance].concat(), [0.0; 6]);
            let mut sums = poisoned(3);
            channel_sum(level, &[], 3, &mut sums);
            assert_eq!(sums, [0.0; 3]);
        }
    }

    #[test]
    fn nan_reaches_statistics() {
        for level in SimdLevel::available() {
            let mut input = random(3, 64 * 40);
            input[64 * 20 + 5] = f32::NAN;
            let (mut mean, mut variance) = (poisoned(64), vec![0.0; 64]);
            statistics(level, &input, 64, &mut mean, &mut variance);
            assert!(mean[5].is_nan() && variance[5].is_nan() && !variance[4].is_nan());
        }
    }

    #[test]
    fn results_are_independent_of_thread_count() {
        for level in SimdLevel::available() {
            for channels in [3, 20, 64] {
                let input = random(4, channels * 20_000);
                assert_same_on_threads(|| {
                    let mut results = vec![poisoned(channels); 3];
                    let [mean, variance, sums] = &mut results[..] else {
                        unreachable!("three");
                    };
                    statistics(level, &input, channels, mean, variance);
                    channel_sum(level, &input, channels, sums);
                    results.concat()
                });
            }
        }
    }
}
