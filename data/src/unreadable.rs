//! Images that cannot be read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::decode::ImageError;
use crate::error::DataError;

/// One in this many images of a set may be unreadable.
const ONE_IN: usize = 100;

/// Images of a set found to be unreadable so far; clones share them.
///
/// For a set in memory, the list is complete after loading. For a set in files, it grows as files
/// are opened, anew in every process.
#[derive(Clone, Debug)]
pub struct Unreadable {
    total: usize,
    most: usize,
    found: Arc<Mutex<BTreeMap<PathBuf, Arc<ImageError>>>>,
}

impl Unreadable {
    /// Creates the list for a set of `total` images, of which one in a hundred may be unreadable.
    pub(crate) fn few(total: usize) -> Self {
        Self {
            total,
            most: total / ONE_IN,
            found: Arc::default(),
        }
    }

    /// Creates the list for a set of `total` images, of which any number may be unreadable.
    pub(crate) fn any_number(total: usize) -> Self {
        Self {
            most: total,
            ..Self::few(total)
        }
    }

    /// Returns the number of images in the set, readable or not.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Returns the number of unreadable images found.
    pub fn count(&self) -> usize {
        self.found().len()
    }

    /// Returns the path and the error of each unreadable image.
    pub fn list(&self) -> Vec<(PathBuf, Arc<ImageError>)> {
        let found = self.found();
        let entries = found.iter();
        entries
            .map(|(path, error)| (path.clone(), Arc::clone(error)))
            .collect()
    }

    /// Returns whether an image was found to be unreadable.
    pub fn contains(&self, path: &Path) -> bool {
        self.found().contains_key(path)
    }

    pub(crate) fn add(&self, path: &Path, error: ImageError) {
        self.found()
            .entry(path.to_owned())
            .or_insert_with(|| Arc::new(error));
    }

    /// Returns an error if there are more than the set may have.
    pub(crate) fn check(&self) -> Result<(), DataError> {
        match self.count() > self.most {
            true => self.too_many(),
            false => Ok(()),
        }
    }

    /// Returns the error for a set with too few readable images.
    pub(crate) fn too_many<T>(&self) -> Result<T, DataError> {
        let found = self.found();
        let Some(first) = found.values().next() else {
            return Err(DataError::Empty);
        };
        Err(DataError::UnreadableImages {
            count: found.len(),
            total: self.total,
            first: Arc::clone(first),
        })
    }

    fn found(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Arc<ImageError>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
