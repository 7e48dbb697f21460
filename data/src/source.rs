//! Data sources and their text form.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cifar::{CIFAR10, CIFAR100};
use crate::error::DataError;
use crate::options::FetchProgress;
use crate::options::LoadOptions;
use crate::published::{self, PublishedSet};
use crate::set::DataSet;
use crate::{archive, folder, mnist, sample};

/// The source of a data set.
///
/// The text form (also used by serde) is `sample`, `mnist`, `fashion-mnist`, `cifar10`, `cifar100`
/// or `folder:PATH`.
///
/// ```
/// use data::Source;
///
/// let source: Source = "folder:images/pets".parse()?;
/// assert_eq!(source, Source::Folder("images/pets".into()));
/// assert_eq!(source.to_string(), "folder:images/pets");
/// # Ok::<(), data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Source {
    /// 6,000 training and 1,000 test images of Fashion-MNIST, embedded in the program.
    Sample,
    /// MNIST: handwritten digits, 28x28 gray.
    Mnist,
    /// Fashion-MNIST: articles of clothing, 28x28 gray.
    FashionMnist,
    /// CIFAR-10: 32x32 RGB.
    Cifar10,
    /// CIFAR-100 with its 100 fine classes: 32x32 RGB.
    Cifar100,
    /// A folder with one subfolder of images per class, in any of the
    /// [`IMAGE_FORMATS`](crate::IMAGE_FORMATS), or a `.zip`, `.tar`, `.tar.gz` or `.tgz` archive of
    /// one. Archives are unpacked into `data_dir` or the user's cache folder. With
    /// [`LoadOptions::labels`], the images may be anywhere in the folder.
    ///
    /// The subfolders `train/`, `val/` (or `valid/`, `validation/`) and `test/`, in upper or lower
    /// case, are the parts of the set. With only `train/` and `val/`, `val/` is the test part, as
    /// in ImageNet. Without `val/` and `test/`, a tenth of each class is the test part.
    ///
    /// Wrapper folders around the data set, or between a class and its images, are skipped. If
    /// images in `val/` or `test/` are not in class folders, they get their labels from a file next
    /// to them. [`DataSet::reading`] reports both cases. File names that start with a dot are
    /// ignored; [`DataSet::passed_over`] counts other files without an image extension. Images that
    /// cannot be read are left out, unless they are more than 1% of the images;
    /// [`DataSet::unreadable`] lists them.
    Folder(PathBuf),
}

/// Sources without a path, by name.
const NAMED: [(&str, Source); 5] = [
    ("sample", Source::Sample),
    ("mnist", Source::Mnist),
    ("fashion-mnist", Source::FashionMnist),
    ("cifar10", Source::Cifar10),
    ("cifar100", Source::Cifar100),
];

const FOLDER_PREFIX: &str = "folder:";

impl Source {
    /// Downloads the missing files of a published data set, or unpacks an archive of images unless
    /// it is already unpacked. Does nothing for other sources. Files that [`Source::load`] would
    /// find are not downloaded.
    ///
    /// The files are stored in `data_dir`, or in the user's cache folder if `data_dir` is `None` or
    /// not writable. Each file is verified before it gets its final name. Interrupted downloads are
    /// resumed, and several processes may fetch the same files at the same time. `progress` may
    /// return `Break` to cancel.
    ///
    /// # Errors
    /// [`PublishedError::NotFetched`](crate::PublishedError::NotFetched), which names the files,
    /// their URLs and the folder to put them in;
    /// [`PublishedError::Archive`](crate::PublishedError::Archive) if a downloaded archive cannot
    /// be unpacked.
    pub fn fetch(
        &self,
        data_dir: Option<&Path>,
        progress: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
    ) -> Result<(), DataError> {
        match (self.published(), self) {
            (Some(set), _) => Ok(set.fetch(data_dir, progress)?),
            (None, Self::Folder(path)) if archive::is_archive(path) && !path.is_dir() => {
                archive::unpacked(path, data_dir, progress).map(drop)
            }
            _ => Ok(()),
        }
    }

    fn published(&self) -> Option<&'static PublishedSet<'static>> {
        match self {
            Self::Mnist => Some(&published::MNIST),
            Self::FashionMnist => Some(&published::FASHION_MNIST),
            Self::Cifar10 => Some(&published::CIFAR10),
            Self::Cifar100 => Some(&published::CIFAR100),
            Self::Sample | Self::Folder(_) => None,
        }
    }

