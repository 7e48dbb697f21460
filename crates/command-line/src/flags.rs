//! Flags of both programs that specify what a weights file does not.

use clap::Args;
use model::{BottleneckStride, NetworkChanges, ShortcutKind, StemKind, StemPool};

use saved_models::Activation;
use saved_models::NamedNetwork;
use saved_models::foreign::{ImportOptions, Published};

/// What a user knows of a file of weights. A command that takes them has a group of flags named
/// `foreign`, without which they mean nothing.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Reading weights")]
pub struct WeightsFlags {
    /// State dict or module that holds the network, if a file has several: teacher, state_dict.ema
    #[arg(long, value_name = "KEY", requires = "foreign")]
    pub key: Option<String>,

    /// imagenet (7x7), deep (three 3x3) or cifar (3x3) [default: by the shape of its weights]
    #[arg(long, value_name = "STEM", requires = "foreign", value_parser = stem)]
    pub stem: Option<StemKind>,

    /// Stride of the first convolution [default: 2, or 1 for cifar]
    #[arg(long, value_name = "N", requires = "foreign")]
    pub stem_stride: Option<usize>,

    /// Pool after the stem: none, or max (3x3, stride 2) [default: max, or none for cifar]
    #[arg(long, value_name = "POOL", requires = "foreign", value_parser = pool)]
    pub pool: Option<StemPool>,

    /// Convolution of a bottleneck that has the stride: first or second [default: second]
    #[arg(long, value_name = "WHICH", requires = "foreign", value_parser = bottleneck_stride)]
    pub bottleneck_stride: Option<BottleneckStride>,

    /// Shortcut of each block: zero-pad, zero-pad-end, projection, projection-always,
    /// average-pool-projection, plain-projection or none [default: by the tensors; zero-pad without any]
    #[arg(long, value_name = "KIND", requires = "foreign", value_parser = shortcut)]
    pub shortcut: Option<ShortcutKind>,

    /// Epsilon of the batch norms [default: 0.00001]
    #[arg(long, value_name = "X", requires = "foreign")]
    pub norm_epsilon: Option<f64>,

    /// Output activation: softmax (one class is right) or sigmoid (independent classes) [default: softmax,
    /// or sigmoid for a single output]
    #[arg(long, value_name = "NAME", requires = "foreign", value_parser = activation)]
    pub activation: Option<Activation>,

    /// Height and width of the network's images in pixels [default: 224, or 32 for cifar]
    #[arg(long, value_name = "N", requires = "foreign")]
    pub image_size: Option<usize>,

    /// Length in pixels of an image's shorter side before the crop [default: 256 for a crop of
    /// 224, and 232 for files with the names of torchvision's newer weights]
    #[arg(long, value_name = "N", requires = "foreign")]
    pub resize: Option<usize>,

    /// Mean that images are normalized with, one number or one for each channel, of brightness from 0
    /// to 1 [default: ImageNet's, or CIFAR-10's for cifar with 10 classes]
    #[arg(
        long,
        value_name = "X,X,X",
        requires = "foreign",
        value_delimiter = ','
    )]
    pub mean: Option<Vec<f32>>,

    /// Standard deviation that images are normalized with [default: as for --mean]
    #[arg(
        long,
        value_name = "X,X,X",
        requires = "foreign",
        value_delimiter = ','
    )]
    pub std: Option<Vec<f32>>,
}

impl WeightsFlags {
    /// Returns the options for a file, with the network of the given name if there is one.
    pub fn options(&self, model: Option<NamedNetwork>) -> ImportOptions {
        ImportOptions::default()
            .with_key(self.key.clone())
            .with_model(model)
            .with_changes(
                NetworkChanges::default()
                    .with_stem(self.stem)
                    .with_stem_stride(self.stem_stride)
                    .with_stem_pool(self.pool)
                    .with_bottleneck_stride(self.bottleneck_stride)
                    .with_shortcut(self.shortcut)
                    .with_norm_epsilon(self.norm_epsilon),
            )
            .with_activation(self.activation)
            .with_image_size(self.image_size)
            .with_resize(self.resize)
            .with_mean(self.mean.clone())
            .with_std(self.std.clone())
    }
}

const STEMS: [(&str, StemKind); 3] = [
    ("imagenet", StemKind::ImageNet),
    ("deep", StemKind::Deep),
    ("cifar", StemKind::Cifar),
];
const POOLS: [(&str, StemPool); 2] = [("none", StemPool::None), ("max", StemPool::Max)];
const BOTTLENECK_STRIDES: [(&str, BottleneckStride); 2] = [
    ("first", BottleneckStride::First),
    ("second", BottleneckStride::Spatial),
];
const SHORTCUTS: [(&str, ShortcutKind); 7] = [
    ("zero-pad", ShortcutKind::ZeroPad),
    ("zero-pad-end", ShortcutKind::ZeroPadEnd),
    ("projection", ShortcutKind::Projection),
    ("projection-always", ShortcutKind::ProjectionAlways),
    (
        "average-pool-projection",
        ShortcutKind::AveragePoolProjection,
    ),
    ("plain-projection", ShortcutKind::PlainProjection),
    ("none", ShortcutKind::None),
];
const ACTIVATIONS: [(&str, Activation); 2] = [
    ("softmax", Activation::Softmax),
    ("sigmoid", Activation::Sigmoid),
];

/// Returns the values that completions offer for a flag of both programs, by its name in the code.
/// Empty for a flag that takes numbers or free text.
pub fn offered(flag: &str) -> Vec<String> {
    match flag {
        "stem" => words(&STEMS),
        "pool" => words(&POOLS),
        "bottleneck_stride" => words(&BOTTLENECK_STRIDES),
        "shortcut" => words(&SHORTCUTS),
        "activation" => words(&ACTIVATIONS),
        "model" => model::names().into_iter().map(str::to_owned).collect(),
        "pretrained" => Published::ALL.iter().map(Published::to_string).collect(),
        "device" => device::names().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn words<T>(words: &[(&str, T)]) -> Vec<String> {
    words.iter().map(|(word, _)| (*word).to_owned()).collect()
}

/// Parses one of a few words.
fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known = self::words(words);
        format!("known: {}", known.join(", "))
    })
}

/// Reads the value of `--stem`.
///
/// # Errors
///
/// Describes the valid values.
pub fn stem(text: &str) -> Result<StemKind, String> {
    word(text, &STEMS)
}

/// Reads the value of `--pool`.
///
/// # Errors
///
/// Describes the valid values.
pub fn pool(text: &str) -> Result<StemPool, String> {
    word(text, &POOLS)
}

/// Reads the value of `--bottleneck-stride`.
///
/// # Errors
///
/// Describes the valid values.
pub fn bottleneck_stride(text: &str) -> Result<BottleneckStride, String> {
    word(text, &BOTTLENECK_STRIDES)
}

/// Reads the value of `--shortcut`.
///
/// # Errors
///
/// Describes the valid values.
pub fn shortcut(text: &str) -> Result<ShortcutKind, String> {
    word(text, &SHORTCUTS)
}

fn activation(text: &str) -> Result<Activation, String> {
    word(text, &ACTIVATIONS)
}
