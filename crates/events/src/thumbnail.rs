//! A small image inside an event.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Maximum length of a side in pixels.
const LONGEST: usize = 256;

/// A small image: `[height, width, channels]`, one byte per value, 0 to 255. In JSON, the bytes are
/// encoded in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Encoded", into = "Encoded")]
pub struct Thumbnail {
    channels: usize,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
}

/// The reason why bytes are not a [`Thumbnail`].
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ThumbnailError {
    /// A side, or the number of channels, is out of range.
    #[error(
        "a thumbnail is {channels}x{height}x{width}, but must have 1 or 3 channels and sides of \
         1 to {LONGEST}"
    )]
    Shape {
        /// The given number of channels.
        channels: usize,
        /// The given height.
        height: usize,
        /// The given width.
        width: usize,
    },
    /// The number of bytes does not match the shape.
    #[error("a thumbnail has {actual} bytes instead of {expected}")]
    Length {
        /// Height times width times channels.
        expected: usize,
        /// The given number of bytes.
        actual: usize,
    },
    /// The text is not base64.
    #[error("the bytes of a thumbnail are not base 64")]
    Base64,
}

impl Thumbnail {
    /// Creates an image from pixels `[height, width, channels]`.
    ///
    /// # Errors
    ///
    /// If the number of channels is not 1 or 3, if a side is 0 or over 256, or if the number of
    /// bytes does not match.
    pub fn new(
        [height, width, channels]: [usize; 3],
        pixels: Vec<u8>,
    ) -> Result<Self, ThumbnailError> {
        let sides = 1..=LONGEST;
        if ![1, 3].contains(&channels) || !sides.contains(&height) || !sides.contains(&width) {
            return Err(ThumbnailError::Shape {
                channels,
                height,
                width,
            });
        }
        let expected = channels * height * width;
        if pixels.len() != expected {
            return Err(ThumbnailError::Length {
                expected,
                actual: pixels.len(),
            });
        }
        Ok(Self {
            channels,
            height,
            width,
            pixels,
        })
    }

    /// Returns the height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the number of channels: 1 for gray, 3 for red, green and blue.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Returns all values, `[height, width, channels]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Returns red, green and blue of a pixel, or of the nearest one for a position outside.
    pub fn color(&self, y: usize, x: usize) -> [u8; 3] {
        let place = y.min(self.height - 1) * self.width + x.min(self.width - 1);
        match self.channels {
            1 => [self.pixels[place]; 3],
            _ => std::array::from_fn(|channel| self.pixels[place * 3 + channel]),
        }
    }
}

/// An image's representation in JSON.
#[derive(Serialize, Deserialize)]
struct Encoded {
    height: usize,
    width: usize,
    channels: usize,
    pixels: String,
}

impl TryFrom<Encoded> for Thumbnail {
    type Error = ThumbnailError;

    fn try_from(encoded: Encoded) -> Result<Self, ThumbnailError> {
        let pixels = BASE64_STANDARD
            .decode(encoded.pixels)
            .map_err(|_| ThumbnailError::Base64)?;
        Self::new([encoded.height, encoded.width, encoded.channels], pixels)
    }
}

impl From<Thumbnail> for Encoded {
    fn from(thumbnail: Thumbnail) -> Self {
        Self {
            height: thumbnail.height,
            width: thumbnail.width,
            channels: thumbnail.channels,
            pixels: BASE64_STANDARD.encode(thumbnail.pixels),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbnails_round_trip_and_invalid_ones_are_rejected() {
        let image = Thumbnail::new([2, 1, 3], vec![1, 2, 3, 4, 5, 6]).unwrap();
        let json = serde_json::to_string(&image).unwrap();
        assert_eq!(serde_json::from_str::<Thumbnail>(&json).unwrap(), image);
        assert_eq!(image.color(1, 0), [4, 5, 6]);
        assert_eq!(image.color(9, 9), [4, 5, 6]);
        for bad in [
            r#"{"height":2,"width":1,"channels":3,"pixels":"AQID"}"#,
            r#"{"height":0,"width":1,"channels":3,"pixels":""}"#,
            r#"{"height":1,"width":1,"channels":2,"pixels":"AQI="}"#,
            r#"{"height":18446744073709551615,"width":3,"channels":1,"pixels":""}"#,
            r#"{"height":1,"width":1,"channels":1,"pixels":"?"}"#,
        ] {
            assert!(serde_json::from_str::<Thumbnail>(bad).is_err(), "{bad}");
        }
    }
}
