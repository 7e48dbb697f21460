//! Building blocks of a residual network.

use serde::{Deserialize, Serialize};

/// Layers before the first stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StemKind {
    /// 7x7 convolution with stride 2, then 3x3 max pool with stride 2: a quarter of the input size.
    #[serde(rename = "imagenet")]
    ImageNet,
    /// Three 3x3 convolutions, the first with stride 2, with half, half and the full width of the
    /// first stage, then the same max pool: a quarter of the input size (ResNet-C in He et al.
    /// 2018, "Bag of Tricks", <https://arxiv.org/abs/1812.01187>, figure 2).
    Deep,
    /// 3x3 convolution with stride 1: the full input size.
    Cifar,
}

/// The pool between the stem's convolutions and the first stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StemPool {
    /// No pool.
    None,
    /// 3x3 max pool with stride 2 and padding 1.
    Max,
}

impl StemKind {
    /// Returns the stride of the first convolution, unless a config overrides it.
    pub fn usual_stride(self) -> usize {
        match self {
            Self::ImageNet | Self::Deep => 2,
            Self::Cifar => 1,
        }
    }

    /// Returns the pool after the convolutions, unless a config overrides it.
    pub fn usual_pool(self) -> StemPool {
        match self {
            Self::ImageNet | Self::Deep => StemPool::Max,
            Self::Cifar => StemPool::None,
        }
    }
}

/// The kind of a residual block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockKind {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1, 3x3, 1x1; the last has four times the channels.
    Bottleneck,
}

impl BlockKind {
    /// Returns the number of output channels of a block of this width.
    pub fn out_channels(self, width: usize) -> usize {
        match self {
            Self::Basic => width,
            Self::Bottleneck => 4 * width,
        }
    }
}

/// The convolution of a bottleneck that has the stride; in basic blocks it is the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BottleneckStride {
    /// The first 1x1, as in He et al. 2015; "Bag of Tricks" (<https://arxiv.org/abs/1812.01187>)
    /// calls it ResNet-A.
    #[serde(rename = "1x1")]
    First,
    /// The 3x3, as in torchvision: ResNet-B.
    #[default]
    #[serde(rename = "3x3")]
    Spatial,
}

/// The order of norm, ReLU and convolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationOrder {
    /// Convolution, norm, ReLU; the last ReLU follows the addition (He et al. 2015).
    #[default]
    Post,
    /// Norm, ReLU, convolution, and nothing after the addition (He et al. 2016, "Identity
    /// mappings", <https://arxiv.org/abs/1603.05027>, figure 4 e).
    ///
    /// As in the paper's appendix, the norm and ReLU of the very first block directly follow the
    /// first convolution, before the two paths split, so they are part of the stem (followed by a
    /// max pool if the stem has one). Another norm and ReLU follow the last addition, before the
    /// head's pool. A projection starts after the first norm and ReLU of its block and has no norm
    /// of its own. All other shortcuts carry the block's input unchanged.
    Pre,
}

/// The path around a block. Letters A to C refer to He et al. 2015
/// (<https://arxiv.org/abs/1512.03385>), section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShortcutKind {
    /// A: if the shape changes, every second pixel, with zero channels added on both sides;
    /// otherwise the identity.
    ZeroPad,
    /// A, with all zero channels after those of the input.
    ZeroPadEnd,
    /// B: if the shape changes, a 1x1 convolution with norm; otherwise the identity.
    Projection,
    /// C: a 1x1 convolution with norm around every block.
    ProjectionAlways,
    /// B, with the stride in a 2x2 average pool before the convolution: ResNet-D in "Bag of Tricks"
    /// (<https://arxiv.org/abs/1812.01187>). A window that crosses the image border averages only
    /// the pixels inside the image.
    AveragePoolProjection,
    /// B without norm: a 1x1 convolution with bias.
    PlainProjection,
    /// No path: a plain network, the baseline for residual ones.
    None,
}

impl ShortcutKind {
    /// Returns whether zero channels replace a projection.
    pub fn is_zero_pad(self) -> bool {
        matches!(self, Self::ZeroPad | Self::ZeroPadEnd)
    }
}
