//! Samples of a TIFF image.

use super::layout::Layout;
use super::unpack::Compression;
use crate::decode::error::DecodeError;
use crate::decode::ifd::{self, Directory};
use crate::decode::jpeg::darken;
use crate::decode::pixels::round;

mod tag {
    pub(super) const COLORS: u16 = 262;
    pub(super) const PREDICTION: u16 = 317;
    pub(super) const PALETTE: u16 = 320;
    pub(super) const EXTRA_SAMPLES: u16 = 338;
    pub(super) const SAMPLE_FORMAT: u16 = 339;
}

/// Conversion of samples to gray or RGB.
pub(super) struct Samples {
    colors: Colors,
    /// Bits per sample.
    bits: usize,
    /// Samples per pixel in a chunk.
    samples: usize,
    row_bytes: usize,
    numbers: ifd::Layout,
    /// Whether samples are stored as differences from the previous pixel.
    is_predicted: bool,
    /// Factor that scales samples of up to 8 bits to the full range.
    scale: u8,
}

enum Colors {
    Gray,
    /// Gray, where 0 is white.
    InverseGray,
    Rgb {
        /// Whether the colors are premultiplied by the alpha that follows them.
        is_premultiplied: bool,
    },
    /// Embedded JPEG files that are converted to RGB.
    YCbCr,
    Palette(Vec<[u8; 3]>),
    Cmyk,
}

impl Samples {
    pub(super) fn read(directory: &Directory, layout: &Layout) -> Result<Self, DecodeError> {
        let unsupported = |what| Err(DecodeError::Unsupported(what));
        let formats = directory
            .numbers(tag::SAMPLE_FORMAT, layout.samples)
            .unwrap_or_default();
        // 4 means samples of unknown format.
        if formats.iter().any(|format| !matches!(format, 1 | 4)) {
            return unsupported("a TIFF image with signed or floating-point samples");
        }
        let is_predicted = match directory.number(tag::PREDICTION).unwrap_or(1) {
            1 => false,
            2 if matches!(layout.bits, 8 | 16) => true,
            _ => return unsupported("a TIFF image with a rare prediction"),
        };
        let extra = directory.numbers(tag::EXTRA_SAMPLES, 1).unwrap_or_default();
        let is_jpeg = layout.compression == Compression::Jpeg;
        let (colors, needed) = match directory.number(tag::COLORS).unwrap_or(1) {
            0 => (Colors::InverseGray, 1),
            1 => (Colors::Gray, 1),
            2 => {
                let is_premultiplied = extra.first() == Some(&1) && layout.samples > 3;
                (Colors::Rgb { is_premultiplied }, 3)
            }
            3 if layout.bits <= 8 && !is_jpeg => (Colors::Palette(palette(directory)), 1),
            5 => (Colors::Cmyk, 4),
            6 if is_jpeg => (Colors::YCbCr, 3),
            _ => return unsupported("a TIFF image with rare colors"),
        };
        if layout.samples < needed {
            return Err(super::DAMAGED);
        }
        let is_palette = matches!(colors, Colors::Palette(_));
        let scale = match layout.bits {
            1 if !is_palette => 255,
            2 if !is_palette => 85,
            4 if !is_palette => 17,
            _ => 1,
        };
        Ok(Self {
            colors,
            bits: layout.bits,
            samples: layout.samples_in_chunk(),
            row_bytes: layout.row_bytes(),
            numbers: directory.layout(),
            is_predicted,
            scale,
        })
    }

    /// Returns the number of channels of the decoded image: 1 (gray) or 3 (RGB).
    pub(super) fn channels(&self) -> usize {
        match self.colors {
            Colors::Gray | Colors::InverseGray => 1,
            _ => 3,
        }
    }

    /// Returns whether an embedded JPEG file is RGB, which it may not declare itself.
    pub(super) fn is_rgb(&self) -> bool {
        matches!(self.colors, Colors::Rgb { .. })
    }

    /// Finishes pixels from an embedded JPEG file.
    pub(super) fn finish_jpeg(&self, pixels: &mut [u8]) {
        if let Colors::InverseGray = self.colors {
            pixels.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
        }
    }

    /// Undoes prediction by summing differences, row by row.
    pub(super) fn undo_prediction(&self, chunk: &mut [u8]) {
        if !self.is_predicted {
            return;
        }
        for row in chunk.chunks_exact_mut(self.row_bytes) {
            if self.bits == 8 {
                for place in self.samples..row.len() {
                    row[place] = row[place].wrapping_add(row[place - self.samples]);
                }
                continue;
            }
            let (row, _) = row.as_chunks_mut::<2>();
            for place in self.samples..row.len() {
                let before = self.numbers.number(&row[place - self.samples]) as u16;
                let sum = before.wrapping_add(self.numbers.number(&row[place]) as u16);
                row[place] = match self.numbers.little_endian {
                    true => sum.to_le_bytes(),
                    false => sum.to_be_bytes(),
                };
            }
        }
    }

    /// Converts a row, with one part per plane, to pixels.
    pub(super) fn convert(&self, parts: &[&[u8]], pixels: &mut [u8]) {
        let sample = |pixel: usize, sample: usize| match parts {
            [row] => self.sample(row, pixel * self.samples + sample),
            planes => planes.get(sample).map_or(0, |row| self.sample(row, pixel)),
        };
        let channels = self.channels();
        for (pixel, to) in pixels.chunks_exact_mut(channels).enumerate() {
            match &self.colors {
                Colors::Gray => to[0] = sample(pixel, 0),
                Colors::InverseGray => to[0] = 255 - sample(pixel, 0),
                Colors::Rgb { is_premultiplied } => {
                    for (channel, to) in to.iter_mut().enumerate() {
                        *to = sample(pixel, channel);
                    }
                    if *is_premultiplied {
                        let alpha = sample(pixel, 3);
                        to.iter_mut().for_each(|to| *to = divide(*to, alpha));
                    }
                }
                Colors::Palette(palette) => {
                    let color = palette.get(usize::from(sample(pixel, 0)));
                    to.copy_from_slice(color.unwrap_or(&[0; 3]));
                }
                Colors::Cmyk => {
                    let black = 255 - sample(pixel, 3);
                    for (channel, to) in to.iter_mut().enumerate() {
                        *to = darken(255 - sample(pixel, channel), black);
                    }
                }
                // Embedded JPEG files do not reach this.
                Colors::YCbCr => {}
            }
        }
    }

    /// Returns a sample of a row as 8 bits, or as a palette index.
    fn sample(&self, row: &[u8], index: usize) -> u8 {
        match self.bits {
            8 => row[index],
            16 => round(self.numbers.number(&row[2 * index..][..2]) as u16),
            bits => {
                let place = index * bits;
                let shift = 8 - bits - place % 8;
                let value = row[place / 8] >> shift & ((1 << bits) - 1) as u8;
                value * self.scale
            }
        }
    }
}

/// Divides a premultiplied color by its alpha, like Pillow.
fn divide(color: u8, alpha: u8) -> u8 {
    match alpha {
        0 => 0,
        alpha => (u32::from(color) * 255 / u32::from(alpha)).min(255) as u8,
    }
}

/// Reads a palette: all reds, all greens, all blues, of 16 bits each.
fn palette(directory: &Directory) -> Vec<[u8; 3]> {
    let values = directory.numbers(tag::PALETTE, 3 << 16).unwrap_or_default();
    let colors = values.len() / 3;
    let color = |index| [0, 1, 2].map(|channel| (values[channel * colors + index] >> 8) as u8);
    (0..colors).map(color).collect()
}
