//! TIFF files; the first image is decoded.

mod layout;
mod samples;
mod unpack;

use image::DynamicImage;

use super::error::DecodeError;
use super::ifd::Directory;
use super::limits::Limits;
use super::orientation::FoundOrientation;
use super::warning::Flaw;
use super::{Decoded, pixels};
use crate::decode::jpeg;
use layout::{Chunk, Layout};
use samples::Samples;
use unpack::{Compression, unpack};

const DAMAGED: DecodeError = DecodeError::Damaged("its TIFF data is damaged");

/// Tag of XMP metadata.
const XMP: u16 = 700;

/// Tag of JPEG tables shared by all chunks.
const TABLES: u16 = 347;

/// Peak memory per pixel in bytes for decoding an embedded JPEG file.
const JPEG_PIXEL_BYTES: u64 = 13;

/// Decodes the first image of a TIFF file to gray or RGB; transparency is dropped.
pub(super) fn decode(file: &[u8], limits: &mut Limits) -> Result<Decoded, DecodeError> {
    let directory = Directory::first(file).ok_or(DecodeError::CutOff)?;
    let layout = Layout::read(&directory, limits)?;
    let samples = Samples::read(&directory, &layout)?;
    let channels = samples.channels();
    let [width, height] = [layout.width, layout.height];
    let chunk_bytes = match layout.compression {
        Compression::Jpeg => JPEG_PIXEL_BYTES * layout.chunk_pixels(),
        _ => layout.chunk_bytes() as u64 * (layout.planes() as u64 + 1),
    };
    let tables = match layout.compression {
        Compression::Jpeg => directory.bytes(TABLES).unwrap_or_default(),
        _ => &[],
    };
    let image_bytes = u64::from(width) * u64::from(height) * channels as u64;
    layout.check_overlap(file, tables.len() as u64, image_bytes)?;
    limits.reserve(pixels::peak(width, height, channels) + chunk_bytes);

    let mut image = vec![0; width as usize * height as usize * channels];
    let mut flaw = None;
    for chunk in layout.chunks() {
        let target = Target {
            image: &mut image,
            width: width as usize,
            channels,
            chunk,
        };
        let is_whole = match layout.compression {
            Compression::Jpeg => from_jpeg(file, tables, &layout, &samples, target)?,
            _ => from_planes(file, &layout, &samples, target)?,
        };
        if !is_whole {
            flaw = Some(Flaw::NoEnd);
        }
    }
    let mut found = FoundOrientation::default();
    found.set_tag(&directory);
    if let Some(xmp) = directory.bytes(XMP) {
        found.set_xmp(xmp);
    }
    Ok(Decoded {
        image: pixels::image(width, height, channels, image)?,
        orientation: found.get(),
        flaw,
    })
}

/// Destination of a chunk's pixels.
struct Target<'a> {
    /// `[height, width, channels]`.
    image: &'a mut [u8],
    width: usize,
    channels: usize,
    chunk: Chunk,
}

impl Target<'_> {
    /// Returns the pixels of a row of the chunk that are inside the image.
    fn row(&mut self, row: usize) -> &mut [u8] {
        let Chunk {
            top, left, width, ..
        } = self.chunk;
        let start = ((top + row) * self.width + left) * self.channels;
        &mut self.image[start..start + width * self.channels]
    }
}

/// Decodes a chunk from one block of data, or from one for each plane.
///
/// Returns whether the file has all the bytes that it declares.
fn from_planes(
    file: &[u8],
    layout: &Layout,
    samples: &Samples,
    mut target: Target<'_>,
) -> Result<bool, DecodeError> {
    let mut is_whole = true;
    let mut planes = Vec::with_capacity(layout.planes());
    for plane in 0..layout.planes() {
        let (data, is_all) = layout.data(file, &target.chunk, plane)?;
        is_whole &= is_all;
        let rows = target.chunk.stored_rows;
        let mut unpacked = unpack(layout, data, rows * layout.row_bytes())?;
        samples.undo_prediction(&mut unpacked);
        planes.push(unpacked);
    }
    let mut rows: Vec<_> = planes
        .iter()
        .map(|plane| plane.chunks_exact(layout.row_bytes()))
        .collect();
    for row in 0..target.chunk.height {
        let parts: Option<Vec<&[u8]>> = rows.iter_mut().map(Iterator::next).collect();
        samples.convert(&parts.ok_or(DAMAGED)?, target.row(row));
    }
    Ok(is_whole)
}

