//! Definitions of all settings.
//!
//! An entry consists of the config's field, its default, and after `=>` its other properties: see [`Setting`]. The text
//! above an entry serves as its help, the documentation of the field, and its line in `docs/all-settings.md`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};

use command_line::flags;
use data::{Augmentation, Outliers, Source, Storage};
use derive_setters::Setters;
use device::DeviceRequest;
use model::{BottleneckStride, NetworkPart, ShortcutKind, StemKind, StemPool};
use saved_models::foreign::Published;
use serde::{Deserialize, Serialize};
use toml::Value;

use super::keep::Keep;
use super::optimizer::OptimizerKind;
use super::schedule::Schedule;
use super::setting::{Group, Setting, Takes, source, text_of};

/// A value that is left out of files when unset.
trait Unset {
    fn is_unset(&self) -> bool;
}

impl<T> Unset for Option<T> {
    fn is_unset(&self) -> bool {
        self.is_none()
    }
}

impl<T> Unset for Vec<T> {
    fn is_unset(&self) -> bool {
        self.is_empty()
    }
}

/// Defines a struct of settings, its default values, and the list of their [`Setting`] descriptions.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident, $list:ident in $prefix:literal {
            $(
                $(#[doc = $doc:literal])+
                $(#[serde($($serde:tt)+)])?
                $field:ident: $type:ty = $default:expr => { $($property:ident: $value:expr),+ $(,)? }
            )+
        }
        $(tables {
            $(
                $(#[doc = $table_doc:literal])+
                $table:ident: $table_type:ty,
            )+
        })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Setters, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[setters(prefix = "with_")]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                $(#[serde($($serde)+)])?
                pub $field: $type,
            )+
            $($(
                $(#[doc = $table_doc])+
                pub $table: $table_type,
            )+)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $default,)+
                    $($($table: Default::default(),)+)?
                }
            }
        }

        static $list: &[Setting<TrainConfig>] = &[
            $(Setting {
                key: concat!($prefix, stringify!($field)),
                doc: &[$($doc),+],
                $($property: $value,)+
                ..Setting::USUAL
            },)+
        ];
    };
}

