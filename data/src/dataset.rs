//! Some of the images of a set.

use image::DynamicImage;

use crate::error::DataError;
use crate::store::{ImageFiles, ImageStore};

/// Some of the images of a set, in an order of their own.
#[derive(Clone, Debug)]
pub struct ImageDataset {
    store: ImageStore,
    indices: Vec<usize>,
    /// Whether what cannot be read is blank, and not another image.
    is_scored: bool,
}

impl ImageDataset {
    /// The images at `indices`, in that order.
    ///
    /// # Errors
    /// [`DataError::IndexOutOfRange`] if an index names no image.
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

    /// All images, in their order.
    pub fn all(store: impl Into<ImageStore>) -> Self {
        let store = store.into();
        let indices = (0..store.len()).collect();
        Self {
            store,
            indices,
            is_scored: false,
        }
    }

    /// The same images to score a network on: what cannot be read is blank in a batch, where
    /// training has another image of its class, so that it can be left out by
    /// [`ImageDataset::is_readable`].
    #[must_use]
    pub fn for_scoring(self) -> Self {
        Self {
            is_scored: true,
            ..self
        }
    }

    /// Whether the `item`-th image is not one that was found unreadable.
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

    /// The images that this is a part of.
    pub fn store(&self) -> &ImageStore {
        &self.store
    }

    /// The place of each image in [`ImageDataset::store`].
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The image of a file, the `item`-th of this part, or, where it cannot be read, of the next
    /// of its class that can, after the last the first, or a blank one to score. So what comes
    /// depends on the files alone. What `make` makes of it is returned, once the memory of the
    /// image itself is free.
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

    /// The images from `start` to before `end`, as far as there are any.
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
    fn a_dataset_is_a_part_in_order() {
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
    fn what_cannot_be_read_is_blank_where_it_is_scored_and_known_to_be() {
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
