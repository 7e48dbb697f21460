//! Finding the files of a published data set.

use std::path::{Path, PathBuf};

use super::{Names, PublishedError, PublishedSet};

/// Finds every file of a data set in one folder: a subfolder of one of `searched`, or one of these
/// itself.
///
/// Subfolders come first, since MNIST and Fashion-MNIST give their files the same names.
pub(super) fn locate(
    set: &PublishedSet<'_>,
    searched: &[PathBuf],
) -> Result<Vec<PathBuf>, PublishedError> {
    let mut missing: Vec<String> = set.files.iter().map(|names| usual_name(names)).collect();
    let folders = searched.iter().flat_map(|folder| {
        let subfolders = set
            .subfolders
            .iter()
            .map(|subfolder| folder.join(subfolder));
        subfolders.chain([folder.clone()])
    });
    for folder in folders {
        let found: Vec<Option<PathBuf>> =
            set.files.iter().map(|names| find(&folder, names)).collect();
        if let Some(found) = found.iter().cloned().collect() {
            return Ok(found);
        }
        let absent: Vec<String> = set
            .files
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none())
            .map(|(names, _)| usual_name(names))
            .collect();
        // Of a folder that holds some of the files, only the others are worth naming.
        if absent.len() < missing.len() {
            missing = absent;
        }
    }
    Err(PublishedError::MissingFiles {
        name: set.name.to_owned(),
        files: missing,
        folders: searched.to_vec(),
        subfolders: set.subfolders.iter().map(ToString::to_string).collect(),
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
