//! Opening of image files.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use image::DynamicImage;

use super::budget::{PROCESS, Permit};
use super::error::ImageError;
use super::limits::Limits;
use super::warning::FlawedImages;
use super::{DEFAULT_MAX_PIXELS, DecodedImage, HEAD, MAX_FILE_BYTES, decode, format};
use crate::preprocessing::Preprocessing;

/// Opens an image of one of the [`IMAGE_FORMATS`](super::IMAGE_FORMATS) with at most
/// [`DEFAULT_MAX_PIXELS`], and applies the orientation of its metadata.
///
/// # Errors
/// [`ImageError`], which names the file and the problem.
pub fn open_image(path: impl AsRef<Path>) -> Result<DynamicImage, ImageError> {
    ImageOpener::default().open(path)
}

/// Opens image files, with a maximum number of pixels, and lists damaged files.
///
/// All openers of a process share a budget of 1 GiB for decoding: a thread waits until there is
/// room for its image. A single image may take more. Clones share the list.
#[derive(Clone, Debug)]
pub struct ImageOpener {
    max_pixels: u64,
    flawed: FlawedImages,
}

impl Default for ImageOpener {
    fn default() -> Self {
        Self::new(DEFAULT_MAX_PIXELS)
    }
}

impl ImageOpener {
    /// Creates an opener for images of at most `max_pixels`.
    pub fn new(max_pixels: u64) -> Self {
        Self {
            max_pixels,
            flawed: FlawedImages::default(),
        }
    }

    /// Returns the images that were opened although their files are damaged.
    pub fn flawed(&self) -> &FlawedImages {
        &self.flawed
    }

    /// Opens an image.
    ///
    /// The returned image no longer counts toward the budget, so [`ImageOpener::open_with`] is a
    /// better choice for opening many images.
    ///
    /// # Errors
    /// [`ImageError`], which names the file and the problem.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<DynamicImage, ImageError> {
        self.open_with(path, |image| image)
    }

    /// Opens an image and converts it with `make`; the result should be smaller than the image.
    ///
    /// `make` must not open another image.
    ///
    /// # Errors
    /// [`ImageError`], which names the file and the problem.
    pub fn open_with<T>(
        &self,
        path: impl AsRef<Path>,
        make: impl FnOnce(DynamicImage) -> T,
    ) -> Result<T, ImageError> {
        let path = path.as_ref();
        let (file, permit) = read(path)?;
        // The limits hold the permit until `make` returns.
        let mut limits = Limits::new(self.max_pixels, Some(permit));
        let DecodedImage { image, flaw } =
            decode(&file, &mut limits).map_err(|source| ImageError::Decode {
                path: path.to_owned(),
                source,
            })?;
        drop(file);
        if let Some(flaw) = flaw {
            self.flawed.add(path, flaw);
        }
        Ok(make(image))
    }
}

impl Preprocessing {
    /// Opens an image and prepares it like [`Preprocessing::prepare_bytes`].
    ///
    /// # Errors
    /// [`ImageError`], which names the file and the problem.
    pub fn prepare_file(
        &self,
        opener: &ImageOpener,
        path: impl AsRef<Path>,
    ) -> Result<Vec<u8>, ImageError> {
        let path = path.as_ref();
        opener
            .open_with(path, |image| self.prepare_bytes(&image))?
            .map_err(|source| ImageError::Prepare {
                path: path.to_owned(),
                source,
            })
    }
}

/// Reads the file's bytes, with a clear error for a path that is not an image file.
fn read(path: &Path) -> Result<(Vec<u8>, Permit<'static>), ImageError> {
    let failed = |source| ImageError::read(path, source);
    let metadata = fs::metadata(path).map_err(failed)?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err(ImageError::Folder {
            path: path.to_owned(),
        });
    }
    // Opening a pipe blocks until there is a writer, possibly forever.
    if !kind.is_file() {
        return Err(ImageError::NotAFile {
            path: path.to_owned(),
        });
    }
    let mut file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut read = |bytes: &mut Vec<u8>, most: u64| {
        let read = file.by_ref().take(most).read_to_end(bytes);
        read.map_err(failed)
    };
    // A file of another type may be long, and is not read to its end.
    read(&mut bytes, HEAD as u64)?;
    format(&bytes).map_err(|source| ImageError::Decode {
        path: path.to_owned(),
        source,
    })?;
    let length = metadata.len();
    if length > MAX_FILE_BYTES {
        return Err(ImageError::FileTooLarge {
            path: path.to_owned(),
        });
    }
    let permit = PROCESS.acquire(length);
    bytes.reserve_exact((length as usize).saturating_sub(bytes.len()));
    // Bytes appended meanwhile are left out.
    let rest = length.saturating_sub(bytes.len() as u64);
    read(&mut bytes, rest)?;
    Ok((bytes, permit))
}
