//! Evaluating a saved model on a part of a data set.

use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};

use data::{
    BatchLoader, DataSet, ImageBatcher, ImageDataset, LoadOptions, LoadProgress, Source, Storage,
};
use derive_setters::Setters;
use model::{FoldedNetwork, ResidualBackend};
use saved_models::{Activation, SavedModel, Views};
use serde::{Deserialize, Serialize};

use super::matching::{Classes, MatchedBy, Matching, matching};
use super::score::score;
use crate::error::TrainError;
use crate::evaluation::{Evaluation, Tally};
use crate::plan::{all, parts};
use crate::settings::TrainConfig;

/// A part of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetPart {
    /// The training images, without those held out for validation.
    Train,
    /// The images used to choose the best epoch of a run.
    Validation,
    /// The test images.
    #[default]
    Test,
}

impl SetPart {
    /// All parts.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// Returns the name used in flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// Settings of an evaluation.
#[derive(Clone, Debug, Setters)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct EvaluationSettings {
    /// The data set.
    pub data: Source,
    /// Folder that is searched first for the files of published data sets.
    pub data_dir: Option<PathBuf>,
    /// Table of labels for the images of a folder, as in a run's config.
    pub labels: Option<PathBuf>,
    /// The part of the data set to evaluate on.
    pub part: SetPart,
    /// Share of the training images held out for validation, as in a run's config.
    pub validation: f64,
    /// Seed that selects the validation images, as in a run's config.
    pub seed: u64,
    /// Views of each image that the network receives.
    pub views: Views,
    /// Maximum number of pixels of an image in a folder.
    pub max_pixels: Option<NonZeroU64>,
    /// Images per batch.
    pub batch_size: NonZeroUsize,
}

impl EvaluationSettings {
    /// Returns the settings of a run, for its test images.
    pub fn of_run(config: &TrainConfig) -> Self {
        Self {
            data: config.data.clone(),
            data_dir: config.data_dir.clone(),
            labels: config.labels.clone(),
            part: SetPart::Test,
            validation: config.validation,
            seed: config.seed,
            views: config.views(),
            max_pixels: config.loader.max_pixels,
            batch_size: config.batch_size,
        }
    }
}

/// A model and the images that it is evaluated on.
#[derive(Debug)]
pub struct EvaluationPlan {
    pub(super) saved: SavedModel,
    /// The data set, of which one part is evaluated.
    pub data: DataSet,
    /// The settings that the plan was made from.
    pub settings: EvaluationSettings,
    /// Whether the seed determines which images are evaluated.
    pub is_split_by_seed: bool,
    /// How the classes of the data and of the model are matched.
    pub matched_by: MatchedBy,
    images: Arc<ImageDataset>,
    /// Class index of the model for each class of the data.
    classes: Vec<usize>,
}

impl EvaluationPlan {
    /// Loads the data with the model's preprocessing. Images of a folder are prepared as for a prediction, one by one
    /// as they are needed.
    ///
    /// # Errors
    ///
    /// If the data cannot be loaded, or has classes or channels that the model does not know.
    pub fn new(
        saved: SavedModel,
        settings: EvaluationSettings,
        progress: &(dyn Fn(LoadProgress) + Send + Sync),
    ) -> Result<Self, TrainError> {
        let description = &saved.description;
        if description.activation == Activation::Sigmoid {
            return Err(TrainError::SeveralLabels {
                model: description.model.clone(),
            });
        }
        let storage = match settings.data {
            Source::Folder(_) => Storage::Files,
            _ => Storage::Memory,
        };
        let data = settings.data.load(
            &LoadOptions::default()
                .with_data_dir(settings.data_dir.clone())
                .with_labels(settings.labels.clone())
                .with_image_size(Some(description.preprocessing.height()))
                .with_storage(storage)
                .with_max_pixels(settings.max_pixels)
                .with_seed(settings.seed)
                .with_progress(Some(progress)),
        )?;
        let channels = [
            data.preprocessing.channels(),
            description.preprocessing.channels(),
        ];
        // Images from files are converted to the model's channels; packed images keep their own.
        if storage == Storage::Memory && channels[0] != channels[1] {
            return Err(TrainError::OtherChannels {
                data: data.name,
                channels: channels[0],
                model: description.model.clone(),
                expected: channels[1],
            });
        }
        let Matching {
            classes,
            by: matched_by,
        } = matching(
            Classes {
                names: &data.class_names,
                data: &data.name,
            },
            Classes {
                names: &description.class_names,
                data: &description.trained_on,
            },
        )?;
        let images = Arc::new(images(&data, &settings)?.for_scoring());
        let is_split_by_seed = match settings.part {
            SetPart::Train | SetPart::Validation
                if data.validation.is_none() && settings.validation > 0.0 =>
            {
                true
            }
            _ => data.test_is_split_off,
        };
        Ok(Self {
            saved,
            data,
            settings,
            is_split_by_seed,
            matched_by,
            images,
            classes,
        })
    }

    /// Returns the number of images to evaluate.
    pub fn images(&self) -> usize {
        self.images.indices().len()
    }

    /// Evaluates the model on the images. `progress` receives the number of images done.
    ///
    /// # Errors
    ///
    /// If the weights are damaged or an image cannot be read.
    pub fn run<B: ResidualBackend>(
        &self,
        device: &B::Device,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Evaluation, TrainError> {
        self.run_on(&self.saved.folded::<B>(device)?, device, progress)
    }

    /// Evaluates another form of the model on the images.
    pub(super) fn run_on<B: ResidualBackend>(
        &self,
        network: &FoldedNetwork<B>,
        device: &B::Device,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Evaluation, TrainError> {
        let description = &self.saved.description;
        let (failed_load, load_failures) = mpsc::channel();
        let loader = BatchLoader::<B>::new(
            Arc::clone(&self.images),
            Arc::new(ImageBatcher::new(description.preprocessing.clone())),
            self.settings.batch_size,
            None,
            device.clone(),
        )
        .with_failures(failed_load);
        let tally = Tally::new(description.class_names.len())
            .with_classes(self.classes.clone())
            .of(&self.images);
        let views = self.settings.views;
        let tally = score(network, &loader, views, tally, &mut |_, done| {
            progress(done.items_processed);
            ControlFlow::Continue(())
        });
        if let Ok(error) = load_failures.try_recv() {
            return Err(error.into());
        }
        tally
            .and_then(|tally| tally.evaluation(&description.class_names))
            .ok_or_else(|| TrainError::NoneReadable {
                data: self.data.name.clone(),
                part: self.settings.part.name(),
            })
    }
}

/// Returns the images of the selected part.
pub(super) fn images(
    data: &DataSet,
    settings: &EvaluationSettings,
) -> Result<ImageDataset, TrainError> {
    match settings.part {
        SetPart::Test => Ok(all(&data.test)),
        SetPart::Train if settings.validation == 0.0 => Ok(all(&data.train)),
        SetPart::Validation if settings.validation == 0.0 && data.validation.is_none() => {
            Err(TrainError::NoImages {
                data: data.name.clone(),
                part: settings.part.name(),
            })
        }
        part => {
            let [train, validation] = parts(data, settings.validation, settings.seed)?;
            Ok(match part {
                SetPart::Train => train,
                _ => validation,
            })
        }
    }
}
