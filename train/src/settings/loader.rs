//! Image loading.

use std::num::NonZeroUsize;

use burn::tensor::backend::Backend;
use data::{BatchLoader, Source, Storage};

use super::definitions::LoaderConfig;
use crate::error::ConfigError;

impl LoaderConfig {
    pub(super) fn validate(&self, data: &Source) -> Result<(), ConfigError> {
        if self.storage == Storage::Files && !matches!(data, Source::Folder(_)) {
            return Err(ConfigError::AlwaysInMemory {
                data: data.to_string(),
            });
        }
        Ok(())
    }

    /// Returns the number of steps in an epoch, given the number of training images and of images in a step.
    pub(crate) fn steps(&self, images: usize, in_a_step: NonZeroUsize) -> usize {
        match self.drop_last {
            true => images / in_a_step,
            false => images.div_ceil(in_a_step.get()),
        }
    }

    /// Applies these settings to a loader; a `shuffle` seed makes it a loader of training images.
    pub(crate) fn apply<B: Backend>(
        &self,
        mut loader: BatchLoader<B>,
        shuffle: Option<u64>,
    ) -> BatchLoader<B> {
        if let Some(threads) = self.threads {
            loader = loader.with_threads(threads);
        }
        if let Some(batches) = self.batches_ahead {
            loader = loader.with_batches_ahead(batches);
        }
        let Some(seed) = shuffle else {
            return loader;
        };
        if self.balanced {
            loader = loader.with_balanced_classes(seed);
        }
        if self.drop_last {
            loader = loader.with_last_dropped();
        }
        loader
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use burn::data::dataloader::DataLoader as _;
    use burn_flex::{Flex, FlexDevice};
    use data::{ImageBatcher, ImageDataset, Preprocessing};

    use super::*;

    #[test]
    fn partial_last_step_is_counted_or_dropped() {
        let steps = |drop_last, images| {
            let loader = LoaderConfig {
                drop_last,
                ..LoaderConfig::default()
            };
            loader.steps(images, NonZeroUsize::new(32).unwrap())
        };
        assert_eq!(
            [31, 32, 33, 64].map(|images| steps(false, images)),
            [1, 1, 2, 2]
        );
        assert_eq!(
            [31, 32, 33, 64].map(|images| steps(true, images)),
            [0, 1, 1, 2]
        );
    }

    #[test]
    fn only_folder_images_can_stay_in_files() {
        let loader: LoaderConfig = toml::from_str("storage = \"files\"").unwrap();
        assert!(loader.validate(&Source::Folder("a".into())).is_ok());
        let error = loader.validate(&Source::Mnist).unwrap_err();
        assert!(error.to_string().contains("mnist"), "{error}");
        assert!(error.hint().is_some());
        assert!(toml::from_str::<LoaderConfig>("batches_ahead = 0").is_err());
    }

    #[test]
    fn balancing_and_dropping_affect_training_only() {
        let shape = [1, 1, 1];
        let labels = vec![0, 0, 0, 0, 0, 0, 1];
        let images = data::PackedImages::new(shape, vec![0; 7], labels).unwrap();
        let preprocessing = Preprocessing::new(shape, 1, vec![0.0], vec![1.0]).unwrap();
        let classes = |settings: &LoaderConfig, shuffle| {
            let loader = BatchLoader::<Flex>::new(
                Arc::new(ImageDataset::all(images.clone())),
                Arc::new(ImageBatcher::new(preprocessing.clone())),
                NonZeroUsize::new(2).unwrap(),
                shuffle,
                FlexDevice,
            );
            let loader = settings.apply(loader, shuffle);
            let mut classes: Vec<i64> = loader
                .iter()
                .flat_map(|batch| batch.targets.into_data().iter::<i64>().collect::<Vec<_>>())
                .collect();
            classes.sort_unstable();
            classes
        };
        let usual = LoaderConfig::default();
        let all = [0, 0, 0, 0, 0, 0, 1];
        assert_eq!(classes(&usual, Some(1)), all);
        let settings = LoaderConfig {
            balanced: true,
            drop_last: true,
            threads: Some(0),
            batches_ahead: NonZeroUsize::new(1),
            ..usual
        };
        assert_eq!(classes(&settings, None), all);
        let balanced = classes(&settings, Some(1));
        let ones = balanced.iter().filter(|&&class| class == 1).count();
        assert_eq!(balanced.len(), 6);
        assert!((2..=4).contains(&ones), "{balanced:?}");
    }
}
