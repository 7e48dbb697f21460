//! All settings of a run.
//!
//! | module | what it holds |
//! |---|---|
//! | `definitions` | the definition of every setting |
//! | `setting` | contents of a definition: key, flag, type, default, range, help |
//! | `overrides` | individual settings, given as flags |
//! | `validate` | checks that all settings are in range and fit each other |
//! | `network`, `loader`, `learning` | network, loader, learning rate and optimizer of a config |
//! | `keep`, `optimizer`, `schedule` | types of settings |
//! | `recipe` | named settings that work well |

mod definitions;
mod keep;
mod learning;
mod loader;
mod network;
mod optimizer;
mod overrides;
mod recipe;
mod schedule;
mod setting;
mod validate;

use std::path::Path;

use data::{DataSet, FOLDER_SIDE, Source};
use saved_models::Views;

use crate::error::ConfigError;

pub use definitions::{LoaderConfig, TrainConfig, settings};
pub use keep::Keep;
pub use optimizer::OptimizerKind;
pub use overrides::Overrides;
pub use recipe::recipe_names;
pub(crate) use schedule::Rates;
pub use schedule::Schedule;
pub use setting::{Group, Setting, Takes};

impl TrainConfig {
    /// Reads a TOML file and checks it.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, has an unknown key, or has a value of the wrong type or out of range.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = files::read_text(path, files::MAX_SETTINGS_BYTES).map_err(|source| {
            ConfigError::Read {
                path: path.to_owned(),
                source,
            }
        })?;
        Self::parse(&text, path)
    }

    /// Parses settings; error messages refer to them as `path`.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            if let Some(error) = wrong_number(text) {
                return error;
            }
            let offset = error.span().map_or(0, |span| span.start.min(text.len()));
            ConfigError::Parse {
                path: path.to_owned(),
                place: format!(
                    "line {}",
                    1 + text.as_bytes()[..offset]
                        .iter()
                        .filter(|&&byte| byte == b'\n')
                        .count()
                ),
                reason: error.message().replace('\n', " "),
            }
        })?;
        config.validate()?;
        Ok(config)
    }

    /// Returns whether no images are held back, so that each epoch is scored on the test images.
    pub fn scores_on_test(&self) -> bool {
        self.validation == 0.0
    }

    /// Returns whether the last epoch is kept, regardless of scores.
    pub fn keeps_last_epoch(&self) -> bool {
        self.keep == Keep::Last || self.scores_on_test()
    }

    /// Returns whether training images are mixed in pairs.
    pub fn mixes_images(&self) -> bool {
        self.augmentation.mixup > 0.0 || self.augmentation.cutmix > 0.0
    }

    /// Returns whether label smoothing is the only difference between the training and the validation loss.
    pub fn smooths_labels_alone(&self) -> bool {
        self.label_smoothing > 0.0 && !self.mixes_images()
    }

    /// Returns the height and width in pixels to which every image is resized: the size set, or else the default for a
    /// folder. `None` means the data's own size.
    pub fn side(&self) -> Option<usize> {
        let usual = matches!(self.data, Source::Folder(_)).then_some(FOLDER_SIDE);
        self.image_size.or(usual)
    }

    /// Prepares data for the network: drops mean and standard deviation if `normalize` is off.
    pub fn prepared(&self, mut data: DataSet) -> DataSet {
        if !self.normalize {
            data.preprocessing = data.preprocessing.without_statistics();
        }
        data
    }

    /// Returns the views of each image that the network is scored on.
    pub fn views(&self) -> Views {
        Views::default()
            .with_flip(self.flip_test)
            .with_shift(self.shift_test)
    }
}

