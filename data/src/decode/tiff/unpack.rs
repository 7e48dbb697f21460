//! TIFF compression schemes.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::ZlibDecoder;
use weezl::{BitOrder, decode::Decoder};

use super::layout::Layout;
use crate::decode::error::DecodeError;
use crate::decode::lzw;

/// Compression of a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Compression {
    None,
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
}

impl Compression {
    /// Returns the compression for a tag value.
    pub(super) fn read(number: u64) -> Result<Self, DecodeError> {
        let rare = match number {
            1 => return Ok(Self::None),
            5 => return Ok(Self::Lzw),
            7 => return Ok(Self::Jpeg),
            8 | 32946 => return Ok(Self::Deflate),
            32773 => return Ok(Self::PackBits),
            2..=4 => "a TIFF image with fax compression",
            6 => "a TIFF image with old JPEG compression",
            33003 | 33004 | 33005 | 34712 => "a TIFF image with JPEG 2000 compression",
            34925 => "a TIFF image with LZMA compression",
            50000 => "a TIFF image with Zstandard compression",
            50001 => "a TIFF image with WebP compression",
            _ => "a TIFF image with a rare compression",
        };
        Err(DecodeError::Unsupported(rare))
    }
}

/// Decompresses a chunk to exactly `length` bytes.
pub(super) fn unpack(layout: &Layout, data: &[u8], length: usize) -> Result<Vec<u8>, DecodeError> {
    let data = match layout.is_reversed {
        true => Cow::Owned(data.iter().map(|byte| byte.reverse_bits()).collect()),
        false => Cow::Borrowed(data),
    };
    let mut unpacked = Vec::new();
    match layout.compression {
        Compression::None => unpacked.extend(data.iter().take(length)),
        Compression::Deflate => {
            // The length check below detects whether the data before damage was enough.
            let _ = ZlibDecoder::new(&data[..])
                .take(length as u64)
                .read_to_end(&mut unpacked);
        }
        Compression::Lzw => unpacked = lzw(&data, length),
        Compression::PackBits => unpacked = pack_bits(&data, length),
        Compression::Jpeg => {}
    }
    match unpacked.len() == length {
        true => Ok(unpacked),
        false => Err(DecodeError::CutOff),
    }
}

fn lzw(data: &[u8], length: usize) -> Vec<u8> {
    let mut decoder = Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
    let mut unpacked = vec![0; length];
    let filled = lzw::fill(&mut decoder, data, &mut unpacked).unwrap_or(0);
    unpacked.truncate(filled);
    unpacked
}

/// Decodes PackBits runs: a count, then that number of bytes, or one byte to repeat.
fn pack_bits(mut data: &[u8], length: usize) -> Vec<u8> {
    let mut unpacked = Vec::with_capacity(length);
    while unpacked.len() < length {
        let Some((&count, rest)) = data.split_first() else {
            break;
        };
        data = rest;
        match count {
            0..=127 => {
                let (bytes, rest) = data.split_at(data.len().min(usize::from(count) + 1));
                unpacked.extend_from_slice(bytes);
                data = rest;
            }
            128 => {}
            129.. => {
                let Some((&byte, rest)) = data.split_first() else {
                    break;
                };
                unpacked.resize(unpacked.len() + 257 - usize::from(count), byte);
                data = rest;
            }
        }
    }
    unpacked.truncate(length);
    unpacked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packbits_runs_are_decoded() {
        let packed = [0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0x80, 0xfd, 0xaa];
        let whole = [0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa];
        assert_eq!(pack_bits(&packed, 100), whole);
        assert_eq!(pack_bits(&packed, 4), whole[..4]);
        assert_eq!(pack_bits(&packed[..4], 100), whole[..4]);
    }
}
