//! Images that cannot be read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::decode::ImageError;
use crate::error::DataError;

/// A set may have one unreadable image in so many.
const ONE_IN: usize = 100;

/// The images of a set that turned out unreadable so far; a clone shares them.
///
/// A set in memory knows all of them when it is loaded. One that stays in its files meets them as
/// they are opened, and again in every process.
#[derive(Clone, Debug)]
pub struct Unreadable {
    total: usize,
    most: usize,
    found: Arc<Mutex<BTreeMap<PathBuf, Arc<ImageError>>>>,
}

impl Unreadable {
    /// Of a set of so many images, of which one in a hundred may be unreadable.
    pub(crate) fn few(total: usize) -> Self {
        Self {
            total,
            most: total / ONE_IN,
            found: Arc::default(),
        }
    }

    /// Of a set of so many images, of which any number may be unreadable.
    pub(crate) fn any_number(total: usize) -> Self {
        Self {
            most: total,
            ..Self::few(total)
        }
    }

    /// How many images the set has, readable or not.
    pub fn total(&self) -> usize {
        self.total
    }

    /// How many were found.
    pub fn count(&self) -> usize {
        self.found().len()
    }

    /// What is wrong with each, by path.
    pub fn list(&self) -> Vec<(PathBuf, Arc<ImageError>)> {
        let found = self.found();
        let entries = found.iter();
        entries
            .map(|(path, error)| (path.clone(), Arc::clone(error)))
            .collect()
    }

    /// Whether an image is among them.
    pub fn contains(&self, path: &Path) -> bool {
        self.found().contains_key(path)
    }

    pub(crate) fn add(&self, path: &Path, error: ImageError) {
        self.found()
            .entry(path.to_owned())
            .or_insert_with(|| Arc::new(error));
    }

    /// An error if there are more than the set may have.
    pub(crate) fn check(&self) -> Result<(), DataError> {
        match self.count() > self.most {
            true => self.too_many(),
            false => Ok(()),
        }
    }

    /// The error for a set that those which are found leave too little of.
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
