//! Trained weights that a run starts from.

use std::path::{Path, PathBuf};

use data::{Preprocessing, PreprocessingError};
use model::{Network, NetworkConfig, ResidualBackend};
use saved_models::Description;
use saved_models::foreign::{ForeignError, Import, ImportOptions, import};

use crate::error::{ConfigError, TrainError};
use crate::folder::RunFolder;
use crate::settings::TrainConfig;

/// Trained weights that a run starts from: what they are, and where to read them.
///
/// A resumed run knows what they were from its own folder, and reads them again only if it was
/// stopped before its first checkpoint.
#[derive(Clone, Debug)]
pub struct Pretrained {
    /// What came with the weights. One class stands for a head that is not there.
    pub description: Description,
    /// Sentences on what is assumed of the weights.
    pub notes: Vec<String>,
    path: PathBuf,
    options: ImportOptions,
}

/// What of a network is changed for the images and classes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fitting {
    /// Channels and classes that the weights were trained with.
    pub from: [usize; 2],
    /// Those of the run.
    pub to: [usize; 2],
}

impl Fitting {
    /// Whether the first convolution's weights are spread over other channels.
    pub fn changes_channels(&self) -> bool {
        self.from[0] != self.to[0]
    }

    /// Whether the head is a new one.
    pub fn replaces_head(&self) -> bool {
        self.from[1] != self.to[1]
    }
}

impl Pretrained {
    /// The weights that a config names, if it names some.
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

    /// The same, where the run's folder says what they are.
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

    /// Where they are.
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
        let options = ImportOptions {
            key: config.key.clone(),
            model,
            changes: config.changes(),
            accepts_backbone: true,
            ..ImportOptions::default()
        };
        Ok(Some((path.clone(), options)))
    }

    /// Network for images with the given channels and classes.
    pub(crate) fn network_config(&self, channels: usize, classes: usize) -> NetworkConfig {
        let network = self.description.network.clone();
        network.with_input_channels(channels).with_classes(classes)
    }

    /// Changes that the given channels and classes require.
    pub(crate) fn fitting(&self, network: &NetworkConfig) -> Fitting {
        let ends = |network: &NetworkConfig| [network.input_channels(), network.classes()];
        Fitting {
            from: ends(&self.description.network),
            to: ends(network),
        }
    }

    /// The preprocessing of a run's own images with the mean and deviation that the weights were
    /// trained with, which the statistics in their norms belong to.
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
