//! Settings made concrete.

use std::num::NonZeroUsize;
use std::sync::Arc;

use data::{DataSet, LoadOptions, LoadProgress, PictureDataset};
use infer::{Accuracy, Description};
use model::NetworkConfig;

use crate::config::TrainConfig;
use crate::error::TrainError;
use crate::schedule::WarmupCosine;

/// A run before it starts: the pictures in memory, the network's shape, the numbers of steps.
#[derive(Debug)]
pub struct Plan {
    /// The settings it was made from.
    pub config: TrainConfig,
    /// The network.
    pub network: NetworkConfig,
    /// Classes, test pictures and preprocessing.
    pub data: DataSet,
    /// Pictures to train on.
    pub train: Arc<PictureDataset>,
    /// Pictures to choose the best epoch by.
    pub validation: Arc<PictureDataset>,
    /// Steps in each epoch.
    pub steps_per_epoch: usize,
    pub(crate) batch_size: NonZeroUsize,
}

impl Plan {
    /// Loads the data and fits the network to it.
    ///
    /// `progress` is called as pictures are prepared, from several threads.
    ///
    /// # Errors
    ///
    /// If a setting is wrong, the data cannot be loaded, or the two do not fit.
    pub fn new(
        mut config: TrainConfig,
        progress: &(dyn Fn(LoadProgress) + Send + Sync),
    ) -> Result<Self, TrainError> {
        config.validate()?;
        config.lr = Some(config.learning_rate()); // so that the run's config says it
        let data = config.data.load(&LoadOptions {
            data_dir: config.data_dir.clone(),
            image_size: config.image_size,
            seed: config.seed,
            progress: Some(progress),
        })?;
        let [channels, height, width] = data.preprocessing.shape();
        let network = config.network(channels, [height, width], data.class_names.len())?;
        let (train, validation) = data::split(data.train.labels(), config.validation, config.seed)?;
        if validation.is_empty() {
            return Err(TrainError::NoValidation { data: data.name });
        }
        let train = Arc::new(PictureDataset::new(Arc::clone(&data.train), train)?);
        let validation = Arc::new(PictureDataset::new(Arc::clone(&data.train), validation)?);
        let batch_size = NonZeroUsize::new(config.batch_size).unwrap_or(NonZeroUsize::MIN);
        let steps_per_epoch = train.indices().len().div_ceil(batch_size.get());
        Ok(Self {
            config,
            network,
            data,
            train,
            validation,
            steps_per_epoch,
            batch_size,
        })
    }

    pub(crate) fn schedule(&self) -> WarmupCosine {
        let warmup_steps = self.config.warmup_epochs * self.steps_per_epoch as f64;
        WarmupCosine::new(
            self.config.learning_rate(),
            warmup_steps.round() as usize,
            self.config.epochs * self.steps_per_epoch,
        )
    }

    /// What travels with the weights after so many epochs.
    pub(crate) fn description(&self, epochs: usize, accuracy: Accuracy) -> Description {
        Description {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: self.config.model.clone(),
            network: self.network.clone(),
            class_names: self.data.class_names.clone(),
            preprocessing: self.data.preprocessing.clone(),
            trained_on: self.data.name.clone(),
            epochs,
            accuracy,
        }
    }
}
