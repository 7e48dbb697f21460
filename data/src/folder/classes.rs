//! The class folders of a folder and their images.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::names::{listed, name_of};
use super::tree::{Contents, all_images, in_words, with_images};
use crate::error::{DataError, quoted};
use crate::passed_over::PassedOver;
use crate::set::Reading;

/// Maximum number of folders between a class folder and its images.
const DEEPEST: usize = 4;
/// Common names, in lower case, of a folder between a class folder and its images.
const OF_IMAGES: [&str; 9] = [
    "images",
    "image",
    "imgs",
    "img",
    "photos",
    "pictures",
    "jpegimages",
    "jpeg",
    "jpg",
];

/// Common names, in lower case, of a sibling folder without images to classify.
const OF_MASKS: [&str; 12] = [
    "masks",
    "mask",
    "labels",
    "label",
    "annotations",
    "annotation",
    "segmentation",
    "segmentations",
    "groundtruth",
    "ground_truth",
    "gt",
    "depth",
];

/// A class folder and its image files, sorted by name.
#[derive(Debug)]
pub(super) struct Class {
    pub name: String,
    pub path: PathBuf,
    pub files: Vec<PathBuf>,
}

/// Location of the images of a class folder.
enum ImageLocation {
    /// In the folder itself, or in the only folder below it with images: its relative path.
    One(PathBuf, Vec<PathBuf>),
    /// In several subfolders.
    Several,
    Nowhere,
}

/// The class folders of a folder, sorted by name. Those without images are in `empty`.
pub(super) struct Classes {
    pub classes: Vec<Class>,
    pub empty: Vec<PathBuf>,
}

/// Reads the class folders of a folder.
pub(super) fn classes(
    path: &Path,
    passed_over: &mut PassedOver,
    reading: &mut Reading,
) -> Result<Classes, DataError> {
    let contents = Contents::of(path)?;
    if contents.folders.is_empty() {
        return Err(DataError::NoClassFolders {
            path: path.to_owned(),
            found: in_words(path),
        });
    }
    let mut found = Classes {
        classes: Vec::new(),
        empty: Vec::new(),
    };
    let mut between = BTreeSet::new();
    let mut deeper = 0;
    let mut several = Vec::new();
    for folder in &contents.folders {
        match images(folder, passed_over)? {
            ImageLocation::One(inner, files) => {
                if !inner.as_os_str().is_empty() {
                    between.insert(inner.to_string_lossy().to_lowercase());
                    deeper += 1;
                }
                found.classes.push(Class {
                    name: name_of(folder),
                    path: folder.clone(),
                    files,
                });
            }
            ImageLocation::Several => several.push(folder),
            ImageLocation::Nowhere => found.empty.push(folder.clone()),
        }
    }
    for folder in several {
        if !is_copy(folder, &found.classes)? {
            return Err(DataError::AmbiguousLayout {
                path: path.to_owned(),
                reason: format!(
                    "its folder {} holds several folders with images: {}",
                    quoted(&name_of(folder)),
                    in_words(folder)
                ),
            });
        }
        reading.warnings.push(format!(
            "{} holds a second copy of the class folders, which is skipped",
            quoted(&name_of(folder))
        ));
    }
    if let [first, second, ..] = found.classes.as_slice()
        && found.classes.iter().all(|class| is_of_a_kind(&class.name))
        && found.classes.iter().any(|class| is_of_images(&class.path))
    {
        return Err(DataError::AmbiguousLayout {
            path: path.to_owned(),
            reason: format!(
                "its folders {} and {} are not named after classes",
                quoted(&first.name),
                quoted(&second.name)
            ),
        });
    }
    let is_usual = |inner: &String| OF_IMAGES.contains(&inner.as_str());
    if between.len() > 1 && !between.iter().all(is_usual) {
        let names: Vec<String> = between.iter().take(3).map(|name| quoted(name)).collect();
        return Err(DataError::AmbiguousLayout {
            path: path.to_owned(),
            reason: format!(
                "its folders hold images only in subfolders with different names: {}",
                names.join(", ")
            ),
        });
    }
    if let Some(inner) = between.first() {
        reading.note(format!(
            "the images of {} in {} are read from the folder {} in each class folder",
            match deeper {
                1 => "1 class".to_owned(),
                deeper => format!("{deeper} classes"),
            },
            quoted(&name_of(path)),
            quoted(inner)
        ));
    }
    let hidden = with_images(&contents.hidden)?;
    if !hidden.is_empty() {
        reading.warnings.push(format!(
            "{} of {} {} images and {} skipped: names that start with a dot are hidden",
            listed(&hidden),
            quoted(&name_of(path)),
            if hidden.len() == 1 { "holds" } else { "hold" },
            if hidden.len() == 1 { "is" } else { "are" },
        ));
    }
    if !contents.images.is_empty() {
        reading.warnings.push(format!(
            "{} holds {} beside its class folders, which belong to no class and are skipped",
            quoted(&name_of(path)),
            match contents.images.len() {
                1 => "1 image".to_owned(),
                count => format!("{count} images"),
            }
        ));
    }
    Ok(found)
}

/// Finds the images of a class folder, and counts its other content.
fn images(folder: &Path, passed_over: &mut PassedOver) -> Result<ImageLocation, DataError> {
    let mut here = folder.to_owned();
    for _ in 0..=DEEPEST {
        let contents = Contents::of(&here)?;
        if !contents.images.is_empty() {
            let others = contents.folders.iter().chain(&contents.others);
            others.for_each(|other| passed_over.add(other));
            let inner = here.strip_prefix(folder).unwrap_or(&here).to_owned();
            return Ok(ImageLocation::One(inner, contents.images));
        }
        match contents.folders_with_images()?.as_slice() {
            [] => break,
            [only] => here.clone_from(only),
            // Such as `images` and `masks`.
            several => match several
                .iter()
                .filter(|inner| is_of_images(inner))
                .collect::<Vec<_>>()[..]
            {
                [only] => {
                    let others = contents.folders.iter().filter(|folder| *folder != only);
                    others.for_each(|other| passed_over.add(other));
                    here.clone_from(only);
                }
                _ => return Ok(ImageLocation::Several),
            },
        }
    }
    Ok(ImageLocation::Nowhere)
}

/// Returns whether a folder has a common name for a folder of images.
pub(super) fn is_of_images(path: &Path) -> bool {
    OF_IMAGES.contains(&name_of(path).to_lowercase().as_str())
}

/// Returns whether a folder's name denotes a kind of file and not a class.
pub(super) fn is_of_a_kind(name: &str) -> bool {
    let name = name.to_lowercase();
    OF_IMAGES.contains(&name.as_str()) || OF_MASKS.contains(&name.as_str())
}

/// Returns whether a folder duplicates the class folders next to it: it has folders of the same
/// names with files of the same names and sizes.
fn is_copy(folder: &Path, classes: &[Class]) -> Result<bool, DataError> {
    let inner = Contents::of(folder)?.folders;
    if inner.is_empty() || inner.len() != classes.len() {
        return Ok(false);
    }
    let size = |path: &PathBuf| std::fs::metadata(path).ok().map(|metadata| metadata.len());
    let same = |one: &PathBuf, other: &PathBuf| {
        one.file_name() == other.file_name() && size(one) == size(other)
    };
    for (inner, class) in inner.iter().zip(classes) {
        let files = all_images(inner)?;
        let is_same = name_of(inner) == class.name
            && files.len() == class.files.len()
            && files
                .iter()
                .zip(&class.files)
                .all(|(one, other)| same(one, other));
        if !is_same {
            return Ok(false);
        }
    }
    Ok(true)
}
