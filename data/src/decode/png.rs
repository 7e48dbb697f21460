//! PNG files.
//!
//! The chunks are parsed here. The png crate receives only those that the pixels depend on: color
//! profiles and texts can decompress to a thousand times their size.

use std::borrow::Cow;
use std::io::{self, Cursor, ErrorKind, Read as _};

use flate2::read::ZlibDecoder;
use image::metadata::Orientation;
use png::{DecodeOptions, DecodingError, InterlaceInfo, Transformations};

use super::error::DecodeError;
use super::limits::Limits;
use super::orientation::{FoundOrientation, raw_profile};
use super::warning::Flaw;
use super::{Decoded, pixels};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Maximum decompressed size of a text.
const MAX_TEXT: u64 = 1 << 20;

/// Maximum compression ratio of deflate, rounded up.
const MAX_RATIO: u64 = 1040;

const DAMAGED: DecodeError = DecodeError::Damaged("its PNG data is damaged");

/// Decodes a PNG file to gray or RGB; transparency is dropped.
pub(super) fn decode(file: &[u8], limits: &mut Limits) -> Result<Decoded, DecodeError> {
    let chunks = Chunks::read(file)?;
    let header = chunks.header.ok_or(match chunks.has_end {
        true => DAMAGED,
        false => DecodeError::CutOff,
    })?;
    limits.check_size(header.width, header.height)?;
    let data = chunks.data().len() as u64;
    if data == 0 {
        return Err(match chunks.has_end {
            true => DAMAGED,
            false => DecodeError::CutOff,
        });
    }
    if data.saturating_mul(MAX_RATIO) < header.raw_bytes() {
        return Err(DecodeError::CutOff);
    }
    let peak = pixels::peak(header.width, header.height, header.channels());
    limits.reserve(peak + chunks.stream.len() as u64);

    let flaw = chunks.flaw();
    let orientation = chunks.orientation();
    let pixels = header.pixels(chunks)?;
    Ok(Decoded {
        image: pixels::image(header.width, header.height, header.channels(), pixels)?,
        orientation,
        flaw,
    })
}

/// The relevant chunks.
#[derive(Default)]
struct Chunks<'a> {
    header: Option<Header>,
    /// A PNG file with only the chunks that pixels depend on; the last one holds all compressed
    /// pixels.
    stream: Vec<u8>,
    /// Offset of the compressed pixels.
    data_start: Option<usize>,
    /// Whether the checksum of a pixel chunk is wrong.
    is_wrong: bool,
    /// Whether the last chunk is the end marker.
    has_end: bool,
    found: FoundOrientation,
    /// Last text with XMP metadata.
    xmp: Option<Text<'a>>,
    /// Last text with EXIF metadata, used if there is no EXIF chunk.
    raw_profile: Option<Text<'a>>,
}

/// A text, decompressed on demand.
#[derive(Clone, Copy)]
struct Text<'a> {
    bytes: &'a [u8],
    is_packed: bool,
}

impl<'a> Chunks<'a> {
    fn read(file: &'a [u8]) -> Result<Self, DecodeError> {
        let mut chunks = Self {
            stream: SIGNATURE.to_vec(),
            ..Self::default()
        };
        let mut rest = file.get(SIGNATURE.len()..).unwrap_or_default();
        while let Some((&start, after)) = rest.split_first_chunk::<8>() {
            let [a, b, c, d, kind @ ..] = start;
            if !kind.iter().all(u8::is_ascii_alphabetic) {
                break;
            }
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            let content = &after[..length.min(after.len())];
            let checksum = after.get(length..).and_then(|after| after.first_chunk());
            chunks.add(kind, content, content.len() == length, checksum)?;
            if chunks.has_end {
                break;
            }
            rest = after.get(length + 4..).unwrap_or_default();
        }
        if let Some(start) = chunks.data_start {
            let length = (chunks.stream.len() - start) as u32;
            chunks.stream[start - 8..start - 4].copy_from_slice(&length.to_be_bytes());
        }
        Ok(chunks)
    }

