//! Segments of a file.

use super::bits::next_marker;
use super::color::ColorHints;
use super::frame::{Coding, Frame};
use super::output::image;
use super::scan::Scan;
use super::tables::Tables;
use super::work::{TOO_MUCH_WORK, Work};
use crate::decode::{DecodeError, Decoded, Flaw, FoundOrientation, Limits};

const WRONG_ORDER: DecodeError = DecodeError::Damaged("its JPEG segments are in a wrong order");

/// Decodes a JPEG file to gray or RGB.
///
/// A file without an end marker is decoded if all its coefficients are present.
///
/// # Errors
/// [`DecodeError`] if the file contains no image, or one of an unsupported kind. Damage inside the
/// data of a scan is a [`Flaw`], like the warnings of libjpeg.
pub(crate) fn decode(file: &[u8], limits: &mut Limits) -> Result<Decoded, DecodeError> {
    decode_with(ColorHints::default(), file, limits)
}

/// Decodes a JPEG file embedded in a TIFF file, which specifies whether its components are RGB.
pub(crate) fn decode_in_tiff(
    file: &[u8],
    limits: &mut Limits,
    is_rgb: bool,
) -> Result<Decoded, DecodeError> {
    let hints = ColorHints {
        is_rgb,
        is_in_tiff: true,
        ..ColorHints::default()
    };
    decode_with(hints, file, limits)
}

fn decode_with(
    hints: ColorHints,
    file: &[u8],
    limits: &mut Limits,
) -> Result<Decoded, DecodeError> {
    let mut reader = Reader {
        hints,
        ..Reader::default()
    };
    let flaw = match reader.read(file, limits) {
        Ok(()) => reader.is_damaged.then_some(Flaw::DamagedPixels),
        Err(error) if error == TOO_MUCH_WORK => return Err(error),
        // Leftover data does not prove that all pixels are present: zeros may have replaced it.
        Err(_) if reader.is_complete() && reader.has_rest => return Err(DecodeError::CutOff),
        // Data after the last scan is not needed.
        Err(_) if reader.is_complete() => Some(Flaw::NoEnd),
        Err(error) => return Err(error),
    };
    reader.finish(flaw)
}

/// Returns the content of the segment at `position`.
fn segment(file: &[u8], position: usize) -> Result<&[u8], DecodeError> {
    let rest = file.get(position..).ok_or(DecodeError::CutOff)?;
    let (&length, rest) = rest.split_first_chunk().ok_or(DecodeError::CutOff)?;
    // The length includes its own two bytes.
    let length = usize::from(u16::from_be_bytes(length)).checked_sub(2);
    let length = length.ok_or(DecodeError::Damaged("its JPEG segment length is damaged"))?;
    rest.get(..length).ok_or(DecodeError::CutOff)
}

/// Decoding state at one position of the file.
#[derive(Default)]
struct Reader {
    tables: Tables,
    frame: Option<Frame>,
    work: Work,
    has_scans: bool,
    /// Whether data of a scan is damaged or missing.
    is_damaged: bool,
    /// Whether a scan has more data than its blocks need.
    has_rest: bool,
    hints: ColorHints,
    orientation: FoundOrientation,
}

impl Reader {
    /// Reads all segments up to the end marker.
    fn read(&mut self, file: &[u8], limits: &mut Limits) -> Result<(), DecodeError> {
        let mut position = 0;
        loop {
            let rest = file.get(position..).ok_or(DecodeError::CutOff)?;
            let (marker, offset) = next_marker(rest).ok_or(DecodeError::CutOff)?;
            position += offset;
            match marker {
                // TEM, restart markers and the start marker of the file have no content.
                0x01 | 0xd0..=0xd8 => continue,
                0xd9 => return Ok(()),
                _ => {}
            }
            let segment = segment(file, position)?;
            position += 2 + segment.len();
            match marker {
                // Like in libjpeg, a sequential image is decoded once.
                0xda if self.is_settled() => {}
                0xda => position = self.scan(segment, file, position)?,
                0xc0..=0xc2 => {
                    let coding = match marker {
                        0xc2 => Coding::Progressive,
                        _ => Coding::Sequential,
                    };
                    if self.frame.is_some() {
                        return Err(DecodeError::Damaged("its JPEG frame header is damaged"));
                    }
                    let data = file.len().saturating_sub(position);
                    self.frame = Some(Frame::read(segment, coding, data, limits)?);
                }
                _ => self.segment(marker, segment)?,
            }
        }
    }

    fn segment(&mut self, marker: u8, content: &[u8]) -> Result<(), DecodeError> {
        match marker {
            0xc3 => return Err(DecodeError::Unsupported("a lossless JPEG image")),
            0xc9 | 0xca => {
                return Err(DecodeError::Unsupported(
                    "a JPEG image with arithmetic coding",
                ));
            }
            0xc5..=0xc8 | 0xcb | 0xcd..=0xcf => {
                return Err(DecodeError::Unsupported("a JPEG image of a rare kind"));
            }
            0xc4 => self.tables.read_huffman(content)?,
            0xdb => self.tables.read_quantization(content)?,
            0xdd => self.tables.read_restart_interval(content)?,
            // Colors and orientation must be defined before the first scan.
            0xe0..=0xef if self.has_scans => {}
            0xe0 if content.len() >= 14 && content.starts_with(b"JFIF\0") => {
                self.hints.is_jfif = true;
            }
            0xe1 => {
                if let Some(xmp) = content.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
                    self.orientation.set_xmp(xmp);
                } else if content.starts_with(b"Exif\0\0") {
                    self.orientation.add_exif(content);
                }
            }
            0xee if content.len() >= 12 && content.starts_with(b"Adobe") => {
                self.hints.adobe = Some(content[11]);
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads a scan, and returns the end position of its data.
    fn scan(&mut self, header: &[u8], file: &[u8], position: usize) -> Result<usize, DecodeError> {
        let frame = self.frame.as_mut().ok_or(WRONG_ORDER)?;
        let scan = Scan::read(header, frame)?;
        self.work.add(&scan, frame)?;
        let scanned = scan.decode(frame, &mut self.tables, file, position)?;
        self.has_scans = true;
        self.has_rest |= scanned.has_rest;
        self.is_damaged |= !scanned.is_whole || scanned.has_rest;
        Ok(scanned.end)
    }

    /// Returns whether all coefficients were read, with all their bits.
    fn is_complete(&self) -> bool {
        self.frame.as_ref().is_some_and(Frame::is_complete)
    }

    /// Returns whether no further scan can add anything.
    fn is_settled(&self) -> bool {
        let frame = self.frame.as_ref();
        frame.is_some_and(|frame| frame.coding == Coding::Sequential && frame.is_complete())
    }

    fn finish(self, flaw: Option<Flaw>) -> Result<Decoded, DecodeError> {
        let frame = self.frame.filter(|_| self.has_scans).ok_or(WRONG_ORDER)?;
        Ok(Decoded {
            image: image(frame, &self.hints)?,
            orientation: self.orientation.get(),
            flaw,
        })
    }
}
