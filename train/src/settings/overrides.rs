//! Individual settings, such as flags, that override those of a file.

use data::Source;
use toml::{Table, Value};

use super::definitions::{TrainConfig, settings};
use super::setting::{Setting, put};
use crate::error::ConfigError;

/// Settings given as flags; all others keep their values.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<(&'static Setting<TrainConfig>, Value)>);

impl Overrides {
    /// Adds the value of a setting, as returned by [`Setting::parse`].
    pub fn insert(&mut self, setting: &'static Setting<TrainConfig>, value: Value) {
        self.0.push((setting, value));
    }

    /// Returns the value of the setting with the given key, if it was given.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let mut all = self.0.iter();
        let (_, value) = all.find(|(setting, _)| setting.key == key)?;
        Some(value)
    }

    /// Returns the text of the setting with the given key, if it was given and is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// Returns the data set, if one was given.
    pub fn data(&self) -> Option<Source> {
        self.text("data")?.parse().ok()
    }

    /// Creates overrides from pairs of key and text, as flags have them.
    ///
    /// # Errors
    ///
    /// If a setting is unknown, or the text is not a valid value of it.
    pub fn of<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ConfigError> {
        let mut overrides = Self::default();
        for (key, text) in pairs {
            let wrong = |reason| ConfigError::Value {
                key: key.to_owned(),
                reason,
            };
            let setting = settings().find(|setting| setting.key == key);
            let setting = setting.ok_or_else(|| wrong("unknown setting".to_owned()))?;
            overrides.insert(setting, setting.parse(text).map_err(wrong)?);
        }
        Ok(overrides)
    }
}

impl TrainConfig {
    /// Returns the settings with overrides applied.
    ///
    /// # Errors
    ///
    /// If the config has a value that TOML cannot represent, such as a path that is not UTF-8.
    pub fn with(&self, overrides: &Overrides) -> Result<Self, ConfigError> {
        let unwritable = |reason: String| ConfigError::Unwritable { reason };
        let mut table = Table::try_from(self).map_err(|error| unwritable(error.to_string()))?;
        for (setting, _) in &overrides.0 {
            for key in setting.replaces {
                table.remove(*key);
            }
        }
        for (setting, value) in &overrides.0 {
            put(&mut table, setting.key, value.clone());
        }
        let config: Result<Self, _> = table.try_into();
        config.map_err(|error| unwritable(error.message().to_owned()))
    }
}
