//! A loaded data set.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::error::DataError;
use crate::pictures::Pictures;
use crate::preprocessing::{Preprocessing, PreprocessingError};
use crate::source::LoadOptions;

/// The most bytes of packed pictures that a data set may need: 8 GiB.
const MAX_BYTES: u64 = 8 << 30;

/// A data set in memory: classes, training and test pictures of one size, and how they were
/// prepared.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// The source's text, such as `cifar10`.
    pub name: String,
    /// The name of each class; labels are indices into it.
    pub class_names: Vec<String>,
    /// The pictures to train on (and to split validation pictures off).
    pub train: Arc<Pictures>,
    /// The pictures to test on.
    pub test: Arc<Pictures>,
    /// How any other picture is prepared for a model trained on this set; mean and standard
    /// deviation are those of the training pictures.
    pub preprocessing: Preprocessing,
}

impl DataSet {
    /// Puts a set together. Every label must be below `class_names.len()`.
    ///
    /// # Errors
    /// [`DataError`] if training and test pictures differ in size, or have a size that
    /// preprocessing does not know.
    pub(crate) fn new(
        name: String,
        class_names: Vec<String>,
        train: Pictures,
        test: Pictures,
    ) -> Result<Self, DataError> {
        let shape = train.shape();
        if shape != test.shape() {
            return Err(DataError::ShapesDiffer {
                name,
                train: shape,
                test: test.shape(),
            });
        }
        let (mean, std) = train.statistics();
        let [_, height, width] = shape;
        let preprocessing = Preprocessing::new(shape, height.max(width), mean, std)?;
        Ok(Self {
            name,
            class_names,
            train: Arc::new(train),
            test: Arc::new(test),
            preprocessing,
        })
    }

    /// The same set with every picture brought to the image size asked for.
    pub(crate) fn resized(self, options: &LoadOptions<'_>) -> Result<Self, DataError> {
        let total = self.train.len() + self.test.len();
        let [channels, height, width] = self.train.shape();
        let side = options.image_size.unwrap_or(height.max(width));
        if options.image_size.is_none() || (height, width) == (side, side) {
            options.report(total, total);
            return Ok(self);
        }
        check_size(total, channels, side)?;
        let prepare = preparation(channels, side)?;
        let done = AtomicUsize::new(0);
        let resize = |pictures: &Pictures| -> Result<Pictures, DataError> {
            let mut pixels = vec![0; pictures.len() * channels * side * side];
            pixels
                .par_chunks_exact_mut(channels * side * side)
                .enumerate()
                .try_for_each(|(index, pixels)| {
                    pixels.copy_from_slice(&prepare.prepare_bytes(&pictures.image(index))?);
                    options.report(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                    Ok::<(), PreprocessingError>(())
                })?;
            Pictures::new([channels, side, side], pixels, pictures.labels().to_vec())
        };
        let (train, test) = (resize(&self.train)?, resize(&self.test)?);
        Self::new(self.name, self.class_names, train, test)
    }
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
pub(crate) fn check_size(pictures: usize, channels: usize, side: usize) -> Result<(), DataError> {
    let bytes = [channels, side, side]
        .into_iter()
        .fold(pictures as u64, |product, size| {
            product.saturating_mul(size as u64)
        });
    if bytes > MAX_BYTES {
        return Err(DataError::TooManyBytes {
            pictures,
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
