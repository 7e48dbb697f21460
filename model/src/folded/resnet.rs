//! The network of residual blocks, folded.

use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::{FoldedNorm, fold};
use crate::block::Block;
use crate::resnet::ResNet;
use crate::shortcut::{Shortcut, average_pool, zero_pad};
use crate::stem;
use ops::{PreparedConvolution, ResidualBackend};

#[derive(Clone, Debug)]
pub(super) struct FoldedResNet<B: Backend> {
    stem: Vec<PreparedConvolution<B>>,
    /// Whether a max pool follows the stem's convolutions.
    pooled: bool,
    blocks: Vec<FoldedBlock<B>>,
    /// Norm before the head's pool.
    norm: Option<FoldedNorm<B>>,
    linear: Linear<B>,
}

#[derive(Clone, Debug)]
struct FoldedBlock<B: Backend> {
    pre_activation: Option<FoldedNorm<B>>,
    branch: Vec<PreparedConvolution<B>>,
    shortcut: FoldedShortcut<B>,
    /// Whether a ReLU follows the addition.
    relu: bool,
}

#[derive(Clone, Debug)]
enum FoldedShortcut<B: Backend> {
    /// No shortcut, in a plain network.
    None,
    Projection {
        average_pool: bool,
        convolution: PreparedConvolution<B>,
    },
    ZeroPad {
        stride: usize,
        padding: [usize; 2],
    },
}

impl<B: ResidualBackend> FoldedResNet<B> {
    pub(super) fn new(network: &ResNet<B>) -> Self {
        let blocks = network.stages.iter().flat_map(|stage| &stage.blocks);
        Self {
            stem: network.stem.convolutions().map(fold).collect(),
            pooled: network.stem.max_pool.is_some(),
            blocks: blocks.map(FoldedBlock::new).collect(),
            norm: network.head.norm.as_ref().map(FoldedNorm::new),
            linear: network.head.linear.clone(),
        }
    }

    pub(super) fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let mut features = in_turn(images, &self.stem);
        if self.pooled {
            features = stem::pool(features);
        }
        for block in &self.blocks {
            features = block.forward(features);
        }
        if let Some(norm) = &self.norm {
            features = norm.forward(features);
        }
        self.linear.forward(ops::global_average_pool(features))
    }
}

impl<B: ResidualBackend> FoldedBlock<B> {
    fn new(block: &Block<B>) -> Self {
        Self {
            pre_activation: block.pre_activation.as_ref().map(FoldedNorm::new),
            branch: block.branch.iter().map(fold).collect(),
            shortcut: FoldedShortcut::new(block.shortcut.as_ref()),
            relu: block.relu,
        }
    }

    fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        let (features, residual) = match (&self.pre_activation, &self.shortcut) {
            (None, _) => (input.clone(), input),
            (Some(norm), FoldedShortcut::Projection { .. }) => {
                let features = norm.forward(input);
                (features.clone(), features)
            }
            (Some(norm), _) => (norm.forward(input.clone()), input),
        };
        let Some((last, earlier)) = self.branch.split_last() else {
            // Every config has at least one convolution in the branch.
            return features;
        };
        let features = in_turn(features, earlier);
        let residual = self.shortcut.forward(residual);
        ops::prepared_convolution(features, last, residual, self.relu)
    }
}

impl<B: ResidualBackend> FoldedShortcut<B> {
    fn new(shortcut: Option<&Shortcut<B>>) -> Self {
        let Some(shortcut) = shortcut else {
            return Self::None;
        };
        match &shortcut.projection {
            Some(projection) => Self::Projection {
                average_pool: shortcut.average_pool,
                convolution: fold(projection),
            },
            None => Self::ZeroPad {
                stride: shortcut.stride,
                padding: shortcut.padding,
            },
        }
    }

    fn forward(&self, input: Tensor<B, 4>) -> Option<Tensor<B, 4>> {
        match self {
            Self::None => None,
            Self::Projection {
                average_pool: pooled,
                convolution,
            } => {
                let input = average_pool(input, *pooled);
                Some(ops::prepared_convolution(input, convolution, None, false))
            }
            Self::ZeroPad { stride, padding } => Some(zero_pad(input, *stride, *padding)),
        }
    }
}

/// Applies the convolutions in order, each followed by a ReLU.
fn in_turn<B: ResidualBackend>(
    input: Tensor<B, 4>,
    convolutions: &[PreparedConvolution<B>],
) -> Tensor<B, 4> {
    convolutions.iter().fold(input, |features, convolution| {
        ops::prepared_convolution(features, convolution, None, true)
    })
}
