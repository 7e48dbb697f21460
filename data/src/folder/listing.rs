//! Lists the images of a folder, by part.

use std::path::{Path, PathBuf};

use super::classes::{Class, Classes, classes, is_of_images};
use super::labels;
use super::names::{self, ClassIndex, name_of};
use super::parts::{PartFolders, Role, descend};
use super::tree::{Contents, below, in_words};
use super::unlabeled;
use crate::error::{DataError, quoted};
use crate::passed_over::PassedOver;
use crate::set::Reading;
use crate::split::split;

const EXTENSIONS: &[&str] = &crate::decode::IMAGE_EXTENSIONS;
/// Fraction of each class used as the test part if no folder defines one.
const TEST_FRACTION: f64 = 0.1;

/// The image files of a folder, by part.
#[derive(Debug)]
pub(super) struct Listing {
    pub class_names: Vec<String>,
    pub train: Vec<ImageFile>,
    /// Validation files, if the folder or the table defines them.
    pub validation: Option<Vec<ImageFile>>,
    pub test: Vec<ImageFile>,
    /// Whether the seed decides which images are test images.
    pub test_is_split_off: bool,
    /// Other content of the class folders.
    pub passed_over: PassedOver,
    /// How the folder was interpreted.
    pub reading: Reading,
}

#[derive(Clone, Debug)]
pub(super) struct ImageFile {
    pub path: PathBuf,
    pub label: u32,
}

/// Lists the images of a folder, with labels from its class folders or from the table `labels`.
/// `seed` selects the test images if nothing else does.
pub(super) fn list(path: &Path, labels: Option<&Path>, seed: u64) -> Result<Listing, DataError> {
    if !path.is_dir() {
        return Err(DataError::NotAFolder {
            path: path.to_owned(),
        });
    }
    match labels {
        Some(labels) => labels::list(path, labels, seed),
        None => list_class_folders(path, seed),
    }
}

fn list_class_folders(path: &Path, seed: u64) -> Result<Listing, DataError> {
    let mut reading = Reading::default();
    let mut passed_over = PassedOver::default();
    let parts = find_parts(path, &mut reading)?;
    let is_part = parts.train != path;
    // `train/train`, but not `train/cat`.
    let stays = |name: &str| is_part && Role::of(name).is_some_and(|role| role != Role::Train);
    let train = descend(&parts.train, &stays, &mut reading)?;
    let Classes { classes, empty } = classes(&train, &mut passed_over, &mut reading)?;
    // `images` next to `annotations` is not a class.
    let is_flat = matches!(classes.as_slice(), [only] if is_of_images(&only.path));
    if let Some(path) = empty.into_iter().next().filter(|_| !is_flat) {
        let found = in_words(&path);
        return Err(DataError::EmptyClass { path, found });
    }
    if let [only] = classes.as_slice() {
        return Err(DataError::OneClass {
            class: only.name.clone(),
            found: in_words(&train),
            path: train,
        });
    }
    let class_names: Vec<String> = classes.iter().map(|class| class.name.clone()).collect();
    names::check(&class_names, &train, &mut reading)?;
    let index = ClassIndex::new(&class_names);
    let mut held_out = HeldOut {
        root: path,
        train: &train,
        class_names: &class_names,
        index: &index,
        passed_over: &mut passed_over,
        reading: &mut reading,
    };
    let mut validation = match &parts.validation {
        Some(folder) => held_out.files(folder, Role::Validation)?,
        None => None,
    };
    let mut test = match &parts.test {
        Some(folder) => held_out.files(folder, role_of(folder))?,
        None => None,
    };
    if test.is_none() {
        test = validation.take();
        if test.is_some() {
            reading.note("the validation part is used for the test".to_owned());
        }
    }
    let test_is_split_off = test.is_none();
    let (train, test) = match test {
        Some(test) => (files(classes, |class| index.exact(class)), test),
        None => {
            if let Some(class) = classes.iter().find(|class| class.files.len() < 2) {
                return Err(DataError::SingleImage {
                    path: class.path.clone(),
                });
            }
            let files = files(classes, |class| index.exact(class));
            split_off_test(files, seed)?
        }
    };
    Ok(Listing {
        class_names,
        train,
        validation,
        test,
        test_is_split_off,
        passed_over,
        reading,
    })
}

/// Finds the parts of a folder, which may be nested deeper.
fn find_parts(path: &Path, reading: &mut Reading) -> Result<PartFolders, DataError> {
    let is_part = |name: &str| Role::of(name).is_some();
    let mut root = path.to_owned();
    loop {
        root = descend(&root, &is_part, reading)?;
        let parts = PartFolders::of(&root, reading)?;
        // `train` alone may hold the parts.
        if parts.is_train_alone(&root) {
            let folders = Contents::of(&parts.train)?.folders;
            let roles: Vec<_> = folders
                .iter()
                .map(|path| Role::of(&name_of(path)))
                .collect();
            let has = |role| roles.contains(&Some(role));
            if has(Role::Train) && (has(Role::Validation) || has(Role::Test)) {
                reading.note(format!(
                    "the parts are read from {}",
                    quoted(&below(path, &parts.train))
                ));
                root = parts.train;
                continue;
            }
        }
        return Ok(parts);
    }
}

