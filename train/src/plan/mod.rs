//! Turns settings into the plan of a run.
//!
//! | module | what it holds |
//! |---|---|
//! | `pretrained` | trained weights that a run starts from |
//! | `fingerprint` | identity of the images that a run was started with |

mod fingerprint;
mod pretrained;

use std::sync::Arc;

use burn::tensor::backend::Backend;
use data::{
    BatchLoader, DataError, DataSet, ImageBatcher, ImageDataset, ImageLook, ImageStore,
    LoadOptions, LoadProgress, Source,
};
use model::NetworkConfig;
use saved_models::{Accuracy, Activation, Description, Scoring, Stored};

use crate::error::{ConfigError, TrainError};
use crate::folder::RunFolder;
use crate::settings::Rates;
use crate::settings::TrainConfig;

pub(crate) use fingerprint::Fingerprint;
pub use pretrained::{Fitting, Pretrained};

/// A run before it starts: its images, network and number of steps.
#[derive(Debug)]
pub struct Plan {
    /// Settings that the plan was made from.
    pub config: TrainConfig,
    /// Name or description of the network.
    pub model: String,
    /// Configuration of the network.
    pub network: NetworkConfig,
    /// Weights to start from; `None` for random ones.
    pub pretrained: Option<Pretrained>,
    /// Classes, test images and preprocessing.
    pub data: DataSet,
    /// Images to train on.
    pub train: Arc<ImageDataset>,
    /// Images to score each epoch on.
    pub validation: Arc<ImageDataset>,
    /// Steps in each epoch.
    pub steps_per_epoch: usize,
    /// Common properties of the training images, if `infer` can adapt other images to them.
    look: Option<ImageLook>,
}

impl Plan {
    /// Loads the data and fits the network to it.
    ///
    /// `progress` is called as images are prepared, from several threads.
    ///
    /// # Errors
    ///
    /// If a setting is wrong, the data cannot be loaded, or the network does not fit the data.
    pub fn new(
        config: TrainConfig,
        progress: &(dyn Fn(LoadProgress) + Send + Sync),
    ) -> Result<Self, TrainError> {
        config.validate()?;
        let pretrained = Pretrained::read(&config)?;
        Self::load(config, pretrained, progress)
    }

