//! Named settings that work well.

use std::path::PathBuf;

use data::{Augmentation, ResizedCrop, Source};

use super::definitions::TrainConfig;
use super::overrides::Overrides;
use crate::error::ConfigError;

/// Includes a recipe from `train/recipes`.
macro_rules! recipe {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../recipes/", $name, ".toml")),
        )
    };
}

const RECIPES: [(&str, &str); 7] = [
    recipe!("sample"),
    recipe!("mnist"),
    recipe!("mnist-digit"),
    recipe!("fashion-mnist"),
    recipe!("fashion-mnist-outliers"),
    recipe!("cifar10"),
    recipe!("cifar10-resnet20"),
];

/// Smallest and largest share of an image's area that a random crop covers, for folders of images. Smaller crops, as in
/// ImageNet training, are too strong for the few epochs and small images of the defaults.
const FOLDER_CROP: [f64; 2] = [0.35, 1.0];

/// Returns the names of all recipes.
pub fn recipe_names() -> Vec<&'static str> {
    RECIPES.iter().map(|(name, _)| *name).collect()
}

impl TrainConfig {
    /// Returns the settings of a recipe.
    ///
    /// ```
    /// let config = train::TrainConfig::recipe("cifar10-resnet20")?;
    /// assert_eq!(config.model.as_deref(), Some("resnet20"));
    /// # Ok::<(), train::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If no recipe has that name.
    pub fn recipe(name: &str) -> Result<Self, ConfigError> {
        let unknown = || ConfigError::UnknownRecipe {
            name: name.to_owned(),
            known: recipe_names().join(", "),
        };
        let (name, text) = RECIPES
            .into_iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(unknown)?;
        let config = Self::parse(text, &PathBuf::from(format!("{name}.toml")))?;
        config.validate()?;
        Ok(config)
    }

    /// Returns the default settings for a run on this data without a settings file. The sample uses its recipe. A
    /// folder of images uses flips and random crops, because such folders hold photos, and few of them.
    ///
    /// # Errors
    ///
    /// If the built-in recipe is damaged.
    pub fn usual(data: &Source) -> Result<Self, ConfigError> {
        match data {
            Source::Sample => Self::recipe("sample"),
            Source::Folder(_) => Ok(Self {
                augmentation: Augmentation::default()
                    .with_flip(true)
                    .with_resized_crop(Some(ResizedCrop::default().with_scale(FOLDER_CROP))),
                ..Self::default()
            }),
            _ => Ok(Self::default()),
        }
    }
}

impl TrainConfig {
    /// Returns the settings of a run described by flags alone: the [`usual`](Self::usual) ones, overridden by the
    /// flags. `pad_crop` replaces the random crop that folders of images use by default; 0 means no crop.
    ///
    /// # Errors
    ///
    /// Those of [`usual`](Self::usual).
    pub fn of_flags(flags: &Overrides) -> Result<Self, ConfigError> {
        let mut usual = Self::usual(&flags.data().unwrap_or(Source::Sample))?;
        if flags.get("augmentation.pad_crop").is_some() {
            usual.augmentation.resized_crop = None;
        }
        usual.with(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_is_valid_and_names_its_data() {
        for name in recipe_names() {
            let config = TrainConfig::recipe(name).unwrap();
            let [channels, size] = match config.data {
                Source::Cifar10 => [3, 32],
                _ => [1, 28],
            };
            config.network(channels, [size, size], 10).unwrap();
            assert!(name.starts_with(&config.data.to_string()), "{name}");
        }
    }

    #[test]
    fn only_sample_has_a_default_recipe() {
        let usual = |data| TrainConfig::usual(&data).unwrap();
        assert_eq!(
            usual(Source::Sample),
            TrainConfig::recipe("sample").unwrap()
        );
        assert_eq!(usual(Source::Mnist), TrainConfig::default());
    }

    #[test]
    fn folders_are_augmented_unless_disabled() {
        let usual = TrainConfig::usual(&Source::Folder("photos".into())).unwrap();
        usual.validate().unwrap();
        assert!(usual.augmentation.flip && usual.augmentation.resized_crop.is_some());
        let text = toml::to_string(&usual).unwrap();
        assert!(
            text.contains("[augmentation.resized_crop]\nscale = [0.35, 1.0]"),
            "{text}"
        );
        assert!(text.contains("flip = true"), "{text}");
        let of_flags = |flags: &[(&str, &str)]| {
            let all = [&[("data", "folder:photos")], flags].concat();
            TrainConfig::of_flags(&Overrides::of(all).unwrap()).unwrap()
        };
        assert_eq!(of_flags(&[]).augmentation, usual.augmentation);
        let none = of_flags(&[
            ("augmentation.flip", "false"),
            ("augmentation.pad_crop", "0"),
        ]);
        assert_eq!(none.augmentation, Augmentation::default());
        let padded = of_flags(&[("augmentation.pad_crop", "4")]);
        assert_eq!(
            (padded.augmentation.pad_crop, padded.augmentation.flip),
            (4, true)
        );
        assert_eq!(padded.augmentation.resized_crop, None);
        // Flags given with a settings file change only the settings that they name.
        let own =
            TrainConfig::parse("[augmentation]\nresized_crop = {}\n", "own.toml".as_ref()).unwrap();
        let flags = Overrides::of([("augmentation.pad_crop", "4")]).unwrap();
        let own = own.with(&flags).unwrap();
        assert!(own.augmentation.resized_crop.is_some());
    }

    #[test]
    fn unknown_recipe_error_lists_known_ones() {
        let error = TrainConfig::recipe("imagenet").unwrap_err().to_string();
        assert!(error.contains("sample, mnist"), "{error}");
    }
}
