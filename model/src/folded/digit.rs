//! The digit network, folded.

use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::prepare;
use crate::digit::{DigitBlock, DigitResNet, halve};
use ops::{PreparedConvolution, ResidualBackend};

#[derive(Clone, Debug)]
pub(super) struct FoldedDigitResNet<B: Backend> {
    convolution1: PreparedConvolution<B>,
    block1: FoldedDigitBlock<B>,
    convolution2: PreparedConvolution<B>,
    block2: FoldedDigitBlock<B>,
    linear: Linear<B>,
}

#[derive(Clone, Debug)]
struct FoldedDigitBlock<B: Backend> {
    convolution1: PreparedConvolution<B>,
    convolution2: PreparedConvolution<B>,
}

impl<B: ResidualBackend> FoldedDigitResNet<B> {
    pub(super) fn new(network: &DigitResNet<B>) -> Self {
        Self {
            convolution1: prepare(&network.convolution1),
            block1: FoldedDigitBlock::new(&network.block1),
            convolution2: prepare(&network.convolution2),
            block2: FoldedDigitBlock::new(&network.block2),
            linear: network.linear.clone(),
        }
    }

    pub(super) fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        // The ReLU runs before the pool, fused into the convolution: the maximum is the same either
        // way.
        let features = ops::prepared_convolution(images, &self.convolution1, None, true);
        let features = self.block1.forward(halve(features));
        let features = ops::prepared_convolution(features, &self.convolution2, None, true);
        let features = self.block2.forward(halve(features));
        self.linear.forward(features.flatten(1, 3))
    }
}

impl<B: ResidualBackend> FoldedDigitBlock<B> {
    fn new(block: &DigitBlock<B>) -> Self {
        Self {
            convolution1: prepare(&block.convolution1),
            convolution2: prepare(&block.convolution2),
        }
    }

    fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        let features = ops::prepared_convolution(input.clone(), &self.convolution1, None, false);
        ops::prepared_convolution(features, &self.convolution2, Some(input), true)
    }
}
