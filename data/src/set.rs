//! A loaded data set.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use files::Hasher;
use rayon::prelude::*;
use serde::Serialize;

use crate::decode::FlawedImages;
use crate::error::DataError;
use crate::options::LoadOptions;
use crate::packed::PackedImages;
use crate::passed_over::PassedOver;
use crate::preprocessing::{Preprocessing, PreprocessingError};
use crate::store::ImageStore;
use crate::unreadable::Unreadable;

/// Maximum size of a data set's packed images in bytes: 8 GiB.
const MAX_BYTES: u64 = 8 << 30;

/// A data set: classes, training and test images, and their preprocessing.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// Text form of the source, such as `cifar10`.
    pub name: String,
    /// Name of each class; labels are indices into this list.
    pub class_names: Vec<String>,
    /// Training images. Validation images are split off these if `validation` is `None`.
    pub train: ImageStore,
    /// Validation images, used to choose the best epoch, if the data set defines them: the images
    /// in `val/` of a folder that also has a `test/`.
    pub validation: Option<ImageStore>,
    /// Test images.
    pub test: ImageStore,
    /// Preprocessing for any other image given to a model trained on this set. Mean and standard
    /// deviation are computed from the training images, or from a part of them if they stay in
    /// files.
    pub preprocessing: Preprocessing,
    /// Images that cannot be read. They are left out or, if images stay in files, replaced by
    /// others of their class during training.
    pub unreadable: Unreadable,
    /// Images that are used although their files are damaged.
    pub flawed: FlawedImages,
    /// Other content of the class folders of a folder.
    pub passed_over: PassedOver,
    /// How the folder was interpreted, where that is worth reporting.
    pub reading: Reading,
    /// Folder that contains the image files, if the images have files. For an archive, the folder
    /// it was unpacked into.
    pub root: Option<PathBuf>,
    /// Whether the seed in the [`LoadOptions`] decides which images are test images, because the
    /// data set has no test part.
    pub test_is_split_off: bool,
    /// SHA-256 of the set's content before decoding. For a folder, it covers the sizes of the image
    /// files and the bytes of all files or, beyond 256 MiB, of an even sample. For other sources,
    /// it covers the pixels.
    pub content: String,
    /// All training images as listed, if some of them are left out.
    pub(crate) listed: Option<Listed>,
}

/// How the images of a folder were interpreted, in sentences without a period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Unusual interpretations.
    pub notes: Vec<String>,
    /// Possible mistakes.
    pub warnings: Vec<String>,
}

impl Reading {
    pub(crate) fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}

/// The training images as listed, before unreadable ones were left out.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// Class of each image.
    pub labels: Vec<u32>,
    /// Whether each image can be read, and so is in the set.
    pub readable: Vec<bool>,
}

/// The parts of a data set.
pub(crate) struct Splits<T> {
    pub train: T,
    pub validation: Option<T>,
    pub test: T,
}

impl<T> Splits<T> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.train]
            .into_iter()
            .chain(&self.validation)
            .chain([&self.test])
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        [&mut self.train]
            .into_iter()
            .chain(&mut self.validation)
            .chain([&mut self.test])
    }

    /// Maps each part, in the order of the fields.
    pub(crate) fn map<U>(self, mut map: impl FnMut(T) -> U) -> Splits<U> {
        Splits {
            train: map(self.train),
            validation: self.validation.map(&mut map),
            test: map(self.test),
        }
    }
}

