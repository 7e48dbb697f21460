//! Errors of training.

use std::io;
use std::path::{Path, PathBuf};

use data::{AugmentationError, DataError};
use files::write_hint;
use model::UnknownPart;
use saved_models::SavedModelError;
use saved_models::foreign::{ForeignError, UnknownPublished};
use thiserror::Error;

/// Error that keeps a run from starting or continuing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The images cannot be loaded.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The images of a run were moved or deleted.
    #[error("the images of this run are missing: {0}")]
    DataGone(#[source] Box<DataError>),
    /// A model cannot be read or written.
    #[error(transparent)]
    SavedModel(#[from] SavedModelError),
    /// The weights to start from cannot be used.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// There are no validation images to choose the best epoch by.
    #[error("no image of {data} is left for validation, because no class has two training images")]
    NoValidation {
        /// The data set.
        data: String,
    },
    /// A network for one class would always be right.
    #[error("{data} has images of a single class, so there is nothing to learn")]
    OneClass {
        /// The data set.
        data: String,
    },
    /// Every step of an epoch is dropped.
    #[error(
        "the {images} training images are fewer than a step of {in_a_step}, and `loader.drop_last` drops smaller steps"
    )]
    NoSteps {
        /// Training images.
        images: usize,
        /// Images per step.
        in_a_step: usize,
    },
    /// The run's folder is not empty.
    #[error("{} already exists and is not empty", path.display())]
    FolderTaken {
        /// The folder.
        path: PathBuf,
    },
    /// Another program is training the run.
    #[error("another program is training the run in {}", folder.display())]
    Taken {
        /// The run's folder.
        folder: PathBuf,
    },
    /// The run has no events.
    #[error("{} has no {}", folder.display(), events::FILE)]
    NoEvents {
        /// The run's folder.
        folder: PathBuf,
    },
    /// There is no run with events.
    #[error("there is no run in {}", folder.display())]
    NoRuns {
        /// The folder of runs.
        folder: PathBuf,
    },
    /// A part of the data has no images.
    #[error("{data} has no {part} images")]
    NoImages {
        /// The data set.
        data: String,
        /// The part.
        part: &'static str,
    },
    /// A part of the data has images, but none of them can be read.
    #[error("none of the {part} images of {data} can be read")]
    NoneReadable {
        /// The data set.
        data: String,
        /// The part.
        part: &'static str,
    },
    /// The images and the model have different numbers of channels.
    #[error("the images of {data} have {channels} channels, but {model} takes {expected}")]
    OtherChannels {
        /// The data set.
        data: String,
        /// Channels of its images.
        channels: usize,
        /// The model.
        model: String,
        /// Channels that the model takes.
        expected: usize,
    },
    /// The data has classes that the model has not learned.
    #[error("of the classes of {data}, the model does not know {unknown}; it knows {known}")]
    UnknownClasses {
        /// The data set.
        data: String,
        /// The first few unknown classes.
        unknown: String,
        /// The first few classes of the model.
        known: String,
    },
    /// The model is for images with several labels each.
    #[error("{model} predicts each class independently, which cannot be evaluated")]
    SeveralLabels {
        /// The model.
        model: String,
    },
    /// The model holds 8-bit integers already.
    #[error("{model} consists of 8-bit integers already")]
    Quantized {
        /// The model.
        model: String,
    },
    /// The backend has no kernels for integers.
    #[error("this device cannot compute with 8-bit integers")]
    NoIntegers,
    /// No rule for ranges gave predictions that are numbers.
    #[error("the predictions of {model} are not finite")]
    Diverging {
        /// The model.
        model: String,
    },
    /// The run in the folder has other settings than the requested one.
    #[error("the run in {} was started with other settings", path.display())]
    OtherSettings {
        /// The folder.
        path: PathBuf,
    },
    /// The images of a resumed run have changed since its start.
    #[error("the images of {data} are not the ones this run was started with: {difference}")]
    OtherImages {
        /// The data set.
        data: String,
        /// How they differ.
        difference: String,
    },
    /// The images of a resumed run were moved, and its checkpoint does not identify them.
    #[error(
        "cannot tell whether {data} has the images that the run was started with: its checkpoint is from a version \
         that stored no checksum of them"
    )]
    UnknownImages {
        /// The data set.
        data: String,
    },
    /// A resumed run has already begun a later epoch than the requested last one.
    #[error(
        "`epochs` is {asked}, but must be at least {begun}, because that epoch of the run has begun"
    )]
    FewerEpochs {
        /// Number of epochs requested.
        asked: usize,
        /// Number of epochs begun.
        begun: usize,
    },
    /// The folder is not a run.
    #[error("{} is not a run that can be resumed, because {file} is missing", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// The missing file.
        file: &'static str,
    },
    /// Reading or writing failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// Verb for the message, such as "write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// A file of a checkpoint is incomplete, damaged or from another run.
    #[error("{} is cut off, damaged or from another run: {reason}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Explanation for the message.
        reason: String,
    },
    /// A file of a checkpoint does not match its checksum.
    #[error("{} is damaged: its content does not match its checksum", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
    },
    /// A run's config does not match its checksum.
    #[error("{} was changed or damaged: its content does not match its checksum", path.display())]
    ConfigChecksum {
        /// The file.
        path: PathBuf,
    },
    /// A gradient is infinite or not a number.
    #[error("the gradients of {model} are not finite")]
    Gradient {
        /// The network.
        model: String,
    },
    /// The loss or a weight is infinite or not a number.
    #[error(
        "{what} of step {step} (epoch {epoch}) is not finite, at a learning rate of {}; {}",
        significant(*rate),
        last_checkpoint(checkpoint.as_deref())
    )]
    Diverged {
        /// "the loss" or "a weight".
        what: &'static str,
        /// The step, counted from 1 since the start of the run.
        step: usize,
        /// The epoch, counted from 1.
        epoch: usize,
        /// Learning rate of that step.
        rate: f64,
        /// The model of the last checkpoint, if there is one.
        checkpoint: Option<PathBuf>,
    },
}

