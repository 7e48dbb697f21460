//! Settings that were found to be good, by name.

use std::path::PathBuf;

use data::Source;

use crate::config::TrainConfig;
use crate::error::ConfigError;

/// A recipe as it lies in `train/recipes`.
macro_rules! recipe {
    ($name:literal) => {
        ($name, include_str!(concat!("../recipes/", $name, ".toml")))
    };
}

const RECIPES: [(&str, &str); 6] = [
    recipe!("sample"),
    recipe!("mnist"),
    recipe!("mnist-digit"),
    recipe!("fashion-mnist"),
    recipe!("cifar10"),
    recipe!("cifar10-resnet20"),
];

/// The names of all recipes.
pub fn recipe_names() -> Vec<&'static str> {
    RECIPES.iter().map(|(name, _)| *name).collect()
}

impl TrainConfig {
    /// The settings of a recipe.
    ///
    /// ```
    /// let config = train::TrainConfig::recipe("cifar10-resnet20")?;
    /// assert_eq!(config.model.as_deref(), Some("resnet20"));
    /// # Ok::<(), train::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    pub fn recipe(name: &str) -> Result<Self, ConfigError> {
        let unknown = || ConfigError::UnknownRecipe {
            name: name.to_owned(),
        };
        let (name, text) = RECIPES
            .into_iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(unknown)?;
        let config = Self::parse(text, &PathBuf::from(format!("{name}.toml")))?;
        config.validate()?;
        Ok(config)
    }

    /// What a run on this data has where no settings are named: for the sample, those of its recipe.
    ///
    /// # Errors
    ///
    /// If the recipe that this crate carries were damaged.
    pub fn usual(data: &Source) -> Result<Self, ConfigError> {
        match data {
            Source::Sample => Self::recipe("sample"),
            _ => Ok(Self::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_is_valid_and_says_what_it_trains() {
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
    fn only_the_sample_has_a_recipe_without_its_name() {
        let usual = |data| TrainConfig::usual(&data).unwrap();
        assert_eq!(
            usual(Source::Sample),
            TrainConfig::recipe("sample").unwrap()
        );
        assert_eq!(usual(Source::Mnist), TrainConfig::default());
    }

    #[test]
    fn unknown_recipes_are_told_the_known_ones() {
        let error = TrainConfig::recipe("imagenet").unwrap_err().to_string();
        assert!(error.contains("sample, mnist"), "{error}");
    }
}