    /// Loads the data set, into memory unless the options say otherwise.
    ///
    /// The files of a published set are searched for in the options' folder, the user's cache
    /// folder and the system's data folders: `resnet` and `datasets` in the folders of
    /// `XDG_DATA_DIRS` (or `/usr/local/share` and `/usr/share`), in `/Library/Application Support`
    /// or in `%ProgramData%`. [`Source::fetch`] downloads missing files.
    ///
    /// # Errors
    /// [`DataError`], which names the file or folder and the problem;
    /// [`PublishedError::OtherContent`](crate::PublishedError::OtherContent) if a file differs from
    /// the published one, which is checked for all sets but CIFAR-100.
    pub fn load(&self, options: &LoadOptions<'_>) -> Result<DataSet, DataError> {
        let data_dir = options.data_dir.as_deref();
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let (class_names, train, test) = match self {
            Self::Sample => {
                let (train, test) = sample::load()?;
                (owned(&mnist::FASHION), train, test)
            }
            Self::Mnist => {
                let (train, test) = mnist::load(&published::MNIST.locate(data_dir)?)?;
                (owned(&mnist::DIGITS), train, test)
            }
            Self::FashionMnist => {
                let (train, test) = mnist::load(&published::FASHION_MNIST.locate(data_dir)?)?;
                (owned(&mnist::FASHION), train, test)
            }
            Self::Cifar10 => CIFAR10.load(&published::CIFAR10.locate(data_dir)?)?,
            Self::Cifar100 => CIFAR100.load(&published::CIFAR100.locate(data_dir)?)?,
            Self::Folder(path) => {
                return folder::load(path, self.to_string(), options);
            }
        };
        DataSet::resized(self.to_string(), class_names, [train, test], options)
    }
}

impl Source {
    /// Returns the names of the sources, and the prefix of folders.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let named = NAMED.iter().map(|(name, _)| *name);
        named.chain([FOLDER_PREFIX])
    }
}

impl FromStr for Source {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        if let Some(path) = text.strip_prefix(FOLDER_PREFIX)
            && !path.is_empty()
        {
            return Ok(Self::Folder(path.into()));
        }
        NAMED
            .into_iter()
            .find(|(name, _)| *name == text)
            .map(|(_, source)| source)
            .ok_or_else(|| DataError::UnknownSource {
                text: text.to_owned(),
                nearest: nearest(text),
            })
    }
}

/// Returns the source that an unknown text probably means.
fn nearest(text: &str) -> Option<String> {
    /// Minimum similarity (of at most 1) for a name to be suggested.
    const SIMILAR: f64 = 0.8;
    /// Longer texts are not compared with any name.
    const MAX_COMPARED_BYTES: usize = 64;
    if text.trim().is_empty() {
        return None;
    }
    let path = Path::new(text);
    // An existing folder or archive wins over any similar name.
    if path.is_dir() || archive::is_archive(path) || text.contains(['/', '\\']) {
        return Some(format!("{FOLDER_PREFIX}{text}"));
    }
    if text.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let lower = text.to_lowercase();
    if lower.starts_with(FOLDER_PREFIX) && lower.len() > FOLDER_PREFIX.len() {
        return Some(format!("{FOLDER_PREFIX}{}", &text[FOLDER_PREFIX.len()..]));
    }
    NAMED
        .iter()
        .map(|(name, _)| (strsim::jaro_winkler(name, &lower), *name))
        .chain([(strsim::jaro_winkler("folder", &lower), "folder:PATH")])
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| name.to_owned())
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sample => formatter.write_str("sample"),
            Self::Mnist => formatter.write_str("mnist"),
            Self::FashionMnist => formatter.write_str("fashion-mnist"),
            Self::Cifar10 => formatter.write_str("cifar10"),
            Self::Cifar100 => formatter.write_str("cifar100"),
            Self::Folder(path) => write!(formatter, "{FOLDER_PREFIX}{}", path.display()),
        }
    }
}

impl TryFrom<String> for Source {
    type Error = DataError;

    fn try_from(text: String) -> Result<Self, DataError> {
        text.parse()
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_round_trip_through_text() {
        for (name, source) in NAMED {
            assert_eq!(source.to_string(), name);
            assert_eq!(name.parse::<Source>().unwrap(), source);
        }
        let json = serde_json::to_string(&Source::Folder("a b".into())).unwrap();
        assert_eq!(json, r#""folder:a b""#);
        assert_eq!(
            serde_json::from_str::<Source>(&json).unwrap(),
            Source::Folder("a b".into())
        );
    }

    #[test]
    fn misspelled_sources_are_suggested() {
        for (text, meant) in [
            ("mnst", Some("mnist")),
            ("MNIST", Some("mnist")),
            ("cifar-10", Some("cifar10")),
            ("CIFAR-100", Some("cifar100")),
            ("fashionmnist", Some("fashion-mnist")),
            ("fashion", Some("fashion-mnist")),
            ("images/pets", Some("folder:images/pets")),
            ("folder:", Some("folder:PATH")),
            ("Folder:photos", Some("folder:photos")),
            ("./photos", Some("folder:./photos")),
            ("/home/me/photos/", Some("folder:/home/me/photos/")),
            ("photos.zip", Some("folder:photos.zip")),
            ("photos.tar.gz", Some("folder:photos.tar.gz")),
            ("src", Some("folder:src")), // an existing folder
            (" ", None),
            ("imagenet", None),
            ("", None),
        ] {
            let error = text.parse::<Source>().unwrap_err();
            let DataError::UnknownSource { nearest, .. } = &error else {
                panic!("{error}");
            };
            assert_eq!(nearest.as_deref(), meant, "{text}");
            assert!(
                error
                    .to_string()
                    .contains("sample, mnist, fashion-mnist, cifar10")
            );
            assert_eq!(error.hint().is_some(), meant.is_some());
        }
    }
}
