//! Storage of a set's images during training.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::DynamicImage;

use crate::decode::{ImageError, ImageOpener};
use crate::error::DataError;
use crate::packed::PackedImages;
use crate::unreadable::Unreadable;

/// Images packed in memory, or files that are opened on demand.
///
/// Clones share the images.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ImageStore {
    /// In memory, at the model's input size.
    Packed(Arc<PackedImages>),
    /// Files of any size, reopened in every epoch: for sets larger than memory, and for crops of
    /// images at full resolution.
    Files(Arc<ImageFiles>),
}

/// Image files with their labels.
#[derive(Clone, Debug)]
pub struct ImageFiles {
    paths: Vec<PathBuf>,
    labels: Vec<u32>,
    opener: ImageOpener,
    unreadable: Unreadable,
}

impl ImageFiles {
    /// Creates a store of files with one label each; no file is opened yet.
    ///
    /// # Errors
    /// [`DataError::FileLabels`] if the number of labels differs from the number of files.
    pub fn new(paths: Vec<PathBuf>, labels: Vec<u32>) -> Result<Self, DataError> {
        if paths.len() != labels.len() {
            return Err(DataError::FileLabels {
                files: paths.len(),
                labels: labels.len(),
            });
        }
        Ok(Self {
            opener: ImageOpener::default(),
            unreadable: Unreadable::few(paths.len()),
            paths,
            labels,
        })
    }

    /// Creates a store for one part of a set; the parts share the count of unreadable images.
    /// `paths` and `labels` have the same length.
    pub(crate) fn sharing(
        paths: Vec<PathBuf>,
        labels: Vec<u32>,
        opener: &ImageOpener,
        unreadable: &Unreadable,
    ) -> Self {
        Self {
            paths,
            labels,
            opener: opener.clone(),
            unreadable: unreadable.clone(),
        }
    }

    /// Returns the files, in order.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Returns the files found to be unreadable so far.
    pub fn unreadable(&self) -> &Unreadable {
        &self.unreadable
    }

    /// Opens an image as stored in its file, like [`ImageOpener::open`].
    ///
    /// # Errors
    /// [`ImageError`], which names the file and the problem.
    ///
    /// # Panics
    /// If `index` is out of range.
    pub fn open(&self, index: usize) -> Result<DynamicImage, ImageError> {
        self.open_with(index, |image| image)
    }

    /// Opens an image and passes it to a function, like [`ImageOpener::open_with`].
    pub(crate) fn open_with<T>(
        &self,
        index: usize,
        make: impl FnOnce(DynamicImage) -> T,
    ) -> Result<T, ImageError> {
        self.opener.open_with(&self.paths[index], make)
    }
}

impl ImageStore {
    /// Returns the number of images.
    pub fn len(&self) -> usize {
        self.labels().len()
    }

    /// Returns whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels().is_empty()
    }

    /// Returns the images in memory; `None` if they are in files.
    pub fn packed(&self) -> Option<&PackedImages> {
        match self {
            Self::Packed(images) => Some(images),
            Self::Files(_) => None,
        }
    }

    /// Returns the class of every image, an index into the data set's class names.
    pub fn labels(&self) -> &[u32] {
        match self {
            Self::Packed(images) => images.labels(),
            Self::Files(files) => &files.labels,
        }
    }

    /// Returns the class of one image.
    ///
    /// # Panics
    /// If `index` is not below [`ImageStore::len`].
    pub fn label(&self, index: usize) -> usize {
        self.labels()[index] as usize
    }

    /// Returns the file of one image. `None` if the data set packs many images into one file, as
    /// MNIST does, or if `index` is out of range.
    pub fn path(&self, index: usize) -> Option<&Path> {
        match self {
            Self::Packed(images) => images.path(index),
            Self::Files(files) => files.paths.get(index).map(PathBuf::as_path),
        }
    }

    /// Returns one decoded image: as packed, or as stored in its file.
    ///
    /// # Errors
    /// [`ImageError`] if its file cannot be opened.
    ///
    /// # Panics
    /// If `index` is not below [`ImageStore::len`].
    pub fn image(&self, index: usize) -> Result<DynamicImage, ImageError> {
        match self {
            Self::Packed(images) => Ok(images.image(index)),
            Self::Files(files) => files.open(index),
        }
    }
}

impl From<PackedImages> for ImageStore {
    fn from(images: PackedImages) -> Self {
        Self::Packed(Arc::new(images))
    }
}

impl From<ImageFiles> for ImageStore {
    fn from(files: ImageFiles) -> Self {
        Self::Files(Arc::new(files))
    }
}

impl From<Arc<PackedImages>> for ImageStore {
    fn from(images: Arc<PackedImages>) -> Self {
        Self::Packed(images)
    }
}

impl From<Arc<ImageFiles>> for ImageStore {
    fn from(files: Arc<ImageFiles>) -> Self {
        Self::Files(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_label() {
        let paths = vec!["a.png".into(), "b.png".into()];
        let files = ImageFiles::new(paths.clone(), vec![3, 4]).unwrap();
        let store = ImageStore::from(Arc::new(files));
        assert_eq!((store.len(), store.label(1)), (2, 4));
        assert!(!store.is_empty());
        assert_eq!(store.path(1), Some(Path::new("b.png")));
        assert_eq!(store.path(2), None);
        assert!(matches!(store.image(0), Err(ImageError::Missing { .. })));
        let error = ImageFiles::new(paths, vec![3]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "2 image files have 1 labels: expected one each"
        );
    }
}