settings! {
    /// Every setting of a run, as it lies in the run's `config.toml`. What a file or the flags leave out has the value
    /// of [`TrainConfig::default`].
    pub struct TrainConfig, TRAIN in "" {
        /// Data: cifar10, folder:PATH, others
        ///
        /// sample, mnist, fashion-mnist, cifar10 or cifar100, or folder:PATH for your own images: a folder, .zip or .tar.
        data: Source = Source::Sample => {
            takes: Takes::Checked { parse: source, offered: || Source::names().map(str::to_owned).collect() },
            value_name: "DATA",
            example: "cifar10",
            group: Group::Data,
            resume: true,
            common: true,
            replaces: &["labels"], // labels in a file belong to the file's data
        }

        /// Folder of the published data sets; missing files are downloaded into it
        #[serde(skip_serializing_if = "Unset::is_unset")]
        data_dir: Option<PathBuf> = None => {
            takes: Takes::Path,
            value_name: "DIR",
            default: "the user's cache folder",
            example: "downloads",
            group: Group::Data,
            resume: true,
        }

        /// Table of file names and labels, for images that are not in class folders; a column `split` says train, val or
        /// test
        #[serde(skip_serializing_if = "Unset::is_unset")]
        labels: Option<PathBuf> = None => {
            takes: Takes::Path,
            value_name: "FILE",
            example: "labels.csv",
            group: Group::Data,
            resume: true,
        }

        /// Resize every image to N x N pixels
        #[serde(skip_serializing_if = "Unset::is_unset")]
        image_size: Option<usize> = None => {
            takes: Takes::Integer,
            default: "the data's own size, 64 for folders",
            range: "1 to 4096 pixels",
            fits: |config| config.image_size.is_none_or(|size| (1..=data::MAX_SIDE).contains(&size)),
            example: "96",
            group: Group::Data,
        }

        /// Normalize images to mean 0 and standard deviation 1 in each channel, measured on the training images
        ///
        /// Otherwise brightness stays 0 to 1. Trained weights bring their own normalization.
        normalize: bool = true => {
            takes: Takes::Switch,
            example: "false",
            group: Group::Data,
        }

        /// Fraction of the training images held out to choose the best epoch; with 0, the last epoch is kept
        ///
        /// With 0, all images are trained on, and each epoch is scored on the test images. If the data has its own validation
        /// images, any other number means these.
        validation: f64 = 0.1 => {
            takes: Takes::Real,
            range: "0, or 0.01 to 0.5",
            fits: |config| (0.01..=0.5).contains(&config.validation) || config.validation == 0.0,
            example: "0.2",
            group: Group::Data,
        }

        /// Network, such as resnet50
        #[serde(skip_serializing_if = "Unset::is_unset")]
        model: Option<String> = None => {
            takes: Takes::Checked {
                parse: |name| Ok(Value::String(name.to_owned())),
                offered: || flags::offered("model"),
            },
            value_name: "NAME",
            details: Some(|| model::PATTERNS.join(", ")),
            default: "that of --weights, or resnet8",
            example: "resnet20",
            group: Group::Data,
            bench: true,
            common: true,
        }

        /// Start from trained weights: a run's folder, a file written by torch.save, or safetensors
        ///
        /// The network is recognized unless --model names it; --stem, --pool and others specify what names and shapes do not.
        /// A head for another number of classes is replaced, and a missing one is added. Images are normalized as the weights
        /// expect.
        #[serde(skip_serializing_if = "Unset::is_unset")]
        weights: Option<PathBuf> = None => {
            takes: Takes::Path,
            value_name: "FILE",
            example: "weights.safetensors",
            group: Group::Data,
            replaces: &["pretrained"],
        }

        /// Start from ImageNet weights, such as resnet50
        ///
        /// Downloads torchvision's weights once: resnet18 to resnet152 and others, with -v1 for the older ones.
        #[serde(skip_serializing_if = "Unset::is_unset")]
        pretrained: Option<String> = None => {
            takes: Takes::Checked { parse: text_of::<Published>, offered: || flags::offered("pretrained") },
            value_name: "NAME",
            example: "resnet50",
            group: Group::Data,
            common: true,
            replaces: &["weights"],
            conflicts: &["weights", "model"],
        }

        /// Train the head alone, or all but the named parts
        ///
        /// Parts are stem, stage1, stage2 and so on, separated by commas.
        #[serde(skip_serializing_if = "Unset::is_unset")]
        freeze: Vec<NetworkPart> = Vec::new() => {
            takes: Takes::Parts,
            value_name: "PARTS",
            example: "stem,stage1",
            group: Group::Data,
            common: true,
        }

        /// State dict or module that holds the network, where --weights has several: teacher, state_dict.ema
        #[serde(skip_serializing_if = "Unset::is_unset")]
        key: Option<String> = None => {
            takes: Takes::Text,
            value_name: "KEY",
            example: "teacher",
            group: Group::Data,
        }

        /// Layers before the first stage: imagenet (7x7, stride 4 in all), deep (three 3x3, stride 4) or cifar (3x3, stride
        /// 1)
        #[serde(skip_serializing_if = "Unset::is_unset")]
        stem: Option<StemKind> = None => {
            takes: Takes::Word(|| flags::offered("stem")),
            value_name: "STEM",
            default: "the model's own",
            example: "cifar",
            group: Group::Data,
            bench: true,
        }

        /// Stride of the first convolution
        #[serde(skip_serializing_if = "Unset::is_unset")]
        stem_stride: Option<usize> = None => {
            takes: Takes::Integer,
            default: "the model's own",
            example: "2",
            group: Group::Data,
            bench: true,
        }

        /// Pool after the stem: none, or max (3x3, stride 2)
        #[serde(skip_serializing_if = "Unset::is_unset")]
        pool: Option<StemPool> = None => {
            takes: Takes::Word(|| flags::offered("pool")),
            value_name: "POOL",
            default: "the model's own",
            example: "max",
            group: Group::Data,
            bench: true,
        }

        /// Convolution of a bottleneck that has the stride: first or second
        #[serde(skip_serializing_if = "Unset::is_unset")]
        bottleneck_stride: Option<BottleneckStride> = None => {
            takes: Takes::Checked {
                parse: |text| {
                    let stride = flags::bottleneck_stride(text)?;
                    Value::try_from(stride).map_err(|error| error.to_string())
                },
                offered: || flags::offered("bottleneck_stride"),
            },
            value_name: "WHICH",
            default: "the model's own",
            example: "first",
            group: Group::Data,
            bench: true,
        }

        /// Shortcut of each block: zero-pad, zero-pad-end, projection, projection-always, average-pool-projection,
        /// plain-projection or none
        #[serde(skip_serializing_if = "Unset::is_unset")]
        shortcut: Option<ShortcutKind> = None => {
            takes: Takes::Word(|| flags::offered("shortcut")),
            value_name: "KIND",
            default: "the model's own",
            example: "projection",
            group: Group::Data,
            bench: true,
        }

        /// Epsilon of the batch norms
        #[serde(skip_serializing_if = "Unset::is_unset")]
        norm_epsilon: Option<f64> = None => {
            takes: Takes::Real,
            default: "0.00001",
            example: "0.001",
            group: Group::Data,
            bench: true,
        }

        /// Number of blocks in each stage
        #[serde(skip_serializing_if = "Unset::is_unset")]
        depths: Option<Vec<usize>> = None => {
            takes: Takes::Integers,
            default: "the model's own",
            example: "2,2,2",
            group: Group::Data,
            bench: true,
        }

        /// Channels of each stage; for bottlenecks, of their 3x3 convolutions
        #[serde(skip_serializing_if = "Unset::is_unset")]
        widths: Option<Vec<usize>> = None => {
            takes: Takes::Integers,
            default: "the model's own",
            example: "32,64,128",
            group: Group::Data,
            bench: true,
        }

        /// Initialize the last norm of each block with zero, so that blocks start as their shortcuts
        zero_init_last_norm: bool = false => {
            takes: Takes::Switch,
            example: "true",
            group: Group::Data,
            bench: true,
        }

        /// Passes over the training images
        epochs: usize = 16 => {
            takes: Takes::Integer,
            range: "1 to 100000",
            fits: |config| (1..=100_000).contains(&config.epochs),
            example: "40",
            resume: true,
            common: true,
        }

        /// Images in a batch
        batch_size: NonZeroUsize = usual_batch() => {
            takes: Takes::Integer,
            range: "1 to 65536",
            fits: |config| config.batch_size.get() <= 65_536,
            example: "128",
            bench: true,
            common: true,
        }

        /// Batches per step, whose gradients are averaged: a larger batch in less memory
        accumulate: NonZeroUsize = NonZeroUsize::MIN => {
            takes: Takes::Integer,
            range: "1 to 65536",
            fits: |config| config.accumulate.get() <= 65_536,
            example: "4",
        }

        /// Recompute activations in the backward pass instead of storing them: less memory, more time
        gradient_checkpointing: bool = false => {
            takes: Takes::Switch,
            example: "true",
            resume: true,
            bench: true,
        }

        /// Optimizer: sgd, adam, adamw or muon
        ///
        /// sgd has Nesterov momentum. muon updates the weights of convolutions by Muon and all others by AdamW.
        optimizer: OptimizerKind = OptimizerKind::Sgd => {
            takes: Takes::Word(|| OptimizerKind::ALL.map(|kind| kind.name().to_owned()).to_vec()),
            value_name: "NAME",
            example: "adamw",
            bench: true,
        }

        /// Highest learning rate
        #[serde(skip_serializing_if = "Unset::is_unset")]
        lr: Option<f64> = None => {
            takes: Takes::Real,
            default: "0.1, or 0.001 for adam and adamw, 0.005 for muon; a tenth of it with weights that are not all frozen",
            range: "above 0, at most 100",
            fits: |config| config.lr.is_none_or(|rate| rate > 0.0 && rate <= 100.0),
            example: "0.05",
            common: true,
        }

        /// Epochs of warm-up, at most half of the run; for one-cycle, a third is usual
        warmup_epochs: f64 = 0.5 => {
            takes: Takes::Real,
            range: "0 to 100000",
            fits: |config| (0.0..=100_000.0).contains(&config.warmup_epochs),
            example: "5.0",
        }

        /// Nesterov momentum of sgd and muon
        momentum: f64 = 0.9 => {
            takes: Takes::Real,
            range: "0 to below 1",
            fits: |config| (0.0..1.0).contains(&config.momentum),
            example: "0.8",
            bench: true,
        }

        /// Weight decay, decoupled for adamw and muon; biases and norms do not decay
        weight_decay: f64 = 5e-4 => {
            takes: Takes::Real,
            range: "0 to 1",
            fits: |config| (0.0..=1.0).contains(&config.weight_decay),
            example: "0.0001",
            bench: true,
        }

        /// Apply weight decay to biases and norms, too
        decay_vectors: bool = false => {
            takes: Takes::Switch,
            example: "true",
        }

        /// Clip gradients to this norm, over all parameters
        #[serde(skip_serializing_if = "Unset::is_unset")]
        clip: Option<f64> = None => {
            takes: Takes::Real,
            default: "no limit",
            range: "above 0",
            fits: |config| config.clip.is_none_or(|length| length > 0.0),
            example: "1.0",
        }

        /// Fraction of each target that is spread over all classes
        ///
        /// Szegedy et al. 2015, <https://arxiv.org/abs/1512.00567>.
        label_smoothing: f64 = 0.1 => {
            takes: Takes::Real,
            range: "0 to below 1",
            fits: |config| (0.0..1.0).contains(&config.label_smoothing),
            example: "0.2",
        }

        /// Decay of a moving average of the weights, such as 0.999
        ///
        /// The decay is smaller in the first steps. The average is scored next to the weights, and both are saved.
        #[serde(skip_serializing_if = "Unset::is_unset")]
        ema: Option<f64> = None => {
            takes: Takes::Real,
            default: "none",
            range: "0 to below 1",
            fits: |config| config.ema.is_none_or(|part| (0.0..1.0).contains(&part)),
            example: "0.999",
        }

        /// Score each image together with its mirror image, by the mean of their logits
        flip_test: bool = false => {
            takes: Takes::Switch,
            example: "true",
        }

        /// Score each image together with two copies shifted by a pixel
        ///
        /// The mean of their logits counts. With --flip-test, their mirror images count as well.
        shift_test: bool = false => {
            takes: Takes::Switch,
            example: "true",
        }

        /// Epoch whose network is kept: best, by validation accuracy, or last
        keep: Keep = Keep::Best => {
            takes: Takes::Word(|| Keep::ALL.map(|keep| keep.name().to_owned()).to_vec()),
            value_name: "WHICH",
            example: "last",
        }

        /// Stop after N epochs without a better validation score
        #[serde(skip_serializing_if = "Unset::is_unset")]
        patience: Option<NonZeroUsize> = None => {
            takes: Takes::Integer,
            default: "never",
            range: "1 or more epochs",
            example: "10",
            resume: true,
        }

        /// Seed of the split, the initial weights and the order of images
        seed: u64 = 1 => {
            takes: Takes::Integer,
            range: "0 to 9223372036854775807", // the largest number that TOML can hold
            fits: |config| i64::try_from(config.seed).is_ok(),
            example: "7",
            bench: true,
        }

        /// CPU threads
        #[serde(skip_serializing_if = "Unset::is_unset")]
        threads: Option<usize> = None => {
            takes: Takes::Integer,
            default: "one per core",
            range: "1 to 1024",
            fits: |config| config.threads.is_none_or(|threads| (1..=1024).contains(&threads)),
            example: "4",
            resume: true,
            bench: true,
        }

        /// Device, such as flex, cuda or cuda:1
        ///
        /// auto, flex, ndarray, wgpu, vulkan, metal, cuda or rocm, with :INDEX for another than the first
        device: DeviceRequest = DeviceRequest::Auto => {
            takes: Takes::Checked { parse: text_of::<DeviceRequest>, offered: || flags::offered("device") },
            value_name: "D",
            example: "cuda:1",
            resume: true,
            bench: true,
            common: true,
        }

        /// Folder of the runs
        runs_dir: PathBuf = PathBuf::from("runs") => {
            takes: Takes::Path,
            value_name: "DIR",
            example: "experiments",
            resume: true,
        }

        /// Name of the run's folder
        #[serde(skip_serializing_if = "Unset::is_unset")]
        name: Option<String> = None => {
            takes: Takes::Text,
            value_name: "NAME",
            default: "time, data and model",
            range: "a plain folder name",
            fits: |config| config.name.as_deref().is_none_or(is_plain),
            example: "mine",
        }

        /// Purpose of the model, in a sentence that infer prints
        #[serde(skip_serializing_if = "Unset::is_unset")]
        about: Option<String> = None => {
            takes: Takes::Text,
            value_name: "TEXT",
            default: "the data and its classes",
            range: "1 to 500 characters long",
            fits: |config| config.about.as_ref().is_none_or(|about| (1..=500).contains(&about.chars().count())),
            example: "for photos of leaves",
        }

        /// Learning rate schedule: cosine, one-cycle, linear, polynomial, step or constant
        ///
        /// A table sets the details: { kind = "step", at = [0.5, 0.75], factor = 0.1 } or
        /// { kind = "polynomial", power = 2.0 }.
        schedule: Schedule = Schedule::default() => {
            takes: Takes::WordOrTable(|| Schedule::NAMES.map(str::to_owned).to_vec()),
            value_name: "NAME",
            default: "cosine",
            example: "step",
        }

        /// Train on images of no class, too: { share = 0.2, weight = 0.5 }
        ///
        /// The network learns to find all classes equally likely for them (outlier exposure, Hendrycks et al. 2018,
        /// <https://arxiv.org/abs/1812.04606>). Each batch gets `share` of its size on top, and their loss counts by `weight`.
        #[serde(skip_serializing_if = "Unset::is_unset")]
        outliers: Option<Outliers> = None => {
            takes: Takes::Table,
            default: "none",
            example: "{ share = 0.25 }",
            group: Group::Loading,
        }
    }
    tables {
        /// How training images are changed at random.
        augmentation: Augmentation,
        /// How images are loaded.
        loader: LoaderConfig,
    }
}

