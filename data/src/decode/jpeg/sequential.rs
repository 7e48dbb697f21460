//! Blocks of a sequential image, each stored as a whole.

use super::bits::Bits;
use super::frame::{Component, Frame};
use super::huffman::HuffmanTable;
use super::scan::{Blocks, Scan};
use super::tables::{ORDER, Tables};
use super::transform::inverse_transform;
use super::{BLOCK, SIDE};
use crate::decode::DecodeError;

/// Reads blocks and converts them to samples.
pub(super) struct Reader<'a> {
    parts: Vec<ComponentState<'a>>,
}

struct ComponentState<'a> {
    first: &'a HuffmanTable,
    other: &'a HuffmanTable,
    quantization: [u16; BLOCK],
    /// First coefficient of the previous block.
    last: i32,
    samples: &'a mut [u8],
    stride: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        scan: &Scan,
        frame: &'a mut Frame,
        tables: &'a Tables,
    ) -> Result<Self, DecodeError> {
        let mut components: Vec<_> = frame.components.iter_mut().map(Some).collect();
        let part = |part: &super::scan::ScanComponent| {
            let component: &mut Component = components[part.component].take()?;
            Some(ComponentState {
                first: tables.first.get(part.first)?.as_deref()?,
                other: tables.other.get(part.other)?.as_deref()?,
                quantization: component.quantization?,
                last: 0,
                stride: component.stride(),
                samples: &mut component.samples,
            })
        };
        let parts: Option<Vec<_>> = scan.parts.iter().map(part).collect();
        let parts = parts.ok_or(DecodeError::Damaged(
            "its JPEG table of Huffman codes is damaged",
        ))?;
        if !parts.iter().all(|part| part.first.fits_differences()) {
            return Err(DecodeError::Damaged(
                "its JPEG table of Huffman codes is damaged",
            ));
        }
        Ok(Self { parts })
    }
}

impl Blocks for Reader<'_> {
    #[inline(always)]
    fn read(&mut self, bits: &mut Bits, part: usize, [row, column]: [usize; 2]) {
        let part = &mut self.parts[part];
        let mut block = [0; BLOCK];
        let (_, difference) = part.first.number(bits);
        part.last = part.last.wrapping_add(difference);
        block[0] = (part.last as i16).wrapping_mul(part.quantization[0] as i16);
        let mut place = 1;
        while place < BLOCK {
            let (symbol, value) = part.other.number(bits);
            place += usize::from(symbol >> 4);
            if value != 0 {
                let at = usize::from(ORDER[place]) % BLOCK;
                block[at] = (value as i16).wrapping_mul(part.quantization[at] as i16);
            } else if symbol >> 4 != 15 {
                break;
            }
            place += 1;
        }
        let start = row * SIDE * part.stride + column * SIDE;
        inverse_transform(&block, &mut part.samples[start..], part.stride);
    }

    fn restart(&mut self) {
        for part in &mut self.parts {
            part.last = 0;
        }
    }
}
