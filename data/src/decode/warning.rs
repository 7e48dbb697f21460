//! Images that are decoded although their files are damaged.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Damage of a file whose image was decoded nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// All pixels are present, but the file ends too early.
    NoEnd,
    /// All pixels are present, but the file's header declares another size.
    WrongSize,
    /// All pixels are present, but a checksum of the file does not match.
    Checksum,
    /// The data of some pixels is damaged or missing, as far as the format can detect it.
    DamagedPixels,
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoEnd => "its file is incomplete (all pixels are present)",
            Self::WrongSize => "its header states a wrong size (all pixels are present)",
            Self::Checksum => "a checksum does not match (all pixels are present)",
            Self::DamagedPixels => "its data is damaged (some pixels may be wrong)",
        })
    }
}

/// Images that were decoded although their files are damaged; clones share the list.
///
/// For a set in memory, the list is complete after loading. For a set that stays in its files, it
/// grows as files are opened.
#[derive(Clone, Debug, Default)]
pub struct FlawedImages(Arc<Mutex<BTreeMap<PathBuf, Flaw>>>);

impl FlawedImages {
    /// Returns the number of images found.
    pub fn count(&self) -> usize {
        self.found().len()
    }

    /// Returns the images found so far, by path.
    pub fn list(&self) -> Vec<(PathBuf, Flaw)> {
        let found = self.found();
        found
            .iter()
            .map(|(path, &flaw)| (path.clone(), flaw))
            .collect()
    }

    pub(super) fn add(&self, path: &Path, flaw: Flaw) {
        self.found().insert(path.to_owned(), flaw);
    }

    fn found(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Flaw>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
