//! The frame: the image's size and its components.

use super::{BLOCK, NO_BIT, SIDE};
use crate::decode::{DecodeError, Limits};

/// Maximum number of components of an image.
pub(super) const MAX_COMPONENTS: usize = 4;

/// Encoding of the blocks of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Coding {
    /// Block by block.
    Sequential,
    /// In several scans, each of which refines all blocks.
    Progressive,
}

/// Size and components of the image.
pub(super) struct Frame {
    pub(super) coding: Coding,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Maximum sampling factors, `[vertical, horizontal]`.
    pub(super) sampling: [usize; 2],
    /// Size of the image in units of interleaved scans, `[rows, columns]`.
    pub(super) units: [usize; 2],
    pub(super) components: Vec<Component>,
}

/// One component of the image: brightness or a color.
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks per unit, `[rows, columns]`.
    pub(super) sampling: [usize; 2],
    /// Samples inside the image, `[height, width]`.
    pub(super) size: [usize; 2],
    /// Blocks with samples of the image, `[rows, columns]`.
    pub(super) blocks: [usize; 2],
    /// Blocks in whole units, `[rows, columns]`.
    pub(super) padded: [usize; 2],
    /// Index of the quantization table.
    pub(super) table: usize,
    /// Quantisation table, set by the first scan of the component.
    pub(super) quantization: Option<[u16; BLOCK]>,
    /// Samples of all padded blocks, row by row; for a progressive image, empty until all scans are
    /// read.
    pub(super) samples: Vec<u8>,
    /// Coefficients of all padded blocks of a progressive image.
    pub(super) coefficients: Vec<[i16; BLOCK]>,
    /// Lowest known bit of each coefficient in stored order, or [`NO_BIT`].
    pub(super) known: [u8; BLOCK],
}

impl Frame {
    /// Reads a frame's header; `data` bytes of the file follow it.
    ///
    /// # Errors
    /// [`DecodeError`] if the header is damaged, of an unsupported kind, or of an image that is too
    /// large for the limits or for the data.
    pub(super) fn read(
        header: &[u8],
        coding: Coding,
        data: usize,
        limits: &mut Limits,
    ) -> Result<Self, DecodeError> {
        let damaged = DecodeError::Damaged("its JPEG frame header is damaged");
        let Some((&[precision, high, low, wide, narrow, count], list)) = header.split_first_chunk()
        else {
            return Err(damaged);
        };
        if precision != 8 {
            return Err(DecodeError::Unsupported(
                "a JPEG image of more than 8 bits a sample",
            ));
        }
        let height = usize::from(u16::from_be_bytes([high, low]));
        let width = usize::from(u16::from_be_bytes([wide, narrow]));
        let count = usize::from(count);
        if height == 0 || width == 0 || list.len() != 3 * count {
            return Err(damaged);
        }
        limits.check_size(width as u32, height as u32)?;
        if ![1, 3, MAX_COMPONENTS].contains(&count) {
            return Err(DecodeError::Unsupported(
                "a JPEG image of 2 components, or more than 4",
            ));
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
        let padded = |own: [usize; 2]| [0, 1].map(|axis| units[axis] * own[axis]);
        let blocks: u64 = all()
            .map(padded)
            .map(|[rows, columns]| (rows * columns) as u64)
            .sum();
        let (bits, planes) = match coding {
            // One code for the first coefficient, and one for the end of the block.
            Coding::Sequential => (2, 1),
            // Scans may skip many blocks with one code, but not first coefficients.
            Coding::Progressive => (1, 3),
        };
        let blocks_inside: u64 = all()
            .map(|own| {
                let blocks =
                    |axis: usize| (side[axis] * own[axis]).div_ceil(sampling[axis] * SIDE) as u64;
                blocks(0) * blocks(1)
            })
            .sum();
        if 8 * (data as u64) < bits * blocks_inside {
            return Err(DecodeError::CutOff);
        }
        let pixels = (height * width) as u64;
        let channels = if count == 1 { 1 } else { 3 };
        // Planes and the image, then the image and a rotated or resized copy.
        let planes = planes * blocks * BLOCK as u64;
        limits.reserve((planes + channels * pixels).max((channels + 3) * pixels));
        let component = |entry: &[u8; 3]| {
            let own = factors(entry);
            // Like in libjpeg, factors that do not divide the maximum are not supported.
            if [0, 1].iter().any(|&axis| sampling[axis] % own[axis] != 0) {
                return Err(DecodeError::Unsupported(
                    "a JPEG image with fractional sampling",
                ));
            }
            let size = [0, 1].map(|axis| (side[axis] * own[axis]).div_ceil(sampling[axis]));
            let padded = padded(own);
            let blocks = padded[0] * padded[1];
            let (samples, coefficients) = match coding {
                // Gray if data is missing.
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
                quantization: None,
                samples,
                coefficients,
                known: [NO_BIT; BLOCK],
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

    /// Returns whether all bits of all coefficients are known.
    pub(super) fn is_complete(&self) -> bool {
        let mut components = self.components.iter();
        components.all(|component| component.known.iter().all(|&bit| bit == 0))
    }
}

impl Component {
    /// Returns the distance between rows in samples.
    pub(super) fn stride(&self) -> usize {
        self.padded[1] * SIDE
    }

    /// Returns a row of samples inside the image; beyond the edges, the row at the edge.
    pub(super) fn row(&self, row: isize) -> &[u8] {
        let row = row.clamp(0, self.size[0] as isize - 1) as usize;
        let start = row * self.stride();
        &self.samples[start..start + self.size[1]]
    }
}
