//! Maximum of a window.

use std::ops::Range;

use crate::kernels::parallel::{self, Shared};
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::rows::{Access, First, Whole};
use crate::kernels::shape::Shape;
use crate::kernels::simd::{Kernel, Simd, SimdLevel};

/// Number of values worth a task.
const TASK: usize = 16 * 1024;

/// A square window that moves over the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    /// Border around the image without values.
    pub(crate) padding: usize,
}

impl Window {
    /// Returns the output shape for images of this shape.
    ///
    /// # Panics
    ///
    /// Panics if the kernel or stride is zero, if the padding is larger than half the kernel, or if
    /// the image is empty or, with its padding, smaller than the window.
    pub(crate) fn output(&self, input: Shape) -> Shape {
        assert!(self.kernel > 0 && self.stride > 0 && 2 * self.padding <= self.kernel);
        let places = |length: usize| {
            let padded = length + 2 * self.padding;
            assert!(length > 0 && padded >= self.kernel);
            (padded - self.kernel) / self.stride + 1
        };
        Shape {
            height: places(input.height),
            width: places(input.width),
            ..input
        }
    }

    /// Returns the part of the window at `place` that is within `length`; never empty.
    #[inline(always)]
    pub(crate) fn covered(&self, place: usize, length: usize) -> Range<usize> {
        let start = place * self.stride;
        let end = (start + self.kernel).saturating_sub(self.padding);
        start.saturating_sub(self.padding)..end.min(length)
    }
}

/// Computes the maximum of every window and channel. NaN does not propagate unless it is the first
/// value of its window; a window of nothing but NaN yields NaN.
///
/// # Panics
///
/// Panics if the lengths of the slices do not match `shape` and [`Window::output`].
pub(crate) fn max_pool(
    level: SimdLevel,
    input: &[f32],
    shape: Shape,
    window: Window,
    output: &mut [f32],
) {
    let result = window.output(shape);
    assert!(input.len() == shape.values() && output.len() == result.values());
    if output.is_empty() {
        return;
    }
    let lines_together = (TASK / result.line()).clamp(1, result.height);
    let tasks_of_image = result.height.div_ceil(lines_together);
    let output = Shared::new(output);
    parallel::for_each(shape.batch * tasks_of_image, |task| {
        let (image, part) = (task / tasks_of_image, task % tasks_of_image);
        let first_line = part * lines_together;
        level.run(Forward {
            input: input[image * shape.image()..(image + 1) * shape.image()].into(),
            shape,
            window,
            result,
            lines: first_line..(first_line + lines_together).min(result.height),
            output: output.pointer(0),
            offset: image * result.image(),
        });
    });
}

/// Passes the gradient of every window to the first of its maxima, line by line.
///
/// # Panics
///
/// Panics under the same conditions as [`max_pool`]; needs its `output`.
pub(crate) fn max_pool_backward(
    level: SimdLevel,
    input: &[f32],
    output: &[f32],
    output_gradient: &[f32],
    shape: Shape,
    window: Window,
    input_gradient: &mut [f32],
) {
    let result = window.output(shape);
    assert!(input.len() == shape.values() && input_gradient.len() == shape.values());
    assert!(output.len() == result.values() && output_gradient.len() == result.values());
    if output.is_empty() {
        input_gradient.fill(0.0);
        return;
    }
    let input_gradient = Shared::new(input_gradient);
    parallel::for_each(shape.batch, |image| {
        let values = image * shape.image()..(image + 1) * shape.image();
        let results = image * result.image()..(image + 1) * result.image();
        level.run(Backward {
            // SAFETY: each image is taken once.
            input_gradient: unsafe { input_gradient.part(values.clone()) },
            input: input[values].into(),
            output: output[results.clone()].into(),
            output_gradient: output_gradient[results].into(),
            shape,
            window,
            result,
        });
    });
}

/// Some lines of one image's result.
struct Forward<'a> {
    /// The image.
    input: Source<'a>,
    shape: Shape,
    window: Window,
    result: Shape,
    lines: Range<usize>,
    /// All images; this one starts at `offset`.
    output: Destination<'a>,
    offset: usize,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let channels = self.shape.channels;
        let whole = channels / S::LANES;
        let rest = First(channels % S::LANES);
        for line in self.lines.clone() {
            let lines = self.window.covered(line, self.shape.height);
            for column in 0..self.result.width {
                let columns = self.window.covered(column, self.shape.width);
                let mut place = OutputPixel {
                    lines: lines.clone(),
                    columns,
                    channel: 0,
                    to: (line * self.result.width + column) * channels,
                };
                // SAFETY: the windows are within the image and all channels are within their
                // number, so all accesses are within the slices, whose lengths were checked; only
                // this task has these lines of the result.
                unsafe {
                    let mut vector = 0;
                    while vector < whole {
                        place.channel = vector * S::LANES;
                        vector += match whole - vector {
                            4.. => self.at::<S, Whole, 4>(Whole, &place),
                            2.. => self.at::<S, Whole, 2>(Whole, &place),
                            _ => self.at::<S, Whole, 1>(Whole, &place),
                        };
                    }
                    if rest.0 > 0 {
                        place.channel = whole * S::LANES;
                        self.at::<S, First, 1>(rest, &place);
                    }
                }
            }
        }
    }
}

