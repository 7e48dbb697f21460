//! Strips and tiles of a TIFF image.

use super::DAMAGED;
use super::unpack::Compression;
use crate::decode::error::DecodeError;
use crate::decode::format::CAMERA_RAW;
use crate::decode::ifd::Directory;
use crate::decode::limits::Limits;

mod tag {
    pub(super) const SUBFILE: u16 = 254;
    pub(super) const WIDTH: u16 = 256;
    pub(super) const HEIGHT: u16 = 257;
    pub(super) const BITS: u16 = 258;
    pub(super) const COMPRESSION: u16 = 259;
    pub(super) const FILL_ORDER: u16 = 266;
    pub(super) const STRIP_OFFSETS: u16 = 273;
    pub(super) const SAMPLES: u16 = 277;
    pub(super) const STRIP_ROWS: u16 = 278;
    pub(super) const STRIP_BYTES: u16 = 279;
    pub(super) const PLANES: u16 = 284;
    pub(super) const TILE_WIDTH: u16 = 322;
    pub(super) const TILE_HEIGHT: u16 = 323;
    pub(super) const TILE_OFFSETS: u16 = 324;
    pub(super) const TILE_BYTES: u16 = 325;
    pub(super) const SUB_DIRECTORIES: u16 = 330;
    pub(super) const DNG_VERSION: u16 = 50706;
}

/// Maximum number of samples per pixel.
const MAX_SAMPLES: u64 = 16;

/// Maximum number of pixels of tiles beyond the image, in addition to a multiple of the image's
/// own.
const MAX_PADDING: u64 = 1 << 24;

/// Maximum number of times that each byte of a file may be read, in addition to the number of bytes
/// of the image.
const MAX_REUSE: u64 = 4;

/// Size and storage layout of an image.
pub(super) struct Layout {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) compression: Compression,
    /// Whether the bits of each byte are stored lowest first.
    pub(super) is_reversed: bool,
    /// Bits per sample: 1, 2, 4, 8 or 16.
    pub(super) bits: usize,
    /// Samples per pixel.
    pub(super) samples: usize,
    /// Whether each sample has its own strips or tiles.
    is_planar: bool,
    /// Width and height of a chunk.
    chunk: [usize; 2],
    is_tiled: bool,
    offsets: Vec<u64>,
    /// Number of bytes of each chunk; empty if the file does not specify it.
    lengths: Vec<u64>,
}

/// A strip or tile.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    index: usize,
    pub(super) top: usize,
    pub(super) left: usize,
    /// Number of columns inside the image.
    pub(super) width: usize,
    pub(super) height: usize,
    /// Number of stored rows.
    pub(super) stored_rows: usize,
}

impl Layout {
    pub(super) fn read(directory: &Directory, limits: &mut Limits) -> Result<Self, DecodeError> {
        // The first image of a camera raw file is a thumbnail or undeveloped.
        let is_thumbnail = directory
            .number(tag::SUBFILE)
            .is_some_and(|kind| kind & 1 != 0);
        if directory.has(tag::DNG_VERSION) || is_thumbnail && directory.has(tag::SUB_DIRECTORIES) {
            return Err(DecodeError::OtherFormat(CAMERA_RAW));
        }
        let side = |tag| {
            let side = directory
                .number(tag)
                .and_then(|side| u32::try_from(side).ok());
            side.filter(|&side| side > 0).ok_or(DAMAGED)
        };
        let [width, height] = [side(tag::WIDTH)?, side(tag::HEIGHT)?];
        limits.check_size(width, height)?;
        let samples = directory.number(tag::SAMPLES).unwrap_or(1);
        if !(1..=MAX_SAMPLES).contains(&samples) {
            return Err(DecodeError::Unsupported("a TIFF image with rare samples"));
        }
        let bits = directory.numbers(tag::BITS, MAX_SAMPLES as usize);
        let bits = bits.unwrap_or_else(|| vec![1]);
        let &[first, ..] = &bits[..] else {
            return Err(DAMAGED);
        };
        if !matches!(first, 1 | 2 | 4 | 8 | 16) || bits.iter().any(|&other| other != first) {
            return Err(DecodeError::Unsupported("a TIFF image with rare samples"));
        }
        let is_tiled = directory.has(tag::TILE_OFFSETS);
        let [offsets, lengths] = match is_tiled {
            true => [tag::TILE_OFFSETS, tag::TILE_BYTES],
            false => [tag::STRIP_OFFSETS, tag::STRIP_BYTES],
        };
        let chunk = match is_tiled {
            true => [side(tag::TILE_WIDTH)?, side(tag::TILE_HEIGHT)?],
            false => {
                let rows = directory.number(tag::STRIP_ROWS).unwrap_or(height.into());
                let rows = u32::try_from(rows).unwrap_or(height).min(height);
                [width, rows.max(1)]
            }
        };
        let mut layout = Self {
            width,
            height,
            compression: Compression::read(directory.number(tag::COMPRESSION).unwrap_or(1))?,
            is_reversed: directory.number(tag::FILL_ORDER) == Some(2),
            bits: first as usize,
            samples: samples as usize,
            is_planar: samples > 1 && directory.number(tag::PLANES) == Some(2),
            chunk: chunk.map(|side| side as usize),
            is_tiled,
            offsets: Vec::new(),
            lengths: Vec::new(),
        };
        if layout.is_planar && layout.compression == Compression::Jpeg {
            return Err(DecodeError::Unsupported("a TIFF image with JPEG planes"));
        }
        limits.check_size(chunk[0], chunk[1])?;
        layout.check_tiles()?;
        let bytes = layout.chunk_bytes() as u64 * layout.planes() as u64;
        limits.check_bytes(width, height, bytes)?;
        let [across, down] = layout.grid();
        let count = across * down * layout.planes();
        limits.reserve(2 * size_of::<u64>() as u64 * count as u64);
        let numbers = |tag| directory.numbers(tag, count);
        layout.offsets = numbers(offsets).ok_or(DecodeError::CutOff)?;
        layout.lengths = numbers(lengths).unwrap_or_default();
        Ok(layout)
    }

