//! The config of a network of residual blocks.

use derive_setters::Setters;
use serde::{Deserialize, Serialize};

use super::error::{check, check_ends, require};
use super::{
    ActivationOrder, BlockKind, BottleneckStride, ConfigError, ShortcutKind, StemKind, StemPool,
};

/// Width that corresponds to `width_per_group` channels: a bottleneck with one group of 64 channels
/// at a width of 64 matches He et al.
const WIDTH_UNIT: usize = 64;
/// Maximum number of channels in the 3x3 convolution of a bottleneck.
const MAX_INNER_CHANNELS: usize = 65_536;
/// PyTorch's default.
const USUAL_EPSILON: f64 = 1e-5;

/// A residual network: its layers, depth and width.
///
/// ```
/// use model::{BlockKind, NetworkConfig, ResNetConfig};
///
/// // ResNeXt-50 32x4d is ResNet-50 with another 3x3 convolution in its bottlenecks.
/// let config = ResNetConfig::imagenet(BlockKind::Bottleneck, [3, 4, 6, 3])
///     .with_groups(32)
///     .with_width_per_group(4);
/// assert_eq!(config.inner_channels(64), 128);
/// assert_eq!(NetworkConfig::Resnet(config), model::NetworkConfig::named("resnext50_32x4d")?);
/// # Ok::<(), model::UnknownNetwork>(())
/// ```
#[derive(Clone, Debug, PartialEq, Setters, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct ResNetConfig {
    /// Layers before the first stage.
    pub stem: StemKind,
    /// Stride of the first convolution, 1 to 8; `None` for the stem's [usual
    /// stride](StemKind::usual_stride).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem_stride: Option<usize>,
    /// Pool after the stem's convolutions; `None` for the stem's [usual
    /// pool](StemKind::usual_pool).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem_pool: Option<StemPool>,
    /// Kind of every block.
    pub block: BlockKind,
    /// Number of blocks in each stage: 1 to 16 stages of 1 to 1,000 blocks.
    pub depths: Vec<usize>,
    /// Width of each stage, 1 to 16,384 channels; same length as `depths`. Basic blocks have this
    /// number of channels. Bottlenecks have [`inner_channels`](Self::inner_channels) in their 3x3
    /// convolution and four times the width at their output.
    pub widths: Vec<usize>,
    /// Number of groups in a bottleneck's 3x3 convolution, 1 to 1,024 (ResNeXt, Xie et al. 2016,
    /// <https://arxiv.org/abs/1611.05431>); 1 with basic blocks.
    #[serde(default = "one_group")]
    pub groups: usize,
    /// Channels per group in a stage of width 64, 1 to 1,024, as torchvision counts them; 64 with
    /// basic blocks.
    #[serde(default = "usual_width_per_group")]
    pub width_per_group: usize,
    /// Convolution of a bottleneck that has the stride.
    #[serde(default)]
    pub bottleneck_stride: BottleneckStride,
    /// Order of norm, ReLU and convolution.
    #[serde(default)]
    pub activation: ActivationOrder,
    /// Path around every block.
    pub shortcut: ShortcutKind,
    /// Whether convolutions before a norm have a bias. The norm cancels it, but the tutorial
    /// network has it anyway.
    pub convolution_bias: bool,
    /// Whether the last norm of each block starts at zero, so that a block starts as its shortcut.
    /// Requires a shortcut and the post-activation order: in the pre-activation order, the ReLU
    /// after that norm would pass no gradient.
    pub zero_init_last_norm: bool,
    /// Value added to the variance in every batch norm, above 0 and at most 1.
    #[serde(default = "usual_epsilon", skip_serializing_if = "is_usual_epsilon")]
    pub norm_epsilon: f64,
    /// Number of image channels, 1 to 1,024: 1 for grayscale, 3 for color.
    pub input_channels: usize,
    /// Number of logits, 1 to 1,000,000.
    pub classes: usize,
}

fn one_group() -> usize {
    1
}

fn usual_width_per_group() -> usize {
    WIDTH_UNIT
}

fn usual_epsilon() -> f64 {
    USUAL_EPSILON
}

fn is_usual_epsilon(epsilon: &f64) -> bool {
    *epsilon == USUAL_EPSILON
}

impl ResNetConfig {
    /// Returns four stages of 64 to 512 channels after the ImageNet stem, as in torchvision: 3
    /// input channels, 1,000 classes.
    pub fn imagenet(block: BlockKind, depths: [usize; 4]) -> Self {
        Self {
            stem: StemKind::ImageNet,
            stem_stride: None,
            stem_pool: None,
            block,
            depths: depths.to_vec(),
            widths: vec![64, 128, 256, 512],
            groups: one_group(),
            width_per_group: usual_width_per_group(),
            bottleneck_stride: BottleneckStride::default(),
            activation: ActivationOrder::default(),
            shortcut: ShortcutKind::Projection,
            convolution_bias: false,
            zero_init_last_norm: false,
            norm_epsilon: USUAL_EPSILON,
            input_channels: 3,
            classes: 1000,
        }
    }

