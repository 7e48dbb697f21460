//! TIFF files, of which the first image is decoded.

mod layout;
mod samples;
mod unpack;

use image::DynamicImage;

use super::error::DecodeError;
use super::ifd::Directory;
use super::limits::Limits;
use super::orientation::{self, FoundOrientation};
use super::warning::Flaw;
use super::{Decoded, pixels};
use crate::jpeg;
use layout::{Chunk, Layout};
use samples::Samples;
use unpack::{Compression, unpack};

const DAMAGED: DecodeError = DecodeError::Damaged("its TIFF data is damaged");

/// Tag of XMP metadata.
const XMP: u16 = 700;

/// Bytes that decoding a JPEG file inside takes for a pixel.
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
            Compression::Jpeg => from_jpeg(file, &directory, &layout, &samples, target)?,
            _ => from_planes(file, &layout, &samples, target)?,
        };
        if !is_whole {
            flaw = Some(Flaw::NoEnd);
        }
    }
    let mut found = FoundOrientation::default();
    found.set_value(directory.number(orientation::TAG));
    if let Some(xmp) = directory.bytes(XMP) {
        found.set_xmp(xmp);
    }
    Ok(Decoded {
        image: pixels::image(width, height, channels, image)?,
        orientation: found.get(),
        flaw,
    })
}

/// Where a chunk's pixels go.
struct Target<'a> {
    /// `[height, width, channels]`.
    image: &'a mut [u8],
    width: usize,
    channels: usize,
    chunk: Chunk,
}

impl Target<'_> {
    /// The pixels of a row of the chunk that are in the image.
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
/// Returns whether the file has all the bytes that it states.
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

/// Decodes a chunk that is a JPEG file, whose tables may be stored once for all chunks.
fn from_jpeg(
    file: &[u8],
    directory: &Directory,
    layout: &Layout,
    samples: &Samples,
    mut target: Target<'_>,
) -> Result<bool, DecodeError> {
    const TABLES: u16 = 347;
    let (data, is_whole) = layout.data(file, &target.chunk, 0)?;
    let mut stream = Vec::new();
    if let Some(tables) = directory.bytes(TABLES)
        && let Some(tables) = tables.strip_suffix(b"\xff\xd9")
    {
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
