//! Folders of the parts of a set.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::classes::is_of_a_kind;
use super::names::{listed, name_of};
use super::tree::{Contents, below, with_images};
use crate::error::{DataError, quoted};
use crate::set::Reading;

/// Usual folder names of a part, in lower case.
const TRAIN: [&str; 1] = ["train"];
const VALIDATION: [&str; 3] = ["val", "valid", "validation"];
const TEST: [&str; 1] = ["test"];
/// Other first or last words of the name.
const TRAIN_WORDS: [&str; 3] = ["train", "training", "trainset"];
const VALIDATION_WORDS: [&str; 5] = ["val", "valid", "validation", "dev", "valset"];
const TEST_WORDS: [&str; 3] = ["test", "testing", "testset"];
/// Maximum number of words in such a name.
const WORDS: usize = 3;

/// A part of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Train,
    Validation,
    Test,
}

impl Role {
    /// Returns the usual part for a folder name or a table value.
    pub(super) fn of(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        [
            (Self::Train, &TRAIN[..]),
            (Self::Validation, &VALIDATION),
            (Self::Test, &TEST),
        ]
        .into_iter()
        .find_map(|(role, names)| names.contains(&name.as_str()).then_some(role))
    }

    /// Like [`Role::of`], for names such as `seg_train`, `Training` or `test_set`.
    pub(super) fn of_words(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let words = name.split(|letter: char| !letter.is_alphanumeric());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        if words.len() > WORDS {
            return None;
        }
        let of_word = |word: &&str| {
            [
                (Self::Train, &TRAIN_WORDS[..]),
                (Self::Validation, &VALIDATION_WORDS),
                (Self::Test, &TEST_WORDS),
            ]
            .into_iter()
            .find_map(|(role, names)| names.contains(word).then_some(role))
        };
        words
            .last()
            .and_then(of_word)
            .or_else(|| words.first().and_then(of_word))
    }
}

/// The folders of the parts.
#[derive(Debug)]
pub(super) struct PartFolders {
    pub train: PathBuf,
    pub validation: Option<PathBuf>,
    pub test: Option<PathBuf>,
}

impl PartFolders {
    /// Finds the parts of a folder; without any, the whole folder is for training.
    pub(super) fn of(path: &Path, reading: &mut Reading) -> Result<Self, DataError> {
        let contents = Contents::of(path)?;
        let folders = &contents.folders;
        // Folders with a usual name, and with a usual or another name.
        let [train, validation, test] = [Role::Train, Role::Validation, Role::Test].map(|role| {
            let usual = with_role(folders, Role::of, role);
            let named = match usual.is_empty() {
                true => with_role(folders, Role::of_words, role),
                false => usual.clone(),
            };
            (usual, named)
        });
        let held_out = [validation.1.clone(), test.1.clone()].concat();
        let named = [train.1.clone(), held_out.clone()].concat();
        let others = folders.iter().filter(|folder| !named.contains(folder));
        let others = with_images(&others.cloned().collect::<Vec<_>>())?;
        let has_usual = !train.0.is_empty() && (validation.0.len() + test.0.len() > 0);
        // A class may be called `train` too, but then its folder holds images, not folders.
        let may_have_parts = has_usual
            || any_holds(&train.0, is_of_classes)?
            || !held_out.is_empty() && any_holds(&train.1, is_of_classes_only)?;
        let may_lack_training = !may_have_parts
            && any_holds(
                &[test.0.clone(), validation.0.clone()].concat(),
                is_of_classes_only,
            )?;
        let is_set = match others.is_empty() || !(may_have_parts || may_lack_training) {
            true => true,
            false => is_set_beside(path, [&train.1, &held_out], &others, has_usual)?,
        };
        if may_lack_training && is_set {
            return Err(DataError::NoTrainingFolder {
                path: path.to_owned(),
                found: [test.0, validation.0]
                    .concat()
                    .into_iter()
                    .map(|folder| name_of(folder))
                    .collect(),
            });
        }
        if !may_have_parts || !is_set {
            return Ok(Self {
                train: path.to_owned(),
                validation: None,
                test: None,
            });
        }
        let parts = Self {
            train: only(&train.1)?.unwrap_or_else(|| path.to_owned()),
            validation: only(&validation.1)?,
            test: only(&test.1)?,
        };
        parts.tell(reading);
        tell_others(path, &others, contents.images.len(), reading);
        Ok(parts.with_test())
    }

    /// Reports the interpretation of folders with unusual names.
    fn tell(&self, reading: &mut Reading) {
        let named = [
            ("training", Some(&self.train)),
            ("validation", self.validation.as_ref()),
            ("test", self.test.as_ref()),
        ];
        let unusual = named.into_iter().filter_map(|(role, folder)| {
            let name = name_of(folder?);
            (Role::of(&name).is_none()).then(|| format!("{} as the {role} part", quoted(&name)))
        });
        let unusual: Vec<String> = unusual.collect();
        if !unusual.is_empty() {
            reading.note(format!("read {}", unusual.join(", ")));
        }
    }

    /// Uses `val` as the test part if there is no `test`: ImageNet has this layout, and results for
    /// it are reported on `val`.
    fn with_test(self) -> Self {
        let (validation, test) = match self.test {
            Some(test) => (self.validation, Some(test)),
            None => (None, self.validation),
        };
        Self {
            validation,
            test,
            ..self
        }
    }

    /// Returns whether there is only a training part, with its own folder.
    pub(super) fn is_train_alone(&self, path: &Path) -> bool {
        self.train != path && self.validation.is_none() && self.test.is_none()
    }
}

