//! From a path to an image.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use image::DynamicImage;

use super::budget::{PROCESS, Permit};
use super::error::ImageError;
use super::limits::Limits;
use super::warning::FlawedImages;
use super::{DEFAULT_MAX_PIXELS, DecodedImage, HEAD, MAX_FILE_BYTES, decode, format};

/// Opens an image of one of the [`IMAGE_FORMATS`](super::IMAGE_FORMATS), upright as its metadata
/// says, with at most [`DEFAULT_MAX_PIXELS`].
///
/// # Errors
/// [`ImageError`], which names the file and says what is wrong with it.
pub fn open_image(path: impl AsRef<Path>) -> Result<DynamicImage, ImageError> {
    ImageOpener::default().open(path)
}

/// Opens image files, with a limit of pixels and a list of the files that are damaged.
///
/// All openers of a process share a budget of 1 GiB for the images that they decode at a time: a
/// thread waits until there is room for its image. A single image may take more. A clone shares
/// the list.
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
    /// Opens images of at most `max_pixels`.
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
    /// Its memory does not count for the budget any more, so [`ImageOpener::open_with`] suits
    /// better where many images are opened.
    ///
    /// # Errors
    /// [`ImageError`], which names the file and says what is wrong with it.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<DynamicImage, ImageError> {
        self.open_with(path, |image| image)
    }

    /// Opens an image and makes something of it, which should be smaller than the image.
    ///
    /// `make` must not open another image.
    ///
    /// # Errors
    /// [`ImageError`], which names the file and says what is wrong with it.
    pub fn open_with<T>(
        &self,
        path: impl AsRef<Path>,
        make: impl FnOnce(DynamicImage) -> T,
    ) -> Result<T, ImageError> {
        let path = path.as_ref();
        let (file, permit) = read(path)?;
        // The limits hold the permit until the image is made into something smaller.
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

/// The file's bytes, with a clear error for a path that names no image file.
fn read(path: &Path) -> Result<(Vec<u8>, Permit<'static>), ImageError> {
    let failed = |source| ImageError::read(path, source);
    let metadata = fs::metadata(path).map_err(failed)?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err(ImageError::Folder {
            path: path.to_owned(),
        });
    }
    // Opening a pipe waits for someone who writes to it, forever if nobody does.
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
    // A file of another kind, which may be long, is not read to its end.
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
    // What is appended meanwhile is left out.
    let rest = length.saturating_sub(bytes.len() as u64);
    read(&mut bytes, rest)?;
    Ok((bytes, permit))
}
