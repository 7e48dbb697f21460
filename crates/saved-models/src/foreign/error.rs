//! Errors of other programs' weights.

use std::path::PathBuf;

use data::PreprocessingError;
use files::write_hint;
use model::ConfigError;
use thiserror::Error;
use weights::{ContentError, WeightsError, shown};

use super::hub::CONFIG_FILE;
use crate::difference::Differences;
use crate::error::SavedModelError;

/// A weights file cannot be used or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ForeignError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] WeightsError),
    /// The run's folder cannot be read or written.
    #[error(transparent)]
    Saved(#[from] SavedModelError),
    /// The tensors do not form a network that can be built here.
    #[error("{} does not hold a known network: {reason}", path.display())]
    Unrecognized {
        /// The file.
        path: PathBuf,
        /// What does not match.
        reason: String,
    },
    /// The file contains several networks, and none of them is the obvious choice.
    #[error("{} holds several networks: {}", path.display(), keys.join(", "))]
    SeveralNetworks {
        /// The file.
        path: PathBuf,
        /// The keys that distinguish them.
        keys: Vec<String>,
    },
    /// The file contains a network without a usable last linear layer.
    #[error("{} holds a backbone without a head: {reason}", path.display())]
    NoHead {
        /// The file.
        path: PathBuf,
        /// What is missing or does not match.
        reason: String,
    },
    /// The weights are quantized.
    #[error(
        "{} holds a quantized network: `{}` is not a tensor of floats of 16 bits or more",
        path.display(),
        shown(tensor)
    )]
    Quantized {
        /// The file.
        path: PathBuf,
        /// A tensor that shows it.
        tensor: String,
    },
    /// The file is one shard of a network.
    #[error("{} is one of {shards} shards of a network", path.display())]
    Shard {
        /// The file.
        path: PathBuf,
        /// Number of files that the network is split into.
        shards: usize,
    },
    /// Weights are infinite or not a number.
    #[error("{origin} holds values that are not finite, in `{}`", shown(tensor))]
    NotFinite {
        /// The file.
        origin: String,
        /// The first tensor with non-finite values, by its name in the file.
        tensor: String,
    },
    /// A document next to the weights cannot be used.
    #[error("{} cannot be used: {reason}", path.display())]
    Document {
        /// The document.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The network lacks the detail that was to be changed.
    #[error("{model} cannot be changed this way: {source}")]
    Changes {
        /// The network.
        model: String,
        /// Why.
        source: ConfigError,
    },
    /// The outputs are quantities, not probabilities.
    #[error(
        "{} has problem_type regression, whose outputs are quantities, not probabilities",
        path.display()
    )]
    Regression {
        /// The document that says so.
        path: PathBuf,
    },
    /// A folder contains no weights under a usual name.
    #[error("{} holds {}", path.display(), found(files))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Files in it that may be meant.
        files: Vec<String>,
    },
    /// The network has one output, whose softmax carries no information.
    #[error("{} has one output, whose softmax is always 1", path.display())]
    OneOutput {
        /// The file.
        path: PathBuf,
    },
    /// The tensors do not match the network.
    #[error(
        "{}",
        differences.after(&format!("{origin} does not fit {model} with {classes} classes: "))
    )]
    Mismatch {
        /// The file.
        origin: String,
        /// The network that was named or recognized.
        model: String,
        /// Its number of classes.
        classes: usize,
        /// Every tensor that differs.
        differences: Differences,
    },
    /// PyTorch's networks have no such layer.
    #[error("{model} cannot be written in PyTorch's names, which have none for `{tensor}`")]
    Unnamed {
        /// The network.
        model: String,
        /// The tensor's name in our records.
        tensor: String,
    },
    /// The number of channels or classes is out of range.
    #[error("{} holds no network that can be built: {source}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is out of range.
        source: ConfigError,
    },
    /// Images cannot be prepared for the network.
    #[error("images cannot be prepared for {model}: {source}")]
    Preprocessing {
        /// The network.
        model: String,
        /// What does not match.
        source: PreprocessingError,
    },
    /// The output path already exists.
    #[error("{} already exists", path.display())]
    Exists {
        /// The file or folder.
        path: PathBuf,
    },
    /// The path does not name a format that can be written.
    #[error("the output {} must end in .safetensors or be a folder", path.display())]
    OutputFormat {
        /// The file.
        path: PathBuf,
    },
}

