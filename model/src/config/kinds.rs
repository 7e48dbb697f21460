//! What a residual network can be made of.

use serde::{Deserialize, Serialize};

/// What stands before the first stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StemKind {
    /// 7x7 convolution with stride 2, then 3x3 max pool with stride 2: a quarter of the size.
    #[serde(rename = "imagenet")]
    ImageNet,
    /// Three 3x3 convolutions, the first with stride 2, of half, half and all of the first stage's
    /// width, then the same max pool: a quarter of the size (ResNet-C in He et al. 2018, "Bag of
    /// Tricks", <https://arxiv.org/abs/1812.01187>, figure 2).
    Deep,
    /// 3x3 convolution with stride 1: the whole size.
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
    /// Stride of the first convolution, unless a config sets another one.
    pub fn usual_stride(self) -> usize {
        match self {
            Self::ImageNet | Self::Deep => 2,
            Self::Cifar => 1,
        }
    }

    /// Pool behind the convolutions, unless a config sets another one.
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
    /// 1x1, 3x3, 1x1; the last widens four times.
    Bottleneck,
}

impl BlockKind {
    /// Channels that a block of this width hands on.
    pub fn out_channels(self, width: usize) -> usize {
        match self {
            Self::Basic => width,
            Self::Bottleneck => 4 * width,
        }
    }
}

/// Which convolution of a bottleneck has the stride; basic blocks have it on their first.
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
    /// Convolution, norm, ReLU; the last ReLU stands behind the addition (He et al. 2015).
    #[default]
    Post,
    /// Norm, ReLU, convolution, and nothing behind the addition (He et al. 2016, "Identity
    /// mappings", <https://arxiv.org/abs/1603.05027>, figure 4 e).
    ///
    /// As the paper's appendix has it: norm and ReLU of the very first block stand right behind
    /// the first convolution, before its two paths part, so they are the stem's (with a max pool
    /// behind them where the stem has one); and a norm and a ReLU stand behind the last addition,
    /// before the head's pool. Where a block projects, its projection starts behind its first norm
    /// and ReLU and has no norm of its own. All other shortcuts carry the block's input as it is.
    Pre,
}

/// The path around a block. Letters A to C are those of He et al. 2015
/// (<https://arxiv.org/abs/1512.03385>), section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShortcutKind {
    /// A: where the shape changes, every second pixel, and channels of zeros on both sides; else
    /// the identity.
    ZeroPad,
    /// A with all channels of zeros behind those of the input.
    ZeroPadEnd,
    /// B: where the shape changes, a 1x1 convolution with norm; else the identity.
    Projection,
    /// C: a 1x1 convolution with norm around every block.
    ProjectionAlways,
    /// B, with the stride in a 2x2 average pool before the convolution: ResNet-D in "Bag of
    /// Tricks" (<https://arxiv.org/abs/1812.01187>). A window that the image's edge cuts is the
    /// mean of what is left of it.
    AveragePoolProjection,
    /// B without norm: a 1x1 convolution with bias.
    PlainProjection,
    /// No path at all: a plain network, what residual ones are compared with.
    None,
}

impl ShortcutKind {
    /// Whether channels of zeros take the place of a projection.
    pub fn is_zero_pad(self) -> bool {
        matches!(self, Self::ZeroPad | Self::ZeroPadEnd)
    }
}
