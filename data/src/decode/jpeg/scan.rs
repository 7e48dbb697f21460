//! Scans: their components and the order of their blocks.

use super::bits::Bits;
use super::frame::{Coding, Frame, MAX_COMPONENTS};
use super::tables::Tables;
use super::{BLOCK, progressive, sequential};
use crate::decode::DecodeError;

/// Maximum number of blocks of an interleaved unit.
const MAX_UNIT: usize = 10;

/// Header of a scan.
pub(super) struct Scan {
    pub(super) parts: Vec<ScanComponent>,
    /// First and last coefficient.
    pub(super) band: [usize; 2],
    /// Whether the scan adds one bit to existing coefficients.
    pub(super) refines: bool,
    /// Lowest bit of the coefficients in the scan.
    pub(super) low_bit: u32,
}

/// Result of reading a scan's data.
pub(super) struct Scanned {
    /// End position of the data read.
    pub(super) end: usize,
    /// Whether all blocks were present.
    pub(super) is_whole: bool,
    /// Whether data is left over after the last block.
    pub(super) has_rest: bool,
}

/// A component of a scan.
pub(super) struct ScanComponent {
    /// Index of the component in the frame.
    pub(super) component: usize,
    /// Index of the table for a block's first coefficient.
    pub(super) first: usize,
    /// Index of the table for all other coefficients.
    pub(super) other: usize,
}

/// Reader of a scan's blocks.
pub(super) trait Blocks {
    /// Reads the block at `[row, column]` of a component, given by its index in the scan.
    fn read(&mut self, bits: &mut Bits, part: usize, place: [usize; 2]);

    /// Resets the state carried over from block to block.
    fn restart(&mut self);
}

impl Scan {
    /// Reads a scan's header.
    pub(super) fn read(header: &[u8], frame: &Frame) -> Result<Self, DecodeError> {
        let damaged = || DecodeError::Damaged("its JPEG scan header is damaged");
        let (&count, rest) = header.split_first().ok_or_else(damaged)?;
        let count = usize::from(count);
        let (list, rest) = rest.split_at_checked(2 * count).ok_or_else(damaged)?;
        let &[start, end, bits] = rest.first_chunk().ok_or_else(damaged)?;
        if !(1..=MAX_COMPONENTS).contains(&count) {
            return Err(damaged());
        }
        let mut parts: Vec<ScanComponent> = Vec::with_capacity(count);
        for &[id, tables] in list.as_chunks().0 {
            // Of components with the same name, each is used once.
            let is_new = |place: &usize| parts.iter().all(|part| part.component != *place);
            let component = (0..frame.components.len())
                .filter(is_new)
                .find(|&place| frame.components[place].id == id)
                .ok_or_else(damaged)?;
            let [first, other] = [tables >> 4, tables & 15].map(usize::from);
            parts.push(ScanComponent {
                component,
                first,
                other,
            });
        }
        let blocks = |part: &ScanComponent| -> usize {
            let [rows, columns] = frame.components[part.component].sampling;
            rows * columns
        };
        if count > 1 && parts.iter().map(blocks).sum::<usize>() > MAX_UNIT {
            return Err(damaged());
        }
        let scan = Self {
            parts,
            band: [start, end].map(usize::from),
            refines: bits >> 4 != 0,
            low_bit: u32::from(bits & 15),
        };
        if frame.coding == Coding::Progressive && !scan.is_progression(bits >> 4) {
            return Err(damaged());
        }
        Ok(scan)
    }

    /// Returns whether a progressive image may have this scan.
    fn is_progression(&self, high_bit: u8) -> bool {
        let [start, end] = self.band;
        let band = if start == 0 {
            end == 0
        } else {
            start <= end && end < BLOCK && self.parts.len() == 1
        };
        let bits = !self.refines || u32::from(high_bit) == self.low_bit + 1;
        band && bits && self.low_bit <= 13
    }

