//! Operations on each pixel or window of images: norms, pools, shortcuts.

use super::images::{Codes, Int8Images, Values};
use super::simd::{Int8Kernel, Int8Level, Int8Simd};
use crate::kernels::buffer::Buffer;
use crate::kernels::parallel::{Shared, for_each};
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::shape::Shape;
use crate::profile;

impl Int8Images {
    /// Computes `x * scale + shift` for each channel, rounded to codes of 0 to `most`: a norm and a
    /// ReLU.
    ///
    /// # Panics
    ///
    /// Panics if a length does not match the number of channels.
    pub fn affine(&self, scale: &[f32], shift: &[f32], most: u8) -> Self {
        let channels = self.shape.channels;
        assert_eq!([scale.len(), shift.len()], [channels; 2]);
        let _running = profile::operation("int8 norm");
        let mut codes = Codes::new(self.shape.values());
        let line = self.shape.line();
        if line > 0 {
            let output = Shared::new(&mut codes[..]);
            for_each(self.shape.batch * self.shape.height, |row| {
                let range = row * line..(row + 1) * line;
                // SAFETY: each task has its own line.
                let output = unsafe { output.part(range.clone()) };
                let floats: Vec<f32>;
                let input = match &self.values {
                    Values::Floats(values) => &values[range],
                    Values::Codes(codes) => {
                        floats = codes[range].iter().copied().map(f32::from).collect();
                        &floats
                    }
                };
                Int8Level::best().run(Affine {
                    input,
                    scale,
                    shift,
                    most: f32::from(most),
                    output,
                });
            });
        }
        Self {
            shape: self.shape,
            values: Values::Codes(codes),
        }
    }

