//! Blocks of a progressive image; each scan adds some coefficients or one bit.

use super::BLOCK;
use super::bits::Bits;
use super::frame::Frame;
use super::huffman::HuffmanTable;
use super::scan::{Blocks, Scan};
use super::tables::{ORDER, Tables};
use crate::decode::DecodeError;

/// Reads blocks into a frame's coefficients.
pub(super) struct Reader<'a> {
    parts: Vec<ComponentState<'a>>,
    kind: Kind,
    band: [usize; 2],
    low_bit: u32,
    /// Number of blocks from here on without further data in this band.
    ended: u32,
}

struct ComponentState<'a> {
    /// The scan's only table; `None` if the scan has raw bits.
    table: Option<&'a HuffmanTable>,
    /// First coefficient of the previous block.
    last: i32,
    coefficients: &'a mut [[i16; BLOCK]],
    columns: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    First,
    RefineFirst,
    Other,
    RefineOther,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        scan: &Scan,
        frame: &'a mut Frame,
        tables: &'a Tables,
    ) -> Result<Self, DecodeError> {
        let damaged = || DecodeError::Damaged("its JPEG table of Huffman codes is damaged");
        let kind = match (scan.band[0], scan.refines) {
            (0, false) => Kind::First,
            (0, true) => Kind::RefineFirst,
            (_, false) => Kind::Other,
            (_, true) => Kind::RefineOther,
        };
        let mut components: Vec<_> = frame.components.iter_mut().map(Some).collect();
        let mut parts = Vec::new();
        for part in &scan.parts {
            let table = match kind {
                Kind::First => tables.first.get(part.first),
                Kind::RefineFirst => None,
                Kind::Other | Kind::RefineOther => tables.other.get(part.other),
            };
            let table = table.and_then(Option::as_deref);
            let fits = match kind {
                Kind::First => table.is_some_and(HuffmanTable::fits_differences),
                Kind::RefineFirst => true,
                Kind::Other | Kind::RefineOther => table.is_some(),
            };
            let component = components[part.component].take().filter(|_| fits);
            let component = component.ok_or_else(damaged)?;
            parts.push(ComponentState {
                table,
                last: 0,
                columns: component.padded[1],
                coefficients: &mut component.coefficients,
            });
        }
        Ok(Self {
            parts,
            kind,
            band: scan.band,
            low_bit: scan.low_bit,
            ended: 0,
        })
    }

    /// Reads new coefficients of the band.
    fn read_other(&mut self, bits: &mut Bits, part: usize, block: usize) {
        if self.ended > 0 {
            self.ended -= 1;
            return;
        }
        let part = &mut self.parts[part];
        let Some(table) = part.table else { return };
        let block = &mut part.coefficients[block];
        let [mut place, end] = self.band;
        while place <= end {
            let (symbol, value) = table.number(bits);
            let run = u32::from(symbol >> 4);
            if value != 0 {
                place += run as usize;
                block[usize::from(ORDER[place]) % BLOCK] = (value << self.low_bit) as i16;
                place += 1;
            } else if run == 15 {
                place += 16;
            } else {
                self.ended = (1 << run) + bits.take(run) - 1;
                break;
            }
        }
    }

    /// Reads one more bit of each nonzero coefficient of the band, and the coefficients that become
    /// nonzero with this bit.
    fn refine_other(&mut self, bits: &mut Bits, part: usize, block: usize) {
        let part = &mut self.parts[part];
        let Some(table) = part.table else { return };
        let block = &mut part.coefficients[block];
        let bit = 1 << self.low_bit;
        let [mut place, end] = self.band;
        if self.ended == 0 {
            while place <= end {
                let symbol = table.symbol(bits);
                let mut run = u32::from(symbol >> 4);
                let mut new = 0;
                if symbol & 15 != 0 {
                    // The size can only be 1; libjpeg also treats other sizes as 1.
                    new = if bits.take(1) == 1 { bit } else { -bit };
                } else if run != 15 {
                    self.ended = (1 << run) + bits.take(run);
                    break;
                }
                // Skips the given number of zeros, and refines all other coefficients on the way.
                while place <= end {
                    let coefficient = &mut block[usize::from(ORDER[place])];
                    if *coefficient != 0 {
                        refine(coefficient, bit, bits);
                    } else if run == 0 {
                        break;
                    } else {
                        run -= 1;
                    }
                    place += 1;
                }
                // In damaged data, this may be outside the band; libjpeg sets it as well.
                if new != 0 {
                    block[usize::from(ORDER[place])] = new;
                }
                place += 1;
            }
        }
        if self.ended > 0 {
            for &place in &ORDER[place.min(end + 1)..=end] {
                let coefficient = &mut block[usize::from(place)];
                if *coefficient != 0 {
                    refine(coefficient, bit, bits);
                }
            }
            self.ended -= 1;
        }
    }
}

/// Reads whether a coefficient grows by `bit`, away from zero.
fn refine(coefficient: &mut i16, bit: i16, bits: &mut Bits) {
    if bits.take(1) == 1 && *coefficient & bit == 0 {
        let change = if *coefficient >= 0 { bit } else { -bit };
        *coefficient = coefficient.wrapping_add(change);
    }
}

impl Blocks for Reader<'_> {
    #[inline(always)]
    fn read(&mut self, bits: &mut Bits, part: usize, [row, column]: [usize; 2]) {
        let block = row * self.parts[part].columns + column;
        match self.kind {
            Kind::First => {
                let part = &mut self.parts[part];
                let Some(table) = part.table else { return };
                let (_, difference) = table.number(bits);
                part.last = part.last.wrapping_add(difference);
                part.coefficients[block][0] = (part.last << self.low_bit) as i16;
            }
            Kind::RefineFirst => {
                if bits.take(1) == 1 {
                    self.parts[part].coefficients[block][0] |= 1 << self.low_bit;
                }
            }
            Kind::Other => self.read_other(bits, part, block),
            Kind::RefineOther => self.refine_other(bits, part, block),
        }
    }

    fn restart(&mut self) {
        self.ended = 0;
        for part in &mut self.parts {
            part.last = 0;
        }
    }
}
