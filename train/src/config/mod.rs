//! Every setting of a run.

mod loader;
mod network;
mod validate;

use std::path::{Path, PathBuf};

use data::{Augmentation, DataSet, FOLDER_SIDE, Outliers, Source};
use device::DeviceRequest;
use model::{BottleneckStride, Part, ShortcutKind, StemKind, StemPool};
use saved_models::Views;
use serde::{Deserialize, Serialize};

use crate::error::ConfigError;
use crate::optimizer::OptimizerKind;
use crate::schedule::Schedule;

pub use loader::LoaderConfig;

/// Trained weights move at the usual rate divided by this. A division gives 0.01 of 0.1, where a product with 0.1 is a
/// trifle more.
const FINE_TUNING: f64 = 10.0;

/// Every setting of a run, as it lies in the run's `config.toml`. What a file or the flags leave
/// out has the value of [`TrainConfig::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// What to train on.
    pub data: Source,
    /// Where the files of published data sets are looked for first, and where they come to; none means
    /// the user's cache folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// A table of file names and labels for a folder of images that are not in class folders; what
    /// is not there as it is named is looked for in the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// Height and width in pixels that every image is brought to; none means the data's own, or
    /// 64 for a folder of images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
    /// Whether brightness is shifted and scaled so that the training images have mean 0 and standard
    /// deviation 1 in each channel; otherwise it stays 0 to 1. Trained weights bring their own.
    pub normalize: bool,
    /// Share of the training images held back to choose the best epoch, 0.01 to 0.5; or 0, with
    /// which all of them are trained on, each epoch is scored on the test images, and the last
    /// one is kept, so that nothing is chosen by them. Where the data has validation images of its
    /// own, any other number means these.
    pub validation: f64,
    /// Which epoch's network is kept.
    pub keep: Keep,
    /// The network's name in the registry; none means that of the weights, or `resnet8` without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Trained weights to start from: a run's folder, or a file that `torch.save` wrote, or
    /// safetensors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// The weights of torchvision's that `weights` is a copy of, or is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretrained: Option<String>,
    /// What of the weights stays as it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<Part>,
    /// The state dict or module with the network in `weights`, where that has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Another stem than the network's own. This and the next five say of `weights` what names and
    /// shapes do not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stem: Option<StemKind>,
    /// Another stride of the first convolution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stem_stride: Option<usize>,
    /// Another pool behind the stem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<StemPool>,
    /// Another convolution of bottlenecks that has the stride.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottleneck_stride: Option<BottleneckStride>,
    /// Another path around blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortcut: Option<ShortcutKind>,
    /// Another number that batch norms add to the variance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm_epsilon: Option<f64>,
    /// Another number of blocks in each stage than the network's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depths: Option<Vec<usize>>,
    /// Another width of each stage than the network's own, as many as stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widths: Option<Vec<usize>>,
    /// Whether the last norm of each block starts at zero.
    pub zero_init_last_norm: bool,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images that go through the network at once.
    pub batch_size: usize,
    /// Batches in a step, whose gradients are averaged over their images.
    pub accumulate: usize,
    /// Whether what is inside a block is computed again in the backward pass instead of kept: less
    /// memory, more time.
    pub gradient_checkpointing: bool,
    /// What moves the weights along their gradients.
    pub optimizer: OptimizerKind,
    /// Highest learning rate, which the schedule falls from. None means the optimizer's usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// Epochs in which the rate rises, fractions too; half of the run at most.
    pub warmup_epochs: f64,
    /// Nesterov momentum of `sgd` and `muon`, 0 to below 1.
    pub momentum: f64,
    /// Share of each weight that is added to its gradient; with `adamw` and `muon`, that is taken
    /// from the weight itself, times the rate.
    pub weight_decay: f64,
    /// Whether biases and the scale and shift of norms decay too.
    pub decay_vectors: bool,
    /// Longest gradient, all parameters together; longer ones are shortened to it. None means
    /// that they stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// Share of the target that goes to all classes alike, 0 to below 1 (Szegedy et al. 2015,
    /// <https://arxiv.org/abs/1512.00567>).
    pub label_smoothing: f64,
    /// Part of the average of all weights that stays at each step, 0 to below 1; smaller in the
    /// first steps. The average is scored beside the weights, and both are saved. None means no
    /// average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// Whether each image is scored together with its mirror image: the mean of their logits
    /// counts.
    pub flip_test: bool,
    /// Whether each image is scored together with two that are shifted by a pixel: the mean of their
    /// logits counts. With `flip_test`, their mirror images count too.
    pub shift_test: bool,
    /// Epochs without a better one after which the run ends early; none means never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// Sets the split, the first weights and the order of the images.
    pub seed: u64,
    /// CPU threads; none means one per core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// What to compute on.
    pub device: DeviceRequest,
    /// Folder that holds the runs.
    pub runs_dir: PathBuf,
    /// Name of the run's folder; none means time, data and model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the model is for, in a sentence that `infer` prints; none means the data and its classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// How the learning rate falls. Tables come last in TOML.
    pub schedule: Schedule,
    /// How training images are changed at random.
    pub augmentation: Augmentation,
    /// Images of no class that are trained on too; none means no such images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outliers: Option<Outliers>,
    /// How images come to the network.
    pub loader: LoaderConfig,
}

