//! A local file of a published set and its verification.

use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use files::Hasher;

use crate::error::{DataError, PublishedError};
use crate::idx::unpacked;

/// Maximum number of bytes of a file to compare; every published file has less.
const MAX_BYTES: u64 = 1 << 30;

/// A file of a published set on this machine.
#[derive(Debug)]
pub(crate) struct LocalFile<'a> {
    pub path: PathBuf,
    /// SHA-256 of the decompressed content, if known.
    pub sha256: Option<&'a str>,
}

impl LocalFile<'_> {
    /// Hashes the content of the file, unless the expected hash is unknown.
    pub(crate) fn hashed(&self, bytes: &[u8]) -> Hasher {
        let mut hasher = Hasher::new();
        if self.sha256.is_some() {
            hasher.update(bytes);
        }
        hasher
    }

    /// Reads the whole file and compares its content with the published checksum.
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

    /// Compares the bytes read, up to the end of the file, with the published checksum.
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

/// A reader that hashes the bytes passing through it.
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
