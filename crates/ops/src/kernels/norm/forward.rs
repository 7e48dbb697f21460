//! Application of batch normalization.

use crate::kernels::pointer::{Destination, Source};
use crate::kernels::rows::{Access, Rows, Step};
use crate::kernels::simd::{Simd, SimdLevel};

/// Returns the inverse standard deviation of every channel.
pub(crate) fn inverse_deviation(variance: &[f32], epsilon: f64) -> Vec<f32> {
    let inverse = |&variance: &f32| (1.0 / (f64::from(variance) + epsilon).sqrt()) as f32;
    variance.iter().map(inverse).collect()
}

/// Combines normalization and its learned parameters into one factor and one summand per channel.
///
/// # Panics
///
/// Panics if an argument does not have one value per channel.
pub(crate) fn scale_and_shift(
    mean: &[f32],
    variance: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f64,
) -> (Vec<f32>, Vec<f32>) {
    let channels = mean.len();
    assert!(variance.len() == channels && gamma.len() == channels && beta.len() == channels);
    let of_channel = |channel: usize| {
        let deviation = (f64::from(variance[channel]) + epsilon).sqrt();
        let scale = f64::from(gamma[channel]) / deviation;
        let shift = f64::from(beta[channel]) - f64::from(mean[channel]) * scale;
        (scale as f32, shift as f32)
    };
    (0..channels).map(of_channel).unzip()
}

/// Computes `input * scale + shift`, then adds `residual` and applies a ReLU if requested.
///
/// # Panics
///
/// Panics if the slices differ in length or are not whole pixels, or if `scale` and `shift` do not
/// have one value per channel.
#[allow(clippy::too_many_arguments)]
pub(crate) fn forward(
    level: SimdLevel,
    input: &[f32],
    scale: &[f32],
    shift: &[f32],
    residual: Option<&[f32]>,
    relu: bool,
    output: &mut [f32],
    channels: usize,
) {
    assert_eq!(input.len(), output.len());
    let rows = Rows::new(level, output.len(), channels);
    let (input, output) = (input.into(), output.into());
    run(level, rows, input, scale, shift, residual, relu, output);
}

/// Like [`forward`], but overwrites the input with the result.
///
/// # Panics
///
/// Panics under the same conditions as [`forward`].
pub(crate) fn forward_in_place(
    level: SimdLevel,
    data: &mut [f32],
    scale: &[f32],
    shift: &[f32],
    residual: Option<&[f32]>,
    relu: bool,
    channels: usize,
) {
    let rows = Rows::new(level, data.len(), channels);
    let output = Destination::from(data);
    let input = output.into();
    run(level, rows, input, scale, shift, residual, relu, output);
}

#[allow(clippy::too_many_arguments)]
fn run(
    level: SimdLevel,
    rows: Rows,
    input: Source<'_>,
    scale: &[f32],
    shift: &[f32],
    residual: Option<&[f32]>,
    relu: bool,
    output: Destination<'_>,
) {
    assert!(residual.is_none_or(|residual| residual.len() == rows.length()));
    let scale = rows.repeat(scale);
    let shift = rows.repeat(shift);
    macro_rules! run {
        ($residual:literal, $relu:literal) => {
            // SAFETY: all slices are as long as all rows together, and scale and shift as long as
            // one row; each value is read before it is written, by one task only.
            unsafe {
                let step = Forward::<$residual, $relu> {
                    input,
                    scale: scale[..].into(),
                    shift: shift[..].into(),
                    residual: residual.unwrap_or_default().into(),
                    output,
                };
                rows.run(level, step)
            }
        };
    }
    match (residual.is_some(), relu) {
        (false, false) => run!(false, false),
        (false, true) => run!(false, true),
        (true, false) => run!(true, false),
        (true, true) => run!(true, true),
    }
}

