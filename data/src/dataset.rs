//! Subsets of a data set's images.

use image::DynamicImage;

use crate::error::DataError;
use crate::store::{ImageFiles, ImageStore};

/// A subset of the images of a set, in its own order.
#[derive(Clone, Debug)]
pub struct ImageDataset {
    store: ImageStore,
    indices: Vec<usize>,
    /// Whether unreadable images become blank, instead of being replaced by another image.
    is_scored: bool,
}

impl ImageDataset {
    /// Creates a subset of the images at `indices`, in that order.
    ///
    /// # Errors
    /// [`DataError::IndexOutOfRange`] if an index is out of range.
    pub fn new(store: impl Into<ImageStore>, indices: Vec<usize>) -> Result<Self, DataError> {
        let store = store.into();
        let len = store.len();
        match indices.iter().find(|&&index| index >= len) {
            Some(&index) => Err(DataError::IndexOutOfRange { index, len }),
            None => Ok(Self {
                store,
                indices,
                is_scored: false,
            }),
        }
    }

    /// Creates a subset of all images, in order.
    pub fn all(store: impl Into<ImageStore>) -> Self {
        let store = store.into();
        let indices = (0..store.len()).collect();
        Self {
            store,
            indices,
            is_scored: false,
        }
    }

    /// Marks the subset for evaluation. In a batch, unreadable images become blank, so that they
    /// can be skipped with [`ImageDataset::is_readable`]; in training, they are replaced by another
    /// image of their class.
    #[must_use]
    pub fn for_scoring(self) -> Self {
        Self {
            is_scored: true,
            ..self
        }
    }

    /// Returns whether the `item`-th image was not found to be unreadable.
    ///
    /// # Panics
    /// If `item` is not below [`ImageDataset::len`].
    pub fn is_readable(&self, item: usize) -> bool {
        match &self.store {
            ImageStore::Packed(_) => true,
            ImageStore::Files(files) => {
                let path = &files.paths()[self.indices[item]];
                !files.unreadable().contains(path)
            }
        }
    }

    /// Returns the store that contains the images.
    pub fn store(&self) -> &ImageStore {
        &self.store
    }

    /// Returns the index of each image in [`ImageDataset::store`].
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// Returns the number of images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Returns whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Opens the `item`-th image and returns the result of `make`, after freeing the image. An
    /// unreadable image is replaced by the next readable one of its class, wrapping around at the
    /// end, or by a blank one for evaluation. The result thus depends only on the files.
    pub(crate) fn open<T>(
        &self,
        files: &ImageFiles,
        item: usize,
        mut make: impl FnMut(DynamicImage) -> T,
    ) -> Result<T, DataError> {
        let class = self.store.label(self.indices[item]);
        let (before, after) = self.indices.split_at(item);
        for &index in after.iter().chain(before) {
            if self.store.label(index) != class {
                continue;
            }
            match files.open_with(index, &mut make) {
                Ok(made) => return Ok(made),
                Err(error) => files.unreadable().add(&files.paths()[index], error),
            }
            files.unreadable().check()?;
            if self.is_scored {
                return Ok(make(DynamicImage::new_rgb8(1, 1)));
            }
        }
        files.unreadable().too_many()
    }

    /// Returns the images from `start` up to, not including, `end`, clipped to the subset.
    pub fn slice(&self, start: usize, end: usize) -> Self {
        let end = end.min(self.indices.len());
        Self {
            store: self.store.clone(),
            indices: self.indices[start.min(end)..end].to_vec(),
            is_scored: self.is_scored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PackedImages;
    use std::sync::Arc;

    #[test]
    fn dataset_returns_its_part_in_order() {
        let images = PackedImages::new([1, 1, 1], vec![0; 4], vec![7, 8, 9, 6]).unwrap();
        let images = Arc::new(images);
        let dataset = ImageDataset::new(Arc::clone(&images), vec![3, 1]).unwrap();
        assert_eq!((dataset.len(), dataset.indices()), (2, &[3, 1][..]));
        assert_eq!(dataset.slice(1, 9).indices(), [1]);
        assert!(dataset.slice(5, 1).is_empty());
        assert_eq!(
            ImageDataset::all(Arc::clone(&images)).indices(),
            [0, 1, 2, 3]
        );
        assert!(matches!(
            ImageDataset::new(images, vec![0, 4]),
            Err(DataError::IndexOutOfRange { index: 4, len: 4 })
        ));
    }
    #[test]
    fn unreadable_scored_images_are_blank_and_recorded() {
        // One in a hundred may be unreadable.
        let files = ImageFiles::new(vec!["nowhere.png".into(); 100], vec![0; 100]).unwrap();
        let files = Arc::new(files);
        let dataset = ImageDataset::all(Arc::clone(&files)).for_scoring();
        assert!(dataset.is_readable(0), "it was not opened yet");
        let image = dataset.slice(3, 4).open(&files, 0, |image| image).unwrap();
        assert_eq!([image.width(), image.height()], [1, 1]);
        assert!(!dataset.is_readable(0));
        let trained = ImageDataset::all(Arc::clone(&files)).open(&files, 0, |_| ());
        assert!(matches!(
            trained,
            Err(DataError::UnreadableImages { count: 1, .. })
        ));
    }
}