    fn add(
        &mut self,
        kind: [u8; 4],
        content: &'a [u8],
        is_whole: bool,
        checksum: Option<&[u8; 4]>,
    ) -> Result<(), DecodeError> {
        let is_right = || {
            let mut expected = flate2::Crc::new();
            expected.update(&kind);
            expected.update(content);
            checksum.is_some_and(|found| u32::from_be_bytes(*found) == expected.sum())
        };
        match &kind {
            b"CgBI" => {
                return Err(DecodeError::Unsupported(
                    "a PNG image that Xcode changed for iOS apps",
                ));
            }
            b"IHDR" if self.header.is_none() => {
                if !is_whole || checksum.is_none() {
                    return Err(DecodeError::CutOff);
                }
                if !is_right() {
                    return Err(DAMAGED);
                }
                self.header = Some(Header::read(content)?);
                append(&mut self.stream, kind, content);
            }
            b"PLTE" if self.data_start.is_none() => {
                if is_whole && checksum.is_some() && !is_right() {
                    return Err(DAMAGED);
                }
                append(&mut self.stream, kind, content);
            }
            b"IDAT" => {
                self.is_wrong |= checksum.is_some() && !is_right();
                if self.data_start.is_none() {
                    // The length is set once the data is complete.
                    self.stream.extend(b"\0\0\0\0IDAT");
                    self.data_start = Some(self.stream.len());
                }
                self.stream.extend_from_slice(content);
            }
            b"IEND" => self.has_end = is_whole && checksum.is_some(),
            b"eXIf" if is_right() => self.found.set_exif(content),
            b"tEXt" | b"zTXt" | b"iTXt" if is_right() => self.add_text(kind, content),
            _ => {}
        }
        Ok(())
    }

    fn add_text(&mut self, kind: [u8; 4], content: &'a [u8]) {
        let Some((keyword, rest)) = split_at_zero(content) else {
            return;
        };
        let place = match keyword {
            b"XML:com.adobe.xmp" => &mut self.xmp,
            b"Raw profile type exif" => &mut self.raw_profile,
            _ => return,
        };
        *place = Text::read(kind, rest).or(*place);
    }

    /// Returns the compressed pixels.
    fn data(&self) -> &[u8] {
        self.data_start.map_or(&[], |start| &self.stream[start..])
    }

    fn orientation(&self) -> Orientation {
        let mut found = self.found.clone();
        if let Some(text) = self.xmp {
            found.set_xmp(&text.unpack());
        }
        if let Some(text) = self.raw_profile.filter(|_| !found.has_exif())
            && let Some(exif) = raw_profile(&text.unpack())
        {
            found.add_exif(&exif);
        }
        found.get()
    }

    /// Returns the damage of the file if all pixels can be decoded.
    fn flaw(&self) -> Option<Flaw> {
        if self.is_wrong {
            Some(Flaw::Checksum)
        } else {
            (!self.has_end).then_some(Flaw::NoEnd)
        }
    }
}

/// Appends a chunk, with a checksum that is not verified.
fn append(stream: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    stream.extend((content.len() as u32).to_be_bytes());
    stream.extend(kind);
    stream.extend_from_slice(content);
    stream.extend([0; 4]);
}

fn split_at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let zero = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..zero], &bytes[zero + 1..]))
}

impl<'a> Text<'a> {
    /// Reads the data after the keyword of a chunk.
    fn read(kind: [u8; 4], rest: &'a [u8]) -> Option<Self> {
        let (is_packed, bytes) = match &kind {
            b"zTXt" => (true, rest.split_first()?.1),
            b"iTXt" => {
                let (&[is_packed, _method], rest) = rest.split_first_chunk()?;
                let (_language, rest) = split_at_zero(rest)?;
                let (_translated, text) = split_at_zero(rest)?;
                (is_packed != 0, text)
            }
            _ => (false, rest),
        };
        Some(Self { bytes, is_packed })
    }

