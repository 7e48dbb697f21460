//! Trained weights that a run starts from.

use std::path::{Path, PathBuf};

use data::{Preprocessing, PreprocessingError};
use model::{Network, NetworkConfig, ResidualBackend};
use saved_models::Description;
use saved_models::foreign::{ForeignError, Import, ImportOptions, import};

use crate::error::{ConfigError, TrainError};
use crate::folder::RunFolder;
use crate::settings::TrainConfig;

/// Trained weights that a run starts from: their description and their file.
///
/// A resumed run reads the description from its own folder, and reads the weights again only if it was stopped before
/// its first checkpoint.
#[derive(Clone, Debug)]
pub struct Pretrained {
    /// Description of the weights. A missing head counts as one class.
    pub description: Description,
    /// Assumptions about the weights, as sentences.
    pub notes: Vec<String>,
    path: PathBuf,
    options: ImportOptions,
}

/// Changes to a network for the channels and classes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fitting {
    /// Channels and classes of the pretrained weights.
    pub from: [usize; 2],
    /// Channels and classes of the run.
    pub to: [usize; 2],
}

impl Fitting {
    /// Returns whether the first convolution's weights are spread over a different number of channels.
    pub fn changes_channels(&self) -> bool {
        self.from[0] != self.to[0]
    }

    /// Returns whether the head is replaced by a new one.
    pub fn replaces_head(&self) -> bool {
        self.from[1] != self.to[1]
    }
}

impl Pretrained {
    /// Reads the weights that a config names, if any.
    pub(crate) fn read(config: &TrainConfig) -> Result<Option<Self>, TrainError> {
        let Some((path, options)) = Self::file(config)? else {
            return Ok(None);
        };
        let Import { saved, notes, .. } = import(&path, &options)?;
        Ok(Some(Self {
            description: saved.description,
            notes,
            path,
            options,
        }))
    }

    /// Like [`read`](Self::read), with the description from the folder of a resumed run.
    pub(crate) fn resumed(
        config: &TrainConfig,
        folder: &RunFolder,
    ) -> Result<Option<Self>, TrainError> {
        let Some((path, options)) = Self::file(config)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            description: folder.start()?,
            notes: Vec::new(),
            path,
            options,
        }))
    }

    /// Returns the path of the weights.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(config: &TrainConfig) -> Result<Option<(PathBuf, ImportOptions)>, TrainError> {
        let Some(path) = &config.weights else {
            return Ok(None);
        };
        let model = match &config.model {
            Some(name) => Some(name.parse().map_err(ConfigError::Model)?),
            None => None,
        };
        let options = ImportOptions::default()
            .with_key(config.key.clone())
            .with_model(model)
            .with_changes(config.changes())
            .with_accepts_backbone(true);
        Ok(Some((path.clone(), options)))
    }

    /// Returns the network for images with the given channels and classes.
    pub(crate) fn network_config(&self, channels: usize, classes: usize) -> NetworkConfig {
        let network = self.description.network.clone();
        network.with_input_channels(channels).with_classes(classes)
    }

    /// Returns the changes that a run's network requires.
    pub(crate) fn fitting(&self, network: &NetworkConfig) -> Fitting {
        let ends = |network: &NetworkConfig| [network.input_channels(), network.classes()];
        Fitting {
            from: ends(&self.description.network),
            to: ends(network),
        }
    }

    /// Returns the preprocessing of the run's own images, with the mean and standard deviation that the weights were
    /// trained with, because the statistics in their norms depend on them.
    pub(crate) fn preprocessing(
        &self,
        own: &Preprocessing,
    ) -> Result<Preprocessing, PreprocessingError> {
        let trained = &self.description.preprocessing;
        let channels = own.channels();
        let fit = |values: &[f32]| match values.len() == channels {
            true => values.to_vec(),
            false => vec![values.iter().sum::<f32>() / values.len() as f32; channels],
        };
        Preprocessing::new(
            own.shape(),
            own.resize(),
            fit(trained.mean()),
            fit(trained.std()),
        )
    }

    /// Reads the weights onto a device and fits them to a run's network.
    pub(crate) fn network<B: ResidualBackend>(
        &self,
        network: &NetworkConfig,
        device: &B::Device,
    ) -> Result<Network<B>, TrainError> {
        let Import { saved, .. } = import(&self.path, &self.options)?;
        if saved.description.network != self.description.network {
            return Err(TrainError::Foreign(ForeignError::Unrecognized {
                path: self.path.clone(),
                reason: "it has changed since the run began".to_owned(),
            }));
        }
        let fitting = self.fitting(network);
        let mut network = saved.network::<B>(device)?;
        if fitting.changes_channels() {
            network = network.with_spread_channels(fitting.to[0]);
        }
        if fitting.replaces_head() {
            network = network.with_new_head(fitting.to[1]);
        }
        Ok(network)
    }
}
