//! The way through a file: its segments, and what they say.

use image::DynamicImage;
use image::metadata::Orientation;

use super::bits::next_marker;
use super::colour::ColourHints;
use super::error::JpegError;
use super::frame::{Coding, Frame};
use super::output::picture;
use super::scan::Scan;
use super::tables::Tables;

/// The most scans of a picture. A progressive one has about ten; every further one costs the time
/// to go through all blocks.
const MAX_SCANS: usize = 500;

/// The picture of a JPEG file, of at most `max_pixels`, in grey or RGB as it lies in the file, and
/// how it is to be turned.
///
/// # Errors
/// [`JpegError`] if there is no picture in the file, or one of a kind that is not read. Damage
/// inside the data of a scan is no error, as it is none for libjpeg.
pub(crate) fn decode(
    file: &[u8],
    max_pixels: u64,
) -> Result<(DynamicImage, Orientation), JpegError> {
    let mut reader = Reader::default();
    let mut position = 0;
    loop {
        let rest = file.get(position..).ok_or(JpegError::CutOff)?;
        let (marker, offset) = next_marker(rest).ok_or(JpegError::CutOff)?;
        position += offset;
        match marker {
            // TEM, restart markers and the start of the file have no content.
            0x01 | 0xd0..=0xd8 => continue,
            0xd9 => return reader.finish(),
            _ => {}
        }
        let segment = segment(file, position)?;
        position += 2 + segment.len();
        if marker == 0xda {
            position = reader.scan(segment, file, position)?;
        } else {
            reader.segment(marker, segment, max_pixels)?;
        }
    }
}

/// The content of the segment at `position`.
fn segment(file: &[u8], position: usize) -> Result<&[u8], JpegError> {
    let rest = file.get(position..).ok_or(JpegError::CutOff)?;
    let (&length, rest) = rest.split_first_chunk().ok_or(JpegError::CutOff)?;
    // The length counts its own two bytes.
    let length = usize::from(u16::from_be_bytes(length)).checked_sub(2);
    let length = length.ok_or(JpegError::Damaged("segment length"))?;
    rest.get(..length).ok_or(JpegError::CutOff)
}

/// What is known of the picture at one place of the file.
#[derive(Default)]
struct Reader {
    tables: Tables,
    frame: Option<Frame>,
    scans: usize,
    hints: ColourHints,
    orientation: Option<Orientation>,
}

impl Reader {
    fn segment(&mut self, marker: u8, content: &[u8], max_pixels: u64) -> Result<(), JpegError> {
        match marker {
            0xc0..=0xc2 => {
                let coding = if marker == 0xc2 {
                    Coding::Progressive
                } else {
                    Coding::Sequential
                };
                if self.frame.is_some() {
                    return Err(JpegError::Damaged("frame header"));
                }
                self.frame = Some(Frame::read(content, coding, max_pixels)?);
            }
            0xc3 => return Err(JpegError::Unsupported("without loss")),
            0xc9 | 0xca => return Err(JpegError::Unsupported("in arithmetic coding")),
            0xc5..=0xc8 | 0xcb | 0xcd..=0xcf => {
                return Err(JpegError::Unsupported("of a rare kind"));
            }
            0xc4 => self.tables.read_huffman(content)?,
            0xdb => self.tables.read_quantisation(content)?,
            0xdd => self.tables.read_restart_interval(content)?,
            0xe0 if content.len() >= 14 && content.starts_with(b"JFIF\0") => {
                self.hints.is_jfif = true;
            }
            0xe1 => {
                if let Some(exif) = content.strip_prefix(b"Exif\0\0")
                    && self.orientation.is_none()
                {
                    self.orientation = Orientation::from_exif_chunk(exif);
                }
            }
            0xee if content.len() >= 12 && content.starts_with(b"Adobe") => {
                self.hints.adobe = Some(content[11]);
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads a scan, and says where its data ends.
    fn scan(&mut self, header: &[u8], file: &[u8], position: usize) -> Result<usize, JpegError> {
        let frame = self.frame.as_mut().ok_or(JpegError::Damaged("order"))?;
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(JpegError::Unsupported("of too many scans"));
        }
        Scan::read(header, frame)?.decode(frame, &mut self.tables, file, position)
    }

    fn finish(self) -> Result<(DynamicImage, Orientation), JpegError> {
        let frame = self.frame.filter(|_| self.scans > 0);
        let frame = frame.ok_or(JpegError::Damaged("order"))?;
        // A picture whose orientation cannot be read is shown as it lies.
        let orientation = self.orientation.unwrap_or(Orientation::NoTransforms);
        Ok((picture(frame, &self.hints)?, orientation))
    }
}