    /// Returns an error for chunks that share bytes, which would be decompressed repeatedly.
    /// `tables` is the number of bytes that are read again for each chunk.
    pub(super) fn check_overlap(
        &self,
        file: &[u8],
        tables: u64,
        image_bytes: u64,
    ) -> Result<(), DecodeError> {
        let planes = || 0..self.planes();
        let bytes = |chunk: &Chunk, plane| {
            let data = self.data(file, chunk, plane);
            data.map_or(0, |(data, _)| data.len() as u64)
        };
        let handed: u64 = self
            .chunks()
            .map(|chunk| tables + planes().map(|plane| bytes(&chunk, plane)).sum::<u64>())
            .sum();
        match handed > MAX_REUSE * file.len() as u64 + image_bytes {
            true => Err(DecodeError::Unsupported(
                "a TIFF image with overlapping strips",
            )),
            false => Ok(()),
        }
    }

    /// Returns an error for tiles that are much larger in total than the image.
    fn check_tiles(&self) -> Result<(), DecodeError> {
        let [across, down] = self.grid();
        let image = u64::from(self.width) * u64::from(self.height);
        let stored = (across as u64 * down as u64).saturating_mul(self.chunk_pixels());
        match stored > image.saturating_mul(4).saturating_add(MAX_PADDING) {
            true => Err(DAMAGED),
            false => Ok(()),
        }
    }

    /// Returns the number of chunks per row and per column.
    fn grid(&self) -> [usize; 2] {
        [
            (self.width as usize).div_ceil(self.chunk[0]),
            (self.height as usize).div_ceil(self.chunk[1]),
        ]
    }

    /// Returns the number of samples per pixel in one chunk.
    pub(super) fn samples_in_chunk(&self) -> usize {
        match self.is_planar {
            true => 1,
            false => self.samples,
        }
    }

    /// Returns the number of chunks for the same pixels.
    pub(super) fn planes(&self) -> usize {
        self.samples / self.samples_in_chunk()
    }

    /// Returns the number of bytes per row of a chunk.
    pub(super) fn row_bytes(&self) -> usize {
        (self.chunk[0] * self.samples_in_chunk() * self.bits).div_ceil(8)
    }

    pub(super) fn chunk_bytes(&self) -> usize {
        self.row_bytes() * self.chunk[1]
    }

    pub(super) fn chunk_pixels(&self) -> u64 {
        self.chunk[0] as u64 * self.chunk[1] as u64
    }

    /// Returns the chunks of the first plane.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Chunk> + use<> {
        let [across, down] = self.grid();
        let [columns, rows] = self.chunk;
        let [width, height] = [self.width, self.height].map(|side| side as usize);
        let is_tiled = self.is_tiled;
        (0..across * down).map(move |index| {
            let (left, top) = (index % across * columns, index / across * rows);
            let inside = rows.min(height - top);
            Chunk {
                index,
                top,
                left,
                width: columns.min(width - left),
                height: inside,
                // The last strip may be shorter; tiles are padded.
                stored_rows: if is_tiled { rows } else { inside },
            }
        })
    }

    /// Returns the stored bytes of a chunk of a plane, and whether the file has all of them.
    pub(super) fn data<'a>(
        &self,
        file: &'a [u8],
        chunk: &Chunk,
        plane: usize,
    ) -> Result<(&'a [u8], bool), DecodeError> {
        let [across, down] = self.grid();
        let index = plane * across * down + chunk.index;
        let offset = *self.offsets.get(index).ok_or(DecodeError::CutOff)?;
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| file.get(offset..));
        let rest = rest.ok_or(DecodeError::CutOff)?;
        let length = match (self.lengths.get(index), self.compression) {
            (Some(&length), _) => usize::try_from(length).unwrap_or(usize::MAX),
            (None, Compression::None) => chunk.stored_rows * self.row_bytes(),
            (None, _) => rest.len(),
        };
        Ok((&rest[..length.min(rest.len())], length <= rest.len()))
    }
}
