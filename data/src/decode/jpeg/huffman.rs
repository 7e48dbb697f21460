//! Huffman tables.

use super::bits::Bits;
use crate::decode::DecodeError;

/// Codes of up to this length are decoded with one table lookup.
const QUICK: u32 = 10;
const LONGEST: usize = 16;

/// Decoded form of the next bits.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry {
    /// Number after the code if both fit into the lookup bits, or 0.
    pub(super) value: i16,
    /// Number of zeros before the number (upper half), and its number of bits (lower half).
    pub(super) symbol: u8,
    /// Number of bits of the code, and of the number if it is included; 0 for a longer code.
    pub(super) length: u8,
}

/// A Huffman table.
pub(super) struct HuffmanTable {
    quick: [Entry; 1 << QUICK],
    /// For each length, the upper limit of the next 16 bits for codes of at most this length.
    limits: [u32; LONGEST + 1],
    /// For each length, the index of a code's symbol minus the code.
    offsets: [i32; LONGEST + 1],
    symbols: [u8; 256],
}

impl HuffmanTable {
    /// Creates a table with `counts` codes of each length from 1 on, for `symbols` in this order.
    ///
    /// # Errors
    /// [`DecodeError::Damaged`] if there are more codes than bits allow, or fewer symbols than codes.
    pub(super) fn new(counts: &[u8; LONGEST], symbols: &[u8]) -> Result<Self, DecodeError> {
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let damaged = DecodeError::Damaged("its JPEG table of Huffman codes is damaged");
        if total > 256 || symbols.len() != total {
            return Err(damaged);
        }
        let mut table = Self {
            quick: [Entry::default(); 1 << QUICK],
            limits: [0; LONGEST + 1],
            offsets: [0; LONGEST + 1],
            symbols: [0; 256],
        };
        table.symbols[..total].copy_from_slice(symbols);
        let (mut code, mut index) = (0_u32, 0_usize);
        for (length, &count) in (1..).zip(counts) {
            let first = code;
            table.offsets[length] = index as i32 - first as i32;
            for _ in 0..count {
                // Some encoders use the code of all ones, against the standard.
                if code >> length != 0 {
                    return Err(damaged);
                }
                table.add_quick(code, length as u32, symbols[index]);
                code += 1;
                index += 1;
            }
            if count > 0 {
                table.limits[length] = code << (LONGEST - length);
            }
            code <<= 1;
        }
        Ok(table)
    }

    /// Sets the entries of all bit patterns that begin with a code.
    fn add_quick(&mut self, code: u32, length: u32, symbol: u8) {
        if length > QUICK {
            return;
        }
        let spare = QUICK - length;
        let size = u32::from(symbol & 15);
        for rest in 0..1_u32 << spare {
            let mut entry = Entry {
                value: 0,
                symbol,
                length: length as u8,
            };
            if size > 0 && size <= spare {
                let bits = (rest >> (spare - size)) as i16;
                let is_negative = bits >> (size - 1) == 0;
                entry.value = if is_negative {
                    bits - (1 << size) + 1
                } else {
                    bits
                };
                entry.length += size as u8;
            }
            self.quick[(code << spare | rest) as usize] = entry;
        }
    }

    /// Returns whether every symbol is valid for a difference of brightness.
    pub(super) fn fits_differences(&self) -> bool {
        self.symbols.iter().all(|&symbol| symbol <= 15)
    }

    /// Reads the next symbol and its number, which is 0 if it has no bits.
    #[inline(always)]
    pub(super) fn number(&self, bits: &mut Bits) -> (u8, i32) {
        bits.fill();
        let entry = self.quick[bits.peek(QUICK) as usize];
        if entry.value != 0 {
            bits.skip(u32::from(entry.length));
            return (entry.symbol, i32::from(entry.value));
        }
        let symbol = self.ready_symbol(entry, bits);
        match u32::from(symbol & 15) {
            0 => (symbol, 0),
            size => (symbol, bits.take_number(size)),
        }
    }

    /// Reads the next symbol without a number.
    #[inline(always)]
    pub(super) fn symbol(&self, bits: &mut Bits) -> u8 {
        bits.fill();
        let mut entry = self.quick[bits.peek(QUICK) as usize];
        if entry.value != 0 {
            entry.length -= entry.symbol & 15;
        }
        self.ready_symbol(entry, bits)
    }

    #[inline(always)]
    fn ready_symbol(&self, entry: Entry, bits: &mut Bits) -> u8 {
        if entry.length > 0 {
            bits.skip(u32::from(entry.length));
            entry.symbol
        } else {
            self.long_symbol(bits)
        }
    }

    /// Reads the next symbol if its code is long; returns 0 for an invalid code, like libjpeg.
    #[inline(never)]
    fn long_symbol(&self, bits: &mut Bits) -> u8 {
        let next = bits.peek(LONGEST as u32);
        let length = (QUICK as usize + 1..=LONGEST).find(|&length| next < self.limits[length]);
        let Some(length) = length else {
            bits.skip(LONGEST as u32 + 1);
            return 0;
        };
        bits.skip(length as u32);
        let code = (next >> (LONGEST - length)) as i32;
        self.symbols[(code + self.offsets[length]) as usize & 255]
    }
}