/// Returns an error for the first number in a file that its setting does not accept, such as a batch size of 0. The
/// parser's own message would name its type, not its range.
fn wrong_number(text: &str) -> Option<ConfigError> {
    let table: toml::Value = toml::from_str(text).ok()?;
    settings().find_map(|setting| {
        let mut value = &table;
        for part in setting.key.split('.') {
            value = value.get(part)?;
        }
        let is_number = value.is_integer() || value.is_float();
        let is_wrong = is_number && !setting.range.is_empty() && !setting.reads(value);
        is_wrong.then(|| ConfigError::OutOfRange {
            key: setting.key,
            value: setting::shown(value),
            range: setting.range,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(text: &str) -> Result<TrainConfig, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        TrainConfig::read(&path)
    }

    #[test]
    fn default_config_is_valid_and_round_trips() {
        let config = TrainConfig::default();
        config.validate().unwrap();
        assert_eq!(read(&toml::to_string(&config).unwrap()).unwrap(), config);
        assert_eq!(read("").unwrap(), config);
    }

    #[test]
    fn unknown_keys_are_reported_with_line() {
        let error = read("epochs = 3\nlearning_rate = 0.1\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2") && error.contains("learning_rate"),
            "{error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn out_of_range_values_are_reported_with_range() {
        for (text, key) in [
            ("epochs = 0", "epochs"),
            ("batch_size = 0", "batch_size"),
            ("lr = 0.0", "lr"),
            ("lr = nan", "lr"),
            ("validation = 0.9", "validation"),
            ("momentum = 1.0", "momentum"),
            ("weight_decay = -0.1", "weight_decay"),
            ("name = \"../elsewhere\"", "name"),
            ("image_size = 5000", "image_size"),
            ("accumulate = 0", "accumulate"),
            ("clip = 0.0", "clip"),
            ("label_smoothing = 1.0", "label_smoothing"),
            ("ema = 1.0", "ema"),
            ("patience = 0", "patience"),
            ("patience = 3\nvalidation = 0.0", "patience"),
            ("schedule = { kind = \"step\", at = [2.0] }", "schedule.at"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{key}` is")) && error.contains("must be"),
                "{error}"
            );
        }
        assert!(
            read("model = \"resnet19\"")
                .unwrap_err()
                .to_string()
                .contains("resnet20")
        );
        assert!(
            read("epochs = \"many\"")
                .unwrap_err()
                .to_string()
                .contains("line 1")
        );
    }

    #[test]
    fn flags_override_file() {
        let flags = Overrides::of([("epochs", "7"), ("optimizer", "adam")]).unwrap();
        let config = read("epochs = 3\nlr = 0.5").unwrap().with(&flags).unwrap();
        assert_eq!((config.epochs, config.learning_rate()), (7, 0.5));
        assert_eq!(config.optimizer, OptimizerKind::Adam);
    }

    #[test]
    fn default_learning_rate_depends_on_optimizer() {
        for (text, rate) in [
            ("", 0.1),
            ("optimizer = \"adam\"", 1e-3),
            ("optimizer = \"adamw\"", 1e-3),
            ("optimizer = \"muon\"", 5e-3),
            ("optimizer = \"adamw\"\nlr = 0.02", 0.02),
        ] {
            assert_eq!(read(text).unwrap().learning_rate(), rate, "{text}");
        }
        let error = read("optimizer = \"adagrad\"").unwrap_err().to_string();
        assert!(error.contains("adamw"), "{error}");
    }

    #[test]
    fn fine_tuning_learning_rate_is_round() {
        for (optimizer, rate) in [
            ("sgd", "0.01"),
            ("adam", "0.0001"),
            ("adamw", "0.0001"),
            ("muon", "0.0005"),
        ] {
            let config =
                read(&format!("weights = \"w.pth\"\noptimizer = \"{optimizer}\"")).unwrap();
            assert_eq!(config.learning_rate().to_string(), rate, "{optimizer}");
        }
    }

    #[test]
    fn mismatched_networks_are_rejected() {
        let config = TrainConfig {
            model: Some("digit".to_owned()),
            ..TrainConfig::default()
        };
        assert!(config.network(1, [28, 28], 10).is_ok());
        let error = config.network(1, [32, 32], 10).unwrap_err().to_string();
        assert!(error.contains("28x28"), "{error}");
        let config = TrainConfig {
            zero_init_last_norm: true,
            ..config
        };
        let error = config.network(1, [28, 28], 10).unwrap_err().to_string();
        assert!(error.contains("norms"), "{error}");
    }
}
