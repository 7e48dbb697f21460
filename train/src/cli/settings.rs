//! The flags that are settings of a run.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::Args;
use command_line::flags;
use data::{DataError, Source, Storage};
use device::DeviceRequest;
use model::{BottleneckStride, Part, ShortcutKind, StemKind, StemPool};
use saved_models::foreign::{Published, UnknownPublished};
use train::{Keep, OptimizerKind, Overrides, Schedule};

/// What a run's config holds too; what is left out keeps its value.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Data set, such as cifar10, or folder:PATH [default: sample]
    ///
    /// sample, mnist, fashion-mnist, cifar10 or cifar100, or folder:PATH for your own images: a folder, .zip or .tar.
    #[arg(long, value_name = "DATA", value_parser = source)]
    data: Option<Source>,

    /// Folder with the published files of the data sets, or for them where they are nowhere yet [default: the user's cache folder]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Table with a file name and a label in each row, for images that are not in class folders; a column `split` says train, val or test
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,

    /// Bring every image to N x N pixels [default: the data's own size, 64 for folders]
    #[arg(long, value_name = "N")]
    image_size: Option<usize>,

    /// Share of the training images held back to choose the best epoch; with 0, the last is kept [default: 0.1]
    #[arg(long, value_name = "X")]
    validation: Option<f64>,

    /// Which epoch's network is kept: best, by validation accuracy, or last [default: best]
    #[arg(long, value_name = "WHICH", value_parser = keep)]
    keep: Option<Keep>,

    #[arg(long, value_name = "NAME",
        help = "Network, such as resnet50 [default: resnet8]",
        long_help = format!("{} [default: that of --weights, or resnet8]", model::PATTERNS.join(", "))
    )]
    model: Option<String>,

    /// Start from trained weights: a run's folder, a file that torch.save wrote, or safetensors
    ///
    /// The network is recognized unless --model names it; --stem, --pool and others say what names and
    /// shapes do not. A head for another number of classes is replaced, and one that is missing is new.
    /// Images are normalized as they were for these weights.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,

    /// Start from ImageNet weights, such as resnet50
    ///
    /// They are torchvision's and downloaded once: resnet18 to resnet152 and others, with -v1 for the older ones.
    #[arg(long, value_name = "NAME", value_parser = published, conflicts_with_all = ["weights", "model"])]
    pretrained: Option<String>,

    /// Train the head alone, or all but the named parts
    ///
    /// The parts are stem, stage1, stage2 and so on, separated by commas.
    #[arg(long, value_name = "PARTS", num_args = 0..=1, default_missing_value = "all", value_delimiter = ',')]
    freeze: Option<Vec<Part>>,

    /// imagenet (7x7, stride 4 in all), deep (three 3x3, stride 4) or cifar (3x3, stride 1) [default: the model's own]
    #[arg(long, value_name = "STEM", value_parser = flags::stem)]
    stem: Option<StemKind>,

    /// State dict or module with the network, where --weights has several: teacher, state_dict.ema
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// Stride of the first convolution [default: the model's own]
    #[arg(long, value_name = "N")]
    stem_stride: Option<usize>,

    /// none, or max: a 3x3 max pool with stride 2 behind the stem [default: the model's own]
    #[arg(long, value_name = "POOL", value_parser = flags::pool)]
    pool: Option<StemPool>,

    /// Convolution of a bottleneck that has its stride: first or second [default: the model's own]
    #[arg(long, value_name = "WHICH", value_parser = flags::bottleneck_stride)]
    bottleneck_stride: Option<BottleneckStride>,

    /// Path around a block: zero-pad, zero-pad-end, projection, projection-always, average-pool-projection, plain-projection or none [default: the model's own]
    #[arg(long, value_name = "KIND", value_parser = flags::shortcut)]
    shortcut: Option<ShortcutKind>,

    /// What batch norms add to the variance [default: 0.00001]
    #[arg(long, value_name = "X")]
    norm_epsilon: Option<f64>,

    /// Blocks in each stage [default: the model's own]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    depths: Option<Vec<usize>>,

    /// Width of each stage in channels, for bottlenecks that of their 3x3 [default: the model's own]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    widths: Option<Vec<usize>>,

    /// Start each block as its shortcut [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    zero_init_last_norm: Option<bool>,

    /// Crop training images at random after adding so many pixels on each side [default: 0, and for folder:PATH a random part of the image]
    #[arg(long, value_name = "N")]
    pad_crop: Option<usize>,

    /// Mirror half of the training images at random [default: false, but true for folder:PATH]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    flip: Option<bool>,

    /// memory, or files: open a folder's images anew in every epoch, for more than memory holds [default: memory]
    #[arg(long, value_name = "WHERE", value_parser = storage)]
    storage: Option<Storage>,

    /// Train on as many images of each class, rare ones more than once [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    balanced: Option<bool>,

    /// Leave an epoch's last step out if it has fewer images [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    drop_last: Option<bool>,

    /// Threads that prepare images, 0 to do so between steps [default: one per core]
    #[arg(long, value_name = "N")]
    loader_threads: Option<usize>,

    #[arg(long, value_name = "N", value_parser = max_pixels, help = max_pixels_help())]
    max_pixels: Option<NonZeroU64>,

    /// Passes over the training images [default: 16]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,

    /// Images in a batch [default: 32]
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,

    /// Batches in a step, whose gradients are averaged: as a larger batch in less memory [default: 1]
    #[arg(long, value_name = "N")]
    accumulate: Option<usize>,

    /// Compute blocks again in the backward pass instead of keeping what is inside them: less memory, more time [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    gradient_checkpointing: Option<bool>,

    /// sgd, adam, adamw or muon [default: sgd]
    #[arg(long, value_name = "NAME", value_parser = optimizer)]
    optimizer: Option<OptimizerKind>,

    /// Highest learning rate
    ///
    /// [default: 0.1, or 0.001 for adam and adamw, 0.005 for muon; a tenth of it with weights that are not all frozen]
    #[arg(long, value_name = "X")]
    lr: Option<f64>,

    /// How the rate falls: cosine, one-cycle, linear, polynomial, step or constant [default: cosine]
    #[arg(long, value_name = "NAME", value_parser = schedule)]
    schedule: Option<Schedule>,

    /// Epochs in which the rate rises, at most half of all; for one-cycle, a third is usual [default: 0.5]
    #[arg(long, value_name = "X")]
    warmup_epochs: Option<f64>,

    /// Nesterov momentum of sgd and muon [default: 0.9]
    #[arg(long, value_name = "X")]
    momentum: Option<f64>,

    /// Share of each weight that is added to its gradient or, by adamw and muon, taken off times the rate; biases and norms do not decay [default: 0.0005]
    #[arg(long, value_name = "X")]
    weight_decay: Option<f64>,

    /// Shorten gradients to this length, all parameters together [default: as they are]
    #[arg(long, value_name = "X")]
    clip: Option<f64>,

    /// Share of each target that goes to all classes alike [default: 0.1]
    #[arg(long, value_name = "X")]
    label_smoothing: Option<f64>,

    /// Keep a moving average of the weights too, of which such a part stays at each step, such as 0.999 [default: none]
    #[arg(long, value_name = "X")]
    ema: Option<f64>,

    /// Score each image together with its mirror image [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    flip_test: Option<bool>,

    /// Score each image together with two that are shifted by a pixel [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    shift_test: Option<bool>,

    /// End early after so many epochs without a better score of the validation images [default: never]
    #[arg(long, value_name = "N")]
    patience: Option<usize>,

    /// Sets the split, the first weights and the order of the images [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// CPU threads [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// Device, such as flex, cuda or cuda:1 [default: auto]
    ///
    /// auto, flex, ndarray, wgpu, vulkan, metal, cuda or rocm, with :INDEX for another than the first
    #[arg(long, value_name = "D")]
    device: Option<DeviceRequest>,

    /// Folder that holds the runs [default: runs]
    #[arg(long, value_name = "DIR")]
    runs_dir: Option<PathBuf>,

    /// Name of the run's folder [default: time, data and model]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl From<Settings> for Overrides {
    fn from(settings: Settings) -> Self {
        Self {
            data: settings.data,
            data_dir: settings.data_dir,
            labels: settings.labels,
            image_size: settings.image_size,
            validation: settings.validation,
            keep: settings.keep,
            model: settings.model,
            weights: settings.weights,
            pretrained: settings.pretrained,
            freeze: settings.freeze,
            key: settings.key,
            stem: settings.stem,
            stem_stride: settings.stem_stride,
            pool: settings.pool,
            bottleneck_stride: settings.bottleneck_stride,
            shortcut: settings.shortcut,
            norm_epsilon: settings.norm_epsilon,
            depths: settings.depths,
            widths: settings.widths,
            zero_init_last_norm: settings.zero_init_last_norm,
            epochs: settings.epochs,
            batch_size: settings.batch_size,
            accumulate: settings.accumulate,
            gradient_checkpointing: settings.gradient_checkpointing,
            optimizer: settings.optimizer,
            lr: settings.lr,
            schedule: settings.schedule,
            warmup_epochs: settings.warmup_epochs,
            momentum: settings.momentum,
            weight_decay: settings.weight_decay,
            clip: settings.clip,
            label_smoothing: settings.label_smoothing,
            ema: settings.ema,
            flip_test: settings.flip_test,
            shift_test: settings.shift_test,
            patience: settings.patience,
            seed: settings.seed,
            threads: settings.threads,
            device: settings.device,
            runs_dir: settings.runs_dir,
            name: settings.name,
            pad_crop: settings.pad_crop,
            flip: settings.flip,
            storage: settings.storage,
            balanced: settings.balanced,
            drop_last: settings.drop_last,
            loader_threads: settings.loader_threads,
            max_pixels: settings.max_pixels,
        }
    }
}

