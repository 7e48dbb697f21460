//! BMP files, decoded by the image crate.

use std::borrow::Cow;
use std::io::{Cursor, ErrorKind};

use image::codecs::bmp::BmpDecoder;
use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _};

use super::Decoded;
use super::error::DecodeError;
use super::limits::Limits;
use super::warning::Flaw;

/// Peak memory per pixel in bytes: red, green, blue, alpha, and a copy without alpha.
const PIXEL_BYTES: u64 = 7;

/// Decodes a BMP file to gray or RGB; transparency is dropped.
pub(super) fn decode(file: &[u8], limits: &mut Limits) -> Result<Decoded, DecodeError> {
    let failed = |error| match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            DecodeError::CutOff
        }
        ImageError::Unsupported(_) => DecodeError::Unsupported("a rare kind of BMP image"),
        _ => DecodeError::Damaged("its BMP data is damaged"),
    };
    let (file, flaw) = with_padding(file)?;
    let decoder = BmpDecoder::new(Cursor::new(&file[..])).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    limits.check_size(width, height)?;
    limits.reserve(PIXEL_BYTES * u64::from(width) * u64::from(height));
    let image = DynamicImage::from_decoder(decoder).map_err(failed)?;
    Ok(Decoded {
        image: match image {
            DynamicImage::ImageLuma8(_) => image,
            _ => image.into_rgb8().into(),
        },
        orientation: Orientation::NoTransforms,
        flaw,
    })
}

/// Adds the padding of the last row if only that is missing; returns an error for uncompressed
/// files that lack more.
fn with_padding(file: &[u8]) -> Result<(Cow<'_, [u8]>, Option<Flaw>), DecodeError> {
    let Some([least, whole]) = uncompressed_length(file) else {
        return Ok((Cow::Borrowed(file), None));
    };
    let length = file.len() as u64;
    if length >= whole {
        return Ok((Cow::Borrowed(file), None));
    }
    if length < least {
        return Err(DecodeError::CutOff);
    }
    let mut padded = file.to_vec();
    padded.resize(whole as usize, 0);
    Ok((Cow::Owned(padded), Some(Flaw::NoEnd)))
}

/// Returns the size of an uncompressed file in bytes up to its last pixel, and with the padding
/// after it.
fn uncompressed_length(file: &[u8]) -> Option<[u64; 2]> {
    let word = |at: usize| {
        Some(u64::from(u32::from_le_bytes(
            *file.get(at..)?.first_chunk()?,
        )))
    };
    let half = |at: usize| {
        Some(u64::from(u16::from_le_bytes(
            *file.get(at..)?.first_chunk()?,
        )))
    };
    let [width, height, bits] = match word(14)? {
        12 => [half(18)?, half(20)?, half(24)?],
        _ => {
            // Uncompressed, with or without color masks.
            if !matches!(word(30)?, 0 | 3 | 6) {
                return None;
            }
            // A negative height means that rows are stored top-down.
            let height = (word(22)? as u32).cast_signed().unsigned_abs();
            [word(18)?, height.into(), half(28)?]
        }
    };
    let row_bits = width.checked_mul(bits)?;
    let stride = row_bits.div_ceil(32) * 4;
    let whole = stride.checked_mul(height)?.checked_add(word(10)?)?;
    Some([whole.checked_sub(stride - row_bits.div_ceil(8))?, whole])
}