#[derive(Clone, Copy)]
struct Forward<'a, const RESIDUAL: bool, const RELU: bool> {
    input: Source<'a>,
    scale: Source<'a>,
    shift: Source<'a>,
    residual: Source<'a>,
    output: Destination<'a>,
}

impl<const RESIDUAL: bool, const RELU: bool> Step for Forward<'_, RESIDUAL, RELU> {
    type Held<S: Simd> = [S::Vector; 2];

    #[inline(always)]
    unsafe fn hold<S: Simd, A: Access>(self, access: A, column: usize) -> Self::Held<S> {
        // SAFETY: the caller's column is within the row.
        unsafe {
            [
                access.load::<S>(self.scale, column),
                access.load::<S>(self.shift, column),
            ]
        }
    }

    #[inline(always)]
    unsafe fn step<S: Simd, A: Access>(self, access: A, held: &mut Self::Held<S>, index: usize) {
        // SAFETY: the caller's index is within all slices.
        unsafe {
            let [scale, shift] = *held;
            let mut value = S::mul_add(access.load::<S>(self.input, index), scale, shift);
            if RESIDUAL {
                value = S::add(value, access.load::<S>(self.residual, index));
            }
            if RELU {
                // This argument order propagates NaN.
                value = S::max(S::splat(0.0), value);
            }
            access.store::<S>(self.output, index, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{
        CHANNELS, PIXELS, assert_close, assert_same_on_threads, poisoned, random,
    };

    #[test]
    fn all_variants_match_formula() {
        for level in SimdLevel::available() {
            for channels in CHANNELS {
                for pixels in PIXELS {
                    let length = pixels * channels;
                    let input = random(1, length);
                    let residual = random(2, length);
                    let scale = random(3, channels);
                    let shift = random(4, channels);
                    for (with, relu) in [(false, false), (false, true), (true, false), (true, true)]
                    {
                        let expected: Vec<f64> = (0..length)
                            .map(|index| {
                                let channel = index % channels;
                                let mut value = f64::from(input[index]) * f64::from(scale[channel])
                                    + f64::from(shift[channel]);
                                if with {
                                    value += f64::from(residual[index]);
                                }
                                if relu { value.max(0.0) } else { value }
                            })
                            .collect();
                        let residual = with.then_some(&residual[..]);
                        let mut output = poisoned(length);
                        forward(
                            level,
                            &input,
                            &scale,
                            &shift,
                            residual,
                            relu,
                            &mut output,
                            channels,
                        );
                        assert_close(&output, &expected);
                        let mut data = input.clone();
                        forward_in_place(
                            level, &mut data, &scale, &shift, residual, relu, channels,
                        );
                        assert_eq!(data, output);
                    }
                }
            }
        }
    }

    #[test]
    fn scale_and_shift_normalize() {
        let (scale, shift) = scale_and_shift(&[2.0], &[4.0], &[3.0], &[1.0], 0.0);
        assert_eq!((scale, shift), (vec![1.5], vec![-2.0]));
        assert_eq!(inverse_deviation(&[3.0], 1.0), [0.5]);
    }

    #[test]
    fn relu_propagates_nan() {
        for level in SimdLevel::available() {
            let mut data = vec![f32::NAN; 40];
            forward_in_place(level, &mut data, &[1.0], &[0.0], None, true, 1);
            assert!(data.iter().all(|value| value.is_nan()));
        }
    }

    #[test]
    fn empty_input_gives_empty_output() {
        for level in SimdLevel::available() {
            forward_in_place(level, &mut [], &[1.0; 3], &[0.0; 3], None, true, 3);
        }
    }

    #[test]
    fn results_are_independent_of_thread_count() {
        for level in SimdLevel::available() {
            let input = random(5, 20 * 20_000);
            let (scale, shift) = (random(6, 20), random(7, 20));
            assert_same_on_threads(|| {
                let mut data = input.clone();
                forward_in_place(level, &mut data, &scale, &shift, None, true, 20);
                data
            });
        }
    }
}
