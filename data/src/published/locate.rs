//! Search for the files of a published data set.

use std::path::{Path, PathBuf};

use super::{Names, PublishedSet};
use crate::error::PublishedError;

/// A folder searched for a data set's files.
pub(super) struct SearchedFolder {
    pub folder: PathBuf,
    /// Path of each of the set's files that exists, in order.
    pub files: Vec<Option<PathBuf>>,
}

impl SearchedFolder {
    fn of(set: &PublishedSet<'_>, folder: PathBuf) -> Self {
        let files = set.files.iter().map(|names| find(&folder, names)).collect();
        Self { folder, files }
    }

    /// Returns the number of files found.
    pub fn count(&self) -> usize {
        self.files.iter().flatten().count()
    }

    /// Returns the usual names of the missing files.
    pub fn missing(&self, set: &PublishedSet<'_>) -> Vec<String> {
        let files = set.files.iter().zip(&self.files);
        files
            .filter(|(_, found)| found.is_none())
            .map(|(names, _)| usual_name(names))
            .collect()
    }
}

/// Returns the subfolders of a folder that may hold a set, then the folder itself.
///
/// Subfolders come first, since MNIST and Fashion-MNIST use the same file names.
pub(super) fn places(set: &PublishedSet<'_>, base: &Path) -> Vec<SearchedFolder> {
    let subfolders = set.subfolders.iter().map(|subfolder| base.join(subfolder));
    subfolders
        .chain([base.to_owned()])
        .map(|folder| SearchedFolder::of(set, folder))
        .collect()
}

/// Returns the folder with the most of a set's files; the first one wins a tie.
pub(super) fn fullest(places: Vec<SearchedFolder>) -> Option<SearchedFolder> {
    places.into_iter().reduce(|best, place| {
        if place.count() > best.count() {
            place
        } else {
            best
        }
    })
}

/// Finds all files of a data set in one folder: a folder of `searched`, or one of its subfolders.
pub(super) fn locate(
    set: &PublishedSet<'_>,
    searched: &[PathBuf],
) -> Result<Vec<PathBuf>, PublishedError> {
    let places: Vec<SearchedFolder> = searched.iter().flat_map(|base| places(set, base)).collect();
    for place in &places {
        if let Some(found) = place.files.iter().cloned().collect() {
            return Ok(found);
        }
    }
    let place = fullest(places).ok_or(PublishedError::NoFolder)?;
    Err(PublishedError::MissingFiles {
        name: set.name.to_owned(),
        files: place.missing(set),
        folders: searched.to_vec(),
        subfolders: set.subfolders.iter().map(ToString::to_string).collect(),
        place: place.folder,
    })
}

fn find(folder: &Path, names: Names<'_>) -> Option<PathBuf> {
    names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

fn usual_name(names: Names<'_>) -> String {
    names.first().copied().unwrap_or_default().to_owned()
}
