//! What can go wrong with another program's weights.

use std::fmt;
use std::path::PathBuf;

use data::PreprocessingError;
use files::write_hint;
use model::ConfigError;
use thiserror::Error;
use weights::{ContentError, Entry, TensorInfo, TensorKind, WeightsError, shown};

use super::hub::CONFIG_FILE;
use crate::error::SavedModelError;
use crate::record::summary;

/// A file of weights is not usable, or none can be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ForeignError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] WeightsError),
    /// The run's folder cannot be read or written.
    #[error(transparent)]
    Saved(#[from] SavedModelError),
    /// The tensors are those of no network that can be built here.
    #[error("{} holds no network that is known here: {reason}", path.display())]
    Unrecognised {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// Several networks are in the file, and none of them is the one.
    #[error("{} holds several networks: {}", path.display(), keys.join(", "))]
    SeveralNetworks {
        /// The file.
        path: PathBuf,
        /// The keys that tell them apart.
        keys: Vec<String>,
    },
    /// The file holds a network without a last linear layer that can be used.
    #[error("{} holds a backbone without a head: {reason}", path.display())]
    NoHead {
        /// The file.
        path: PathBuf,
        /// What is missing or does not fit.
        reason: String,
    },
    /// The weights are small numbers that stand for floats.
    #[error(
        "{} holds a quantized network: `{}` is no tensor of floats of 16 bits or more",
        path.display(),
        shown(tensor)
    )]
    Quantized {
        /// The file.
        path: PathBuf,
        /// A tensor that says so.
        tensor: String,
    },
    /// The file is a part of a network.
    #[error("{} is one of {shards} shards of a network", path.display())]
    Shard {
        /// The file.
        path: PathBuf,
        /// How many files the network is in.
        shards: usize,
    },
    /// A document beside the weights cannot be used.
    #[error("{} cannot be used: {reason}", path.display())]
    Document {
        /// The document.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The network has no detail of the kind that was to be another.
    #[error("{model} cannot be changed so: {source}")]
    Changes {
        /// The network.
        model: String,
        /// Why.
        source: ConfigError,
    },
    /// The outputs are quantities, which are no probabilities.
    #[error(
        "{} says problem_type regression, whose outputs are quantities and no probabilities",
        path.display()
    )]
    Regression {
        /// The document that says so.
        path: PathBuf,
    },
    /// A folder holds no weights of a usual name.
    #[error("{} holds no weights of a usual name, but {}", path.display(), found(files))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What it holds that may be meant.
        files: Vec<String>,
    },
    /// A softmax over one output says nothing.
    #[error("{} has one output, whose softmax is always 1", path.display())]
    OneOutput {
        /// The file.
        path: PathBuf,
    },
    /// The tensors are not those of the network.
    #[error("{origin} does not fit {model} with {classes} classes: {differences}")]
    Mismatch {
        /// The file.
        origin: String,
        /// The network that was named or recognised.
        model: String,
        /// Its number of classes.
        classes: usize,
        /// Every tensor that differs.
        differences: Differences,
    },
    /// PyTorch's networks have no such layer.
    #[error("{model} has no counterpart in PyTorch's names, which have none for `{tensor}`")]
    Unnamed {
        /// The network.
        model: String,
        /// The tensor by its name in our records.
        tensor: String,
    },
    /// The file's numbers of channels or classes are out of range.
    #[error("{} holds no network that can be built: {source}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is out of range.
        source: ConfigError,
    },
    /// Images cannot be brought to the network.
    #[error("images cannot be prepared for {model}: {source}")]
    Preprocessing {
        /// The network.
        model: String,
        /// What does not fit.
        source: PreprocessingError,
    },
    /// There is something where the result was to be written.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file or folder.
        path: PathBuf,
    },
    /// No such format can be written.
    #[error("{} says neither safetensors nor a folder", path.display())]
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

    /// The way out, if there is a usual one.
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
            Self::Unrecognised { .. } => {
                "weights of residual networks are known in the names of torchvision, timm, Hugging \
                 Face's transformers, mmpretrain, weiaicunzai and this project"
            }
            Self::SeveralNetworks { keys, .. } => {
                let key = keys.first().map_or("KEY", String::as_str);
                return Some(format!("name one of them with --key, such as --key {key}"));
            }
            Self::NoHead { .. } => {
                "train a head: train --weights FILE --data folder:PHOTOS; `infer` predicts with the run"
            }
            Self::Quantized { .. } => {
                "use the float weights that it was made from, or dequantize it in Python and save its \
                 state dict"
            }
            Self::Shard { .. } => {
                "name the folder with all shards and their index, such as model.safetensors.index.json"
            }
            Self::Document { .. } => {
                "copy it again from where it was published, or name the file of weights under another \
                 name than that of a folder of Hugging Face"
            }
            Self::Changes { .. } => "leave the flag out, or name another network with --model",
            Self::Regression { .. } => {
                "give --activation softmax or sigmoid if the outputs are classes after all"
            }
            Self::Folder { path, files } => {
                return Some(match files.iter().find(|file| *file != CONFIG_FILE) {
                    Some(file) => format!("name the file: {}", path.join(shown(file)).display()),
                    None => {
                        "copy the file of weights into it, such as model.safetensors".to_owned()
                    }
                });
            }
            Self::OneOutput { .. } => "leave --activation out, or say --activation sigmoid",
            Self::Mismatch { .. } => {
                "the file may be of another network: name it with --model, or leave --model out to \
                 have it recognized"
            }
            Self::Unnamed { .. } => "name a folder instead, which keeps this project's names",
            Self::Preprocessing { source, .. } => match source {
                PreprocessingError::Channels { .. } => "images have 1 or 3 channels",
                PreprocessingError::Statistics { .. }
                | PreprocessingError::StatisticsLength { .. } => {
                    "give --mean and --std one number, or one for each channel, such as 0.5,0.5,0.5"
                }
                _ => "choose another --image-size or --resize, or leave them out",
            },
            Self::Exists { .. } => "choose another name, or replace it with --overwrite",
            Self::OutputFormat { .. } => {
                "end the name with .safetensors for PyTorch, or name a folder for this project"
            }
        };
        Some(hint.to_owned())
    }

    /// Whether the error lies in how a program was called.
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

