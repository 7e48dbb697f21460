//! GIF files; the first frame is decoded.

use image::metadata::Orientation;
use weezl::{BitOrder, decode::Decoder};

use super::error::DecodeError;
use super::limits::Limits;
use super::warning::Flaw;
use super::{Decoded, lzw, pixels};

const DAMAGED: DecodeError = DecodeError::Damaged("its GIF data is damaged");

/// Number of bytes of the signature.
const SIGNATURE: usize = 6;

/// First row and row step of the four passes of an interlaced frame.
const PASSES: [(usize, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];

type Palette = [[u8; 3]; 256];

/// Decodes the first frame of a GIF file to RGB, like Pillow.
///
/// A transparent pixel gets its color in the palette. Pixels outside a frame that does not fill the
/// screen are transparent, or have the first color.
pub(super) fn decode(file: &[u8], limits: &mut Limits) -> Result<Decoded, DecodeError> {
    let mut reader = Reader(file.get(SIGNATURE..).unwrap_or_default());
    let [a, b, c, d, flags, _background, _aspect] = reader.array()?;
    let screen = [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])];
    let screen_palette = reader.palette(flags)?;
    let mut transparent = None;
    loop {
        match reader.array()? {
            [b'!'] => {
                let [label] = reader.array()?;
                if let (0xf9, [flags, _, _, index]) = (label, reader.blocks()?) {
                    transparent = (flags & 1 != 0).then_some(*index);
                }
            }
            [b','] => break,
            [b';'] => return Err(DecodeError::Damaged("it is a GIF file without a frame")),
            _ => {}
        }
    }
    let [l, left, t, top, w, width, h, height, flags] = reader.array()?;
    let frame = Frame {
        left: u16::from_le_bytes([l, left]).into(),
        top: u16::from_le_bytes([t, top]).into(),
        width: u16::from_le_bytes([w, width]).into(),
        height: u16::from_le_bytes([h, height]).into(),
        is_interlaced: flags & 0x40 != 0,
    };
    let palette = reader.palette(flags)?.or(screen_palette);
    let palette = palette.unwrap_or_else(|| std::array::from_fn(|index| [index as u8; 3]));
    let width = usize::from(screen[0]).max(frame.left + frame.width);
    let height = usize::from(screen[1]).max(frame.top + frame.height);
    if frame.width == 0 || frame.height == 0 {
        return Err(DAMAGED);
    }
    let size = [width as u32, height as u32];
    limits.check_size(size[0], size[1])?;
    let indices = (frame.width * frame.height) as u64;
    limits.reserve(pixels::peak(size[0], size[1], 3) + indices + reader.0.len() as u64);

    let (indices, flaw) = reader.indices(&frame)?;
    let around = palette[usize::from(transparent.unwrap_or(0))];
    let mut pixels = vec![around; width * height];
    for (row, indices) in frame.rows().zip(indices.chunks_exact(frame.width)) {
        let start = (frame.top + row) * width + frame.left;
        for (pixel, &index) in pixels[start..start + frame.width].iter_mut().zip(indices) {
            *pixel = palette[usize::from(index)];
        }
    }
    Ok(Decoded {
        image: pixels::image(size[0], size[1], 3, pixels.into_flattened())?,
        orientation: Orientation::NoTransforms,
        flaw,
    })
}

/// Position and size of a frame on the screen.
struct Frame {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    is_interlaced: bool,
}

impl Frame {
    /// Returns the rows in stored order.
    fn rows(&self) -> impl Iterator<Item = usize> {
        let passes = match self.is_interlaced {
            true => &PASSES[..],
            false => &[(0, 1)],
        };
        let height = self.height;
        let rows = move |&(start, step): &(usize, usize)| (start..height).step_by(step);
        passes.iter().flat_map(rows)
    }
}

/// The rest of a file.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(DecodeError::CutOff)?;
        self.0 = rest;
        Ok(*array)
    }

    /// Reads the palette if the flags announce one; missing colors are black.
    fn palette(&mut self, flags: u8) -> Result<Option<Palette>, DecodeError> {
        if flags & 0x80 == 0 {
            return Ok(None);
        }
        let colors = 2_usize << (flags & 7);
        let split = self.0.split_at_checked(3 * colors);
        let (bytes, rest) = split.ok_or(DecodeError::CutOff)?;
        self.0 = rest;
        let (colors, _) = bytes.as_chunks::<3>();
        // Pillow treats a palette of ordered grays as missing, and a missing palette has all grays.
        let is_gray = (0..=255_u8)
            .zip(colors)
            .all(|(gray, color)| *color == [gray; 3]);
        let mut palette = [[0; 3]; 256];
        if is_gray {
            palette = std::array::from_fn(|index| [index as u8; 3]);
        }
        palette[..colors.len()].copy_from_slice(colors);
        Ok(Some(palette))
    }

    /// Reads the blocks up to the empty one, and returns the first.
    fn blocks(&mut self) -> Result<&'a [u8], DecodeError> {
        let mut first = None;
        loop {
            let [length] = self.array()?;
            let split = self.0.split_at_checked(length.into());
            let (block, rest) = split.ok_or(DecodeError::CutOff)?;
            self.0 = rest;
            first.get_or_insert(block);
            if length == 0 {
                return Ok(first.unwrap_or_default());
            }
        }
    }

    /// Decodes the palette indices of a frame, row by row in stored order.
    fn indices(&mut self, frame: &Frame) -> Result<(Vec<u8>, Option<Flaw>), DecodeError> {
        let [bits] = self.array()?;
        if !(1..=11).contains(&bits) {
            return Err(DAMAGED);
        }
        let mut decoder = Decoder::new(BitOrder::Lsb, bits);
        let mut indices = vec![0; frame.width * frame.height];
        let mut filled = 0;
        let mut has_end = false;
        while let Some((&length, rest)) = self.0.split_first() {
            let block = &rest[..rest.len().min(length.into())];
            self.0 = &rest[block.len()..];
            if length == 0 {
                // A frame is followed by another one, an extension or the end marker.
                has_end = !self.0.is_empty();
                break;
            }
            let room = &mut indices[filled..];
            filled += lzw::fill(&mut decoder, block, room).map_err(|_| DAMAGED)?;
        }
        match filled == indices.len() {
            true => Ok((indices, (!has_end).then_some(Flaw::NoEnd))),
            false => Err(DecodeError::CutOff),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_of_several_blocks_is_returned() {
        let mut reader = Reader(b"\x02ab\x01c\0rest");
        assert_eq!(reader.blocks(), Ok(&b"ab"[..]));
        assert_eq!(reader.0, b"rest");
        assert_eq!(Reader(b"\0").blocks(), Ok(&b""[..]));
        assert_eq!(Reader(b"\x02ab\x01c").blocks(), Err(DecodeError::CutOff));
        assert_eq!(Reader(b"\x02a").blocks(), Err(DecodeError::CutOff));
    }
}
