//! A config expanded layer by layer: the source for building modules and summaries.

use crate::config::{
    ActivationOrder, BlockKind, BottleneckStride, ResNetConfig, ShortcutKind, StemKind, StemPool,
};
use crate::convolution::{ConvolutionSpec, Norm};

/// A complete network.
pub(crate) struct Layout {
    pub stem: StemLayout,
    /// Blocks of each stage.
    pub stages: Vec<Vec<BlockLayout>>,
    pub head: HeadLayout,
}

pub(crate) struct StemLayout {
    /// The convolutions before `convolution` in a deep stem.
    pub deep: Option<[ConvolutionSpec; 2]>,
    pub convolution: ConvolutionSpec,
    pub pooled: bool,
}

pub(crate) struct BlockLayout {
    /// Epsilon of the norm before the branch.
    pub epsilon: f64,
    /// Channels of the norm before both paths, or before the branch alone without a projection.
    pub pre_activation: Option<usize>,
    /// The branch's convolutions; a ReLU follows each but the last.
    pub branch: Vec<ConvolutionSpec>,
    pub shortcut: Option<ShortcutLayout>,
    /// Whether a ReLU follows the addition.
    pub relu: bool,
}

pub(crate) struct ShortcutLayout {
    pub average_pool: bool,
    pub projection: Option<ConvolutionSpec>,
    /// Stride of the whole path.
    pub stride: usize,
    /// Zero channels added before and after those of the input, without a projection.
    pub padding: [usize; 2],
}

pub(crate) struct HeadLayout {
    /// Whether a norm and a ReLU precede the pool.
    pub norm: bool,
    pub epsilon: f64,
    pub channels: usize,
    pub classes: usize,
}

impl Layout {
    /// Expands a config that the caller has validated.
    pub(crate) fn new(config: &ResNetConfig) -> Self {
        let first_width = config.widths.first().copied().unwrap_or(1);
        let mut channels = first_width;
        let mut stages = Vec::with_capacity(config.depths.len());
        for (stage, (&depth, &width)) in config.depths.iter().zip(&config.widths).enumerate() {
            let mut blocks = Vec::with_capacity(depth);
            for position in 0..depth {
                let stride = if stage > 0 && position == 0 { 2 } else { 1 };
                let mut block = BlockLayout::new(config, channels, width, stride);
                if (stage, position) == (0, 0) {
                    // The stem already has this norm.
                    block.pre_activation = None;
                }
                blocks.push(block);
                channels = config.block.out_channels(width);
            }
            stages.push(blocks);
        }
        Self {
            stem: StemLayout::new(config, first_width),
            stages,
            head: HeadLayout {
                norm: config.activation == ActivationOrder::Pre,
                epsilon: config.norm_epsilon,
                channels,
                classes: config.classes,
            },
        }
    }
}

impl StemLayout {
    fn new(config: &ResNetConfig, out_channels: usize) -> Self {
        let convolution = |in_channels, out_channels, kernel, stride| ConvolutionSpec {
            in_channels,
            out_channels,
            kernel,
            stride,
            groups: 1,
            bias: config.convolution_bias,
            norm: Norm::Batch,
            epsilon: config.norm_epsilon,
        };
        let images = config.input_channels;
        let half = out_channels.div_ceil(2);
        let stride = config.first_stride();
        let (deep, convolution) = match config.stem {
            StemKind::ImageNet => (None, convolution(images, out_channels, 7, stride)),
            StemKind::Cifar => (None, convolution(images, out_channels, 3, stride)),
            StemKind::Deep => (
                Some([
                    convolution(images, half, 3, stride),
                    convolution(half, half, 3, 1),
                ]),
                convolution(half, out_channels, 3, 1),
            ),
        };
        Self {
            deep,
            convolution,
            pooled: config.first_pool() == StemPool::Max,
        }
    }
}

impl BlockLayout {
    pub(crate) fn new(
        config: &ResNetConfig,
        in_channels: usize,
        width: usize,
        stride: usize,
    ) -> Self {
        let pre = config.activation == ActivationOrder::Pre;
        let inner = config.inner_channels(width);
        let out_channels = config.block.out_channels(width);
        let [first, spatial] = match config.bottleneck_stride {
            BottleneckStride::First => [stride, 1],
            BottleneckStride::Spatial => [1, stride],
        };
        // (in, out, kernel, stride, groups) of each convolution of the branch
        let convolutions = match config.block {
            BlockKind::Basic => vec![
                (in_channels, inner, 3, stride, 1),
                (inner, out_channels, 3, 1, 1),
            ],
            BlockKind::Bottleneck => vec![
                (in_channels, inner, 1, first, 1),
                (inner, inner, 3, spatial, config.groups),
                (inner, out_channels, 1, 1, 1),
            ],
        };
        let last = convolutions.len() - 1;
        // In the pre-activation order, a convolution's norm is the one that precedes the next
        // convolution.
        let norm = |index| match (index == last, pre) {
            (true, true) => Norm::None,
            (true, false) if config.zero_init_last_norm => Norm::BatchFromZero,
            _ => Norm::Batch,
        };
        let branch = convolutions
            .into_iter()
            .enumerate()
            .map(
                |(index, (in_channels, out_channels, kernel, stride, groups))| ConvolutionSpec {
                    in_channels,
                    out_channels,
                    kernel,
                    stride,
                    groups,
                    bias: config.convolution_bias,
                    norm: norm(index),
                    epsilon: config.norm_epsilon,
                },
            )
            .collect();
        Self {
            epsilon: config.norm_epsilon,
            pre_activation: pre.then_some(in_channels),
            branch,
            shortcut: ShortcutLayout::new(config, in_channels, out_channels, stride),
            relu: !pre,
        }
    }
}

impl ShortcutLayout {
    /// Returns `None` if there is no path.
    pub(crate) fn new(
        config: &ResNetConfig,
        in_channels: usize,
        out_channels: usize,
        stride: usize,
    ) -> Option<Self> {
        let changes = in_channels != out_channels || stride != 1;
        let projects = match config.shortcut {
            ShortcutKind::None => return None,
            ShortcutKind::ZeroPad | ShortcutKind::ZeroPadEnd => false,
            ShortcutKind::ProjectionAlways => true,
            ShortcutKind::Projection
            | ShortcutKind::AveragePoolProjection
            | ShortcutKind::PlainProjection => changes,
        };
        let plain = config.shortcut == ShortcutKind::PlainProjection;
        let average_pool = config.shortcut == ShortcutKind::AveragePoolProjection && stride != 1;
        let projection = projects.then_some(ConvolutionSpec {
            in_channels,
            out_channels,
            kernel: 1,
            stride: if average_pool { 1 } else { stride },
            groups: 1,
            bias: plain,
            norm: if plain || config.activation == ActivationOrder::Pre {
                Norm::None
            } else {
                Norm::Batch
            },
            epsilon: config.norm_epsilon,
        });
        let added = out_channels.saturating_sub(in_channels);
        let before = match config.shortcut {
            ShortcutKind::ZeroPadEnd => 0,
            _ => added / 2,
        };
        Some(Self {
            average_pool,
            projection,
            stride,
            padding: [before, added - before],
        })
    }
}