/// Decodes a chunk that is a JPEG file, with possibly shared tables.
fn from_jpeg(
    file: &[u8],
    tables: &[u8],
    layout: &Layout,
    samples: &Samples,
    mut target: Target<'_>,
) -> Result<bool, DecodeError> {
    let (data, is_whole) = layout.data(file, &target.chunk, 0)?;
    let mut stream = Vec::new();
    if let Some(tables) = tables.strip_suffix(b"\xff\xd9") {
        stream.extend_from_slice(tables);
        stream.extend_from_slice(data.strip_prefix(b"\xff\xd8").unwrap_or(data));
    } else {
        stream.extend_from_slice(data);
    }
    let mut limits = Limits::new(layout.chunk_pixels(), None);
    let decoded = jpeg::decode_in_tiff(&stream, &mut limits, samples.is_rgb()).map_err(
        |error| match error {
            DecodeError::TooLarge { .. } => DAMAGED,
            error => error,
        },
    )?;
    let (columns, pixels, channels) = match &decoded.image {
        DynamicImage::ImageLuma8(image) => (image.width() as usize, image.as_raw(), 1),
        DynamicImage::ImageRgb8(image) => (image.width() as usize, image.as_raw(), 3),
        _ => return Err(DAMAGED),
    };
    if channels != target.channels
        || columns < target.chunk.width
        || (decoded.image.height() as usize) < target.chunk.height
    {
        return Err(DAMAGED);
    }
    for row in 0..target.chunk.height {
        let to = target.row(row);
        to.copy_from_slice(&pixels[row * columns * channels..][..to.len()]);
        samples.finish_jpeg(to);
    }
    Ok(is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a gray TIFF file with one strip per row, all at the same offset.
    fn overlapping(width: u32, rows: u32, compression: u32, strip: &[u8]) -> Vec<u8> {
        let start = 8 + strip.len() as u32;
        let after = start + 2 + 12 * 7 + 4;
        let mut file = b"II*\0".to_vec();
        file.extend(start.to_le_bytes());
        file.extend_from_slice(strip);
        file.extend(7_u16.to_le_bytes());
        for (tag, count, value) in [
            (256_u16, 1, width),
            (257, 1, rows),
            (258, 1, 8),
            (259, 1, compression),
            (273, rows, after),
            (278, 1, 1),
            (279, rows, after + 4 * rows),
        ] {
            file.extend(tag.to_le_bytes());
            file.extend(4_u16.to_le_bytes());
            file.extend(u32::to_le_bytes(count));
            file.extend(value.to_le_bytes());
        }
        file.extend([0; 4]);
        for value in [8, strip.len() as u32] {
            file.extend(value.to_le_bytes().repeat(rows as usize));
        }
        file
    }

    #[test]
    fn strips_that_share_their_bytes_are_limited() {
        let decode = |file: &[u8]| decode(file, &mut Limits::of_pixels(u64::MAX));
        let gray = |value: u8| decode(&overlapping(64, 50, 1, &[value; 64]));
        assert_eq!(gray(7).unwrap().image.as_bytes(), [7; 64 * 50]);
        // PackBits: no-op bytes, then a row.
        let mut strip = vec![0x80; 10_000];
        strip.extend([0xc1, 0x55]);
        let error = decode(&overlapping(64, 50, 32773, &strip)).unwrap_err();
        assert!(error.to_string().contains("overlapping strips"), "{error}");
        assert!(decode(&overlapping(64, 3, 32773, &strip)).is_ok());
    }
}
