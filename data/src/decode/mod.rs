//! Decoding of image files.

mod bmp;
mod budget;
mod error;
mod format;
mod gif;
mod ifd;
mod jpeg;
mod limits;
mod lzw;
mod opener;
mod orientation;
mod pixels;
mod png;
mod tiff;
mod warning;
mod webp;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use image::DynamicImage;
use image::metadata::Orientation;

pub use error::{DecodeError, ImageError};
use format::{Content, HEAD};
pub use format::{IMAGE_EXTENSIONS, IMAGE_FORMATS, ImageFormat, OtherFormat};
use limits::Limits;
pub use opener::{ImageOpener, open_image};
use orientation::FoundOrientation;
pub use warning::{Flaw, FlawedImages};

/// Default for the maximum number of pixels of an image: enough for the photos of any phone.
pub const DEFAULT_MAX_PIXELS: u64 = 200_000_000;

/// Maximum size of an image file in bytes.
const MAX_FILE_BYTES: u64 = 1 << 31;

/// A decoded image, 8-bit gray or RGB.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedImage {
    /// Upright image: the orientation of the metadata is applied.
    pub image: DynamicImage,
    /// Damage of the file, if any.
    pub flaw: Option<Flaw>,
}

/// An image as stored in its file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decoded {
    /// 8-bit gray or RGB.
    pub(crate) image: DynamicImage,
    pub(crate) orientation: Orientation,
    pub(crate) flaw: Option<Flaw>,
}

/// Decodes a file's content, of at most `max_pixels`, to an upright image.
///
/// The format is detected from the content. The size is checked before memory for pixels is
/// allocated. For an animation, the first frame is decoded.
///
/// # Errors
/// [`DecodeError`] if the content cannot be decoded to an image.
///
/// ```
/// let png = std::fs::read("../image.png")?;
/// let decoded = data::decode_image(&png, data::DEFAULT_MAX_PIXELS)?;
/// assert_eq!(decoded.image.width(), 28);
/// assert_eq!(decoded.flaw, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decode_image(file: &[u8], max_pixels: u64) -> Result<DecodedImage, DecodeError> {
    decode(file, &mut Limits::new(max_pixels, None))
}

fn decode(file: &[u8], limits: &mut Limits) -> Result<DecodedImage, DecodeError> {
    let decoded = match format(file)? {
        ImageFormat::Png => png::decode(file, limits),
        ImageFormat::Jpeg => Ok(jpeg::decode(file, limits)?),
        ImageFormat::WebP => webp::decode(file, limits),
        ImageFormat::Bmp => bmp::decode(file, limits),
        ImageFormat::Gif => gif::decode(file, limits),
        ImageFormat::Tiff => tiff::decode(file, limits),
    }?;
    let mut image = decoded.image;
    image.apply_orientation(decoded.orientation);
    Ok(DecodedImage {
        image,
        flaw: decoded.flaw,
    })
}

/// Returns the format of a file that is not an image, if known.
pub(crate) fn other_format(path: &Path) -> Option<OtherFormat> {
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let file = File::open(path).ok().filter(|_| is_file)?;
    let mut head = Vec::new();
    file.take(HEAD as u64).read_to_end(&mut head).ok()?;
    match Content::of(&head) {
        Content::Other(format) => Some(format),
        Content::Image(_) | Content::Unknown => None,
    }
}

/// Returns the format of a file; its first bytes are enough.
fn format(file: &[u8]) -> Result<ImageFormat, DecodeError> {
    if file.is_empty() {
        return Err(DecodeError::Empty);
    }
    match Content::of(&file[..file.len().min(HEAD)]) {
        Content::Image(format) => Ok(format),
        Content::Other(format) => Err(DecodeError::OtherFormat(format)),
        Content::Unknown => Err(DecodeError::NotAnImage),
    }
}