/// The settings of [`Augmentation`].
static AUGMENTATION: &[Setting<TrainConfig>] = &[
    Setting {
        key: "augmentation.pad_crop",
        doc: &["Pad training images by N pixels on each side and crop them at random"],
        takes: Takes::Integer,
        default: "0, and for folder:PATH a random part of the image",
        range: "0 to 4096",
        fits: |config| config.augmentation.pad_crop <= data::MAX_SIDE,
        example: "4",
        ..AUGMENTING
    },
    Setting {
        key: "augmentation.flip",
        doc: &["Flip each training image with probability 0.5"],
        takes: Takes::Switch,
        default: "false, but true for folder:PATH",
        example: "true",
        ..AUGMENTING
    },
    Setting {
        key: "augmentation.trivial",
        doc: &[
            "Apply one random operation of 14 to each training image",
            "",
            "TrivialAugment with its wide space of strengths (Müller and Hutter 2021, <https://arxiv.org/abs/2103.10158>).",
        ],
        takes: Takes::Switch,
        example: "true",
        ..AUGMENTING
    },
    Setting {
        key: "augmentation.mixup",
        doc: &[
            "Mix pairs of images: alpha of the Beta distribution of their shares",
            "",
            "Mixup (Zhang et al. 2017, <https://arxiv.org/abs/1710.09412>); 0 is off.",
        ],
        takes: Takes::Real,
        range: "0 to 100",
        fits: |config| (0.0..=100.0).contains(&config.augmentation.mixup),
        example: "0.2",
        ..AUGMENTING
    },
    Setting {
        key: "augmentation.cutmix",
        doc: &[
            "Paste a rectangle of another image into each: alpha, as for --mixup",
            "",
            "CutMix (Yun et al. 2019, <https://arxiv.org/abs/1905.04899>); 0 is off. With both, half of the images are mixed by each.",
        ],
        takes: Takes::Real,
        range: "0 to 100",
        fits: |config| (0.0..=100.0).contains(&config.augmentation.cutmix),
        example: "0.5",
        ..AUGMENTING
    },
    Setting {
        key: "augmentation.resized_crop",
        doc: &[
            "Crop a random part of each training image: { scale = [0.08, 1.0], ratio = [0.75, 1.33] }",
        ],
        takes: Takes::Table,
        default: "none, but for folder:PATH { scale = [0.35, 1.0] }",
        example: "{ scale = [0.5, 1.0] }",
        ..AUGMENTING
    },
    Setting {
        key: "augmentation.affine",
        doc: &[
            "Rotate, shift, scale and shear training images: { rotation = 15, shift = 0.1, scale = [0.8, 1.2], shear = 12 }",
        ],
        takes: Takes::Table,
        default: "none",
        example: "{ rotation = 10 }",
        ..AUGMENTING
    },
    Setting {
        key: "augmentation.color",
        doc: &[
            "Jitter brightness, contrast and saturation: { brightness = 0.4, contrast = 0.4, saturation = 0.4 }",
        ],
        takes: Takes::Table,
        default: "none",
        example: "{ brightness = 0.2 }",
        ..AUGMENTING
    },
    Setting {
        key: "augmentation.erasing",
        doc: &[
            "Erase a rectangle of training images: { probability = 0.5, area = [0.02, 0.4], ratio = [0.3, 3.3], filling = \"noise\" }",
        ],
        takes: Takes::Table,
        default: "none",
        example: "{ probability = 0.25 }",
        ..AUGMENTING
    },
];

