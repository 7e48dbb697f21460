//! Tables used for reading scans.

use super::BLOCK;
use super::huffman::HuffmanTable;
use super::standard;
use crate::decode::DecodeError;

/// Positions of a block's coefficients in stored order.
///
/// Damaged data may lead up to 16 positions beyond the last coefficient.
#[rustfmt::skip]
pub(super) const ORDER: [u8; BLOCK + 16] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
];

/// The tables defined at one position of the file.
#[derive(Default)]
pub(super) struct Tables {
    /// Quantisation factors, in the order of their positions.
    pub(super) quantization: [Option<[u16; BLOCK]>; 4],
    /// Huffman tables of a block's first coefficient.
    pub(super) first: [Option<Box<HuffmanTable>>; 4],
    /// Huffman tables of all other coefficients.
    pub(super) other: [Option<Box<HuffmanTable>>; 4],
    /// Units between restart markers; 0 if there are none.
    pub(super) restart_interval: usize,
}

impl Tables {
    /// Reads a segment of quantization tables.
    pub(super) fn read_quantization(&mut self, mut segment: &[u8]) -> Result<(), DecodeError> {
        let damaged = || DecodeError::Damaged("its JPEG quantization table is damaged");
        while let Some((&kind, rest)) = segment.split_first() {
            let bytes = match kind >> 4 {
                0 => 1,
                1 => 2,
                _ => return Err(damaged()),
            };
            let (factors, rest) = rest.split_at_checked(bytes * BLOCK).ok_or_else(damaged)?;
            let table = self
                .quantization
                .get_mut(usize::from(kind & 15))
                .ok_or_else(damaged)?
                .insert([0; BLOCK]);
            for (&place, factor) in ORDER.iter().zip(factors.chunks(bytes)) {
                table[usize::from(place)] = factor
                    .iter()
                    .fold(0, |value, &byte| value << 8 | u16::from(byte));
            }
            segment = rest;
        }
        Ok(())
    }

    /// Reads a segment of Huffman tables.
    pub(super) fn read_huffman(&mut self, mut segment: &[u8]) -> Result<(), DecodeError> {
        let damaged = || DecodeError::Damaged("its JPEG table of Huffman codes is damaged");
        while let Some((&kind, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or_else(damaged)?;
            let total = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(total).ok_or_else(damaged)?;
            let tables = match kind >> 4 {
                0 => &mut self.first,
                1 => &mut self.other,
                _ => return Err(damaged()),
            };
            let table = HuffmanTable::new(counts, symbols)?;
            let place = tables.get_mut(usize::from(kind & 15));
            *place.ok_or_else(damaged)? = Some(Box::new(table));
            segment = rest;
        }
        Ok(())
    }

    /// Adds the standard's tables where tables are missing.
    pub(super) fn add_standard(&mut self, first: usize, other: usize) -> Result<(), DecodeError> {
        if let (Some(None), Some(table)) = (self.first.get(first), standard::FIRST.get(first)) {
            self.read_huffman(table)?;
        }
        if let (Some(None), Some(table)) = (self.other.get(other), standard::OTHER.get(other)) {
            self.read_huffman(table)?;
        }
        Ok(())
    }

    /// Reads the segment with the restart interval.
    pub(super) fn read_restart_interval(&mut self, segment: &[u8]) -> Result<(), DecodeError> {
        let interval = segment
            .try_into()
            .map_err(|_| DecodeError::Damaged("its JPEG restart interval is damaged"))?;
        self.restart_interval = usize::from(u16::from_be_bytes(interval));
        Ok(())
    }
}
