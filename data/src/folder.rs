//! A folder of class folders of pictures.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::error::DataError;
use crate::picture::PictureError;
use crate::pictures::Pictures;
use crate::preprocessing::Preprocessing;
use crate::set::{DataSet, check_size, preparation};
use crate::source::{LoadOptions, Storage};
use crate::split::split;
use crate::store::PictureFiles;

const EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "bmp"];
const CHANNELS: usize = 3;
const DEFAULT_SIDE: usize = 64;
/// The part of each class that is for the test where no folder says which pictures are.
const TEST_FRACTION: f64 = 0.1;
/// How many pictures, evenly spread over the classes, are opened for mean and standard deviation
/// of a set that stays in its files; the mean of so many is right to about a brightness step.
const STATISTICS_SAMPLE: usize = 2000;

/// Loads a set `name` of pictures of `[3, side, side]`.
pub(crate) fn load(
    path: &Path,
    name: String,
    options: &LoadOptions<'_>,
) -> Result<DataSet, DataError> {
    let side = options.image_size.unwrap_or(DEFAULT_SIDE);
    let preparation = preparation(CHANNELS, side)?;
    let Listing {
        class_names,
        train,
        test,
    } = list(path, options.seed)?;
    let shape = [CHANNELS, side, side];
    let labels = |files: &[PictureFile]| files.iter().map(|file| file.label).collect::<Vec<_>>();

    if options.storage == Storage::Files {
        let step = train.len().div_ceil(STATISTICS_SAMPLE);
        let sample: Vec<&Path> = train.iter().step_by(step).map(PictureFile::path).collect();
        check_size(sample.len(), CHANNELS, side)?;
        let pixels = prepare(&sample, &preparation, options)?;
        let sample = Pictures::new(shape, pixels, vec![0; sample.len()])?;
        let files = |files: Vec<PictureFile>| {
            let labels = labels(&files);
            PictureFiles::new(files.into_iter().map(|file| file.path).collect(), labels)
        };
        return DataSet::of_files(name, class_names, [files(train)?, files(test)?], &sample);
    }

    let total = train.len() + test.len();
    check_size(total, CHANNELS, side)?;
    let files: Vec<&Path> = train.iter().chain(&test).map(PictureFile::path).collect();
    let mut train_pixels = prepare(&files, &preparation, options)?;
    let test_pixels = train_pixels.split_off(train.len() * CHANNELS * side * side);
    DataSet::new(
        name,
        class_names,
        Pictures::new(shape, train_pixels, labels(&train))?,
        Pictures::new(shape, test_pixels, labels(&test))?,
    )
}

/// The picture files of a folder, by part.
struct Listing {
    class_names: Vec<String>,
    train: Vec<PictureFile>,
    test: Vec<PictureFile>,
}

struct PictureFile {
    path: PathBuf,
    label: u32,
}

impl PictureFile {
    fn path(&self) -> &Path {
        &self.path
    }
}

fn list(path: &Path, seed: u64) -> Result<Listing, DataError> {
    if !path.is_dir() {
        return Err(DataError::NotAFolder {
            path: path.to_owned(),
        });
    }
    let (train_path, test_path) = parts(path)?;
    let classes = classes(&train_path)?;
    if let [only] = classes.as_slice() {
        return Err(DataError::OneClass {
            path: train_path,
            class: only.name.clone(),
        });
    }
    let class_names: Vec<String> = classes.iter().map(|class| class.name.clone()).collect();
    let (train, test) = match test_path {
        Some(test_path) => {
            let test = self::classes(&test_path)?;
            let unknown = test.iter().find(|class| !class_names.contains(&class.name));
            if let Some(class) = unknown {
                return Err(DataError::UnknownTestClass {
                    path: class.path.clone(),
                    class: class.name.clone(),
                    train: train_path,
                });
            }
            (files(classes, &class_names), files(test, &class_names))
        }
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
        test,
    })
}

/// The folder of training classes, and that of test classes if there is one.
fn parts(path: &Path) -> Result<(PathBuf, Option<PathBuf>), DataError> {
    let (train, test, val) = (path.join("train"), path.join("test"), path.join("val"));
    let test = [test, val].into_iter().find(|folder| folder.is_dir());
    // A class may be called `train` too: then its folder holds pictures, not folders.
    let is_part = train.is_dir() && (test.is_some() || !folders(&train)?.is_empty());
    Ok(if is_part {
        (train, test)
    } else {
        (path.to_owned(), None)
    })
}

/// A class folder and its picture files, sorted by name.
struct Class {
    name: String,
    path: PathBuf,
    files: Vec<PathBuf>,
}

/// The class folders of a folder, sorted by name; none of them is empty.
fn classes(path: &Path) -> Result<Vec<Class>, DataError> {
    let folders = folders(path)?;
    if folders.is_empty() {
        return Err(DataError::NoClassFolders {
            path: path.to_owned(),
        });
    }
    folders
        .into_iter()
        .map(|path| {
            let files: Vec<PathBuf> = entries(&path)?
                .into_iter()
                .filter(|file| is_picture_name(file) && !file.is_dir())
                .collect();
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

/// Opens and prepares every file, in parallel: `[file, channels, side, side]`.
fn prepare(
    files: &[&Path],
    preparation: &Preprocessing,
    options: &LoadOptions<'_>,
) -> Result<Vec<u8>, DataError> {
    let size = preparation.shape().iter().product();
    let mut pixels = vec![0; files.len() * size];
    let done = AtomicUsize::new(0);
    let errors: Vec<PictureError> = pixels
        .par_chunks_exact_mut(size)
        .zip(files)
        .filter_map(|(pixels, path)| {
            let prepared = preparation.prepare_file(path);
            options.report(done.fetch_add(1, Ordering::Relaxed) + 1, files.len());
            prepared
                .map(|prepared| pixels.copy_from_slice(&prepared))
                .err()
        })
        .collect();
    let count = errors.len();
    match errors.into_iter().next() {
        Some(first) => Err(DataError::UnreadablePictures {
            count,
            total: files.len(),
            first: Box::new(first),
        }),
        None => Ok(pixels),
    }
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = entries(path)?;
    Ok(entries.into_iter().filter(|entry| entry.is_dir()).collect())
}

/// What a folder holds, sorted, without hidden entries.
fn entries(path: &Path) -> Result<Vec<PathBuf>, DataError> {
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

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn is_picture_name(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.contains(&extension.to_lowercase().as_str()))
}