/// All tensors in which a file differs from a network; shows the first few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences(pub Vec<Difference>);

/// A tensor in which a file differs from a network, by its name in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The file lacks it.
    Missing {
        /// Its name.
        name: String,
        /// The shape that the network has.
        shape: Vec<usize>,
    },
    /// The network has no such tensor.
    Extra {
        /// Its name.
        name: String,
        /// The shape in the file.
        shape: Vec<usize>,
    },
    /// It has another shape.
    Shape {
        /// Its name.
        name: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape that the network has.
        expected: Vec<usize>,
    },
    /// It holds whole numbers.
    Integers {
        /// Its name.
        name: String,
    },
    /// It is of a type that cannot be read.
    Unread {
        /// Its name.
        name: String,
        /// What it is: `of complex64`, for example.
        reason: String,
    },
}

/// What a file holds under a name.
pub(crate) enum Held<'a> {
    Nothing,
    Unread(&'a str),
    Integers(&'a [usize]),
    Floats(&'a [usize]),
}

impl<'a> From<Option<&'a TensorInfo>> for Held<'a> {
    fn from(tensor: Option<&'a TensorInfo>) -> Self {
        let Some(tensor) = tensor else {
            return Self::Nothing;
        };
        match (&tensor.unread, tensor.shape.as_deref(), tensor.kind) {
            (Some(reason), ..) => Self::Unread(reason),
            (None, Some(shape), TensorKind::Float) => Self::Floats(shape),
            (None, shape, _) => Self::Integers(shape.unwrap_or_default()),
        }
    }
}

impl<'a> From<Option<&'a Entry>> for Held<'a> {
    fn from(entry: Option<&'a Entry>) -> Self {
        match entry {
            None => Self::Nothing,
            Some(Entry::Float(tensor)) => Self::Floats(tensor.shape()),
            Some(Entry::Integer(tensor)) => Self::Integers(tensor.shape()),
        }
    }
}

impl Difference {
    /// In what a tensor differs from floats of the expected shape, if in anything.
    pub(crate) fn of(name: &str, expected: &[usize], held: Held<'_>) -> Option<Self> {
        let name = name.to_owned();
        Some(match held {
            Held::Nothing => Self::Missing {
                name,
                shape: expected.to_vec(),
            },
            Held::Unread(reason) => Self::Unread {
                name,
                reason: reason.to_owned(),
            },
            Held::Integers(found) | Held::Floats(found) if found != expected => Self::Shape {
                name,
                found: found.to_vec(),
                expected: expected.to_vec(),
            },
            Held::Integers(_) => Self::Integers { name },
            Held::Floats(_) => return None,
        })
    }
}

/// What a folder holds instead of weights, in words.
fn found(files: &[String]) -> String {
    const NAMED: usize = 3;
    if files == [CONFIG_FILE] {
        return format!("{CONFIG_FILE} without weights");
    }
    let named: Vec<String> = files.iter().take(NAMED).map(|file| shown(file)).collect();
    match files.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more files", named.join(", ")),
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&summary(&self.0))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, shape } => {
                write!(formatter, "`{}` {} is missing", shown(name), sizes(shape))
            }
            Self::Extra { name, shape } => {
                write!(
                    formatter,
                    "`{}` {} is not part of it",
                    shown(name),
                    sizes(shape)
                )
            }
            Self::Shape {
                name,
                found,
                expected,
            } => write!(
                formatter,
                "`{}` is {} instead of {}",
                shown(name),
                sizes(found),
                sizes(expected)
            ),
            Self::Integers { name } => {
                write!(formatter, "`{}` holds whole numbers", shown(name))
            }
            Self::Unread { name, reason } => write!(
                formatter,
                "`{}` cannot be read, because it is {}",
                shown(name),
                shown(reason)
            ),
        }
    }
}

/// A shape from a file may have any number of dimensions.
pub(crate) fn sizes(shape: &[usize]) -> String {
    match shape.len() {
        0..=8 => format!("{shape:?}"),
        dimensions => format!("of {dimensions} dimensions"),
    }
}