    /// Returns three stages of 16, 32 and 64 channels with `blocks` basic blocks each, for a total
    /// of `6 * blocks + 2` layers (He et al. 2015, section 4.2): 3 input channels, 10 classes.
    pub fn cifar(blocks: usize) -> Self {
        Self {
            stem: StemKind::Cifar,
            depths: vec![blocks; 3],
            widths: vec![16, 32, 64],
            shortcut: ShortcutKind::ZeroPad,
            classes: 10,
            ..Self::imagenet(BlockKind::Basic, [0; 4])
        }
    }

    /// Returns the ResNet-18 of the textbook Dive into Deep Learning (<https://d2l.ai>, section
    /// 8.6): biases everywhere, no norm after the 1x1 convolutions, 1 input channel, 10 classes.
    pub fn tutorial() -> Self {
        Self {
            shortcut: ShortcutKind::PlainProjection,
            convolution_bias: true,
            input_channels: 1,
            classes: 10,
            ..Self::imagenet(BlockKind::Basic, [2, 2, 2, 2])
        }
    }

    /// Returns the stride of the first convolution.
    pub fn first_stride(&self) -> usize {
        self.stem_stride.unwrap_or(self.stem.usual_stride())
    }

    /// Returns the pool after the stem's convolutions.
    pub fn first_pool(&self) -> StemPool {
        self.stem_pool.unwrap_or(self.stem.usual_pool())
    }

    /// Returns the number of channels between the convolutions of a block in a stage of this width.
    /// For a bottleneck this is `width * width_per_group / 64 * groups`, rounded down before
    /// multiplying by the groups.
    pub fn inner_channels(&self, width: usize) -> usize {
        match self.block {
            BlockKind::Basic => width,
            BlockKind::Bottleneck => width * self.width_per_group / WIDTH_UNIT * self.groups,
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        check(
            "depths",
            self.depths.len(),
            1..=16,
            "a list of 1 to 16 stages",
        )?;
        let widths = format!("{:?}", self.widths);
        require(
            self.widths.len() == self.depths.len(),
            "widths",
            &widths,
            "a list as long as `depths`",
        )?;
        for &depth in &self.depths {
            check("depths", depth, 1..=1000, "1 to 1000 blocks in each stage")?;
        }
        for &width in &self.widths {
            check(
                "widths",
                width,
                1..=16_384,
                "1 to 16384 channels in each stage",
            )?;
        }
        self.validate_groups()?;
        check("stem_stride", self.first_stride(), 1..=8, "1 to 8")?;
        require(
            self.norm_epsilon > 0.0 && self.norm_epsilon <= 1.0,
            "norm_epsilon",
            self.norm_epsilon,
            "above 0, at most 1",
        )?;
        let narrows = self.widths.windows(2).any(|pair| pair[1] < pair[0]);
        require(
            !self.shortcut.is_zero_pad() || !narrows,
            "widths",
            &widths,
            "never narrower from stage to stage with the zero-pad shortcut",
        )?;
        let can_start_at_zero =
            self.activation == ActivationOrder::Post && self.shortcut != ShortcutKind::None;
        require(
            !self.zero_init_last_norm || can_start_at_zero,
            "zero_init_last_norm",
            self.zero_init_last_norm,
            "false without a shortcut and in the pre-activation order, where nothing could be learned",
        )?;
        check_ends(self.input_channels, self.classes)
    }

    fn validate_groups(&self) -> Result<(), ConfigError> {
        if self.block == BlockKind::Basic {
            check("groups", self.groups, 1..=1, "1 with basic blocks")?;
            return check(
                "width_per_group",
                self.width_per_group,
                WIDTH_UNIT..=WIDTH_UNIT,
                "64 with basic blocks",
            );
        }
        check("groups", self.groups, 1..=1024, "1 to 1024")?;
        check(
            "width_per_group",
            self.width_per_group,
            1..=1024,
            "1 to 1024",
        )?;
        for &width in &self.widths {
            require(
                (1..=MAX_INNER_CHANNELS).contains(&self.inner_channels(width)),
                "width_per_group",
                self.width_per_group,
                "such that `width * width_per_group / 64 * groups` is 1 to 65536 in each stage",
            )?;
        }
        Ok(())
    }
}
