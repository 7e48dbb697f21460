//! Destination of a result that the user wants as a file.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use command_line::voice;
use files::{check_output, is_standard_output, write_hint, write_output};
use thiserror::Error;

/// File name that means standard output.
const STANDARD_OUTPUT: &str = "-";

/// A file given by the user, or standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// `-`, or a path such as `/dev/stdout`.
    StandardOutput,
    File(PathBuf),
}

/// A result cannot be written to its destination.
#[derive(Debug, Error)]
pub(crate) enum DestinationError {
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{what} cannot be written to a terminal")]
    Terminal { what: &'static str },
    #[error("{what} and --json cannot both go to standard output")]
    Twice { what: &'static str },
}

impl DestinationError {
    /// Returns a hint on how to fix the error, if there is one.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Write { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("create its folder first".into())
            }
            Self::Write { source, .. } => match write_hint(source) {
                Some(hint) => Some(format!("{hint}, or name another file")),
                None => Some("name another file".into()),
            },
            Self::Terminal { .. } => {
                Some("name a file, or redirect standard output to a file or a pipe".into())
            }
            Self::Twice { .. } => Some("name a file for one of them".into()),
        }
    }

    /// Returns whether the error is wrong usage.
    pub(crate) fn is_wrong_usage(&self) -> bool {
        matches!(self, Self::Terminal { .. } | Self::Twice { .. })
    }
}

impl Destination {
    pub(crate) fn of(path: &Path) -> Self {
        match path.as_os_str() == STANDARD_OUTPUT || is_standard_output(path) {
            true => Self::StandardOutput,
            false => Self::File(path.to_owned()),
        }
    }

    /// Checks that text can be written, before the long work.
    pub(crate) fn check(&self) -> Result<(), DestinationError> {
        match self {
            Self::StandardOutput => Ok(()),
            Self::File(path) => check_output(path).map_err(cannot_write(path)),
        }
    }

    /// Like [`check`](Self::check), for binary data.
    pub(crate) fn check_binary(&self, what: &'static str) -> Result<(), DestinationError> {
        match *self == Self::StandardOutput && io::stdout().is_terminal() {
            true => Err(DestinationError::Terminal { what }),
            false => self.check(),
        }
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::StandardOutput => voice::print_file(bytes)?,
            Self::File(path) => write_output(path, bytes).map_err(cannot_write(path))?,
        }
        Ok(())
    }
}

/// Returns whether a path is a device, a pipe or standard output, whose names have no endings.
pub(crate) fn is_special(path: &Path) -> bool {
    let is_device = |metadata: fs::Metadata| !metadata.is_file() && !metadata.is_dir();
    path.as_os_str() == STANDARD_OUTPUT
        || is_standard_output(path)
        || fs::metadata(path).is_ok_and(is_device)
}

fn cannot_write(path: &Path) -> impl FnOnce(io::Error) -> DestinationError {
    move |source| DestinationError::Write {
        path: path.to_owned(),
        source,
    }
}