/// Follows nested folders without other content, down to the last one that does not hold images
/// itself. `stays` returns which names of inner folders have their own meaning.
pub(super) fn descend(
    path: &Path,
    stays: &dyn Fn(&str) -> bool,
    reading: &mut Reading,
) -> Result<PathBuf, DataError> {
    let mut here = path.to_owned();
    for _ in 0..super::tree::DEEPEST {
        let contents = Contents::of(&here)?;
        if !contents.images.is_empty() {
            break;
        }
        let holding = contents.folders_with_images()?;
        let [only] = holding.as_slice() else { break };
        if stays(&name_of(only)) || !Contents::of(only)?.images.is_empty() {
            break;
        }
        here.clone_from(only);
    }
    if here != path {
        reading.note(format!(
            "{} holds images only in {}, which is read instead",
            quoted(&name_of(path)),
            quoted(&below(path, &here))
        ));
    }
    Ok(here)
}

/// Returns whether folders with names of parts are parts, although folders next to them hold images
/// too.
///
/// A class may be called `train` or `bullet_train`. Its subfolders then have the same names as
/// those of the other classes, or `images` and `masks`. Parts of a set have subfolders of the same
/// classes.
fn is_set_beside(
    path: &Path,
    [train, held_out]: [&[&PathBuf]; 2],
    others: &[PathBuf],
    has_usual: bool,
) -> Result<bool, DataError> {
    let of_train = inner_names(train.iter().copied())?;
    let of_held_out = inner_names(held_out.iter().copied())?;
    let of_others = inner_names(others)?;
    let is_class = |name: &&String| !is_of_a_kind(name);
    // `training` next to `train`.
    let [first, ..] = train else {
        let mut names = of_held_out.iter().filter(is_class);
        return Ok(names.any(|name| !of_others.contains(name)));
    };
    let is_second = |other: &&PathBuf| {
        let name = name_of(other).to_lowercase();
        TRAIN_WORDS.contains(&name.as_str())
    };
    if let Some(second) = others.iter().find(is_second)
        && of_train
            .iter()
            .filter(is_class)
            .any(|name| of_others.contains(name))
    {
        return Err(DataError::AmbiguousParts {
            folders: [(*first).clone(), second.clone()],
        });
    }
    if of_train
        .iter()
        .filter(is_class)
        .any(|name| of_held_out.contains(name))
    {
        return Ok(true);
    }
    let mut names = of_train.iter().chain(&of_held_out).filter(is_class);
    match has_usual || names.any(|name| !of_others.contains(name)) {
        true => Err(DataError::AmbiguousLayout {
            path: path.to_owned(),
            reason: format!(
                "{} may be the training part, or a class like {}",
                quoted(&name_of(first)),
                listed(others)
            ),
        }),
        false => Ok(false),
    }
}

/// Returns the names of the folders with images in several folders, descending into a folder that
/// is alone.
fn inner_names<'a>(
    folders: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<BTreeSet<String>, DataError> {
    let mut names = BTreeSet::new();
    for folder in folders {
        let mut here = folder.clone();
        for _ in 0..super::tree::DEEPEST {
            let inner = Contents::of(&here)?.folders_with_images()?;
            names.extend(inner.iter().map(|path| name_of(path)));
            let [only] = inner.as_slice() else { break };
            here.clone_from(only);
        }
    }
    Ok(names)
}

/// Warns of images next to the parts.
fn tell_others(path: &Path, others: &[PathBuf], images: usize, reading: &mut Reading) {
    if !others.is_empty() {
        reading.warnings.push(format!(
            "{} {} images and {} skipped: {} no name of a part",
            listed(others),
            if others.len() == 1 { "holds" } else { "hold" },
            if others.len() == 1 { "is" } else { "are" },
            if others.len() == 1 {
                "it has"
            } else {
                "they have"
            },
        ));
    }
    if images > 0 {
        reading.warnings.push(format!(
            "{} holds {} beside its parts, which belong to no class and are skipped",
            quoted(&name_of(path)),
            match images {
                1 => "1 image".to_owned(),
                count => format!("{count} images"),
            }
        ));
    }
}

/// Returns the folders whose names denote a part.
fn with_role(folders: &[PathBuf], of: fn(&str) -> Option<Role>, role: Role) -> Vec<&PathBuf> {
    let is_it = |folder: &&PathBuf| of(&name_of(folder)) == Some(role);
    folders.iter().filter(is_it).collect()
}

/// Returns the only folder of a part, or an error if there are several.
fn only(folders: &[&PathBuf]) -> Result<Option<PathBuf>, DataError> {
    match folders {
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
    Ok(!Contents::of(path)?.folders.is_empty())
}

fn is_of_classes_only(path: &Path) -> Result<bool, DataError> {
    let contents = Contents::of(path)?;
    Ok(!contents.folders.is_empty() && contents.images.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_names_are_recognized() {
        for (name, role) in [
            ("seg_train", Some(Role::Train)),
            ("Training", Some(Role::Train)),
            ("train_images", Some(Role::Train)),
            ("test_set", Some(Role::Test)),
            ("dev", Some(Role::Validation)),
            ("strain", None),
            ("a_train_in_a_station", None),
        ] {
            assert_eq!(Role::of_words(name), role, "{name}");
        }
        assert_eq!(Role::of("VALID"), Some(Role::Validation));
        assert_eq!(Role::of("training"), None);
    }
}
