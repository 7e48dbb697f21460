//! Which pictures a folder of class folders holds, by part.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::parts::Parts;
use super::passed_over::PassedOver;
use crate::error::DataError;
use crate::split::split;

const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "jfif", "webp", "bmp"];
/// The part of each class that is for the test where no folder says which pictures are.
const TEST_FRACTION: f64 = 0.1;

/// The picture files of a folder, by part.
pub(super) struct Listing {
    pub class_names: Vec<String>,
    pub train: Vec<PictureFile>,
    /// Where a folder says which.
    pub validation: Option<Vec<PictureFile>>,
    pub test: Vec<PictureFile>,
    /// What else is in the class folders.
    pub passed_over: PassedOver,
}

#[derive(Clone, Debug)]
pub(super) struct PictureFile {
    pub path: PathBuf,
    pub label: u32,
}

/// Lists the pictures of a folder; `seed` decides which are for the test where no folder does.
pub(super) fn list(path: &Path, seed: u64) -> Result<Listing, DataError> {
    if !path.is_dir() {
        return Err(DataError::NotAFolder {
            path: path.to_owned(),
        });
    }
    let parts = Parts::of(path)?;
    let mut passed_over = PassedOver::default();
    let classes = classes(&parts.train, &mut passed_over)?;
    if let [only] = classes.as_slice() {
        return Err(DataError::OneClass {
            path: parts.train,
            class: only.name.clone(),
        });
    }
    let class_names: Vec<String> = classes.iter().map(|class| class.name.clone()).collect();
    let mut held_back = |path| held_back(path, &class_names, &parts.train, &mut passed_over);
    let validation = parts.validation.as_deref().map(&mut held_back);
    let validation = validation.transpose()?;
    let (train, test) = match &parts.test {
        Some(test) => (files(classes, &class_names), held_back(test)?),
        None => {
            if let Some(class) = classes.iter().find(|class| class.files.len() < 2) {
                return Err(DataError::SinglePicture {
                    path: class.path.clone(),
                });
            }
            split_off_test(files(classes, &class_names), seed)?
        }
    };
    Ok(Listing {
        class_names,
        train,
        validation,
        test,
        passed_over,
    })
}

/// The pictures of a folder of classes that are not for training, of which training has all.
fn held_back(
    path: &Path,
    class_names: &[String],
    train: &Path,
    passed_over: &mut PassedOver,
) -> Result<Vec<PictureFile>, DataError> {
    let classes = classes(path, passed_over)?;
    let unknown = classes
        .iter()
        .find(|class| !class_names.contains(&class.name));
    match unknown {
        Some(class) => Err(DataError::UnknownTestClass {
            path: class.path.clone(),
            class: class.name.clone(),
            train: train.to_owned(),
        }),
        None => Ok(files(classes, class_names)),
    }
}

/// A class folder and its picture files, sorted by name.
struct Class {
    name: String,
    path: PathBuf,
    files: Vec<PathBuf>,
}

/// The class folders of a folder, sorted by name; none of them is empty.
fn classes(path: &Path, passed_over: &mut PassedOver) -> Result<Vec<Class>, DataError> {
    let folders = folders(path)?;
    if folders.is_empty() {
        return Err(DataError::NoClassFolders {
            path: path.to_owned(),
        });
    }
    folders
        .into_iter()
        .map(|path| {
            let (files, others): (Vec<PathBuf>, Vec<PathBuf>) = entries(&path)?
                .into_iter()
                .partition(|file| is_picture_name(file) && may_be_file(file));
            others.iter().for_each(|other| passed_over.add(other));
            if files.is_empty() {
                return Err(DataError::EmptyClass { path });
            }
            Ok(Class {
                name: name_of(&path),
                path,
                files,
            })
        })
        .collect()
}

/// The picture files of some classes with their labels, class by class.
fn files(classes: Vec<Class>, class_names: &[String]) -> Vec<PictureFile> {
    let label = |class: &Class| class_names.iter().position(|name| *name == class.name);
    classes
        .into_iter()
        .filter_map(|class| Some((label(&class)? as u32, class.files)))
        .flat_map(|(label, files)| {
            files
                .into_iter()
                .map(move |path| PictureFile { path, label })
        })
        .collect()
}

/// Whether a folder says which pictures are for the test.
pub(super) fn has_test_part(path: &Path) -> Result<bool, DataError> {
    Ok(Parts::of(path)?.test.is_some())
}

fn split_off_test(
    files: Vec<PictureFile>,
    seed: u64,
) -> Result<(Vec<PictureFile>, Vec<PictureFile>), DataError> {
    let labels: Vec<u32> = files.iter().map(|file| file.label).collect();
    let (_, test_indices) = split(&labels, TEST_FRACTION, seed)?;
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (index, file) in files.into_iter().enumerate() {
        // The indices are ascending.
        match test_indices.binary_search(&index) {
            Ok(_) => test.push(file),
            Err(_) => train.push(file),
        }
    }
    Ok((train, test))
}

pub(super) fn folders(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = entries(path)?;
    Ok(entries.into_iter().filter(|entry| entry.is_dir()).collect())
}

/// What a folder holds, sorted, without hidden entries.
pub(super) fn entries(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut entries = fs::read_dir(path)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(|source| DataError::Read {
            path: path.to_owned(),
            source,
        })?;
    entries.retain(|entry| !name_of(entry).starts_with('.'));
    entries.sort();
    Ok(entries)
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Whether a path names a file, or nothing that can be looked at: that is found when it is opened.
fn may_be_file(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}

fn is_picture_name(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.contains(&extension.to_lowercase().as_str()))
}
