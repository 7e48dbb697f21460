//! Where the images of a set are while a network learns from them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::DynamicImage;

use crate::decode::{ImageError, ImageOpener};
use crate::error::DataError;
use crate::packed::PackedImages;
use crate::unreadable::Unreadable;

/// Images packed in memory, or files that are opened when they are needed.
///
/// A clone shares the images.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ImageStore {
    /// In memory, already at the network's size.
    Packed(Arc<PackedImages>),
    /// Files of any size, opened anew in every epoch: for sets that are larger than memory, and
    /// for crops of images at their full resolution.
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
    /// Files with one label each; none is opened yet.
    ///
    /// # Errors
    /// [`DataError::FileLabels`] if there is another number of labels than files.
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

    /// Files of a part of a set, whose unreadable images are counted together; `paths` and
    /// `labels` are of one length.
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

    /// The files, in order.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Which files turned out unreadable so far.
    pub fn unreadable(&self) -> &Unreadable {
        &self.unreadable
    }

    /// Opens an image as it is in its file, as [`ImageOpener::open`] does.
    ///
    /// # Errors
    /// [`ImageError`], which names the file and says what is wrong with it.
    ///
    /// # Panics
    /// If `index` names no file.
    pub fn open(&self, index: usize) -> Result<DynamicImage, ImageError> {
        self.open_with(index, |image| image)
    }

    /// Opens an image and makes something of it, as [`ImageOpener::open_with`] does.
    pub(crate) fn open_with<T>(
        &self,
        index: usize,
        make: impl FnOnce(DynamicImage) -> T,
    ) -> Result<T, ImageError> {
        self.opener.open_with(&self.paths[index], make)
    }
}

impl ImageStore {
    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels().len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels().is_empty()
    }

    /// The images in memory; none if they are in files.
    pub fn packed(&self) -> Option<&PackedImages> {
        match self {
            Self::Packed(images) => Some(images),
            Self::Files(_) => None,
        }
    }

    /// The class of every image, an index into the data set's class names.
    pub fn labels(&self) -> &[u32] {
        match self {
            Self::Packed(images) => images.labels(),
            Self::Files(files) => &files.labels,
        }
    }

    /// The class of one image.
    ///
    /// # Panics
    /// If `index` is not below [`ImageStore::len`].
    pub fn label(&self, index: usize) -> usize {
        self.labels()[index] as usize
    }

    /// Returns the file of one image. `None` if the data set packs many images into one file, as
    /// MNIST does, or if there is no such image.
    pub fn path(&self, index: usize) -> Option<&Path> {
        match self {
            Self::Packed(images) => images.path(index),
            Self::Files(files) => files.paths.get(index).map(PathBuf::as_path),
        }
    }

    /// One image, decoded: as it is packed, or as it is in its file.
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