const AUGMENTING: Setting<TrainConfig> = Setting {
    group: Group::Loading,
    ..Setting::USUAL
};

settings! {
    /// How images are loaded: the table `[loader]`.
    pub struct LoaderConfig, LOADER in "loader." {
        /// Where a folder's images are kept: memory, or files, which opens them again in every epoch
        ///
        /// Published data sets are always in memory.
        storage: Storage = Storage::Memory => {
            takes: Takes::Word(|| ["memory", "files"].map(str::to_owned).to_vec()),
            value_name: "WHERE",
            example: "files",
            group: Group::Loading,
        }

        /// Draw equally many images of each class, rare ones more than once
        balanced: bool = false => {
            takes: Takes::Switch,
            example: "true",
            group: Group::Loading,
        }

        /// Drop an epoch's last step if it is smaller
        drop_last: bool = false => {
            takes: Takes::Switch,
            example: "true",
            group: Group::Loading,
        }

        /// Threads that prepare images; 0 prepares them between steps
        ///
        /// Batches are the same with any number.
        #[serde(skip_serializing_if = "Unset::is_unset")]
        threads: Option<usize> = None => {
            id: "loader_threads",
            takes: Takes::Integer,
            default: "one per core",
            range: "0 to 1024",
            fits: |config| config.loader.threads.is_none_or(|threads| threads <= 1024),
            example: "2",
            group: Group::Loading,
            resume: true,
        }

        /// Refuse images with more pixels
        #[serde(skip_serializing_if = "Unset::is_unset")]
        max_pixels: Option<NonZeroU64> = None => {
            takes: Takes::Integer,
            default: "200000000",
            range: "at least 1",
            example: "1000000",
            group: Group::Loading,
        }

        /// Batches prepared in advance; more even out images that take long, and need more memory
        #[serde(skip_serializing_if = "Unset::is_unset")]
        batches_ahead: Option<NonZeroUsize> = None => {
            takes: Takes::Integer,
            default: "3",
            range: "1 to 1024",
            fits: |config| config.loader.batches_ahead.is_none_or(|batches| batches.get() <= 1024),
            example: "8",
            group: Group::Loading,
            resume: true,
        }
    }
}

/// Returns all settings, in the order of `config.toml`.
pub fn settings() -> impl Iterator<Item = &'static Setting<TrainConfig>> {
    TRAIN.iter().chain(AUGMENTATION).chain(LOADER)
}

fn usual_batch() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(31)
}

/// Returns whether a name stays inside the folder that it is joined to.
fn is_plain(name: &str) -> bool {
    let file = Path::new(name).file_name();
    file.is_some_and(|file| file == name) && !name.starts_with('.')
}
