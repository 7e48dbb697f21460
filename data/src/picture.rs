//! Opening a picture file.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::iter;
use std::path::{Path, PathBuf};

use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::jpeg::{self, JpegError};

/// The most pixels of a picture that is opened.
pub const MAX_PIXELS: u64 = 1 << 28;

/// The most bytes of a picture file, and of its unpacked pixels (8 bytes each at most).
const MAX_BYTES: u64 = 8 * MAX_PIXELS;

/// Opens a PNG, JPEG, WebP or BMP picture, upright as its EXIF orientation says.
///
/// The format is told from the content, not from the name. The size is checked before the pixels
/// are unpacked. Of a moving picture the first frame is taken.
///
/// # Errors
/// [`PictureError`], which names the file and says what is wrong with it.
pub fn open_picture(path: impl AsRef<Path>) -> Result<DynamicImage, PictureError> {
    let path = path.as_ref();
    let file = read(path)?;
    let reader = ImageReader::new(Cursor::new(&file))
        .with_guessed_format()
        .map_err(|source| PictureError::Read {
            path: path.to_owned(),
            source,
        })?;
    match reader.format() {
        Some(ImageFormat::Jpeg) => {
            let (mut image, orientation) = jpeg::decode(&file, MAX_PIXELS)
                .map_err(|error| PictureError::from_jpeg(error, path))?;
            image.apply_orientation(orientation);
            return Ok(image);
        }
        Some(ImageFormat::Png | ImageFormat::WebP | ImageFormat::Bmp) => {}
        Some(format) => {
            return Err(PictureError::Unsupported {
                path: path.to_owned(),
                format: format
                    .extensions_str()
                    .first()
                    .copied()
                    .unwrap_or("unknown"),
            });
        }
        None => {
            return Err(PictureError::NotAPicture {
                path: path.to_owned(),
            });
        }
    }
    decode(reader, path)
}

/// The file's bytes, with a clear error for a path that names no file.
fn read(path: &Path) -> Result<Vec<u8>, PictureError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => PictureError::Missing {
            path: path.to_owned(),
        },
        _ => PictureError::Read {
            path: path.to_owned(),
            source,
        },
    };
    let kind = fs::metadata(path).map_err(failed)?.file_type();
    if kind.is_dir() {
        return Err(PictureError::Folder {
            path: path.to_owned(),
        });
    }
    // Opening a pipe waits for someone who writes to it, for ever if nobody does.
    if !kind.is_file() {
        return Err(PictureError::NotAFile {
            path: path.to_owned(),
        });
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(PictureError::FileTooLarge {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

fn decode(
    mut reader: ImageReader<Cursor<&Vec<u8>>>,
    path: &Path,
) -> Result<DynamicImage, PictureError> {
    let failed = |error| PictureError::from_decoder(error, path);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);

    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PictureError::TooLarge {
            path: path.to_owned(),
            width,
            height,
        });
    }
    // A picture whose orientation cannot be read is shown as it lies.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(failed)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Why a picture could not be opened.
///
/// Each message is one sentence that names the file and says what is wrong with it;
/// [`PictureError::hint`] says the way out where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// There is no such file.
    #[error("the picture {} does not exist", path.display())]
    Missing {
        /// The path given.
        path: PathBuf,
    },

    /// The path names a folder.
    #[error("{} is a folder: expected a picture file", path.display())]
    Folder {
        /// The path given.
        path: PathBuf,
    },

    /// The path names a pipe, a socket or a device.
    #[error("{} is a pipe, a socket or a device: expected a picture file", path.display())]
    NotAFile {
        /// The path given.
        path: PathBuf,
    },

    /// The file could not be read.
    #[error("cannot read the picture {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// The content is no known picture format.
    #[error("{} is not a picture: expected PNG, JPEG, WebP or BMP content", path.display())]
    NotAPicture {
        /// The file.
        path: PathBuf,
    },

    /// The content is a picture format that is not read here.
    #[error("the picture {} is in the {format} format: expected PNG, JPEG, WebP or BMP", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The format, as a file name extension.
        format: &'static str,
    },

    /// The file ends too early.
    #[error("the picture {} is cut off: its file ends too early", path.display())]
    CutOff {
        /// The file.
        path: PathBuf,
    },

    /// The content is damaged, or uses a rare part of its format.
    #[error(
        "the picture {} cannot be decoded: {}",
        path.display(),
        source.to_string().trim_end_matches('.')
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The decoder's reason.
        source: Box<dyn Error + Send + Sync>,
    },

    /// The picture has too many pixels.
    #[error(
        "the picture {} is too large: expected at most {MAX_PIXELS} pixels, found {width}x{height}",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },

    /// The file, or what it unpacks to, has too many bytes.
    #[error("the picture {} is too large: expected at most {MAX_BYTES} bytes", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
    },

    /// The picture was decoded but could not be prepared for the model.
    #[error("the picture {} cannot be prepared: {source}", path.display())]
    Prepare {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: crate::preprocessing::PreprocessingError,
    },
}

impl PictureError {
    /// The way out, where there is a better one than the message says.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some("check the spelling of the path".to_owned()),
            Self::Folder { .. } => Some("name a picture inside the folder".to_owned()),
            Self::NotAFile { .. } => {
                Some("write what it gives into a file, and name that".to_owned())
            }
            Self::NotAPicture { .. } | Self::Unsupported { .. } => {
                Some("save the picture as PNG or JPEG".to_owned())
            }
            Self::CutOff { .. } | Self::Corrupt { .. } => {
                Some("copy or save the picture again".to_owned())
            }
            Self::TooLarge { .. } | Self::FileTooLarge { .. } => {
                Some("make the picture smaller".to_owned())
            }
            Self::Read { .. } | Self::Prepare { .. } => None,
        }
    }

    fn from_jpeg(error: JpegError, path: &Path) -> Self {
        let path = path.to_owned();
        match error {
            JpegError::CutOff => Self::CutOff { path },
            JpegError::TooLarge { width, height } => Self::TooLarge {
                path,
                width,
                height,
            },
            error => Self::Corrupt {
                path,
                source: Box::new(error),
            },
        }
    }

    fn from_decoder(error: ImageError, path: &Path) -> Self {
        let path = path.to_owned();
        match error {
            ImageError::Limits(_) => Self::FileTooLarge { path },
            error if ends_early(&error) => Self::CutOff { path },
            error => Self::Corrupt {
                path,
                source: Box::new(error),
            },
        }
    }
}

/// Whether an error comes from the end of the file, however deep it lies.
fn ends_early(error: &ImageError) -> bool {
    let is_end = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    // `source` of this variant skips the error inside it.
    if let ImageError::IoError(error) = error
        && is_end(error)
    {
        return true;
    }
    iter::successors(error.source(), |&error| error.source())
        .any(|error| error.downcast_ref().is_some_and(is_end))
}