/// One pixel of the result.
struct OutputPixel {
    /// The window.
    lines: Range<usize>,
    columns: Range<usize>,
    channel: usize,
    /// Position of the pixel's first channel.
    to: usize,
}

impl Forward<'_> {
    /// Computes `VECTORS` vectors of a pixel's channels; returns their number.
    ///
    /// # Safety
    ///
    /// The position and these channels must be within image and result.
    #[inline(always)]
    unsafe fn at<S: Simd, A: Access, const VECTORS: usize>(
        &self,
        access: A,
        place: &OutputPixel,
    ) -> usize {
        let channels = self.shape.channels;
        // SAFETY: guaranteed by the caller.
        unsafe {
            let first = place.lines.start * self.shape.width + place.columns.start;
            let first = first * channels + place.channel;
            let mut largest = [access.load::<S>(self.input, first); VECTORS];
            for (vector, largest) in largest.iter_mut().enumerate().skip(1) {
                *largest = access.load::<S>(self.input, first + vector * S::LANES);
            }
            for line in place.lines.clone() {
                let start = (line * self.shape.width + place.columns.start) * channels;
                let mut index = start + place.channel;
                for _ in 0..place.columns.len() {
                    for (vector, largest) in largest.iter_mut().enumerate() {
                        let value = access.load::<S>(self.input, index + vector * S::LANES);
                        *largest = S::max(value, *largest);
                    }
                    index += channels;
                }
            }
            let to = self.offset + place.to + place.channel;
            for (vector, largest) in largest.into_iter().enumerate() {
                access.store::<S>(self.output, to + vector * S::LANES, largest);
            }
        }
        VECTORS
    }
}

/// One image.
struct Backward<'a> {
    input: Source<'a>,
    output: Source<'a>,
    output_gradient: Source<'a>,
    shape: Shape,
    window: Window,
    result: Shape,
    input_gradient: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let channels = self.shape.channels;
        let whole = channels / S::LANES;
        let rest = First(channels % S::LANES);
        let mut cleared = 0;
        for line in 0..self.result.height {
            let lines = self.window.covered(line, self.shape.height);
            // Cleared only now, so that the lines are still in the cache when gradients are added.
            if cleared < lines.end {
                let values = cleared * self.shape.line()..lines.end * self.shape.line();
                self.input_gradient[values].fill(0.0);
                cleared = lines.end;
            }
            let gradient = Destination::from(&mut *self.input_gradient);
            for column in 0..self.result.width {
                let columns = self.window.covered(column, self.shape.width);
                let mut place = OutputPixel {
                    lines: lines.clone(),
                    columns,
                    channel: 0,
                    to: (line * self.result.width + column) * channels,
                };
                // SAFETY: the windows are within the image and all channels are within their
                // number, so all accesses are within the slices, whose lengths were checked.
                unsafe {
                    let image = Image {
                        input: self.input,
                        output: self.output,
                        output_gradient: self.output_gradient,
                        shape: self.shape,
                        gradient,
                    };
                    let mut vector = 0;
                    while vector < whole {
                        place.channel = vector * S::LANES;
                        vector += match whole - vector {
                            4.. => image.at::<S, Whole, 4>(Whole, &place),
                            2.. => image.at::<S, Whole, 2>(Whole, &place),
                            _ => image.at::<S, Whole, 1>(Whole, &place),
                        };
                    }
                    if rest.0 > 0 {
                        place.channel = whole * S::LANES;
                        image.at::<S, First, 1>(rest, &place);
                    }
                }
            }
        }
        self.input_gradient[cleared * self.shape.line()..].fill(0.0);
    }
}

struct Image<'a> {
    input: Source<'a>,
    output: Source<'a>,
    output_gradient: Source<'a>,
    shape: Shape,
    gradient: Destination<'a>,
}

impl Image<'_> {
    /// Distributes the gradient of `VECTORS` vectors of a pixel's channels; returns their number.
    ///
    /// # Safety
    ///
    /// The position and these channels must be within image and result.
    #[inline(always)]
    unsafe fn at<S: Simd, A: Access, const VECTORS: usize>(
        &self,
        access: A,
        place: &OutputPixel,
    ) -> usize {
        let channels = self.shape.channels;
        let from = place.to + place.channel;
        // SAFETY: guaranteed by the caller.
        unsafe {
            let mut largest = [access.load::<S>(self.output, from); VECTORS];
            let mut left = [access.load::<S>(self.output_gradient, from); VECTORS];
            for vector in 1..VECTORS {
                let from = from + vector * S::LANES;
                largest[vector] = access.load::<S>(self.output, from);
                left[vector] = access.load::<S>(self.output_gradient, from);
            }
            for line in place.lines.clone() {
                let start = (line * self.shape.width + place.columns.start) * channels;
                let mut index = start + place.channel;
                for _ in 0..place.columns.len() {
                    for vector in 0..VECTORS {
                        let index = index + vector * S::LANES;
                        // Values below the maximum leave the gradient for later ones, so the first
                        // maximum takes all of it.
                        let below = S::sub(largest[vector], access.load::<S>(self.input, index));
                        let rest = S::where_positive(left[vector], below);
                        let taken = S::sub(left[vector], rest);
                        left[vector] = rest;
                        let sum = S::add(access.load::<S>(self.gradient.into(), index), taken);
                        access.store::<S>(self.gradient, index, sum);
                    }
                    index += channels;
                }
            }
        }
        VECTORS
    }
}

#[cfg(test)]
mod tests;
