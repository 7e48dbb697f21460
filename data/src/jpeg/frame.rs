//! The frame: the picture's size and its components.

use super::error::JpegError;
use super::{BLOCK, SIDE};

/// The most components of a picture.
pub(super) const MAX_COMPONENTS: usize = 4;

/// How the blocks of a frame are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Coding {
    /// Block by block.
    Sequential,
    /// In several scans, each of which adds to all blocks.
    Progressive,
}

/// The picture's size, and what it consists of.
pub(super) struct Frame {
    pub(super) coding: Coding,
    pub(super) height: usize,
    pub(super) width: usize,
    /// The highest sampling factors, `[vertical, horizontal]`.
    pub(super) sampling: [usize; 2],
    /// The picture in units of interleaved scans, `[rows, columns]`.
    pub(super) units: [usize; 2],
    pub(super) components: Vec<Component>,
}

/// One component of the picture: brightness or a colour.
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks of a unit, `[rows, columns]`.
    pub(super) sampling: [usize; 2],
    /// Samples inside the picture, `[height, width]`.
    pub(super) size: [usize; 2],
    /// Blocks that hold samples of the picture, `[rows, columns]`.
    pub(super) blocks: [usize; 2],
    /// Blocks of whole units, `[rows, columns]`.
    pub(super) padded: [usize; 2],
    /// The place of its quantisation table.
    pub(super) table: usize,
    /// Its quantisation table, from its first scan on.
    pub(super) quantisation: Option<[u16; BLOCK]>,
    /// Samples of all padded blocks, row by row; empty for a progressive picture until all scans
    /// are read.
    pub(super) samples: Vec<u8>,
    /// Coefficients of all padded blocks of a progressive picture.
    pub(super) coefficients: Vec<[i16; BLOCK]>,
}

impl Frame {
    /// Reads a frame's header.
    ///
    /// # Errors
    /// [`JpegError`] if the header is damaged, of a kind that is not read, or of a picture with
    /// more than `max_pixels`.
    pub(super) fn read(header: &[u8], coding: Coding, max_pixels: u64) -> Result<Self, JpegError> {
        let damaged = JpegError::Damaged("frame header");
        let Some((&[precision, high, low, wide, narrow, count], list)) = header.split_first_chunk()
        else {
            return Err(damaged);
        };
        if precision != 8 {
            return Err(JpegError::Unsupported("of more than 8 bits a colour"));
        }
        let height = usize::from(u16::from_be_bytes([high, low]));
        let width = usize::from(u16::from_be_bytes([wide, narrow]));
        let count = usize::from(count);
        if height == 0 || width == 0 || list.len() != 3 * count {
            return Err(damaged);
        }
        if (height * width) as u64 > max_pixels {
            let (width, height) = (width as u32, height as u32);
            return Err(JpegError::TooLarge { width, height });
        }
        if ![1, 3, MAX_COMPONENTS].contains(&count) {
            return Err(JpegError::Unsupported("of 2 colours, or more than 4"));
        }
        let factors = |&[_, factors, _]: &[u8; 3]| [factors & 15, factors >> 4].map(usize::from);
        let (list, _) = list.as_chunks();
        let all = || list.iter().map(factors);
        if all().flatten().any(|factor| !(1..=4).contains(&factor)) {
            return Err(damaged);
        }
        let sampling = [0, 1].map(|axis| all().map(|factors| factors[axis]).max().unwrap_or(1));
        let side = [height, width];
        let units = [0, 1].map(|axis| side[axis].div_ceil(SIDE * sampling[axis]));
        let component = |entry: &[u8; 3]| {
            let own = factors(entry);
            // As libjpeg: factors that do not divide the highest are not read.
            if [0, 1].iter().any(|&axis| sampling[axis] % own[axis] != 0) {
                return Err(JpegError::Unsupported("whose resolutions are no multiples"));
            }
            let size = [0, 1].map(|axis| (side[axis] * own[axis]).div_ceil(sampling[axis]));
            let padded = [0, 1].map(|axis| units[axis] * own[axis]);
            let blocks = padded[0] * padded[1];
            let (samples, coefficients) = match coding {
                // Grey where data is missing.
                Coding::Sequential => (vec![128; blocks * BLOCK], Vec::new()),
                Coding::Progressive => (Vec::new(), vec![[0; BLOCK]; blocks]),
            };
            Ok(Component {
                id: entry[0],
                sampling: own,
                size,
                blocks: size.map(|side| side.div_ceil(SIDE)),
                padded,
                table: usize::from(entry[2]),
                quantisation: None,
                samples,
                coefficients,
            })
        };
        Ok(Self {
            coding,
            height,
            width,
            sampling,
            units,
            components: list.iter().map(component).collect::<Result<_, _>>()?,
        })
    }
}

impl Component {
    /// Samples from one row to the next.
    pub(super) fn stride(&self) -> usize {
        self.padded[1] * SIDE
    }

    /// A row of samples inside the picture; beyond its edges, the row at the edge.
    pub(super) fn row(&self, row: isize) -> &[u8] {
        let row = row.clamp(0, self.size[0] as isize - 1) as usize;
        let start = row * self.stride();
        &self.samples[start..start + self.size[1]]
    }
}
