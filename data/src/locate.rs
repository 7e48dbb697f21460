//! Where the files of a published data set lie.

use std::path::{Path, PathBuf};

use crate::error::DataError;

/// The names one file may have, the usual one first.
pub(crate) type Names = Vec<String>;

/// Finds every file of a data set in one folder: a subfolder of `data_dir`, or `data_dir` itself.
///
/// Subfolders come first, since MNIST and Fashion-MNIST give their files the same names. Without
/// `data_dir` the user's own is taken: `resnet` in the cache folder of the system.
pub(crate) fn locate(
    name: &'static str,
    data_dir: Option<&Path>,
    subfolders: &[&str],
    files: &[Names],
) -> Result<Vec<PathBuf>, DataError> {
    let data_dir = match data_dir {
        Some(folder) => folder.to_owned(),
        None => dirs::cache_dir()
            .ok_or(DataError::NoDataFolder)?
            .join("resnet"),
    };
    let folders: Vec<PathBuf> = subfolders
        .iter()
        .map(|subfolder| data_dir.join(subfolder))
        .chain([data_dir.clone()])
        .collect();

    let mut missing: Vec<String> = files.iter().map(usual_name).collect();
    for folder in &folders {
        let found: Vec<Option<PathBuf>> = files.iter().map(|names| find(folder, names)).collect();
        if let Some(found) = found.iter().cloned().collect() {
            return Ok(found);
        }
        let absent: Vec<String> = files
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
    Err(DataError::MissingFiles {
        name,
        files: missing,
        folders,
    })
}

fn find(folder: &Path, names: &Names) -> Option<PathBuf> {
    names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

fn usual_name(names: &Names) -> String {
    names.first().cloned().unwrap_or_default()
}
