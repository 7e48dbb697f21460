//! Mean over all pixels of an image.

use crate::kernels::norm::sums_of;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::rows::Rows;
use crate::kernels::simd::SimdLevel;

/// Number of values worth a task.
const TASK: usize = 32 * 1024;

/// Averages `[batch, pixels, channels]` to `[batch, channels]`; zeros if there are no pixels.
///
/// # Panics
///
/// Panics if the lengths of the slices do not match, or if there are no channels.
pub(crate) fn global_average_pool(
    level: SimdLevel,
    input: &[f32],
    batch: usize,
    pixels: usize,
    channels: usize,
    output: &mut [f32],
) {
    let image = pixels * channels;
    assert!(input.len() == batch * image && output.len() == batch * channels);
    let rows = Rows::new(level, image, channels);
    let count = pixels.max(1) as f64;
    for_each_image(batch, image, channels, output, |index, means| {
        let input = &input[index * image..(index + 1) * image];
        let sums = sums_of(level, &rows, input, 0..image);
        for (mean, sum) in means.iter_mut().zip(sums) {
            *mean = (sum / count) as f32;
        }
    });
}

/// Distributes the gradient `[batch, channels]` evenly over the pixels `[batch, pixels, channels]`.
///
/// # Panics
///
/// Panics under the same conditions as [`global_average_pool`].
pub(crate) fn global_average_pool_backward(
    output_gradient: &[f32],
    batch: usize,
    pixels: usize,
    channels: usize,
    input_gradient: &mut [f32],
) {
    let image = pixels * channels;
    assert!(output_gradient.len() == batch * channels && input_gradient.len() == batch * image);
    let share = 1.0 / pixels.max(1) as f32;
    for_each_image(batch, image, image, input_gradient, |index, gradient| {
        let shares: Vec<f32> = output_gradient[index * channels..(index + 1) * channels]
            .iter()
            .map(|gradient| gradient * share)
            .collect();
        for pixel in gradient.chunks_exact_mut(channels) {
            pixel.copy_from_slice(&shares);
        }
    });
}

/// Runs `task` in parallel for every image with its part of `output`, which has `values` values.
fn for_each_image(
    batch: usize,
    image: usize,
    values: usize,
    output: &mut [f32],
    task: impl Fn(usize, &mut [f32]) + Send + Sync,
) {
    let together = (TASK / image.max(1)).max(1);
    let output = Shared::new(output);
    parallel::for_each(batch.div_ceil(together), |index| {
        for image in index * together..((index + 1) * together).min(batch) {
            // SAFETY: each image is taken once.
            task(image, unsafe {
                output.part(image * values..(image + 1) * values)
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{
        CHANNELS, PIXELS, assert_close, assert_same_on_threads, poisoned, random,
    };

    #[test]
    fn average_pool_matches_image_mean() {
        for level in SimdLevel::available() {
            for channels in CHANNELS {
                for pixels in PIXELS {
                    let batch = 3;
                    let input = random(1, batch * pixels * channels);
                    let mut expected = vec![0.0; batch * channels];
                    for (index, &value) in input.iter().enumerate() {
                        let image = index / (pixels * channels);
                        expected[image * channels + index % channels] +=
                            f64::from(value) / pixels as f64;
                    }
                    let mut output = poisoned(batch * channels);
                    global_average_pool(level, &input, batch, pixels, channels, &mut output);
                    assert_close(&output, &expected);

                    let mut gradient = poisoned(input.len());
                    global_average_pool_backward(&output, batch, pixels, channels, &mut gradient);
                    let expected: Vec<f64> = (0..input.len())
                        .map(|index| {
                            let image = index / (pixels * channels);
                            let value = output[image * channels + index % channels];
                            f64::from(value) / pixels as f64
                        })
                        .collect();
                    assert_close(&gradient, &expected);
                }
            }
        }
    }

    #[test]
    fn empty_input_has_zero_mean() {
        for level in SimdLevel::available() {
            let mut output = poisoned(6);
            global_average_pool(level, &[], 2, 0, 3, &mut output);
            assert_eq!(output, [0.0; 6]);
            global_average_pool_backward(&output, 2, 0, 3, &mut []);
        }
    }

    #[test]
    fn results_are_independent_of_thread_count() {
        for level in SimdLevel::available() {
            let input = random(2, 40 * 1000 * 20);
            assert_same_on_threads(|| {
                let mut output = poisoned(40 * 20);
                global_average_pool(level, &input, 40, 1000, 20, &mut output);
                output
            });
        }
    }
}
