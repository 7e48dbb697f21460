//! A small residual network for 28x28 digits, without norms.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::config::DigitConfig;
use crate::convolution::convolve;
use crate::head::linear;
use crate::norm::Pass;
use ops::ResidualBackend;

pub(crate) const BLOCK_WIDTH: usize = 30;
pub(crate) const CHANNELS: [usize; 2] = [20, 15];
/// Edge length of the max pools' non-overlapping windows.
pub(crate) const POOL: usize = 2;
/// 15 channels of 5x5 pixels remain before the linear layer.
pub(crate) const FLATTENED: usize = CHANNELS[1] * 5 * 5;

/// The digit network: 5x5 convolution, pool, block, 3x3 convolution, pool, block, linear layer;
/// built from [`DigitConfig`].
#[derive(Module, Debug)]
pub struct DigitResNet<B: Backend> {
    pub(crate) convolution1: Conv2d<B>,
    pub(crate) block1: DigitBlock<B>,
    pub(crate) convolution2: Conv2d<B>,
    pub(crate) block2: DigitBlock<B>,
    pub(crate) linear: Linear<B>,
}

/// `relu(x + conv3x3(conv5x5(x)))`, with no norm and no activation between the convolutions.
#[derive(Module, Debug)]
pub struct DigitBlock<B: Backend> {
    pub(crate) convolution1: Conv2d<B>,
    pub(crate) convolution2: Conv2d<B>,
}

impl<B: ResidualBackend> DigitResNet<B> {
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

    /// Maps images `[batch, input_channels, 28, 28]` to logits `[batch, classes]`.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let features = ops::relu(halve(convolve(&self.convolution1, images, Pass::Learning))); // [batch, 20, 12, 12]
        let features = self.block1.forward(features);
        let features = ops::relu(halve(convolve(
            &self.convolution2,
            features,
            Pass::Learning,
        ))); // [batch, 15, 5, 5]
        let features = self.block2.forward(features);
        self.linear.forward(ops::flatten(features))
    }
}

impl<B: ResidualBackend> DigitBlock<B> {
    fn new(channels: usize, device: &B::Device) -> Self {
        Self {
            convolution1: convolution(channels, BLOCK_WIDTH, 5, 2, device),
            convolution2: convolution(BLOCK_WIDTH, channels, 3, 1, device),
        }
    }

    /// Applies the block; keeps the shape `[batch, channels, height, width]`.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        let features = convolve(&self.convolution1, input.clone(), Pass::Learning);
        ops::add_relu(
            convolve(&self.convolution2, features, Pass::Learning),
            input,
        )
    }
}

/// Builds a convolution with Burn's default initialization, which equals the PyTorch default used
/// for the published result.
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

/// Applies a 2x2 max pool with stride 2.
pub(crate) fn halve<B: ResidualBackend>(input: Tensor<B, 4>) -> Tensor<B, 4> {
    ops::max_pool(input, [POOL; 2], [POOL; 2], [0, 0])
}
