//! A small residual network for 28x28 digits, without norms.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::module::max_pool2d;

use crate::config::DigitConfig;
use crate::head::linear;

/// Edge of the only picture size that the flattened head fits.
pub(crate) const DIGIT_SIZE: usize = 28;
const BLOCK_WIDTH: usize = 30;
const CHANNELS: [usize; 2] = [20, 15];
/// 15 channels of 5x5 pixels are left before the linear layer.
const FLATTENED: usize = CHANNELS[1] * 5 * 5;

/// 5x5 convolution, pool, block, 3x3 convolution, pool, block, linear layer; built by
/// [`DigitConfig`].
#[derive(Module, Debug)]
pub struct DigitResNet<B: Backend> {
    convolution1: Conv2d<B>,
    block1: DigitBlock<B>,
    convolution2: Conv2d<B>,
    block2: DigitBlock<B>,
    linear: Linear<B>,
}

/// `relu(x + conv3x3(conv5x5(x)))`: no norm, and no activation between the convolutions.
#[derive(Module, Debug)]
pub struct DigitBlock<B: Backend> {
    convolution1: Conv2d<B>,
    convolution2: Conv2d<B>,
}

impl<B: Backend> DigitResNet<B> {
    pub(crate) fn new(config: &DigitConfig, device: &B::Device) -> Self {
        let [first, second] = CHANNELS;
        Self {
            convolution1: convolution(config.input_channels, first, 5, 0, device),
            block1: DigitBlock::new(first, device),
            convolution2: convolution(first, second, 3, 0, device),
            block2: DigitBlock::new(second, device),
            linear: linear(FLATTENED, config.classes, device),
        }
    }

    /// Images `[batch, input_channels, 28, 28]` to logits `[batch, classes]`.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let features = relu(halve(self.convolution1.forward(images))); // [batch, 20, 12, 12]
        let features = self.block1.forward(features);
        let features = relu(halve(self.convolution2.forward(features))); // [batch, 15, 5, 5]
        let features = self.block2.forward(features);
        self.linear.forward(features.flatten(1, 3))
    }
}

impl<B: Backend> DigitBlock<B> {
    fn new(channels: usize, device: &B::Device) -> Self {
        Self {
            convolution1: convolution(channels, BLOCK_WIDTH, 5, 2, device),
            convolution2: convolution(BLOCK_WIDTH, channels, 3, 1, device),
        }
    }

    /// Keeps the shape `[batch, channels, height, width]`.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        let output = self.convolution1.forward(input.clone());
        relu(input + self.convolution2.forward(output))
    }
}

/// Burn's default start equals PyTorch's, with which the published figure was reached.
fn convolution<B: Backend>(
    in_channels: usize,
    out_channels: usize,
    kernel: usize,
    padding: usize,
    device: &B::Device,
) -> Conv2d<B> {
    Conv2dConfig::new([in_channels, out_channels], [kernel, kernel])
        .with_padding(PaddingConfig2d::Explicit(
            padding, padding, padding, padding,
        ))
        .init(device)
}

/// 2x2 max pool with stride 2.
fn halve<B: Backend>(input: Tensor<B, 4>) -> Tensor<B, 4> {
    max_pool2d(input, [2, 2], [2, 2], [0, 0], [1, 1], false)
}
