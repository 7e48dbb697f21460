//! A file that was found, and whether it is the published one.

use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use files::Hasher;

use super::PublishedError;
use crate::error::DataError;
use crate::idx::unpacked;

/// The most bytes that are compared of what a file holds; no published one has as many.
const MAX_BYTES: u64 = 1 << 30;

/// A file of a published set on this machine.
#[derive(Debug)]
pub(crate) struct LocalFile<'a> {
    pub path: PathBuf,
    /// Of what it holds once it is unpacked, where that is known.
    pub sha256: Option<&'a str>,
}

impl LocalFile<'_> {
    /// Hashes all that the file holds, unless it is not known what that should be.
    pub(crate) fn hashed(&self, bytes: &[u8]) -> Hasher {
        let mut hasher = Hasher::new();
        if self.sha256.is_some() {
            hasher.update(bytes);
        }
        hasher
    }

    /// Reads the whole file and compares what it holds with what was published.
    pub(crate) fn verify(&self) -> Result<(), DataError> {
        let read = |source| DataError::Read {
            path: self.path.clone(),
            source,
        };
        let file = files::open_file(&self.path).map_err(read)?;
        let mut file = Hashed {
            inner: unpacked(BufReader::new(file), &self.path)?.take(MAX_BYTES),
            hasher: Hasher::new(),
        };
        io::copy(&mut file, &mut io::sink()).map_err(read)?;
        Ok(self.check(&file.hasher)?)
    }

    /// Compares what was read of the file, to its end, with what was published.
    pub(crate) fn check(&self, read: &Hasher) -> Result<(), PublishedError> {
        let found = read.sha256();
        match self.sha256 {
            Some(expected) if expected != found => Err(PublishedError::OtherContent {
                path: self.path.clone(),
                expected: expected.to_owned(),
                found,
            }),
            _ => Ok(()),
        }
    }
}

/// Hands bytes on, and hashes them.
pub(crate) struct Hashed<R> {
    pub inner: R,
    pub hasher: Hasher,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..length]);
        Ok(length)
    }
}
