//! Settings that are given one by one, over those of a file.

use data::Source;
use toml::{Table, Value};

use super::definitions::{TrainConfig, settings};
use super::setting::{Setting, put};
use crate::error::ConfigError;

/// What the flags say; what they leave out keeps its value.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<(&'static Setting<TrainConfig>, Value)>);

impl Overrides {
    /// Adds the value of a setting, as [`Setting::parse`] makes it of text.
    pub fn insert(&mut self, setting: &'static Setting<TrainConfig>, value: Value) {
        self.0.push((setting, value));
    }

    /// The value of a setting, by its key, if it was given.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let mut all = self.0.iter();
        let (_, value) = all.find(|(setting, _)| setting.key == key)?;
        Some(value)
    }

    /// The text of a setting, by its key, if it was given and is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The data set, if one was given.
    pub fn data(&self) -> Option<Source> {
        self.text("data")?.parse().ok()
    }

    /// Overrides by keys and text, as flags have it.
    ///
    /// # Errors
    ///
    /// If there is no such setting, or the text is not its value.
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
    /// Applies flags.
    ///
    /// # Errors
    ///
    /// If the config has a value that TOML does not hold, such as a path that is not UTF-8.
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