/// Which epoch's network is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// That with the best validation accuracy; of several, the first with the lowest loss.
    #[default]
    Best,
    /// The last. Where few images are held back, the best of many scores is mostly luck.
    Last,
}

impl Keep {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Best, Self::Last];

    /// Its name in commands and configs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
        }
    }
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            data: Source::Sample,
            data_dir: None,
            labels: None,
            image_size: None,
            normalize: true,
            validation: 0.1,
            keep: Keep::Best,
            model: None,
            weights: None,
            pretrained: None,
            freeze: Vec::new(),
            key: None,
            stem: None,
            stem_stride: None,
            pool: None,
            bottleneck_stride: None,
            shortcut: None,
            norm_epsilon: None,
            depths: None,
            widths: None,
            zero_init_last_norm: false,
            epochs: 16,
            batch_size: 32,
            accumulate: 1,
            gradient_checkpointing: false,
            optimizer: OptimizerKind::Sgd,
            lr: None,
            warmup_epochs: 0.5,
            momentum: 0.9,
            weight_decay: 5e-4,
            decay_vectors: false,
            clip: None,
            label_smoothing: 0.1,
            ema: None,
            flip_test: false,
            shift_test: false,
            patience: None,
            seed: 1,
            threads: None,
            device: DeviceRequest::Auto,
            runs_dir: PathBuf::from("runs"),
            name: None,
            about: None,
            schedule: Schedule::default(),
            augmentation: Augmentation::default(),
            outliers: None,
            loader: LoaderConfig::default(),
        }
    }
}

impl TrainConfig {
    /// Reads a TOML file and checks it.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, has an unknown key or a value of the wrong type or out of range.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = files::read_text(path, files::MAX_SETTINGS_BYTES).map_err(|source| {
            ConfigError::Read {
                path: path.to_owned(),
                source,
            }
        })?;
        Self::parse(&text, path)
    }

    /// Reads settings that are called `path` in messages.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
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

    /// Whether no images are held back, so that each epoch is scored on the test images.
    pub fn scores_on_test(&self) -> bool {
        self.validation == 0.0
    }

    /// Whether the last epoch is kept, whatever the scores are.
    pub fn keeps_last_epoch(&self) -> bool {
        self.keep == Keep::Last || self.scores_on_test()
    }

    /// Whether training images are mixed in pairs.
    pub fn mixes_images(&self) -> bool {
        self.augmentation.mixup > 0.0 || self.augmentation.cutmix > 0.0
    }

    /// Whether the training loss differs from the validation loss by smoothed labels and nothing else.
    pub fn smooths_labels_alone(&self) -> bool {
        self.label_smoothing > 0.0 && !self.mixes_images()
    }

    /// Height and width in pixels that every image is brought to, as it is set or as is usual for a
    /// folder; none means the data's own.
    pub fn side(&self) -> Option<usize> {
        let usual = matches!(self.data, Source::Folder(_)).then_some(FOLDER_SIDE);
        self.image_size.or(usual)
    }

    /// Data as the network is to see them: without mean and deviation where `normalize` is off.
    pub fn prepared(&self, mut data: DataSet) -> DataSet {
        if !self.normalize {
            data.preprocessing = data.preprocessing.without_statistics();
        }
        data
    }

    /// How the network sees each image that it is scored on.
    pub fn views(&self) -> Views {
        Views {
            flip: self.flip_test,
            shift: self.shift_test,
        }
    }

    /// The highest learning rate, as it is set or as is usual for the optimizer; a tenth of that
    /// where trained weights are to change.
    pub fn learning_rate(&self) -> f64 {
        let trained = self.weights.is_some() || self.pretrained.is_some();
        let divisor = match trained && !self.freeze.contains(&Part::All) {
            true => FINE_TUNING,
            false => 1.0,
        };
        self.lr.unwrap_or(self.optimizer.usual_rate() / divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overrides::Overrides;
    use std::fs;

    fn read(text: &str) -> Result<TrainConfig, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        TrainConfig::read(&path)
    }

    #[test]
    fn the_default_is_valid_and_survives_toml() {
        let config = TrainConfig::default();
        config.validate().unwrap();
        assert_eq!(read(&toml::to_string(&config).unwrap()).unwrap(), config);
        assert_eq!(read("").unwrap(), config);
    }

    #[test]
    fn unknown_keys_are_named_with_their_line() {
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
    fn values_out_of_range_are_named_with_their_range() {
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
    fn flags_win_over_the_file() {
        let config = read("epochs = 3\nlr = 0.5").unwrap().with(Overrides {
            epochs: Some(7),
            optimizer: Some(OptimizerKind::Adam),
            ..Overrides::default()
        });
        assert_eq!((config.epochs, config.learning_rate()), (7, 0.5));
    }

    #[test]
    fn the_usual_rate_is_that_of_the_optimizer() {
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
    fn the_rate_of_fine_tuning_is_a_round_number() {
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
    fn networks_that_do_not_fit_are_refused() {
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