impl DataSet {
    /// Creates a data set. Every label must be below `class_names.len()`.
    ///
    /// # Errors
    /// [`DataError`] if training and test images differ in size, or have a size that
    /// [`Preprocessing`] does not support.
    pub(crate) fn new(
        name: String,
        class_names: Vec<String>,
        train: PackedImages,
        test: PackedImages,
    ) -> Result<Self, DataError> {
        check_shapes(&name, &train, &test)?;
        let content = content(&train, &test);
        let shape = train.shape();
        let (mean, std) = train.statistics();
        let [_, height, width] = shape;
        let preprocessing = Preprocessing::new(shape, height.max(width), mean, std)?;
        Ok(Self {
            name,
            class_names,
            unreadable: Unreadable::few(train.len() + test.len()),
            train: train.into(),
            validation: None,
            test: test.into(),
            preprocessing,
            flawed: FlawedImages::default(),
            passed_over: PassedOver::default(),
            reading: Reading::default(),
            root: None,
            test_is_split_off: false,
            content,
            listed: None,
        })
    }

    /// Like [`DataSet::new`], with every image resized to the requested image size.
    pub(crate) fn resized(
        name: String,
        class_names: Vec<String>,
        [train, test]: [PackedImages; 2],
        options: &LoadOptions<'_>,
    ) -> Result<Self, DataError> {
        let total = train.len() + test.len();
        let [channels, height, width] = train.shape();
        let side = options.image_size.unwrap_or(height.max(width));
        if options.image_size.is_none() || [height, width] == [side, side] {
            options.report(total, total);
            return Self::new(name, class_names, train, test);
        }
        // Resizing would hide that the images have two sizes.
        check_shapes(&name, &train, &test)?;
        check_size(total, channels, side)?;
        let prepare = preparation(channels, side)?;
        let done = AtomicUsize::new(0);
        let resize = |images: &PackedImages| -> Result<PackedImages, DataError> {
            let mut pixels = vec![0; images.len() * channels * side * side];
            pixels
                .par_chunks_exact_mut(channels * side * side)
                .enumerate()
                .try_for_each(|(index, pixels)| {
                    pixels.copy_from_slice(&prepare.prepare_bytes(&images.image(index))?);
                    options.report(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                    Ok::<(), PreprocessingError>(())
                })?;
            PackedImages::new([channels, side, side], pixels, images.labels().to_vec())
        };
        let content = content(&train, &test);
        let (train, test) = (resize(&train)?, resize(&test)?);
        let set = Self::new(name, class_names, train, test)?;
        Ok(Self { content, ..set })
    }
}

/// Returns the SHA-256 of packed images.
fn content(train: &PackedImages, test: &PackedImages) -> String {
    let mut hasher = Hasher::new();
    for images in [train, test] {
        hasher.update(&(images.len() as u64).to_le_bytes());
        hasher.update(images.pixels());
    }
    hasher.sha256()
}

fn check_shapes(name: &str, train: &PackedImages, test: &PackedImages) -> Result<(), DataError> {
    if train.shape() != test.shape() {
        return Err(DataError::ShapesDiffer {
            name: name.to_owned(),
            train: train.shape(),
            test: test.shape(),
        });
    }
    Ok(())
}

/// Returns preprocessing that is used for its size only; mean and standard deviation are
/// placeholders.
pub(crate) fn preparation(
    channels: usize,
    side: usize,
) -> Result<Preprocessing, PreprocessingError> {
    let (mean, std) = (vec![0.0; channels], vec![1.0; channels]);
    Preprocessing::new([channels, side, side], side, mean, std)
}

/// Returns an error if the images are too large for memory, before anything is allocated.
pub(crate) fn check_size(images: usize, channels: usize, side: usize) -> Result<(), DataError> {
    let bytes = [channels, side, side]
        .into_iter()
        .fold(images as u64, |product, size| {
            product.saturating_mul(size as u64)
        });
    if bytes > MAX_BYTES {
        return Err(DataError::TooManyBytes {
            images,
            side,
            bytes,
            limit: MAX_BYTES,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_limit_is_8_gib() {
        assert!(check_size(8 << 10, 1, 1024).is_ok());
        let error = check_size((8 << 10) + 1, 1, 1024).unwrap_err();
        assert!(error.to_string().contains("8590983168 bytes"), "{error}");
        assert!(error.hint().unwrap().contains("smaller image size"));
        assert!(check_size(usize::MAX, 3, 4096).is_err());
    }
}
