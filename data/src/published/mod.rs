//! Published data sets: their files, the folders to search, and the download sources.

mod catalogue;
mod fetch;
mod local;
mod locate;
mod unpack;

#[cfg(test)]
mod tests;

use std::iter;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::error::PublishedError;
use crate::folders;
use crate::options::FetchProgress;
pub(crate) use catalogue::{CIFAR10, CIFAR100, FASHION_MNIST, MNIST};
pub(crate) use local::{Hashed, LocalFile};

/// The possible names of one file, the usual one first.
pub(crate) type Names<'a> = &'a [&'a str];

/// A published data set.
#[derive(Debug)]
pub(crate) struct PublishedSet<'a> {
    /// Name on the command line, for `--data`.
    pub name: &'a str,
    /// Subfolders that may hold the files; downloads are stored in the first one.
    pub subfolders: &'a [&'a str],
    /// Files to load.
    pub files: &'a [Names<'a>],
    /// SHA-256 of the decompressed content of each file, all 64 digits; empty if unknown. The
    /// compressed bytes may differ between copies.
    pub contents: &'a [&'a str],
    /// Files to download.
    pub downloads: &'a [RemoteFile<'a>],
    /// URL prefixes of the downloads, the best first.
    pub mirrors: &'a [&'a str],
    /// Format of the download.
    pub form: Form,
}

/// A file as published.
#[derive(Debug)]
pub(crate) struct RemoteFile<'a> {
    pub name: &'a str,
    /// All 64 digits.
    pub sha256: &'a str,
    pub bytes: u64,
}

/// Format of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The files themselves.
    Files,
    /// A `.tar.gz` archive of the first subfolder.
    Archive,
}

impl<'a> PublishedSet<'a> {
    /// Returns the set's files, in order, from the first folder that has all of them.
    pub(crate) fn locate(
        &self,
        data_dir: Option<&Path>,
    ) -> Result<Vec<LocalFile<'a>>, PublishedError> {
        self.locate_in(&folders::searched(data_dir))
    }

    fn locate_in(&self, searched: &[PathBuf]) -> Result<Vec<LocalFile<'a>>, PublishedError> {
        let paths = locate::locate(self, searched)?.into_iter();
        let contents = self.contents.iter().copied().map(Some);
        let files = paths.zip(contents.chain(iter::repeat(None)));
        Ok(files
            .map(|(path, sha256)| LocalFile { path, sha256 })
            .collect())
    }

    /// Downloads the set, unless its files exist.
    pub(crate) fn fetch(
        &self,
        data_dir: Option<&Path>,
        progress: &mut dyn FnMut(FetchProgress<'_>) -> ControlFlow<()>,
    ) -> Result<(), PublishedError> {
        fetch::fetch(
            self,
            &folders::searched(data_dir),
            &folders::writable(data_dir),
            progress,
        )
    }

    /// Returns the URL of a file at the last mirror: for some sets, the publisher's own.
    fn url(&self, file: &str) -> String {
        format!("{}{file}", self.mirrors.last().copied().unwrap_or_default())
    }
}
