//! The network of residual blocks, folded.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::fold;
use crate::block::Block;
use crate::head::Head;
use crate::ops::{self, PreparedConvolution, ResidualBackend};
use crate::resnet::ResNet;
use crate::shortcut::{Shortcut, zero_pad};
use crate::stem;

#[derive(Clone, Debug)]
pub(super) struct FoldedResNet<B: Backend> {
    stem: PreparedConvolution<B>,
    /// Whether a max pool follows the stem's convolution.
    pooled: bool,
    blocks: Vec<FoldedBlock<B>>,
    head: Head<B>,
}

#[derive(Clone, Debug)]
struct FoldedBlock<B: Backend> {
    branch: Vec<PreparedConvolution<B>>,
    shortcut: FoldedShortcut<B>,
}

#[derive(Clone, Debug)]
enum FoldedShortcut<B: Backend> {
    Projection(PreparedConvolution<B>),
    ZeroPad { stride: usize, padding: [usize; 2] },
}

impl<B: ResidualBackend> FoldedResNet<B> {
    pub(super) fn new(network: &ResNet<B>) -> Self {
        let blocks = network.stages.iter().flat_map(|stage| &stage.blocks);
        Self {
            stem: fold(&network.stem.convolution),
            pooled: network.stem.max_pool.is_some(),
            blocks: blocks.map(FoldedBlock::new).collect(),
            head: network.head.clone(),
        }
    }

    pub(super) fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let mut features = ops::prepared_convolution(images, &self.stem, None, true);
        if self.pooled {
            features = stem::pool(features);
        }
        for block in &self.blocks {
            features = block.forward(features);
        }
        self.head.forward(features)
    }
}

impl<B: ResidualBackend> FoldedBlock<B> {
    fn new(block: &Block<B>) -> Self {
        Self {
            branch: block.branch.iter().map(fold).collect(),
            shortcut: FoldedShortcut::new(&block.shortcut),
        }
    }

    fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        let Some((last, earlier)) = self.branch.split_last() else {
            return ops::add_relu(input.clone(), self.shortcut.forward(input));
        };
        let features = earlier.iter().fold(input.clone(), |features, convolution| {
            ops::prepared_convolution(features, convolution, None, true)
        });
        let shortcut = self.shortcut.forward(input);
        ops::prepared_convolution(features, last, Some(shortcut), true)
    }
}

impl<B: ResidualBackend> FoldedShortcut<B> {
    fn new(shortcut: &Shortcut<B>) -> Self {
        match &shortcut.projection {
            Some(projection) => Self::Projection(fold(projection)),
            None => Self::ZeroPad {
                stride: shortcut.stride,
                padding: shortcut.padding,
            },
        }
    }

    fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        match self {
            Self::Projection(projection) => {
                ops::prepared_convolution(input, projection, None, false)
            }
            Self::ZeroPad { stride, padding } => zero_pad(input, *stride, *padding),
        }
    }
}
