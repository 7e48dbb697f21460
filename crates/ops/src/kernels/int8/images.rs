//! Images as codes or floats.

use std::ops::{Deref, DerefMut};

use super::simd::{Int8Kernel, Int8Level, Int8Simd};
use crate::kernels::buffer::Buffer;
use crate::kernels::parallel::for_each_line;
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::shape::Shape;
use crate::profile;

/// Number of bytes after the last code that tiles may read; their weights are zero.
const SLACK: usize = 64;
/// Largest code of a pixel.
const MOST_PIXEL: f32 = 254.0;

/// Bytes from the pool of buffers.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    buffer: Buffer,
    length: usize,
}

impl Codes {
    /// Creates codes with unspecified contents; the caller must write all of them.
    pub(super) fn new(length: usize) -> Self {
        let values = (length + SLACK).div_ceil(size_of::<f32>());
        Self {
            buffer: Buffer::new(values),
            length,
        }
    }

    /// Creates codes of this shape. `write` gets the index of an image, that of a line in it, and the
    /// line to write.
    pub(super) fn of_lines(
        shape: Shape,
        write: impl Fn(usize, usize, &mut [u8]) + Send + Sync,
    ) -> Self {
        let mut codes = Self::new(shape.values());
        for_each_line(&mut codes, shape, write);
        codes
    }

    /// Returns the codes with the bytes after the last one.
    pub(super) fn with_slack(&self) -> &[u8] {
        let bytes = size_of_val(&*self.buffer);
        // SAFETY: the bytes of the buffer's values, all of which are initialized.
        unsafe { std::slice::from_raw_parts(self.buffer.as_ptr().cast(), bytes) }
    }
}

impl Deref for Codes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.with_slack()[..self.length]
    }
}

impl DerefMut for Codes {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `with_slack`, with exclusive access; every byte pattern is a float.
        unsafe { std::slice::from_raw_parts_mut(self.buffer.as_mut_ptr().cast(), self.length) }
    }
}

/// Values of images in the order `[batch, height, width, channels]`.
#[derive(Clone, Debug)]
pub(super) enum Values {
    Codes(Codes),
    Floats(Buffer),
}

/// Images within a network: codes of 8 bits, or floats.
#[derive(Clone, Debug)]
pub struct Int8Images {
    pub(super) shape: Shape,
    pub(super) values: Values,
}

/// How the images that enter a network become codes: a value `x` becomes `x * scale + zero`, rounded
/// and limited to 0 to 254.
///
/// Where the factors of products have only seven bits, a code is split into two in neighboring
/// channels, whose sum it is.
#[derive(Clone, Debug, PartialEq)]
pub struct InputCodes {
    /// Factor for each channel.
    pub scale: Vec<f32>,
    /// Code of the value zero for each channel, 0 to 254.
    pub zero: Vec<f32>,
}

impl InputCodes {
    /// Returns the code of zero, rounded.
    pub fn outside(&self) -> Vec<u8> {
        let codes = self.zero.iter().map(|zero| zero.round_ties_even());
        codes
            .map(|code| code.clamp(0.0, MOST_PIXEL) as u8)
            .collect()
    }
}

/// Splits a code into two of at most 127.
pub(super) fn split(code: u8) -> [u8; 2] {
    [code / 2, code.div_ceil(2)]
}

impl Int8Images {
    /// Converts images `[batch, channels, height, width]` to codes for a convolution whose layer
    /// [reads images](super::Int8Layer::reads_images).
    ///
    /// # Panics
    ///
    /// Panics if a length does not match the shape.
    pub fn new(images: &[f32], shape: [usize; 4], codes: &InputCodes) -> Self {
        Self::at(Int8Level::best(), images, shape, codes)
    }

    pub(super) fn at(
        level: Int8Level,
        images: &[f32],
        shape: [usize; 4],
        codes: &InputCodes,
    ) -> Self {
        let [batch, channels, height, width] = shape;
        let plane = height * width;
        assert_eq!(images.len(), batch * channels * plane);
        assert_eq!([codes.scale.len(), codes.zero.len()], [channels; 2]);
        let _running = profile::operation("int8 input");
        let parts = if level.has_wide_codes() { 1 } else { 2 };
        let shape = Shape {
            batch,
            height,
            width,
            channels: parts * channels,
        };
        let values = Codes::of_lines(shape, |image, y, target| {
            let planes = &images[image * channels * plane..][..channels * plane];
            level.run(Line {
                planes: &planes[y * width..],
                plane,
                width,
                codes,
                target,
            });
        });
        Self {
            shape,
            values: Values::Codes(values),
        }
    }

    /// Returns `[batch, channels, height, width]`.
    pub fn dims(&self) -> [usize; 4] {
        let Shape {
            batch,
            height,
            width,
            channels,
        } = self.shape;
        [batch, channels, height, width]
    }

    /// Returns the codes or floats in the order `[batch, height, width, channels]`.
    pub fn to_floats(&self) -> Vec<f32> {
        match &self.values {
            Values::Codes(codes) => codes.iter().copied().map(f32::from).collect(),
            Values::Floats(values) => values.to_vec(),
        }
    }
}

/// A line of an image, from planes of floats to codes of pixels.
struct Line<'a> {
    /// Starts at the line in the first plane.
    planes: &'a [f32],
    /// Number of values in a plane.
    plane: usize,
    width: usize,
    codes: &'a InputCodes,
    target: &'a mut [u8],
}

impl Int8Kernel for Line<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Int8Simd>(self) {
        let Self {
            width,
            codes,
            target,
            ..
        } = self;
        let channels = codes.scale.len();
        let pixel = target.len() / width;
        let mut line = [0; 256];
        for channel in 0..channels {
            let values = &self.planes[channel * self.plane..][..width];
            let (scale, zero) = (codes.scale[channel], codes.zero[channel]);
            let chunks = values.chunks(line.len()).enumerate();
            for (chunk, values) in chunks {
                let vectors = values.len() / S::LANES;
                for at in (0..vectors).map(|vector| vector * S::LANES) {
                    // SAFETY: the caller guarantees the instructions, and a whole vector is left.
                    unsafe {
                        let values = S::load(Source::from(values).add(at));
                        let codes = S::add(S::mul(values, S::splat(scale)), S::splat(zero));
                        let codes = S::min(S::max(codes, S::splat(0.0)), S::splat(MOST_PIXEL));
                        S::store_bytes(Destination::from(&mut line[..]).add(at), codes);
                    }
                }
                for at in vectors * S::LANES..values.len() {
                    let code = (values[at] * scale + zero).clamp(0.0, MOST_PIXEL);
                    line[at] = code.round_ties_even() as u8;
                }
                let target = &mut target[chunk * line.len() * pixel..];
                let pixels = target.chunks_exact_mut(pixel).zip(&line[..values.len()]);
                if pixel == channels {
                    pixels.for_each(|(pixel, &code)| pixel[channel] = code);
                } else {
                    for (pixel, &code) in pixels {
                        pixel[2 * channel..2 * channel + 2].copy_from_slice(&split(code));
                    }
                }
            }
        }
    }
}
