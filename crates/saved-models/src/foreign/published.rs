//! The weights that torchvision publishes.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use download::{Download, DownloadError, Progress, fetch};
use thiserror::Error;

/// URL of the files.
const SERVER: &str = "https://download.pytorch.org/models";
/// Folder in the cache.
const CACHE_FOLDER: &str = "weights";
/// The largest file has about 500 MB.
const MAX_BYTES: u64 = 1 << 30;
/// Version 1 resizes the shorter side to 256 pixels before the crop, version 2 to 232.
const RESIZE: [usize; 2] = [256, 232];

/// A file of ImageNet weights on torchvision's server. Parsed from the network's name and the
/// version of the weights, `resnet50-v2`; without a version, the newest.
///
/// ```
/// use saved_models::foreign::Published;
///
/// let weights: Published = "resnet50".parse()?;
/// assert_eq!(weights.to_string(), "resnet50-v2");
/// assert_eq!(weights.file(), "resnet50-11ad3fa6.pth");
/// assert_eq!(weights.resize(), 232);
/// # Ok::<(), saved_models::foreign::UnknownPublished>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    model: &'static str,
    /// 1 or 2.
    version: u8,
    /// The first digits of the file's SHA-256, which end its name.
    checksum: &'static str,
}

/// The string does not name weights that torchvision publishes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("torchvision publishes no weights `{name}`; {}", suggestion(.nearest))]
pub struct UnknownPublished {
    /// The string.
    pub name: String,
    /// The most similar published network, if one is close.
    pub nearest: Option<&'static str>,
}

/// Published weights are not available.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishedError {
    /// There is no folder to store them in.
    #[error("there is no folder for {file}, because the user has no home folder")]
    NoCacheFolder {
        /// The file.
        file: String,
    },
    /// They are missing and cannot be downloaded.
    #[error(transparent)]
    Download(#[from] DownloadError),
}

impl PublishedError {
    /// Returns a hint on how to fix the error, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoCacheFolder { .. } => {
                Some("download the file yourself, and name it with --weights".to_owned())
            }
            Self::Download(error) => error.hint(),
        }
    }
}

/// As listed by torchvision 0.20 and later; the newer version of a network comes last.
const PUBLISHED: [Published; 17] = [
    published("resnet18", 1, "f37072fd"),
    published("resnet34", 1, "b627a593"),
    published("resnet50", 1, "0676ba61"),
    published("resnet50", 2, "11ad3fa6"),
    published("resnet101", 1, "63fe2227"),
    published("resnet101", 2, "cd907fc2"),
    published("resnet152", 1, "394f9c45"),
    published("resnet152", 2, "f82ba261"),
    published("wide_resnet50_2", 1, "95faca4d"),
    published("wide_resnet50_2", 2, "9ba9bcbe"),
    published("wide_resnet101_2", 1, "32ee1156"),
    published("wide_resnet101_2", 2, "d733dc28"),
    published("resnext50_32x4d", 1, "7cdf4587"),
    published("resnext50_32x4d", 2, "1a0047aa"),
    published("resnext101_32x8d", 1, "8ba56ff5"),
    published("resnext101_32x8d", 2, "110c445d"),
    published("resnext101_64x4d", 1, "173b62eb"),
];

const fn published(model: &'static str, version: u8, checksum: &'static str) -> Published {
    Published {
        model,
        version,
        checksum,
    }
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("it has {}, and -v1 of each", known()),
    }
}

/// Returns the published network with the most similar name.
fn nearest(name: &str) -> Option<&'static str> {
    let (network, _) = name.rsplit_once("-v").unwrap_or((name, ""));
    // For a known network, only the version is wrong.
    let nearest = model::NetworkConfig::named(network).err()?.nearest?;
    let mut models = PUBLISHED.iter().map(|weights| weights.model);
    models.find(|model| *model == nearest)
}

fn known() -> String {
    let mut models = PUBLISHED.map(|weights| weights.model).to_vec();
    models.dedup();
    models.join(", ")
}

impl Published {
    /// All published weights.
    pub const ALL: [Self; 17] = PUBLISHED;

    /// Returns the weights with the name of a file.
    pub fn of_file(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        Self::ALL.into_iter().find(|weights| weights.file() == name)
    }

