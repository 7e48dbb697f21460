//! A loaded data set.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use files::Hasher;
use rayon::prelude::*;

use crate::decode::FlawedImages;
use crate::error::DataError;
use crate::folder::{PassedOver, Reading};
use crate::packed::PackedImages;
use crate::preprocessing::{Preprocessing, PreprocessingError};
use crate::source::LoadOptions;
use crate::split::Listed;
use crate::store::ImageStore;
use crate::unreadable::Unreadable;

/// The most bytes of packed images that a data set may need: 8 GiB.
const MAX_BYTES: u64 = 8 << 30;

/// A data set: classes, training and test images, and how they are prepared.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// The source's text, such as `cifar10`.
    pub name: String,
    /// The name of each class; labels are indices into it.
    pub class_names: Vec<String>,
    /// The images to train on (and to split validation images off, where there are none).
    pub train: ImageStore,
    /// The images to choose the best epoch by, where the set says which: those in `val/` of a
    /// folder that has a `test/` too.
    pub validation: Option<ImageStore>,
    /// The images to test on.
    pub test: ImageStore,
    /// How any other image is prepared for a model trained on this set; mean and standard
    /// deviation are those of the training images, or of a part of them if they stay in files.
    pub preprocessing: Preprocessing,
    /// Which images are left out because they cannot be read, or, where images stay in files,
    /// have others of their class in their place in training.
    pub unreadable: Unreadable,
    /// Which images are used although their files are damaged.
    pub flawed: FlawedImages,
    /// What else the class folders of a folder hold.
    pub passed_over: PassedOver,
    /// What the images of a folder were read as, where that needs to be said.
    pub reading: Reading,
    /// The folder that the image files lie in, if they have some; that of an archive is where it was
    /// unpacked.
    pub root: Option<PathBuf>,
    /// Whether the seed of the [`LoadOptions`] decides which images are for the test, because nothing
    /// else does.
    pub test_is_split_off: bool,
    /// A SHA-256 of what the set was made from, before any of it was decoded: of a folder, the sizes
    /// of its image files and the bytes of all of them or, beyond 256 MiB, of an even sample; of
    /// others, their pixels.
    pub content: String,
    /// All images to train on, where some of them are left out.
    pub(crate) listed: Option<Listed>,
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

    /// In the order of the fields.
    pub(crate) fn map<U>(self, mut map: impl FnMut(T) -> U) -> Splits<U> {
        Splits {
            train: map(self.train),
            validation: self.validation.map(&mut map),
            test: map(self.test),
        }
    }
}

impl DataSet {
    /// Puts a set together. Every label must be below `class_names.len()`.
    ///
    /// # Errors
    /// [`DataError`] if training and test images differ in size, or have a size that
    /// preprocessing does not know.
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

    /// As [`DataSet::new`], with every image brought to the image size asked for.
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
        // Images of two sizes would become images of one.
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

/// A SHA-256 of packed images.
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

/// Preprocessing for its size alone: the statistics are not known yet, and not used.
pub(crate) fn preparation(
    channels: usize,
    side: usize,
) -> Result<Preprocessing, PreprocessingError> {
    let (mean, std) = (vec![0.0; channels], vec![1.0; channels]);
    Preprocessing::new([channels, side, side], side, mean, std)
}

/// Refuses what does not fit a machine's memory, before any of it is allocated.
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
    fn the_limit_is_8_gib() {
        assert!(check_size(8 << 10, 1, 1024).is_ok());
        let error = check_size((8 << 10) + 1, 1, 1024).unwrap_err();
        assert!(error.to_string().contains("8590983168 bytes"), "{error}");
        assert!(error.hint().unwrap().contains("smaller image size"));
        assert!(check_size(usize::MAX, 3, 4096).is_err());
    }
}
