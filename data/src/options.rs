//! Options for loading a data set.

use std::fmt;
use std::num::NonZeroU64;
use std::path::PathBuf;

use derive_setters::Setters;
use download::Progress;
use serde::{Deserialize, Serialize};

/// Where the images of a folder are kept during training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Storage {
    /// In memory, at the model's input size: every file is opened once.
    #[default]
    Memory,
    /// In their files, which are opened in every epoch: for sets larger than memory, and for crops
    /// of images at full resolution. In a training batch, an unreadable image is replaced by the
    /// next image of its class.
    Files,
}

/// Options for loading a data set.
#[derive(Clone, Default, Setters)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct LoadOptions<'a> {
    /// Folder that is searched first for the files of published data sets, directly or in a
    /// subfolder.
    pub data_dir: Option<PathBuf>,
    /// Table of file names and labels for images that are not in class folders: a path or, if
    /// nothing exists there, a path relative to the folder.
    pub labels: Option<PathBuf>,
    /// Height and width of the prepared images in pixels, 1 to [`MAX_SIDE`](crate::MAX_SIDE).
    /// Defaults to the published size, or to 64 for a folder.
    pub image_size: Option<usize>,
    /// Where the images of a folder are kept; images of published sets are always in memory.
    pub storage: Storage,
    /// Whether to allow any number of unreadable images instead of at most 1%.
    pub skip_unreadable: bool,
    /// Maximum number of pixels of an image of a folder. Defaults to
    /// [`DEFAULT_MAX_PIXELS`](crate::DEFAULT_MAX_PIXELS).
    pub max_pixels: Option<NonZeroU64>,
    /// Seed that selects the test images of a folder without a test part.
    pub seed: u64,
    /// Callback that is called as images are prepared, from several threads.
    pub progress: Option<&'a (dyn Fn(LoadProgress) + Send + Sync)>,
}

impl LoadOptions<'_> {
    pub(crate) fn report(&self, done: usize, total: usize) {
        if let Some(progress) = self.progress {
            progress(LoadProgress { done, total });
        }
    }
}

impl fmt::Debug for LoadOptions<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LoadOptions")
            .field("data_dir", &self.data_dir)
            .field("labels", &self.labels)
            .field("image_size", &self.image_size)
            .field("storage", &self.storage)
            .field("skip_unreadable", &self.skip_unreadable)
            .field("max_pixels", &self.max_pixels)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// Progress of fetching a data set; reported about ten times per second or more often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchProgress<'a> {
    /// A file is being downloaded, or waited or searched for.
    Downloading {
        /// Name of the file.
        file: &'a str,
        /// Progress of the download.
        progress: Progress,
    },
    /// An archive is being unpacked.
    Unpacking {
        /// Name of the archive.
        file: &'a str,
        /// Number of bytes of the archive processed so far.
        done: u64,
        /// Size of the archive in bytes.
        total: u64,
    },
}

/// Progress of preparing images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    /// Images prepared so far.
    pub done: usize,
    /// Total number of images.
    pub total: usize,
}
