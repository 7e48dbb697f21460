//! Checks that all settings are in range and fit each other.

use data::Source;

use super::definitions::{TrainConfig, settings};
use super::setting::shown;
use crate::error::ConfigError;

impl TrainConfig {
    /// Checks the range of every value, and that the model is known.
    ///
    /// # Errors
    ///
    /// The first invalid value, with its key and range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if let Some(setting) = settings().find(|setting| !(setting.fits)(self)) {
            let value = setting.value(self).map(|value| shown(&value));
            return Err(ConfigError::OutOfRange {
                key: setting.key,
                value: value.unwrap_or_default(),
                range: setting.range,
            });
        }
        self.validate_network()?;
        self.schedule.validate()?;
        self.augmentation.validate()?;
        if let Some(outliers) = &self.outliers {
            outliers.validate()?;
        }
        self.loader.validate(&self.data)?;
        if self.labels.is_some() && !matches!(self.data, Source::Folder(_)) {
            return Err(ConfigError::OwnLabels {
                data: self.data.to_string(),
            });
        }
        match self.patience {
            Some(patience) if self.scores_on_test() => Err(ConfigError::OutOfRange {
                key: "patience",
                value: patience.to_string(),
                range: "unset if `validation` is 0, because the test images choose nothing",
            }),
            _ => Ok(()),
        }
    }
}
