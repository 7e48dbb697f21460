//! The parameter-free shortcut: every `stride`-th pixel, padded with channels of zeros.

use super::parallel::for_each_line;
use super::shape::Shape;

/// Every `stride`-th pixel in both directions, with the given number of zero channels before and
/// after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ZeroPad {
    pub(crate) stride: usize,
    pub(crate) before: usize,
    pub(crate) after: usize,
}

impl ZeroPad {
    /// Returns the output shape for images of this shape.
    pub(crate) fn output(&self, input: Shape) -> Shape {
        Shape {
            height: input.height.div_ceil(self.stride),
            width: input.width.div_ceil(self.stride),
            channels: self.before + input.channels + self.after,
            ..input
        }
    }
}

/// Selects the pixels; `zero` is the value of the added channels.
///
/// # Panics
///
/// Panics if the slices do not match `shape` and `pad`, or if the stride is zero.
pub(crate) fn zero_pad_shortcut<T: Copy + Send + Sync>(
    input: &[T],
    shape: Shape,
    pad: ZeroPad,
    zero: T,
    output: &mut [T],
) {
    let result = pad.output(shape);
    assert!(input.len() == shape.values() && output.len() == result.values());
    for_each_line(output, result, |image, line, output| {
        let start = (image * shape.height + line * pad.stride) * shape.line();
        let line = &input[start..start + shape.line()];
        let pixels = line.chunks_exact(shape.channels).step_by(pad.stride);
        for (to, pixel) in output.chunks_exact_mut(result.channels).zip(pixels) {
            let (before, to) = to.split_at_mut(pad.before);
            let (to, after) = to.split_at_mut(shape.channels);
            before.fill(zero);
            to.copy_from_slice(pixel);
            after.fill(zero);
        }
    });
}

/// Computes the gradient of [`zero_pad_shortcut`]'s input.
///
/// # Panics
///
/// Panics under the same conditions as [`zero_pad_shortcut`].
pub(crate) fn zero_pad_shortcut_backward(
    output_gradient: &[f32],
    shape: Shape,
    pad: ZeroPad,
    input_gradient: &mut [f32],
) {
    let result = pad.output(shape);
    assert!(output_gradient.len() == result.values() && input_gradient.len() == shape.values());
    for_each_line(input_gradient, shape, |image, line, gradient| {
        if !line.is_multiple_of(pad.stride) {
            gradient.fill(0.0);
            return;
        }
        let start = (image * result.height + line / pad.stride) * result.line();
        let line = &output_gradient[start..start + result.line()];
        let pixels = line.chunks_exact(result.channels);
        // A selected pixel, and the skipped ones up to the next.
        for (to, pixel) in gradient.chunks_mut(pad.stride * shape.channels).zip(pixels) {
            let (to, others) = to.split_at_mut(shape.channels);
            to.copy_from_slice(&pixel[pad.before..pad.before + shape.channels]);
            others.fill(0.0);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{CHANNELS, poisoned, random};

    #[test]
    fn zero_pad_shortcut_and_gradient_match_naive() {
        for channels in CHANNELS {
            for (height, width) in [(1, 1), (2, 3), (7, 7), (8, 8)] {
                for (stride, before, after) in [(1, 0, 0), (2, 3, 4), (2, 0, 1), (3, 16, 16)] {
                    let shape = Shape {
                        batch: 2,
                        height,
                        width,
                        channels,
                    };
                    let pad = ZeroPad {
                        stride,
                        before,
                        after,
                    };
                    let result = pad.output(shape);
                    let input = random(1, shape.values());
                    let mut expected = vec![0.0; result.values()];
                    let mut expected_back = vec![0.0; shape.values()];
                    for image in 0..shape.batch {
                        for line in 0..result.height {
                            for column in 0..result.width {
                                let to = (image * result.height + line) * result.width + column;
                                let from = (image * height + line * stride) * width;
                                let from = (from + column * stride) * channels;
                                for channel in 0..channels {
                                    let to = to * result.channels + before + channel;
                                    expected[to] = input[from + channel];
                                    expected_back[from + channel] = input[from + channel];
                                }
                            }
                        }
                    }
                    let mut output = poisoned(result.values());
                    zero_pad_shortcut(&input, shape, pad, 0.0, &mut output);
                    assert_eq!(output, expected);
                    let mut back = poisoned(shape.values());
                    zero_pad_shortcut_backward(&output, shape, pad, &mut back);
                    assert_eq!(back, expected_back);
                }
            }
        }
    }
}