    /// Like [`new`](Self::new), for a resumed run, which no longer needs the weights that it started from.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn resumed(
        config: TrainConfig,
        folder: &RunFolder,
        progress: &(dyn Fn(LoadProgress) + Send + Sync),
    ) -> Result<Self, TrainError> {
        config.validate()?;
        let pretrained = Pretrained::resumed(&config, folder)?;
        Self::load(config, pretrained, progress).map_err(|error| match error {
            TrainError::Data(error @ DataError::NotAFolder { .. }) => {
                TrainError::DataGone(Box::new(error))
            }
            error => error,
        })
    }

    fn load(
        mut config: TrainConfig,
        pretrained: Option<Pretrained>,
        progress: &(dyn Fn(LoadProgress) + Send + Sync),
    ) -> Result<Self, TrainError> {
        // Fill in unset settings, so that the run's config names them.
        config.lr = Some(config.learning_rate());
        match &pretrained {
            None => config.model = Some(config.model_name().to_owned()),
            Some(pretrained) => {
                if config.image_size.is_none() && matches!(config.data, Source::Folder(_)) {
                    config.image_size = Some(pretrained.description.preprocessing.height());
                }
            }
        }
        config.image_size = config.side();
        let data = config.data.load(
            &LoadOptions::default()
                .with_data_dir(config.data_dir.clone())
                .with_labels(config.labels.clone())
                .with_image_size(config.image_size)
                .with_storage(config.loader.storage)
                .with_max_pixels(config.loader.max_pixels)
                .with_seed(config.seed)
                .with_progress(Some(progress)),
        )?;
        let mut data = config.prepared(data);
        let [channels, height, width] = data.preprocessing.shape();
        let (classes, size) = (data.class_names.len(), [height, width]);
        if classes < 2 {
            return Err(TrainError::OneClass { data: data.name });
        }
        let network = match &pretrained {
            None => config.network(channels, size, classes)?,
            Some(pretrained) => {
                data.preprocessing = pretrained
                    .preprocessing(&data.preprocessing)
                    .map_err(DataError::from)?;
                let network = pretrained.network_config(channels, classes);
                config.check(&network, size)?;
                network
            }
        };
        network
            .check_parts(&config.freeze)
            .map_err(ConfigError::from)?;
        let model = match &pretrained {
            None => config.model_in_words(),
            Some(pretrained) => pretrained.description.model.clone(),
        };
        let [train, validation] = match config.scores_on_test() {
            true => [&data.train, &data.test].map(all),
            false => parts(&data, config.validation, config.seed)?,
        };
        let images = train.indices().len();
        let in_a_step = config.batch_size.saturating_mul(config.accumulate);
        let steps_per_epoch = config.loader.steps(images, in_a_step);
        if steps_per_epoch == 0 {
            return Err(TrainError::NoSteps {
                images,
                in_a_step: in_a_step.get(),
            });
        }
        let look = data
            .train
            .packed()
            .and_then(|images| ImageLook::of(images, train.indices()));
        Ok(Self {
            config,
            model,
            network,
            pretrained,
            data,
            train: Arc::new(train),
            validation: Arc::new(validation.for_scoring()),
            steps_per_epoch,
            look,
        })
    }

    /// Returns how the pretrained weights are adapted to the data, if there are any.
    pub fn fitting(&self) -> Option<Fitting> {
        Some(self.pretrained.as_ref()?.fitting(&self.network))
    }

    /// Creates the run's folder.
    ///
    /// # Errors
    ///
    /// If the folder exists and is not empty, or cannot be written.
    pub fn create_folder(&self) -> Result<RunFolder, TrainError> {
        let start = self.pretrained.as_ref().map(|start| &start.description);
        RunFolder::create(&self.config, &self.model, start)
    }

    /// Returns an epoch's accuracy, if it was measured on held-back images.
    pub(crate) fn validated(&self, accuracy: f64) -> Option<f64> {
        (!self.config.scores_on_test()).then_some(accuracy)
    }

    /// Returns an image loader with the plan's settings; a `shuffle` seed makes it a loader of training images.
    pub(crate) fn loader<B: Backend>(
        &self,
        images: &Arc<ImageDataset>,
        shuffle: Option<u64>,
        device: &B::Device,
    ) -> BatchLoader<B> {
        let batcher = ImageBatcher::new(self.data.preprocessing.clone());
        let loader = BatchLoader::new(
            Arc::clone(images),
            Arc::new(batcher),
            self.config.batch_size,
            shuffle,
            device.clone(),
        );
        self.config.loader.apply(loader, shuffle)
    }

    pub(crate) fn schedule(&self) -> Rates {
        let warmup_steps = self.config.warmup_epochs * self.steps_per_epoch as f64;
        Rates::new(
            self.config.schedule.clone(),
            self.config.learning_rate(),
            warmup_steps.round() as usize,
            self.config.epochs * self.steps_per_epoch,
        )
    }

    /// Returns the description to save with the weights of an epoch.
    pub(crate) fn description(&self, epochs: usize, accuracy: Accuracy) -> Description {
        Description {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: self.model.clone(),
            network: self.network.clone(),
            class_names: self.data.class_names.clone(),
            preprocessing: self.data.preprocessing.clone(),
            activation: Activation::Softmax,
            trained_on: self.data.name.clone(),
            epochs,
            accuracy,
            scoring: Some(Scoring {
                data: self.data.name.clone(),
                views: self.config.views(),
                precision: Stored::Single,
            }),
            about: self.config.about.clone(),
            images: self.look.clone(),
        }
    }
}

/// Returns the training images and the held-back ones: the data's own validation images, or a share of each class.
pub(crate) fn parts(
    data: &DataSet,
    share: f64,
    seed: u64,
) -> Result<[ImageDataset; 2], TrainError> {
    if let Some(validation) = &data.validation {
        return Ok([&data.train, validation].map(all));
    }
    let (train, validation) = data.split_training(share, seed)?;
    if validation.is_empty() {
        return Err(TrainError::NoValidation {
            data: data.name.clone(),
        });
    }
    let part = |indices| ImageDataset::new(data.train.clone(), indices);
    Ok([part(train)?, part(validation)?])
}

/// Returns all images of a part.
pub(crate) fn all(store: &ImageStore) -> ImageDataset {
    ImageDataset::all(store.clone())
}
