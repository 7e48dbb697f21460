//! Errors of saved models.

use std::io;
use std::path::PathBuf;

use files::write_hint;
use thiserror::Error;

/// A saved model cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SavedModelError {
    /// The folder does not exist.
    #[error("there is no run at {}", path.display())]
    NoRun {
        /// The missing folder.
        path: PathBuf,
    },
    /// The folder does not contain a trained model yet.
    #[error("{} holds no trained model, because {} is missing", folder.display(), file)]
    NoModel {
        /// The run's folder.
        folder: PathBuf,
        /// The missing file.
        file: &'static str,
    },
    /// No run has a model.
    #[error("no run in {} has a model", folder.display())]
    NoRuns {
        /// The folder that was searched for runs.
        folder: PathBuf,
    },
    /// Reading failed.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// Writing failed.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// The description is not valid.
    #[error("{origin} is damaged or from another version: {reason}")]
    Description {
        /// The file.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file differs from the one that was saved.
    #[error("{origin} is damaged: its content does not match its checksum")]
    Checksum {
        /// The file.
        origin: String,
    },
    /// The weights are not a complete safetensors file.
    #[error("{origin} is cut off or damaged: {reason}")]
    Weights {
        /// The file.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The weights belong to another network.
    #[error("{origin} does not fit {model} with {classes} classes: {reason}")]
    Mismatch {
        /// The file.
        origin: String,
        /// The network's name.
        model: String,
        /// Its number of classes.
        classes: usize,
        /// The tensors that differ.
        reason: String,
    },
}

impl SavedModelError {
    /// Returns a hint on how to fix the error, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoRun { .. } => {
                Some("name a run's folder, or its name in the folder of --runs-dir".into())
            }
            Self::NoModel { .. } => Some(
                "a run has a model after its first epoch; continue it with `train --resume RUN`, or name \
                 another run"
                    .into(),
            ),
            Self::NoRuns { .. } => {
                Some("train one with `train`, or name the folder of runs with --runs-dir".into())
            }
            Self::Read { .. } => None,
            Self::Write { source, .. } => {
                let hint = write_hint(source).unwrap_or("free some space");
                Some(format!("{hint}, or choose another folder"))
            }
            Self::Description { .. } | Self::Weights { .. } => {
                Some("copy the run's model.json and model.safetensors again, or train again".into())
            }
            Self::Checksum { .. } => Some(
                "copy the run's model.json and model.safetensors again; if one was changed on purpose, delete `sha256` from model.json".into(),
            ),
            Self::Mismatch { .. } => Some(
                "model.json and model.safetensors must come from the same run; copy both again".into(),
            ),
        }
    }
}