impl ForeignError {
    pub(super) fn content(origin: impl Into<PathBuf>, source: ContentError) -> Self {
        Self::File(WeightsError::Content {
            path: origin.into(),
            source,
        })
    }

    /// Returns a hint on how to fix the error, if there is one.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::File(error @ WeightsError::Content { source, .. }) => {
                return error.hint().or_else(|| {
                    matches!(source, ContentError::UnknownFormat { .. }).then(|| {
                        "name a file that torch.save wrote (.pth, .pt, .bin) or a .safetensors"
                            .into()
                    })
                });
            }
            Self::File(WeightsError::Read { .. }) => {
                "name a file of weights or a run's folder; use --pretrained for torchvision's weights"
            }
            Self::File(WeightsError::Write { source, .. }) => {
                let hint = write_hint(source).unwrap_or("free some space");
                return Some(format!("{hint}, or choose another folder"));
            }
            Self::File(_) | Self::Config { .. } => return None,
            Self::Saved(error) => return error.hint(),
            Self::Unrecognized { .. } => {
                "weights of residual networks are known in the names of torchvision, timm, Hugging \
                 Face's transformers, mmpretrain, weiaicunzai and this project"
            }
            Self::SeveralNetworks { keys, .. } => {
                let key = keys.first().map_or("KEY", String::as_str);
                return Some(format!("name one of them with --key, such as --key {key}"));
            }
            Self::NoHead { .. } => {
                "train a head: `train --weights FILE --data folder:PHOTOS`; `infer` predicts with the run"
            }
            Self::Quantized { .. } => {
                "use the float weights that it was made from, or dequantize it in Python and save its \
                 state dict"
            }
            Self::Shard { .. } => {
                "name the folder with all shards and their index, such as model.safetensors.index.json"
            }
            Self::NotFinite { .. } => {
                "its training diverged or the file is damaged: use an earlier checkpoint, or copy it again"
            }
            Self::Document { .. } => {
                "copy it again from where it was published, or name the file of weights under another \
                 name than that of a folder of Hugging Face"
            }
            Self::Changes { .. } => "omit the flag, or name another network with --model",
            Self::Regression { .. } => {
                "if the outputs are classes, set --activation softmax or sigmoid"
            }
            Self::Folder { path, files } => {
                return Some(match files.iter().find(|file| *file != CONFIG_FILE) {
                    Some(file) => format!("name the file: {}", path.join(shown(file)).display()),
                    None => {
                        "copy the file of weights into it, such as model.safetensors".to_owned()
                    }
                });
            }
            Self::OneOutput { .. } => "omit --activation, or use --activation sigmoid",
            Self::Mismatch { .. } => {
                "the file may be of another network: name it with --model, or omit --model to \
                 have it recognized"
            }
            Self::Unnamed { .. } => "name a folder instead, which keeps this project's names",
            Self::Preprocessing { source, .. } => match source {
                PreprocessingError::Channels { .. } => "images have 1 or 3 channels",
                PreprocessingError::Statistics { .. }
                | PreprocessingError::StatisticsLength { .. } => {
                    "give --mean and --std one number, or one for each channel, such as 0.5,0.5,0.5"
                }
                _ => "choose another --image-size or --resize, or omit them",
            },
            Self::Exists { .. } => "choose another name, or replace it with --overwrite",
            Self::OutputFormat { .. } => {
                "end the name with .safetensors for PyTorch, or name a folder for this project"
            }
        };
        Some(hint.to_owned())
    }

    /// Returns whether the error is a usage error.
    pub fn is_wrong_usage(&self) -> bool {
        let wrong_resize = matches!(
            self,
            Self::Preprocessing { source, .. } if !matches!(source, PreprocessingError::Channels { .. })
        );
        wrong_resize
            || matches!(
                self,
                Self::OutputFormat { .. } | Self::Changes { .. } | Self::OneOutput { .. }
            )
    }
}

/// Describes what a folder contains instead of weights.
fn found(files: &[String]) -> String {
    const NAMED: usize = 3;
    if files == [CONFIG_FILE] {
        return format!("{CONFIG_FILE} without weights");
    }
    let named: Vec<String> = files.iter().take(NAMED).map(|file| shown(file)).collect();
    match files.len().saturating_sub(NAMED) {
        0 => format!("no weights of a usual name, but {}", named.join(", ")),
        more => format!(
            "no weights of a usual name, but {} and {more} more files",
            named.join(", ")
        ),
    }
}