    /// Returns the maximum of every window; see
    /// [`ResidualBackend::max_pool`](crate::ResidualBackend::max_pool).
    ///
    /// # Panics
    ///
    /// Panics if the images are floats.
    pub fn max_pool(&self, kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Self {
        let Values::Codes(codes) = &self.values else {
            panic!("a max pool takes codes");
        };
        let _running = profile::operation("int8 max pool");
        let Shape {
            batch,
            height,
            width,
            channels,
        } = self.shape;
        let size = |axis: usize, length: usize| {
            (length + 2 * padding[axis])
                .checked_sub(kernel[axis])
                .map_or(0, |room| room / stride[axis] + 1)
        };
        let shape = Shape {
            batch,
            height: size(0, height),
            width: size(1, width),
            channels,
        };
        // Pixels of a window along an axis that are inside the image.
        let inside = |axis: usize, position: usize, length: usize| {
            let first = (position * stride[axis]) as isize - padding[axis] as isize;
            let end = (first + kernel[axis] as isize).clamp(0, length as isize) as usize;
            first.max(0) as usize..end
        };
        let mut values = Codes::new(shape.values());
        let line = shape.line();
        if line > 0 {
            let output = Shared::new(&mut values[..]);
            for_each(batch * shape.height, |row| {
                // SAFETY: each task has its own line.
                let output = unsafe { output.part(row * line..(row + 1) * line) };
                let image = &codes[row / shape.height * self.shape.image()..];
                // The maximum over the rows of the window first, so that each code is read once.
                let mut most = vec![0; self.shape.line()];
                for y in inside(0, row % shape.height, height) {
                    larger(&mut most, &image[y * self.shape.line()..]);
                }
                for (column, output) in output.chunks_exact_mut(channels).enumerate() {
                    output.fill(0);
                    for x in inside(1, column, width) {
                        larger(output, &most[x * channels..]);
                    }
                }
            });
        }
        Self {
            shape,
            values: Values::Codes(values),
        }
    }

    /// Returns the mean of every window of `edge` by `edge` pixels, at most 15, rounded to the nearest
    /// code; see [`ResidualBackend::average_pool`](crate::ResidualBackend::average_pool).
    ///
    /// # Panics
    ///
    /// Panics if the images are floats.
    pub fn average_pool(&self, edge: usize) -> Self {
        let Values::Codes(codes) = &self.values else {
            panic!("an average pool takes codes");
        };
        let _running = profile::operation("int8 average pool");
        let Shape {
            batch,
            height,
            width,
            channels,
        } = self.shape;
        let shape = Shape {
            batch,
            height: height.div_ceil(edge),
            width: width.div_ceil(edge),
            channels,
        };
        let mut values = Codes::new(shape.values());
        let line = shape.line();
        if line > 0 {
            let output = Shared::new(&mut values[..]);
            for_each(batch * shape.height, |row| {
                // SAFETY: each task has its own line.
                let output = unsafe { output.part(row * line..(row + 1) * line) };
                let image = &codes[row / shape.height * self.shape.image()..];
                let top = row % shape.height * edge;
                let rows = top..height.min(top + edge);
                let mut sums = vec![0_u16; channels];
                for (column, output) in output.chunks_exact_mut(channels).enumerate() {
                    sums.fill(0);
                    let columns = column * edge..width.min((column + 1) * edge);
                    for y in rows.clone() {
                        for x in columns.clone() {
                            let pixel = &image[(y * width + x) * channels..][..channels];
                            for (sum, &code) in sums.iter_mut().zip(pixel) {
                                *sum += u16::from(code);
                            }
                        }
                    }
                    let count = (rows.len() * columns.len()) as u16;
                    for (code, sum) in output.iter_mut().zip(&sums) {
                        *code = ((sum + count / 2) / count) as u8;
                    }
                }
            });
        }
        Self {
            shape,
            values: Values::Codes(values),
        }
    }

    /// Computes shortcut A, whose new channels hold the code `zero`, or zeros if the images are
    /// floats; see
    /// [`ResidualBackend::zero_pad_shortcut`](crate::ResidualBackend::zero_pad_shortcut).
    pub fn zero_pad(&self, stride: usize, padding: [usize; 2], zero: u8) -> Self {
        let _running = profile::operation("int8 shortcut");
        let Shape {
            batch,
            height,
            width,
            channels,
        } = self.shape;
        let shape = Shape {
            batch,
            height: height.div_ceil(stride),
            width: width.div_ceil(stride),
            channels: padding[0] + channels + padding[1],
        };
        let values = match &self.values {
            Values::Codes(codes) => {
                let mut values = Codes::new(shape.values());
                pad(
                    self.shape,
                    codes,
                    shape,
                    stride,
                    padding[0],
                    zero,
                    &mut values,
                );
                Values::Codes(values)
            }
            Values::Floats(floats) => {
                let mut values = Buffer::new(shape.values());
                pad(
                    self.shape,
                    floats,
                    shape,
                    stride,
                    padding[0],
                    0.0,
                    &mut values,
                );
                Values::Floats(values)
            }
        };
        Self { shape, values }
    }

    /// Returns the mean of each channel of each image as `(mean - zero) * scale`,
    /// `[batch, channels]`.
    pub fn mean(&self, scale: f32, zero: u8) -> Vec<f32> {
        let _running = profile::operation("int8 mean");
        let pixels = self.shape.height * self.shape.width;
        let images = 0..self.shape.batch;
        let means = images.map(|image| {
            let range = image * self.shape.image()..(image + 1) * self.shape.image();
            match &self.values {
                Values::Codes(codes) => {
                    let sums = sums(&codes[range], self.shape.channels, u32::from);
                    let mean = |sum: u32| f64::from(sum) / pixels as f64 - f64::from(zero);
                    let means = sums.into_iter().map(mean);
                    means
                        .map(|mean| (mean * f64::from(scale)) as f32)
                        .collect::<Vec<_>>()
                }
                Values::Floats(values) => {
                    let sums = sums(&values[range], self.shape.channels, f64::from);
                    let means = sums.into_iter().map(|sum| (sum / pixels as f64) as f32);
                    means.collect()
                }
            }
        });
        means.flatten().collect()
    }

    /// Returns the values of each image as `(code - zero) * scale`, in the order of channels, rows and
    /// columns: `[batch, channels * height * width]`.
    pub fn flatten(&self, scale: f32, zero: u8) -> Vec<f32> {
        let pixels = self.shape.height * self.shape.width;
        let mut values = Vec::with_capacity(self.shape.values());
        for image in 0..self.shape.batch {
            for channel in 0..self.shape.channels {
                let first = image * self.shape.image() + channel;
                let places = (0..pixels).map(|pixel| first + pixel * self.shape.channels);
                values.extend(places.map(|place| match &self.values {
                    Values::Codes(codes) => (f32::from(codes[place]) - f32::from(zero)) * scale,
                    Values::Floats(values) => values[place],
                }));
            }
        }
        values
    }
}

/// Replaces each code by the larger one of two.
fn larger(codes: &mut [u8], others: &[u8]) {
    for (code, &other) in codes.iter_mut().zip(others) {
        *code = (*code).max(other);
    }
}

/// Sums the values of each channel.
fn sums<T: Copy, U: Copy + Default + std::ops::AddAssign>(
    image: &[T],
    channels: usize,
    convert: impl Fn(T) -> U,
) -> Vec<U> {
    let mut sums = vec![U::default(); channels];
    for pixel in image.chunks_exact(channels.max(1)) {
        for (sum, &value) in sums.iter_mut().zip(pixel) {
            *sum += convert(value);
        }
    }
    sums
}

fn pad<T: Copy>(
    from: Shape,
    input: &[T],
    to: Shape,
    stride: usize,
    before: usize,
    zero: T,
    output: &mut [T],
) {
    let pixels = output.chunks_exact_mut(to.channels.max(1)).enumerate();
    for (pixel, output) in pixels {
        let (row, column) = (pixel / to.width, pixel % to.width);
        let (image, row) = (row / to.height, row % to.height);
        let source =
            image * from.image() + row * stride * from.line() + column * stride * from.channels;
        output.fill(zero);
        output[before..before + from.channels].copy_from_slice(&input[source..][..from.channels]);
    }
}

/// Norm and ReLU of pixels.
struct Affine<'a> {
    input: &'a [f32],
    scale: &'a [f32],
    shift: &'a [f32],
    most: f32,
    output: &'a mut [u8],
}

impl Int8Kernel for Affine<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Int8Simd>(self) {
        let channels = self.scale.len();
        let vectors = channels / S::LANES;
        let pixels = self.input.chunks_exact(channels);
        for (input, output) in pixels.zip(self.output.chunks_exact_mut(channels)) {
            for vector in 0..vectors {
                let at = vector * S::LANES;
                // SAFETY: the caller guarantees the instructions, and a whole vector is left.
                unsafe {
                    // Not by a closure, which would be compiled without the instructions.
                    let input = S::load(Source::from(input).add(at));
                    let scale = S::load(Source::from(self.scale).add(at));
                    let shift = S::load(Source::from(self.shift).add(at));
                    let values = S::add(S::mul(input, scale), shift);
                    let values = S::min(S::max(values, S::splat(0.0)), S::splat(self.most));
                    S::store_bytes(Destination::from(&mut *output).add(at), values);
                }
            }
            for at in vectors * S::LANES..channels {
                let value = input[at] * self.scale[at] + self.shift[at];
                output[at] = value.clamp(0.0, self.most).round_ties_even() as u8;
            }
        }
    }
}
