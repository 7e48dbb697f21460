//! What can go wrong in training.

use std::io;
use std::path::{Path, PathBuf};

use data::{AugmentationError, DataError};
use files::write_hint;
use model::UnknownPart;
use saved_models::SavedModelError;
use saved_models::foreign::{ForeignError, UnknownPublished};
use thiserror::Error;

/// Why a run could not start or continue.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The images cannot be loaded.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The images of a run are no longer where they were.
    #[error("the images of this run are missing: {0}")]
    DataGone(#[source] Box<DataError>),
    /// A model cannot be read or written.
    #[error(transparent)]
    SavedModel(#[from] SavedModelError),
    /// The weights to start from cannot be used.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// There is nothing to choose the best epoch by.
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
        /// Images of a step.
        in_a_step: usize,
    },
    /// The run's folder is not empty.
    #[error("{} already exists and is not empty", path.display())]
    FolderTaken {
        /// The folder.
        path: PathBuf,
    },
    /// Another program trains the run.
    #[error("another program is training the run in {}", folder.display())]
    Taken {
        /// The run's folder.
        folder: PathBuf,
    },
    /// A run has no events.
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
    /// A part of the data has images, but none that can be read.
    #[error("none of the {part} images of {data} can be read")]
    NoneReadable {
        /// The data set.
        data: String,
        /// The part.
        part: &'static str,
    },
    /// The images have other channels than the model takes.
    #[error("the images of {data} have {channels} channels, but {model} takes {expected}")]
    OtherChannels {
        /// The data set.
        data: String,
        /// Those of its images.
        channels: usize,
        /// The model.
        model: String,
        /// Those that it takes.
        expected: usize,
    },
    /// The model has not learned some classes of the data.
    #[error("of the classes of {data}, the model does not know {unknown}; it knows {known}")]
    UnknownClasses {
        /// The data set.
        data: String,
        /// The first few of those.
        unknown: String,
        /// The first few of the model's.
        known: String,
    },
    /// The model is for images of which several classes are right.
    #[error("{model} predicts each class independently, which cannot be evaluated")]
    SeveralLabels {
        /// The model.
        model: String,
    },
    /// The folder's run is not the one that was asked for.
    #[error("the run in {} was started with other settings", path.display())]
    OtherSettings {
        /// The folder.
        path: PathBuf,
    },
    /// A resumed run has other images than at its start.
    #[error("the images of {data} differ from those that the run was started with: {difference}")]
    OtherImages {
        /// The data set.
        data: String,
        /// How they differ.
        difference: String,
    },
    /// A resumed run has moved images, and its checkpoint does not identify them.
    #[error(
        "cannot tell whether {data} has the images that the run was started with: its checkpoint is from a version \
         that stored no checksum of them"
    )]
    UnknownImages {
        /// The data set.
        data: String,
    },
    /// What was trained stays trained.
    #[error(
        "`epochs` is {asked}, but must be at least {begun}, because that epoch of the run has begun"
    )]
    FewerEpochs {
        /// How many there were to be.
        asked: usize,
        /// How many were begun.
        begun: usize,
    },
    /// The folder is no run.
    #[error("{} is not a run that can be resumed, because {file} is missing", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What it lacks.
        file: &'static str,
    },
    /// Reading or writing failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// Such as "write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of a checkpoint is not what was written.
    #[error("{} is cut off, damaged or from another run: {reason}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A file of a checkpoint has other bytes than were written.
    #[error("{} is damaged: its content does not match its checksum", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
    },
    /// A run's config has other bytes than were written.
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
    /// The loss is infinite or not a number.
    #[error(
        "{what} of step {step} (epoch {epoch}) is not finite, at a learning rate of {}; {}",
        significant(*rate),
        last_checkpoint(checkpoint.as_deref())
    )]
    Diverged {
        /// "the loss" or "a weight".
        what: &'static str,
        /// Counted from 1 since the start of the run.
        step: usize,
        /// Counted from 1.
        epoch: usize,
        /// Of that step.
        rate: f64,
        /// The model of the last checkpoint, if there is one.
        checkpoint: Option<PathBuf>,
    },
}

/// A number without the digits that nobody set.
fn significant(number: f64) -> f64 {
    format!("{number:.4e}").parse().unwrap_or(number)
}

fn last_checkpoint(path: Option<&Path>) -> String {
    match path {
        Some(path) => format!("the last good checkpoint is {}", path.display()),
        None => "there is no checkpoint yet".to_owned(),
    }
}

/// A setting is not known or out of range.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file has an unknown key, a value of another type, or is no TOML.
    #[error("{}, {place}: {reason}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line.
        place: String,
        /// What does not fit.
        reason: String,
    },
    /// A value is out of range.
    #[error("`{key}` is {value}, but must be {range}")]
    OutOfRange {
        /// The setting.
        key: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        range: &'static str,
    },
    /// A setting that is given by its key cannot have the value.
    #[error("`{key}`: {reason}")]
    Value {
        /// The setting.
        key: String,
        /// What does not fit.
        reason: String,
    },
    /// The settings cannot be kept in a file.
    #[error("the settings cannot be written as TOML: {reason}")]
    Unwritable {
        /// What does not fit.
        reason: String,
    },
    /// No recipe has such a name.
    #[error("unknown recipe `{name}`, known recipes are {known}")]
    UnknownRecipe {
        /// What was asked for.
        name: String,
        /// All recipes.
        known: String,
    },
    /// The network's name is not known.
    #[error(transparent)]
    Model(#[from] model::UnknownNetwork),
    /// Images cannot be changed so.
    #[error("`augmentation`: {0}")]
    Augmentation(#[from] AugmentationError),
    /// torchvision has no such weights.
    #[error(transparent)]
    Published(#[from] UnknownPublished),
    /// The network has no such part.
    #[error("`freeze`: {0}")]
    NetworkPart(#[from] UnknownPart),
    /// Random weights would stay random.
    #[error("`freeze` is set, but there are no trained weights to start from")]
    NothingToFreeze,
    /// A key leads to weights, and there are none.
    #[error("`{key}` is set, but there are no trained weights to start from")]
    NoWeights {
        /// The setting.
        key: &'static str,
    },
    /// The network of the weights cannot be changed, nor what they expect of images.
    #[error("`{key}` cannot be set with trained weights, which define it")]
    FixedByWeights {
        /// The setting.
        key: &'static str,
    },
    /// Images of published sets have no files of their own.
    #[error("`loader.storage` is files, but must be memory for {data}")]
    AlwaysInMemory {
        /// The data set.
        data: String,
    },
    /// Published sets have labels.
    #[error("`labels` is set, but {data} has labels of its own")]
    OwnLabels {
        /// The data set.
        data: String,
    },
    /// A resumed run has another data set.
    #[error(
        "`data` is {data}, but must be {run}, with which the run was started; only its path can change"
    )]
    OtherData {
        /// What was asked for.
        data: String,
        /// What the run has.
        run: String,
    },
    /// Nothing says what images a model is for.
    #[error("{} has no config.toml that says which data it was trained on", model.display())]
    NoData {
        /// The model's folder or file.
        model: PathBuf,
    },
    /// The network does not fit the data or has no such setting.
    #[error("`model` is {model}: {reason}")]
    Network {
        /// The network's name.
        model: String,
        /// What does not fit.
        reason: String,
    },
}

impl TrainError {
    /// An [`Io`](Self::Io) error of an action on a path.
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

    /// The way out, if there is a usual one.
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
    /// The way out, if there is a usual one.
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