    /// Returns the first and last coefficient of the scan.
    pub(super) fn coefficients(&self, coding: Coding) -> [usize; 2] {
        match coding {
            Coding::Sequential => [0, BLOCK - 1],
            Coding::Progressive => self.band,
        }
    }

    /// Returns the lowest known bit of the scan's coefficients after the scan.
    pub(super) fn lowest_bit(&self, coding: Coding) -> u8 {
        match coding {
            Coding::Sequential => 0,
            Coding::Progressive => self.low_bit as u8,
        }
    }

    /// Reads the scan's data, starting at `position` of the file.
    pub(super) fn decode(
        &self,
        frame: &mut Frame,
        tables: &mut Tables,
        file: &[u8],
        position: usize,
    ) -> Result<Scanned, DecodeError> {
        for part in &self.parts {
            let component = &mut frame.components[part.component];
            if component.quantization.is_none() {
                let table = tables.quantization.get(component.table).copied().flatten();
                component.quantization = table;
            }
            if component.quantization.is_none() {
                return Err(DecodeError::Damaged(
                    "its JPEG quantization table is damaged",
                ));
            }
        }
        let way = Way::new(self, frame, tables.restart_interval);
        let mut bits = Bits::new(file, position);
        let is_whole = match frame.coding {
            Coding::Sequential => {
                for part in &self.parts {
                    tables.add_standard(part.first, part.other)?;
                }
                let mut blocks = sequential::Reader::new(self, frame, tables)?;
                way.follow(&mut bits, &mut blocks)
            }
            Coding::Progressive => {
                let mut blocks = progressive::Reader::new(self, frame, tables)?;
                way.follow(&mut bits, &mut blocks)
            }
        };
        if is_whole {
            let [start, end] = self.coefficients(frame.coding);
            let low_bit = self.lowest_bit(frame.coding);
            for part in &self.parts {
                let known = &mut frame.components[part.component].known[start..=end];
                for bit in known {
                    // A refinement adds one bit to the known ones.
                    if !self.refines || *bit == low_bit + 1 {
                        *bit = low_bit.min(*bit);
                    }
                }
            }
        }
        Ok(Scanned {
            end: bits.position(),
            is_whole,
            has_rest: is_whole && bits.has_rest(),
        })
    }
}

/// Order of a scan's blocks.
struct Way {
    /// Number of units of the scan, `[rows, columns]`.
    units: [usize; 2],
    /// Number of blocks per unit of each component, `[rows, columns]`.
    parts: Vec<[usize; 2]>,
    restart_interval: usize,
}

impl Way {
    fn new(scan: &Scan, frame: &Frame, restart_interval: usize) -> Self {
        let component = |part: &ScanComponent| &frame.components[part.component];
        let (units, parts) = match &scan.parts[..] {
            // A single component has no units, and no blocks outside the image.
            [part] => (component(part).blocks, vec![[1, 1]]),
            parts => {
                let sampling = parts.iter().map(|part| component(part).sampling);
                (frame.units, sampling.collect())
            }
        };
        Self {
            units,
            parts,
            restart_interval,
        }
    }

    /// Reads all blocks, and returns whether there was data for all of them.
    fn follow(&self, bits: &mut Bits, blocks: &mut impl Blocks) -> bool {
        let mut is_whole = true;
        let mut until_restart = self.restart_interval;
        for row in 0..self.units[0] {
            for column in 0..self.units[1] {
                if self.restart_interval > 0 {
                    if until_restart == 0 {
                        is_whole &= !bits.is_spent();
                        bits.restart();
                        blocks.restart();
                        until_restart = self.restart_interval;
                    }
                    until_restart -= 1;
                }
                if bits.is_spent() {
                    if self.restart_interval == 0 {
                        return false;
                    }
                    is_whole = false;
                    continue;
                }
                for (part, &[rows, columns]) in self.parts.iter().enumerate() {
                    for y in 0..rows {
                        for x in 0..columns {
                            blocks.read(bits, part, [row * rows + y, column * columns + x]);
                        }
                    }
                }
            }
        }
        is_whole && !bits.is_spent()
    }
}