/// Returns the role of the test folder by its name: it may be `val`.
fn role_of(folder: &Path) -> Role {
    let name = name_of(folder);
    Role::of(&name)
        .or_else(|| Role::of_words(&name))
        .unwrap_or(Role::Test)
}

/// Properties of the training images, used when reading another part.
struct HeldOut<'a> {
    root: &'a Path,
    train: &'a Path,
    class_names: &'a [String],
    index: &'a ClassIndex,
    passed_over: &'a mut PassedOver,
    reading: &'a mut Reading,
}

impl HeldOut<'_> {
    /// Returns the images of a part that is not for training; `None` if they are a test part
    /// without labels.
    fn files(&mut self, path: &Path, role: Role) -> Result<Option<Vec<ImageFile>>, DataError> {
        let is_class = |name: &str| self.index.place(name).is_some();
        let folder = descend(path, &is_class, self.reading)?;
        let with_images = Contents::of(&folder)?.folders_with_images()?;
        let flat = match with_images.as_slice() {
            [] => Some(folder.clone()),
            // `val/images/*.jpg`
            [only] if !is_class(&name_of(only)) => {
                (!Contents::of(only)?.images.is_empty()).then(|| only.clone())
            }
            _ => None,
        };
        if let Some(images) = flat.filter(|flat| has_images(flat)) {
            return self.flat(path, &images, role);
        }
        let Classes { classes, empty } = classes(&folder, self.passed_over, self.reading)?;
        let mut labels: Vec<Option<&Path>> = vec![None; self.class_names.len()];
        for class in &classes {
            let Some(label) = self.index.place(&class.name) else {
                return Err(DataError::UnknownTestClass {
                    path: class.path.clone(),
                    class: class.name.clone(),
                    train: self.train.to_owned(),
                });
            };
            if let Some(other) = labels[label].replace(&class.path) {
                return Err(DataError::ClassName {
                    path: folder.clone(),
                    reason: format!(
                        "{} and {} both stand for the training class {}",
                        quoted(&name_of(other)),
                        quoted(&class.name),
                        quoted(&self.class_names[label])
                    ),
                });
            }
            if self.class_names[label] != class.name {
                self.reading.warnings.push(format!(
                    "{} of {} is read as the class {} of {}",
                    quoted(&class.name),
                    below(self.root, &folder),
                    quoted(&self.class_names[label]),
                    below(self.root, self.train)
                ));
            }
        }
        if classes.is_empty() {
            let found = in_words(&folder);
            return Err(DataError::NoClassFolders {
                path: folder,
                found,
            });
        }
        if !empty.is_empty() {
            let names: Vec<String> = empty
                .iter()
                .take(3)
                .map(|path| quoted(&name_of(path)))
                .collect();
            self.reading.warnings.push(format!(
                "{} of the folders in {} hold no images, the first: {}",
                empty.len(),
                below(self.root, &folder),
                names.join(", ")
            ));
        }
        Ok(Some(files(classes, |class| self.index.place(class))))
    }

    /// Returns the images of a part in one folder, with labels from a table.
    fn flat(
        &mut self,
        part: &Path,
        images: &Path,
        role: Role,
    ) -> Result<Option<Vec<ImageFile>>, DataError> {
        let found = unlabeled::labeled(self.root, part, images, role, self.index)?;
        match (found, role) {
            (Ok(found), _) => {
                self.reading.note(format!(
                    "{} images in {} have their labels from {} of {}",
                    found.files.len(),
                    quoted(&below(self.root, images)),
                    found.column,
                    quoted(&below(self.root, &found.table))
                ));
                if found.missing > 0 {
                    self.reading.warnings.push(format!(
                        "{} images in {} have no label there and are skipped",
                        found.missing,
                        quoted(&below(self.root, images))
                    ));
                }
                Ok(Some(found.files))
            }
            (Err(_), Role::Test) => {
                self.reading.warnings.push(format!(
                    "the images in {} have no labels and are skipped",
                    quoted(&below(self.root, images))
                ));
                Ok(None)
            }
            (Err(reason), _) => Err(DataError::AmbiguousLayout {
                path: images.to_owned(),
                reason: format!("it has neither class folders nor a file with labels{reason}"),
            }),
        }
    }
}

fn has_images(path: &Path) -> bool {
    Contents::of(path).is_ok_and(|contents| !contents.images.is_empty())
}

/// Returns the image files of several classes with their labels, class by class.
fn files(classes: Vec<Class>, label: impl Fn(&str) -> Option<usize>) -> Vec<ImageFile> {
    classes
        .into_iter()
        .filter_map(|class| Some((label(&class.name)? as u32, class.files)))
        .flat_map(|(label, files)| files.into_iter().map(move |path| ImageFile { path, label }))
        .collect()
}

pub(super) fn split_off_test(
    files: Vec<ImageFile>,
    seed: u64,
) -> Result<(Vec<ImageFile>, Vec<ImageFile>), DataError> {
    let labels: Vec<u32> = files.iter().map(|file| file.label).collect();
    let (_, test_indices) = split(&labels, TEST_FRACTION, seed)?;
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (index, file) in files.into_iter().enumerate() {
        // The indices are in ascending order.
        match test_indices.binary_search(&index) {
            Ok(_) => test.push(file),
            Err(_) => train.push(file),
        }
    }
    Ok((train, test))
}

/// Returns whether a path has an image file extension.
pub(super) fn is_image_name(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.contains(&extension.to_lowercase().as_str()))
}
