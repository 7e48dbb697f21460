//! The range of every setting.

use std::path::Path;

use data::Source;

use super::TrainConfig;
use crate::error::ConfigError;

/// The longest text on what a model is for, in characters.
const MOST_ABOUT: usize = 500;

impl TrainConfig {
    /// Checks every value's range and that the model is known.
    ///
    /// # Errors
    ///
    /// The first value that is wrong, with its key and range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if let Some(size) = self.image_size {
            check(
                "image_size",
                size,
                (1..=data::MAX_SIDE).contains(&size),
                "1 to 4096 pixels",
            )?;
        }
        check(
            "validation",
            self.validation,
            (0.01..=0.5).contains(&self.validation) || self.validation == 0.0,
            "0, or 0.01 to 0.5",
        )?;
        self.validate_network()?;
        self.validate_steps()?;
        self.validate_learning()?;
        check(
            "seed",
            self.seed,
            i64::try_from(self.seed).is_ok(), // the largest number that TOML can hold
            "0 to 9223372036854775807",
        )?;
        if let Some(threads) = self.threads {
            check(
                "threads",
                threads,
                (1..=1024).contains(&threads),
                "1 to 1024",
            )?;
        }
        self.augmentation.validate()?;
        if let Some(outliers) = &self.outliers {
            outliers.validate()?;
        }
        if let Some(about) = &self.about {
            let length = about.chars().count();
            check(
                "about",
                format!("{length} characters long"),
                (1..=MOST_ABOUT).contains(&length),
                "1 to 500 characters long",
            )?;
        }
        self.loader.validate(&self.data)?;
        if self.labels.is_some() && !matches!(self.data, Source::Folder(_)) {
            return Err(ConfigError::OwnLabels {
                data: self.data.to_string(),
            });
        }
        if let Some(name) = &self.name {
            let plain = Path::new(name)
                .file_name()
                .is_some_and(|file| file == name.as_str());
            check(
                "name",
                name,
                plain && !name.starts_with('.'),
                "a plain folder name",
            )?;
        }
        Ok(())
    }

    /// How many steps there are, and of how many images.
    fn validate_steps(&self) -> Result<(), ConfigError> {
        check(
            "epochs",
            self.epochs,
            (1..=100_000).contains(&self.epochs),
            "1 to 100000",
        )?;
        check(
            "batch_size",
            self.batch_size,
            (1..=65_536).contains(&self.batch_size),
            "1 to 65536",
        )?;
        check(
            "accumulate",
            self.accumulate,
            (1..=65_536).contains(&self.accumulate),
            "1 to 65536",
        )?;
        let Some(patience) = self.patience else {
            return Ok(());
        };
        check("patience", patience, patience > 0, "1 or more epochs")?;
        check(
            "patience",
            patience,
            !self.scores_on_test(),
            "left out where `validation` is 0, because nothing is chosen by the test images",
        )
    }

    /// What a step does.
    fn validate_learning(&self) -> Result<(), ConfigError> {
        let rate = self.learning_rate();
        check(
            "lr",
            rate,
            rate > 0.0 && rate <= 100.0,
            "above 0, at most 100",
        )?;
        check(
            "warmup_epochs",
            self.warmup_epochs,
            (0.0..=100_000.0).contains(&self.warmup_epochs),
            "0 to 100000",
        )?;
        self.schedule.validate()?;
        let below_one =
            |key, value: f64| check(key, value, (0.0..1.0).contains(&value), "0 to below 1");
        below_one("momentum", self.momentum)?;
        below_one("label_smoothing", self.label_smoothing)?;
        if let Some(ema) = self.ema {
            below_one("ema", ema)?;
        }
        check(
            "weight_decay",
            self.weight_decay,
            (0.0..=1.0).contains(&self.weight_decay),
            "0 to 1",
        )?;
        if let Some(clip) = self.clip {
            check("clip", clip, clip > 0.0, "above 0")?;
        }
        Ok(())
    }
}

pub(super) fn check(
    key: &'static str,
    value: impl ToString,
    fits: bool,
    range: &'static str,
) -> Result<(), ConfigError> {
    if fits {
        return Ok(());
    }
    Err(ConfigError::OutOfRange {
        key,
        value: value.to_string(),
        range,
    })
}