    /// Returns the network's name in the registry.
    pub fn model(&self) -> &'static str {
        self.model
    }

    /// Returns the name of the file.
    pub fn file(&self) -> String {
        format!("{}-{}.pth", self.model, self.checksum)
    }

    /// Returns the URL of the file.
    pub fn url(&self) -> String {
        format!("{SERVER}/{}", self.file())
    }

    /// Returns the first eight hexadecimal digits of the file's SHA-256.
    pub fn checksum(&self) -> &'static str {
        self.checksum
    }

    /// Downloads the file into the user's cache folder if it is missing, and returns its path. The
    /// file is verified, and an interrupted download continues.
    ///
    /// # Errors
    ///
    /// If there is no cache folder or no network connection, or if the cached file is damaged.
    pub fn fetch(
        &self,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<PathBuf, PublishedError> {
        let cache = files::cache_folder()
            .ok_or_else(|| PublishedError::NoCacheFolder { file: self.file() })?;
        self.fetch_into(&cache.join(CACHE_FOLDER), progress)
    }

    fn fetch_into(
        &self,
        folder: &Path,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<PathBuf, PublishedError> {
        let path = folder.join(self.file());
        fetch(
            &Download {
                mirrors: &[self.url()],
                checksum: self.checksum(),
                path: &path,
                max_bytes: MAX_BYTES,
            },
            progress,
        )?;
        Ok(path)
    }

    /// Returns the length in pixels of an image's shorter side before the crop.
    pub fn resize(&self) -> usize {
        match (self.model, self.version) {
            // Published once, with the newer recipe.
            ("resnext101_64x4d", _) | (_, 2) => RESIZE[1],
            _ => RESIZE[0],
        }
    }
}

impl fmt::Display for Published {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-v{}", self.model, self.version)
    }
}

impl FromStr for Published {
    type Err = UnknownPublished;

    fn from_str(text: &str) -> Result<Self, UnknownPublished> {
        Self::ALL
            .into_iter()
            .rev()
            .find(|weights| weights.model == text || weights.to_string() == text)
            .ok_or_else(|| UnknownPublished {
                name: text.to_owned(),
                nearest: nearest(text),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_files_round_trip() {
        for weights in Published::ALL {
            assert_eq!(weights.to_string().parse(), Ok(weights));
            let path = Path::new("cache").join(weights.file());
            assert_eq!(Published::of_file(&path), Some(weights));
            assert!(model::NetworkConfig::named(weights.model()).is_ok());
            assert!(
                weights
                    .checksum()
                    .chars()
                    .all(|digit| digit.is_ascii_hexdigit())
            );
            assert_eq!(weights.checksum().len(), 8);
        }
        assert_eq!(Published::of_file(Path::new("resnet50.pth")), None);
    }

    #[test]
    fn cached_file_is_verified_and_used() {
        let folder = tempfile::tempdir().unwrap();
        let weights = published("resnet18", 1, "ba7816bf"); // the SHA-256 of "abc"
        let path = folder.path().join("resnet18-ba7816bf.pth");
        std::fs::write(&path, "abc").unwrap();
        let fetch = || weights.fetch_into(folder.path(), &mut |_| ControlFlow::Continue(()));
        assert_eq!(fetch().unwrap(), path);
        std::fs::write(&path, "abd").unwrap();
        let error = fetch().unwrap_err();
        assert!(
            error.to_string().contains("resnet18-ba7816bf.pth"),
            "{error}"
        );
        assert!(error.hint().is_some());
    }

    #[test]
    fn missing_version_means_newest() {
        let file = |name: &str| name.parse::<Published>().unwrap().file();
        assert_eq!(file("resnet18"), "resnet18-f37072fd.pth");
        assert_eq!(file("resnet152"), "resnet152-f82ba261.pth");
        assert_eq!(file("resnet152-v1"), "resnet152-394f9c45.pth");
        let error = "resnet18-v2".parse::<Published>().unwrap_err().to_string();
        assert!(
            error.contains("resnet18, resnet34, resnet50, resnet101"),
            "{error}"
        );
        for (name, nearest) in [("resnet51", "resnet50"), ("resnet5o", "resnet50")] {
            let error = name.parse::<Published>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("did you mean `{nearest}`?")),
                "{error}"
            );
        }
    }
}
