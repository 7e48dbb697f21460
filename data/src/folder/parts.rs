//! Which folders hold the parts of a set.

use std::path::{Path, PathBuf};

use super::listing::{entries, folders, name_of};
use crate::error::DataError;

/// What the folder of a part may be called, in lower case.
const TRAIN: [&str; 1] = ["train"];
const VALIDATION: [&str; 3] = ["val", "valid", "validation"];
const TEST: [&str; 1] = ["test"];

/// The folders of classes.
pub(super) struct Parts {
    pub train: PathBuf,
    pub validation: Option<PathBuf>,
    pub test: Option<PathBuf>,
}

impl Parts {
    /// `val` is for the test where there is no `test`: ImageNet and others have it so, and report
    /// what their networks come to on it.
    pub(super) fn of(path: &Path) -> Result<Self, DataError> {
        let folders = folders(path)?;
        let part = |names: &[&str]| -> Vec<&PathBuf> {
            let is_named = |folder: &&PathBuf| {
                let name = name_of(folder).to_lowercase();
                names.contains(&name.as_str())
            };
            folders.iter().filter(is_named).collect()
        };
        let [train, validation, test] = [part(&TRAIN), part(&VALIDATION), part(&TEST)];
        // A class may be called `train` too: then its folder holds pictures, not folders.
        let has_parts = !train.is_empty() && (validation.len() + test.len() > 0)
            || any_holds(&train, is_of_classes)?;
        if !has_parts {
            let held_back = [test, validation].concat();
            return match any_holds(&held_back, is_of_classes_only)? {
                true => Err(DataError::NoTrainingFolder {
                    path: path.to_owned(),
                    found: held_back
                        .into_iter()
                        .map(|folder| name_of(folder))
                        .collect(),
                }),
                false => Ok(Self {
                    train: path.to_owned(),
                    validation: None,
                    test: None,
                }),
            };
        }
        let [train, validation, test] = [only(train)?, only(validation)?, only(test)?];
        let (validation, test) = match test {
            Some(test) => (validation, Some(test)),
            None => (None, validation),
        };
        Ok(Self {
            train: train.unwrap_or_else(|| path.to_owned()),
            validation,
            test,
        })
    }
}

/// The folder of a part, which no other may be too.
fn only(folders: Vec<&PathBuf>) -> Result<Option<PathBuf>, DataError> {
    match folders.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some((*only).clone())),
        [first, second, ..] => Err(DataError::AmbiguousParts {
            folders: [(*first).clone(), (*second).clone()],
        }),
    }
}

fn any_holds(
    folders: &[&PathBuf],
    holds: fn(&Path) -> Result<bool, DataError>,
) -> Result<bool, DataError> {
    for folder in folders {
        if holds(folder)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_of_classes(path: &Path) -> Result<bool, DataError> {
    Ok(!folders(path)?.is_empty())
}

fn is_of_classes_only(path: &Path) -> Result<bool, DataError> {
    let entries = entries(path)?;
    Ok(!entries.is_empty() && entries.iter().all(|entry| entry.is_dir()))
}
