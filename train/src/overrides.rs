//! Settings that are given one by one, over those of a file.

use std::num::NonZeroU64;
use std::path::PathBuf;

use data::{Source, Storage};
use device::DeviceRequest;
use model::{BottleneckStride, Part, ShortcutKind, StemKind, StemPool};

use crate::config::{Keep, TrainConfig};
use crate::optimizer::OptimizerKind;
use crate::schedule::Schedule;

/// What the flags say; what they leave out keeps its value.
#[derive(Clone, Debug, Default)]
#[allow(
    missing_docs,
    reason = "each is the field of TrainConfig, its augmentation or its loader of that name"
)]
pub struct Overrides {
    pub data: Option<Source>,
    pub data_dir: Option<PathBuf>,
    pub labels: Option<PathBuf>,
    pub image_size: Option<usize>,
    pub validation: Option<f64>,
    pub keep: Option<Keep>,
    pub model: Option<String>,
    pub weights: Option<PathBuf>,
    pub pretrained: Option<String>,
    pub freeze: Option<Vec<Part>>,
    pub key: Option<String>,
    pub stem: Option<StemKind>,
    pub stem_stride: Option<usize>,
    pub pool: Option<StemPool>,
    pub bottleneck_stride: Option<BottleneckStride>,
    pub shortcut: Option<ShortcutKind>,
    pub norm_epsilon: Option<f64>,
    pub depths: Option<Vec<usize>>,
    pub widths: Option<Vec<usize>>,
    pub zero_init_last_norm: Option<bool>,
    pub epochs: Option<usize>,
    pub batch_size: Option<usize>,
    pub accumulate: Option<usize>,
    pub gradient_checkpointing: Option<bool>,
    pub optimizer: Option<OptimizerKind>,
    pub lr: Option<f64>,
    pub schedule: Option<Schedule>,
    pub warmup_epochs: Option<f64>,
    pub momentum: Option<f64>,
    pub weight_decay: Option<f64>,
    pub clip: Option<f64>,
    pub label_smoothing: Option<f64>,
    pub ema: Option<f64>,
    pub flip_test: Option<bool>,
    pub shift_test: Option<bool>,
    pub patience: Option<usize>,
    pub seed: Option<u64>,
    pub threads: Option<usize>,
    pub device: Option<DeviceRequest>,
    pub runs_dir: Option<PathBuf>,
    pub name: Option<String>,
    pub pad_crop: Option<usize>,
    pub flip: Option<bool>,
    pub storage: Option<Storage>,
    pub balanced: Option<bool>,
    pub drop_last: Option<bool>,
    pub loader_threads: Option<usize>,
    pub max_pixels: Option<NonZeroU64>,
}

impl TrainConfig {
    /// Applies flags.
    #[must_use]
    pub fn with(mut self, overrides: Overrides) -> Self {
        /// A flag that was given replaces the value.
        fn set<T>(value: &mut T, flag: Option<T>) {
            if let Some(flag) = flag {
                *value = flag;
            }
        }
        /// The same where the value itself may be left open.
        fn set_open<T>(value: &mut Option<T>, flag: Option<T>) {
            if flag.is_some() {
                *value = flag;
            }
        }
        // The labels of a file are those of its data.
        if overrides.data.is_some() {
            self.labels = None;
        }
        set(&mut self.data, overrides.data);
        set_open(&mut self.labels, overrides.labels);
        set_open(&mut self.data_dir, overrides.data_dir);
        set_open(&mut self.image_size, overrides.image_size);
        set(&mut self.validation, overrides.validation);
        set(&mut self.keep, overrides.keep);
        set_open(&mut self.model, overrides.model);
        // One of them gives what the run starts from: that of the flags, not that of the file.
        if overrides.weights.is_some() || overrides.pretrained.is_some() {
            (self.weights, self.pretrained) = (overrides.weights, overrides.pretrained);
        }
        set(&mut self.freeze, overrides.freeze);
        set_open(&mut self.key, overrides.key);
        set_open(&mut self.stem, overrides.stem);
        set_open(&mut self.stem_stride, overrides.stem_stride);
        set_open(&mut self.pool, overrides.pool);
        set_open(&mut self.bottleneck_stride, overrides.bottleneck_stride);
        set_open(&mut self.shortcut, overrides.shortcut);
        set_open(&mut self.norm_epsilon, overrides.norm_epsilon);
        set_open(&mut self.depths, overrides.depths);
        set_open(&mut self.widths, overrides.widths);
        set(&mut self.zero_init_last_norm, overrides.zero_init_last_norm);
        set(&mut self.epochs, overrides.epochs);
        set(&mut self.batch_size, overrides.batch_size);
        set(&mut self.accumulate, overrides.accumulate);
        set(
            &mut self.gradient_checkpointing,
            overrides.gradient_checkpointing,
        );
        set(&mut self.optimizer, overrides.optimizer);
        set_open(&mut self.lr, overrides.lr);
        set(&mut self.schedule, overrides.schedule);
        set(&mut self.warmup_epochs, overrides.warmup_epochs);
        set(&mut self.momentum, overrides.momentum);
        set(&mut self.weight_decay, overrides.weight_decay);
        set_open(&mut self.clip, overrides.clip);
        set(&mut self.label_smoothing, overrides.label_smoothing);
        set_open(&mut self.ema, overrides.ema);
        set(&mut self.flip_test, overrides.flip_test);
        set(&mut self.shift_test, overrides.shift_test);
        set_open(&mut self.patience, overrides.patience);
        set(&mut self.seed, overrides.seed);
        set_open(&mut self.threads, overrides.threads);
        set(&mut self.device, overrides.device);
        set(&mut self.runs_dir, overrides.runs_dir);
        set_open(&mut self.name, overrides.name);
        set(&mut self.augmentation.pad_crop, overrides.pad_crop);
        set(&mut self.augmentation.flip, overrides.flip);
        set(&mut self.loader.storage, overrides.storage);
        set(&mut self.loader.balanced, overrides.balanced);
        set(&mut self.loader.drop_last, overrides.drop_last);
        set_open(&mut self.loader.threads, overrides.loader_threads);
        set_open(&mut self.loader.max_pixels, overrides.max_pixels);
        self
    }
}
