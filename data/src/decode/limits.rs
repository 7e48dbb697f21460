//! Resource limits of decoding.

use super::budget::Permit;
use super::error::DecodeError;

/// Number of bytes of a pixel with four samples of 16 bits.
const MAX_BYTES_PER_PIXEL: u64 = 8;

/// Limits for an image being decoded; decoders check them before allocating.
pub(crate) struct Limits<'a> {
    max_pixels: u64,
    permit: Option<Permit<'a>>,
}

impl<'a> Limits<'a> {
    /// Creates limits of `max_pixels` pixels. With a permit, their memory is taken from a budget.
    pub(super) fn new(max_pixels: u64, permit: Option<Permit<'a>>) -> Self {
        Self { max_pixels, permit }
    }

    /// Returns an error for images with too many pixels.
    pub(crate) fn check_size(&self, width: u32, height: u32) -> Result<(), DecodeError> {
        match u64::from(width) * u64::from(height) > self.max_pixels {
            true => Err(DecodeError::TooLarge {
                width,
                height,
                max_pixels: self.max_pixels,
            }),
            false => Ok(()),
        }
    }

    /// Returns an error for images that decompress to more than [`MAX_BYTES_PER_PIXEL`] for each
    /// allowed pixel.
    pub(crate) fn check_bytes(
        &self,
        width: u32,
        height: u32,
        bytes: u64,
    ) -> Result<(), DecodeError> {
        match bytes > self.max_pixels.saturating_mul(MAX_BYTES_PER_PIXEL) {
            true => Err(DecodeError::TooLarge {
                width,
                height,
                max_pixels: self.max_pixels,
            }),
            false => Ok(()),
        }
    }

    /// Waits until there is memory for `bytes`.
    pub(crate) fn reserve(&mut self, bytes: u64) {
        if let Some(permit) = &mut self.permit {
            permit.grow(bytes);
        }
    }
}

#[cfg(test)]
impl Limits<'_> {
    /// Creates limits of `max_pixels` pixels and unlimited memory.
    pub(crate) fn of_pixels(max_pixels: u64) -> Self {
        Self::new(max_pixels, None)
    }
}
