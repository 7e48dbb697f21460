//! Operations on each pixel or window of images: norms, pools, shortcuts.

use super::images::{Codes, Int8Images, Values};
use super::simd::{Int8Kernel, Int8Level, Int8Simd};
use crate::kernels::buffer::Buffer;
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::pool::Window;
use crate::kernels::shape::Shape;
use crate::kernels::shortcut::{ZeroPad, zero_pad_shortcut};
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
        let codes = Codes::of_lines(self.shape, |image, line, output| {
            let start = image * self.shape.image() + line * self.shape.line();
            let range = start..start + output.len();
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
        Self {
            shape: self.shape,
            values: Values::Codes(codes),
        }
    }

    /// Returns the maximum of every square window; see
    /// [`ResidualBackend::max_pool`](crate::ResidualBackend::max_pool).
    ///
    /// # Panics
    ///
    /// Panics if the images are floats, or smaller than the window.
    pub fn max_pool(&self, kernel: usize, stride: usize, padding: usize) -> Self {
        let _running = profile::operation("int8 max pool");
        let window = Window {
            kernel,
            stride,
            padding,
        };
        let shape = window.output(self.shape);
        let channels = shape.channels;
        self.pooled(shape, |image, line, output| {
            // The maximum over the rows of the window first, so that each code is read once.
            let mut most = vec![0; self.shape.line()];
            for y in window.covered(line, self.shape.height) {
                larger(&mut most, &image[y * self.shape.line()..]);
            }
            for (column, output) in output.chunks_exact_mut(channels).enumerate() {
                output.fill(0);
                for x in window.covered(column, self.shape.width) {
                    larger(output, &most[x * channels..]);
                }
            }
        })
    }

    /// Returns the mean of every window of `edge` by `edge` pixels, at most 15, rounded to the nearest
    /// code; see [`ResidualBackend::average_pool`](crate::ResidualBackend::average_pool).
    ///
    /// # Panics
    ///
    /// Panics if the images are floats.
    pub fn average_pool(&self, edge: usize) -> Self {
        let _running = profile::operation("int8 average pool");
        let Shape {
            height,
            width,
            channels,
            ..
        } = self.shape;
        let shape = Shape {
            height: height.div_ceil(edge),
            width: width.div_ceil(edge),
            ..self.shape
        };
        self.pooled(shape, |image, line, output| {
            let rows = line * edge..height.min((line + 1) * edge);
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
        })
    }

    /// Returns images of codes whose lines `pool` writes, given the codes of the image and the index of
    /// the line.
    fn pooled(&self, shape: Shape, pool: impl Fn(&[u8], usize, &mut [u8]) + Send + Sync) -> Self {
        let Values::Codes(codes) = &self.values else {
            // `model` makes floats only of what norms and additions read.
            panic!("a pool of 8 bits takes codes");
        };
        let length = self.shape.image();
        let values = Codes::of_lines(shape, |image, line, output| {
            pool(&codes[image * length..(image + 1) * length], line, output);
        });
        Self {
            shape,
            values: Values::Codes(values),
        }
    }

    /// Computes shortcut A, whose new channels hold the code `zero`, or zeros if the images are
    /// floats; see
    /// [`ResidualBackend::zero_pad_shortcut`](crate::ResidualBackend::zero_pad_shortcut).
    pub fn zero_pad(&self, stride: usize, [before, after]: [usize; 2], zero: u8) -> Self {
        let _running = profile::operation("int8 shortcut");
        let pad = ZeroPad {
            stride,
            before,
            after,
        };
        let shape = pad.output(self.shape);
        let values = match &self.values {
            Values::Codes(codes) => {
                let mut values = Codes::new(shape.values());
                zero_pad_shortcut(codes, self.shape, pad, zero, &mut values);
                Values::Codes(values)
            }
            Values::Floats(floats) => {
                let mut values = Buffer::new(shape.values());
                zero_pad_shortcut(floats, self.shape, pad, 0.0, &mut values);
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