/// Rounds a number to five significant digits, which drops noise from floating-point arithmetic.
fn significant(number: f64) -> f64 {
    format!("{number:.4e}").parse().unwrap_or(number)
}

fn last_checkpoint(path: Option<&Path>) -> String {
    match path {
        Some(path) => format!("the last good checkpoint is {}", path.display()),
        None => "there is no checkpoint yet".to_owned(),
    }
}

/// Error in the settings.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The file is not TOML, or has an unknown key or a value of the wrong type.
    #[error("{}, {place}: {reason}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line.
        place: String,
        /// Explanation for the message.
        reason: String,
    },
    /// A value is out of range.
    #[error("`{key}` is {value}, but must be {range}")]
    OutOfRange {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: String,
        /// Allowed values.
        range: &'static str,
    },
    /// A setting that was given by key cannot have the value.
    #[error("`{key}`: {reason}")]
    Value {
        /// The setting.
        key: String,
        /// Explanation for the message.
        reason: String,
    },
    /// The settings cannot be written to a file.
    #[error("the settings cannot be written as TOML: {reason}")]
    Unwritable {
        /// Explanation for the message.
        reason: String,
    },
    /// The recipe's name is unknown.
    #[error("unknown recipe `{name}`, known recipes are {known}")]
    UnknownRecipe {
        /// The requested value.
        name: String,
        /// Names of all recipes.
        known: String,
    },
    /// The network's name is unknown.
    #[error(transparent)]
    Model(#[from] model::UnknownNetwork),
    /// The augmentation is invalid.
    #[error("`augmentation`: {0}")]
    Augmentation(#[from] AugmentationError),
    /// torchvision does not publish these weights.
    #[error(transparent)]
    Published(#[from] UnknownPublished),
    /// The network does not have the part to freeze.
    #[error("`freeze`: {0}")]
    NetworkPart(#[from] UnknownPart),
    /// Frozen weights would stay random.
    #[error("`freeze` is set, but there are no trained weights to start from")]
    NothingToFreeze,
    /// A setting needs trained weights, and there are none.
    #[error("`{key}` is set, but there are no trained weights to start from")]
    NoWeights {
        /// The setting.
        key: &'static str,
    },
    /// Trained weights fix the network and the preprocessing, so neither can be set.
    #[error("`{key}` cannot be set with trained weights, which define it")]
    FixedByWeights {
        /// The setting.
        key: &'static str,
    },
    /// Images of published data sets are not separate files.
    #[error("`loader.storage` is files, but must be memory for {data}")]
    AlwaysInMemory {
        /// The data set.
        data: String,
    },
    /// Published data sets have labels of their own.
    #[error("`labels` is set, but {data} has labels of its own")]
    OwnLabels {
        /// The data set.
        data: String,
    },
    /// The data set of a resumed run cannot be replaced.
    #[error(
        "`data` is {data}, but must be {run}, with which the run was started; only its path can change"
    )]
    OtherData {
        /// The requested value.
        data: String,
        /// Data set of the run.
        run: String,
    },
    /// The model has no config that names its data set.
    #[error("{} has no config.toml that says which data it was trained on", model.display())]
    NoData {
        /// The model's folder or file.
        model: PathBuf,
    },
    /// The network does not fit the data or the settings.
    #[error("`model` is {model}: {reason}")]
    Network {
        /// The network's name.
        model: String,
        /// Explanation for the message.
        reason: String,
    },
}

impl TrainError {
    /// Returns a function that wraps an I/O error of an action on a path as [`Io`](Self::Io).
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// Returns a hint on how to fix the error, if there is a common fix.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::DataGone(_) => {
                Some("if they were moved, name their folder with --data folder:PATH".into())
            }
            Self::SavedModel(error) => error.hint(),
            Self::Foreign(error) => error.hint(),
            Self::Gradient { .. } => Some("choose smaller --depths".into()),
            Self::NoValidation { .. } => Some("add images".into()),
            Self::OneClass { .. } => {
                Some("add a class folder with other images, such as other/".into())
            }
            Self::NoImages { .. } => Some("choose another --split".into()),
            Self::NoneReadable { .. } => Some("replace them; `train data` names them".into()),
            Self::OtherChannels { .. } => {
                Some("name the data that the model was trained on with --data".into())
            }
            Self::UnknownClasses { .. } => Some(
                "name the data that the model was trained on with --data, or name the folders after the model's \
                 classes or their numbers"
                    .into(),
            ),
            Self::NoSteps { .. } => Some("choose a smaller --batch-size or --accumulate".into()),
            Self::FolderTaken { path } => Some(format!(
                "choose another --name, or continue this run with --resume {}",
                path.display()
            )),
            Self::OtherSettings { .. } => {
                Some("choose another --output, or continue with the same settings".into())
            }
            Self::Taken { folder } => Some(format!(
                "wait until it ends, or stop it; `train watch {}` shows it",
                folder.display()
            )),
            Self::NoEvents { .. } => {
                Some("name a run of this version, or continue an older one with --resume".into())
            }
            Self::NoRuns { .. } => {
                Some("start one with `train`, or name the folder of runs with --runs-dir".into())
            }
            Self::OtherImages { .. } => Some(
                "restore them to continue, or start a new run from this run's weights with --weights"
                    .into(),
            ),
            Self::UnknownImages { .. } => Some(
                "continue once with the data at the old path, which adds the checksum, or start a new run from this \
                 run's weights with --weights"
                    .into(),
            ),
            Self::FewerEpochs { begun, .. } => Some(format!("use --epochs {begun} to stop after that epoch")),
            Self::NotARun { .. } => Some("name a run's folder, such as runs/NAME".into()),
            Self::Io { source, .. } => write_hint(source).map(|hint| {
                format!(
                    "{hint}, then start again, or resume with --resume from the last checkpoint"
                )
            }),
            Self::Quantized { .. } => Some("name the run that it was made from".into()),
            Self::NoIntegers => Some("build with the feature flex".into()),
            Self::Diverging { .. } => Some("train a new model with a lower --lr".into()),
            Self::SeveralLabels { .. } => Some(
                "predict with infer, or name a model with one class per image".into(),
            ),
            Self::Checkpoint { .. } => Some(
                "start a new run; the best model so far, if any, is still in model.safetensors"
                    .into(),
            ),
            Self::Checksum { path } => Some(format!(
                "copy the file again if you have another copy, or start a new run from the best model so far with \
                 --weights {}",
                path.ancestors().nth(2).unwrap_or(path).display()
            )),
            Self::ConfigChecksum { .. } => Some(
                "copy the file again, or delete its last line if you changed it on purpose".into(),
            ),
            Self::Diverged { checkpoint, .. } => {
                let from = match checkpoint {
                    Some(_) => ", or with --weights from the best model so far,",
                    None => "",
                };
                Some(format!("start again{from} with a lower --lr, a longer --warmup-epochs or shorter gradients, such as --clip 1"))
            }
        }
    }
}

impl ConfigError {
    /// Returns a hint on how to fix the error, if there is a common fix.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("check the spelling of the path".into())
            }
            Self::NoData { .. } => Some("name the data with --data".into()),
            Self::NothingToFreeze | Self::NoWeights { .. } => {
                Some("name weights with --weights or --pretrained".into())
            }
            Self::OwnLabels { .. } => {
                Some("omit --labels, or name a folder of images with --data folder:PATH".into())
            }
            Self::OtherData { .. } => Some(
                "start a new run from this run's weights with --weights and the run's folder".into(),
            ),
            Self::AlwaysInMemory { .. } => {
                Some("omit --storage, or name a folder with --data folder:PATH".into())
            }
            Self::Network { .. } => {
                Some("choose another --model, --image-size or, to measure, --input; `train --help` says more".into())
            }
            _ => None,
        }
    }
}
