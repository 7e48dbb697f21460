//! The published data sets: which files they are, where these may lie, and where they come from.

mod catalogue;
mod error;
mod fetch;
mod folders;
mod local;
mod locate;
mod unpack;

#[cfg(test)]
mod tests;

use std::iter;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub(crate) use catalogue::{CIFAR10, CIFAR100, FASHION_MNIST, MNIST};
pub use error::{MissingPart, PublishedError};
pub use fetch::FetchProgress;
pub(crate) use folders::writable;
pub(crate) use local::{Hashed, LocalFile};

/// The names that one file may have, the usual one first.
pub(crate) type Names<'a> = &'a [&'a str];

/// A published data set.
#[derive(Debug)]
pub(crate) struct PublishedSet<'a> {
    /// As `--data` takes it.
    pub name: &'a str,
    /// Subfolders that may hold the files; those that are downloaded come into the first.
    pub subfolders: &'a [&'a str],
    /// The files that are read.
    pub files: &'a [Names<'a>],
    /// The SHA-256 of what each of these holds once it is unpacked, all 64 digits; empty where they
    /// are not known. Others pack the files in other ways.
    pub contents: &'a [&'a str],
    /// The files that are downloaded.
    pub downloads: &'a [RemoteFile<'a>],
    /// Addresses that such a file's name completes, the best first.
    pub mirrors: &'a [&'a str],
    /// What is downloaded.
    pub form: Form,
}

/// A file as its publisher has it.
#[derive(Debug)]
pub(crate) struct RemoteFile<'a> {
    pub name: &'a str,
    /// All 64 digits.
    pub sha256: &'a str,
    pub bytes: u64,
}

/// What is downloaded of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The very files that are read.
    Files,
    /// A `.tar.gz` of the first subfolder.
    Archive,
}

impl<'a> PublishedSet<'a> {
    /// The set's files, in their order, in the first folder that has all of them.
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

    /// Downloads the set, unless its files are there.
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

    /// The address of a file at the last mirror: the publisher's own for some sets.
    fn url(&self, file: &str) -> String {
        format!("{}{file}", self.mirrors.last().copied().unwrap_or_default())
    }
}