    /// Returns the text; if compressed, up to [`MAX_TEXT`] or the first damage.
    fn unpack(self) -> Cow<'a, [u8]> {
        if !self.is_packed {
            return Cow::Borrowed(self.bytes);
        }
        let mut text = Vec::new();
        // The data before the damage may be enough.
        let _ = ZlibDecoder::new(self.bytes)
            .take(MAX_TEXT)
            .read_to_end(&mut text);
        Cow::Owned(text)
    }
}

/// Image header.
#[derive(Clone, Copy)]
struct Header {
    width: u32,
    height: u32,
    bits: u8,
    color: Color,
}

#[derive(Clone, Copy, PartialEq)]
enum Color {
    Gray,
    Rgb,
    Palette,
    GrayAlpha,
    Rgba,
}

impl Header {
    fn read(content: &[u8]) -> Result<Self, DecodeError> {
        let &[a, b, c, d, e, f, g, h, bits, color, _, _, _] = content else {
            return Err(DAMAGED);
        };
        let color = match color {
            0 => Color::Gray,
            2 => Color::Rgb,
            3 => Color::Palette,
            4 => Color::GrayAlpha,
            6 => Color::Rgba,
            _ => return Err(DAMAGED),
        };
        Ok(Self {
            width: u32::from_be_bytes([a, b, c, d]),
            height: u32::from_be_bytes([e, f, g, h]),
            bits,
            color,
        })
    }

    /// Returns the number of channels of the decoded image.
    fn channels(&self) -> usize {
        match self.color {
            Color::Gray | Color::GrayAlpha => 1,
            Color::Rgb | Color::Palette | Color::Rgba => 3,
        }
    }

    /// Returns the number of samples per pixel in the png crate's rows.
    fn samples(&self) -> usize {
        match self.color {
            Color::GrayAlpha => 2,
            Color::Rgba => 4,
            _ => self.channels(),
        }
    }

    /// Returns the minimum number of bytes of all rows before compression.
    fn raw_bytes(&self) -> u64 {
        let samples = match self.color {
            Color::Palette => 1,
            _ => self.samples() as u64,
        };
        let bits = u64::from(self.width) * samples * u64::from(self.bits);
        bits / 8 * u64::from(self.height)
    }

    /// Decodes `[height, width, channels]`.
    fn pixels(&self, mut chunks: Chunks) -> Result<Vec<u8>, DecodeError> {
        // If the checksum of a chunk is wrong, the checksum of all compressed pixels decides.
        if chunks.is_wrong && !self.is_intact(chunks.data()) {
            return Err(DAMAGED);
        }
        let has_end = chunks.has_end;
        let failed = |error| decoder_error(error, has_end);
        chunks.stream.extend([0; 4]);
        append(&mut chunks.stream, *b"IEND", &[]);
        let mut options = DecodeOptions::default();
        options.set_ignore_checksums(true);
        let mut decoder = png::Decoder::new_with_options(Cursor::new(&chunks.stream), options);
        decoder.set_limits(png::Limits { bytes: usize::MAX });
        decoder.set_transformations(Transformations::EXPAND);
        let mut reader = decoder.read_info().map_err(failed)?;

        let [width, height] = [self.width, self.height].map(|side| side as usize);
        let (channels, samples) = (self.channels(), self.samples());
        let stride = width * channels;
        let mut pixels = vec![0; height * stride];
        let mut narrow = vec![0; stride];
        let mut lines = 0..height;
        // Stops before the end of the data, which may be missing.
        let rows = match reader.info().interlaced {
            true => self.interlaced_rows(),
            false => height,
        };
        for _ in 0..rows {
            let row = reader.next_interlaced_row().map_err(failed)?;
            let row = row.ok_or(DAMAGED)?;
            let data = row.data();
            if let InterlaceInfo::Adam7(pass) = row.interlace() {
                let sample_bytes = if self.bits == 16 { 2 } else { 1 };
                let count = data.len() / (samples * sample_bytes);
                let narrow = &mut narrow[..count * channels];
                self.convert(data, narrow);
                let bits = 8 * channels as u8;
                png::expand_interlaced_row(&mut pixels, stride, narrow, pass, bits);
            } else if let Some(line) = lines.next() {
                self.convert(data, &mut pixels[line * stride..][..stride]);
            }
        }
        Ok(pixels)
    }