/// The value of `--max-pixels`.
pub(super) fn max_pixels(text: &str) -> Result<NonZeroU64, String> {
    let number: u64 = text.parse().map_err(|error| format!("{error}"))?;
    NonZeroU64::new(number).ok_or_else(|| "must be at least 1".to_owned())
}

/// Help for `--max-pixels` of all commands that open images.
pub(super) fn max_pixels_help() -> String {
    format!(
        "Refuse images with more pixels than this [default: {}]",
        data::DEFAULT_MAX_PIXELS
    )
}

fn storage(text: &str) -> Result<Storage, String> {
    match text {
        "memory" => Ok(Storage::Memory),
        "files" => Ok(Storage::Files),
        _ => Err("known: memory, files".to_owned()),
    }
}

/// A name, checked here for the message and kept as text for the run's config.
fn published(text: &str) -> Result<String, UnknownPublished> {
    Ok(text.parse::<Published>()?.to_string())
}

/// A data set by its name; a slip gets a hint.
pub(super) fn source(text: &str) -> Result<Source, String> {
    text.parse().map_err(|error: DataError| match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    })
}

pub(super) fn optimizer(text: &str) -> Result<OptimizerKind, String> {
    OptimizerKind::ALL
        .into_iter()
        .find(|kind| kind.name() == text)
        .ok_or_else(|| {
            format!(
                "known: {}",
                OptimizerKind::ALL.map(OptimizerKind::name).join(", ")
            )
        })
}

fn schedule(text: &str) -> Result<Schedule, String> {
    Schedule::named(text).ok_or_else(|| format!("known: {}", Schedule::NAMES.join(", ")))
}

fn keep(text: &str) -> Result<Keep, String> {
    Keep::ALL
        .into_iter()
        .find(|keep| keep.name() == text)
        .ok_or_else(|| format!("known: {}", Keep::ALL.map(Keep::name).join(", ")))
}
