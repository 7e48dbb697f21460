//! Network of a config.

use model::{NetworkChanges, NetworkConfig};
use saved_models::foreign::Published;

use super::definitions::TrainConfig;
use crate::error::ConfigError;

/// Default model.
const USUAL_MODEL: &str = "resnet8";

impl TrainConfig {
    pub(super) fn validate_network(&self) -> Result<(), ConfigError> {
        model::NetworkConfig::named(self.model_name())?;
        if let Some(name) = &self.pretrained {
            name.parse::<Published>()?;
        }
        let has_weights = self.weights.is_some() || self.pretrained.is_some();
        if !has_weights && !self.freeze.is_empty() {
            return Err(ConfigError::NothingToFreeze);
        }
        let fixed = [
            ("depths", self.depths.is_some()),
            ("widths", self.widths.is_some()),
            ("zero_init_last_norm", self.zero_init_last_norm),
            ("normalize", !self.normalize),
        ];
        if !has_weights && self.key.is_some() {
            return Err(ConfigError::NoWeights { key: "key" });
        }
        match fixed.into_iter().find(|(_, is_set)| *is_set) {
            Some((key, _)) if has_weights => Err(ConfigError::FixedByWeights { key }),
            _ => Ok(()),
        }
    }

    /// Returns the name of the network: the one set, or else the default without weights.
    pub fn model_name(&self) -> &str {
        self.model.as_deref().unwrap_or(USUAL_MODEL)
    }

    /// Returns the network's name, with any changed depths and widths.
    pub fn model_in_words(&self) -> String {
        let numbers = |numbers: &[usize]| {
            let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
            numbers.join("-")
        };
        let depths = self
            .depths
            .as_deref()
            .map(|depths| format!(" of {} blocks", numbers(depths)));
        let widths = self
            .widths
            .as_deref()
            .map(|widths| format!(" {} wide", numbers(widths)));
        format!(
            "{}{}{}",
            self.model_name(),
            depths.unwrap_or_default(),
            widths.unwrap_or_default()
        )
    }

    /// Returns the network for images of the given channels and size, and the given number of classes.
    ///
    /// # Errors
    ///
    /// If the model is unknown, lacks one of the settings, or does not accept images of this size.
    pub fn network(
        &self,
        channels: usize,
        [height, width]: [usize; 2],
        classes: usize,
    ) -> Result<NetworkConfig, ConfigError> {
        let network = self
            .own_network()?
            .with_input_channels(channels)
            .with_classes(classes);
        self.check(&network, [height, width])?;
        Ok(network)
    }

    /// Checks that a network can be built and accepts images of the given size.
    pub(crate) fn check(
        &self,
        network: &NetworkConfig,
        [height, width]: [usize; 2],
    ) -> Result<(), ConfigError> {
        network
            .validate()
            .and_then(|()| network.check_input(height, width))
            .map_err(|error| self.wrong_network(error.to_string()))
    }

    /// Returns the network with the channels and classes that its name implies.
    pub(crate) fn own_network(&self) -> Result<NetworkConfig, ConfigError> {
        let mut network = model::NetworkConfig::named(self.model_name())?;
        let Self { depths, widths, .. } = self;
        match &mut network {
            NetworkConfig::Resnet(config) => {
                config.zero_init_last_norm = self.zero_init_last_norm;
                config.depths = depths.clone().unwrap_or(std::mem::take(&mut config.depths));
                config.widths = widths.clone().unwrap_or(std::mem::take(&mut config.widths));
            }
            NetworkConfig::Digit(_)
                if self.changes().is_empty()
                    && depths.is_none()
                    && widths.is_none()
                    && !self.zero_init_last_norm => {}
            NetworkConfig::Digit(_) => {
                return Err(
                    self.wrong_network("it has no stem, stages or norms to change".to_owned())
                );
            }
        }
        self.changes()
            .apply(network)
            .map_err(|error| self.wrong_network(error.to_string()))
    }

    /// Returns the details of the network that neither its name nor the names and shapes of its weights determine.
    pub(crate) fn changes(&self) -> NetworkChanges {
        NetworkChanges::default()
            .with_stem(self.stem)
            .with_stem_stride(self.stem_stride)
            .with_stem_pool(self.pool)
            .with_bottleneck_stride(self.bottleneck_stride)
            .with_shortcut(self.shortcut)
            .with_norm_epsilon(self.norm_epsilon)
    }

    fn wrong_network(&self, reason: String) -> ConfigError {
        ConfigError::Network {
            model: self.model_name().to_owned(),
            reason,
        }
    }
}