    /// Returns whether the checksum after the compressed pixels is correct.
    fn is_intact(&self, data: &[u8]) -> bool {
        // Includes a filter byte for each row, and some margin for the rows of passes.
        let most = 2 * (self.raw_bytes() + u64::from(self.height)) + (1 << 16);
        let mut unpacked = ZlibDecoder::new(data).take(most);
        let unpacked = io::copy(&mut unpacked, &mut io::sink());
        unpacked.is_ok_and(|length| length < most)
    }

    /// Returns the number of rows in all passes of an interlaced image.
    fn interlaced_rows(&self) -> usize {
        // First column, first row and row step of each pass.
        const PASSES: [[u32; 3]; 7] = [
            [0, 0, 8],
            [4, 0, 8],
            [0, 4, 8],
            [2, 0, 4],
            [0, 2, 4],
            [1, 0, 2],
            [0, 1, 2],
        ];
        let passes = PASSES.iter().filter(|[column, ..]| *column < self.width);
        let rows = |[_, row, step]: &[u32; 3]| self.height.saturating_sub(*row).div_ceil(*step);
        passes.map(rows).sum::<u32>() as usize
    }

    /// Converts a row to 8 bits per sample without alpha.
    fn convert(&self, row: &[u8], to: &mut [u8]) {
        let (channels, samples) = (self.channels(), self.samples());
        if self.bits == 16 {
            let (row, _) = row.as_chunks::<2>();
            let pixels = row.chunks_exact(samples).zip(to.chunks_exact_mut(channels));
            for (pixel, to) in pixels {
                for (sample, to) in pixel.iter().zip(to) {
                    *to = pixels::round(u16::from_be_bytes(*sample));
                }
            }
        } else if channels == samples {
            let length = row.len().min(to.len());
            to[..length].copy_from_slice(&row[..length]);
        } else {
            let pixels = row.chunks_exact(samples).zip(to.chunks_exact_mut(channels));
            for (pixel, to) in pixels {
                to.copy_from_slice(&pixel[..channels]);
            }
        }
    }
}

/// Converts an error of the png crate, whose stream always has an end marker.
fn decoder_error(error: DecodingError, has_end: bool) -> DecodeError {
    match error {
        DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            DecodeError::CutOff
        }
        // Without an end marker, the missing data was at the end.
        _ if !has_end => DecodeError::CutOff,
        _ => DAMAGED,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn packed_xmp(value: u8) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        write!(encoder, "tiff:Orientation=\"{value}\"").unwrap();
        let head = b"XML:com.adobe.xmp\0\x01\0\0\0";
        [&head[..], &encoder.finish().unwrap()].concat()
    }

    #[test]
    fn last_of_several_texts_is_decoded() {
        let texts = [packed_xmp(3), packed_xmp(6)];
        let mut chunks = Chunks::default();
        texts
            .iter()
            .for_each(|text| chunks.add_text(*b"iTXt", text));
        assert_eq!(chunks.orientation(), Orientation::Rotate90);
        // Invalid without the zeros before the text.
        chunks.add_text(*b"iTXt", b"XML:com.adobe.xmp\0\0");
        assert_eq!(chunks.orientation(), Orientation::Rotate90);
    }

    #[test]
    fn last_of_several_exif_chunks_wins() {
        let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
        let mut chunks = Chunks::default();
        chunks.found.set_exif(exif);
        assert_eq!(chunks.orientation(), Orientation::Rotate90);
        chunks.found.set_exif(b"MM\0*\0\0\0\x08\0\0");
        assert_eq!(chunks.orientation(), Orientation::NoTransforms);
    }
}
