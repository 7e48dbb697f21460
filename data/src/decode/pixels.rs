//! Conversion of sample rows to 8-bit gray or RGB.

use image::{DynamicImage, GrayImage, RgbImage};

use super::error::DecodeError;

/// Creates an image from `width * height * channels` bytes, with 1 (gray) or 3 (RGB) channels.
pub(super) fn image(
    width: u32,
    height: u32,
    channels: usize,
    pixels: Vec<u8>,
) -> Result<DynamicImage, DecodeError> {
    let image = match channels {
        1 => GrayImage::from_raw(width, height, pixels).map(Into::into),
        _ => RgbImage::from_raw(width, height, pixels).map(Into::into),
    };
    image.ok_or(DecodeError::Damaged("its size is damaged"))
}

/// Returns the peak memory in bytes after decoding: the image, and a rotated copy or one with
/// another number of channels.
pub(super) fn peak(width: u32, height: u32, channels: usize) -> u64 {
    u64::from(width) * u64::from(height) * (channels + 3) as u64
}

/// Rounds a 16-bit sample to 8 bits.
pub(super) fn round(sample: u16) -> u8 {
    ((u32::from(sample) + 128) / 257) as u8
}
