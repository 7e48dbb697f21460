//! Errors of opening images.

use std::io;
use std::path::{Path, PathBuf};

use files::shown_path;

use super::format::{IMAGE_FORMATS, OtherFormat};
use super::{DEFAULT_MAX_PIXELS, MAX_FILE_BYTES};
use crate::preprocessing::PreprocessingError;

/// The error type for decoding bytes to an image. The message is a clause without the file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The content is empty.
    #[error("is empty: expected a {IMAGE_FORMATS} image")]
    Empty,

    /// The format of the content is unknown.
    #[error("is not an image: expected {IMAGE_FORMATS} content")]
    NotAnImage,

    /// The format of the content is not supported.
    #[error("is {}: expected a {IMAGE_FORMATS} image", .0.name)]
    OtherFormat(OtherFormat),

    /// The content uses an unsupported feature of its format.
    #[error("is {0}, which is not supported")]
    Unsupported(&'static str),

    /// The content ends before the last pixel.
    #[error("is cut off: its file ends too early")]
    CutOff,

    /// The content is damaged.
    #[error("cannot be decoded: {0}")]
    Damaged(&'static str),

    /// The image has too many pixels.
    #[error("is too large: expected at most {max_pixels} pixels, found {width}x{height}")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Maximum number of pixels.
        max_pixels: u64,
    },
}

/// The error type for opening an image file.
///
/// Each message is one sentence that names the file and the problem; [`ImageError::hint`] suggests
/// a fix where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file does not exist.
    #[error("the image {} does not exist", shown_path(path))]
    Missing {
        /// Path as given.
        path: PathBuf,
    },

    /// The path is a folder.
    #[error("{} is a folder: expected an image file", shown_path(path))]
    Folder {
        /// Path as given.
        path: PathBuf,
    },

    /// The path is a pipe, a socket or a device.
    #[error(
        "{} is a pipe, a socket or a device: expected an image file",
        shown_path(path)
    )]
    NotAFile {
        /// Path as given.
        path: PathBuf,
    },

    /// The file could not be read.
    #[error("cannot read the image {}: {source}", shown_path(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// I/O error.
        source: io::Error,
    },

    /// The file is too large.
    #[error(
        "the file {} is too large: expected at most {MAX_FILE_BYTES} bytes",
        shown_path(path)
    )]
    FileTooLarge {
        /// The file.
        path: PathBuf,
    },

    /// The content could not be decoded.
    #[error("{}{} {source}", subject(source), shown_path(path))]
    Decode {
        /// The file.
        path: PathBuf,
        /// Error of the decoder.
        source: DecodeError,
    },

    /// The image was decoded but could not be prepared for the model.
    #[error("the image {} cannot be prepared: {source}", shown_path(path))]
    Prepare {
        /// The file.
        path: PathBuf,
        /// Error of the preprocessing.
        source: PreprocessingError,
    },
}

/// Returns the noun for a file that may not be an image.
fn subject(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::Empty => "the file ",
        DecodeError::NotAnImage | DecodeError::OtherFormat(_) => "",
        _ => "the image ",
    }
}

impl ImageError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::Read { path, source },
        }
    }

    /// Returns a suggested fix, if there is one beyond the message.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some("check the spelling of the path".to_owned()),
            Self::Folder { .. } => Some("name an image inside the folder".to_owned()),
            Self::NotAFile { .. } => {
                Some("write its content into a file, and name that".to_owned())
            }
            Self::FileTooLarge { .. } => Some("make the image smaller".to_owned()),
            Self::Decode { source, .. } => Some(source.hint()),
            Self::Read { .. } | Self::Prepare { .. } => None,
        }
    }
}

impl DecodeError {
    /// Returns a suggested fix.
    pub fn hint(&self) -> String {
        match self {
            Self::NotAnImage => "save the image as PNG or JPEG".to_owned(),
            Self::OtherFormat(format) => format.convert.to_owned(),
            Self::Unsupported(what) if what.contains("PNG") => {
                "save the image as plain PNG".to_owned()
            }
            Self::Unsupported(what) => {
                let ending = if what.contains("a JPEG image") || what.contains("lossless JPEG") {
                    "jpg"
                } else if what.contains("BMP") {
                    "bmp"
                } else {
                    "tif"
                };
                format!("convert it, for example with `magick image.{ending} image.png`")
            }
            Self::Empty | Self::CutOff | Self::Damaged(_) => {
                "copy or save the image again".to_owned()
            }
            Self::TooLarge {
                max_pixels,
                width,
                height,
            } => {
                let pixels = u64::from(*width) * u64::from(*height);
                match *max_pixels < DEFAULT_MAX_PIXELS && pixels <= DEFAULT_MAX_PIXELS {
                    true => "raise or omit --max-pixels, or make the image smaller".to_owned(),
                    false => {
                        format!("make the image smaller, or allow it with --max-pixels {pixels}")
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_a_file_of_the_format() {
        for (what, ending) in [
            ("a JPEG image of a rare kind", "image.jpg"),
            ("a lossless JPEG image", "image.jpg"),
            ("a TIFF image with old JPEG compression", "image.tif"),
            ("a PNG image that Xcode changed for iOS apps", "plain PNG"),
        ] {
            let hint = DecodeError::Unsupported(what).hint();
            assert!(hint.contains(ending), "{what}: {hint}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn paths_with_different_bytes_print_differently() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(OsStr::from_bytes(b"caf\xe9.png")).to_owned();
        let error = ImageError::Missing { path };
        assert_eq!(error.to_string(), "the image caf\\xE9.png does not exist");
    }
}
