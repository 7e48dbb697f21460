//! What stands before the first stage.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::config::{ResNetConfig, StemKind};
use crate::convolution::{Convolution, ConvolutionSpec, Norm};
use crate::ops::{self, ResidualBackend};

/// In pixels `[vertical, horizontal]`.
const POOL_KERNEL: [usize; 2] = [3, 3];
const POOL_STRIDE: [usize; 2] = [2, 2];
const POOL_PADDING: [usize; 2] = [1, 1];

/// A convolution with norm and ReLU, then a max pool where the kind has one.
#[derive(Module, Debug)]
pub struct Stem<B: Backend> {
    /// 7x7 with stride 2 (ImageNet), or 3x3 with stride 1 (CIFAR).
    pub convolution: Convolution<B>,
    /// 3x3 with stride 2, ImageNet only.
    pub max_pool: Option<MaxPool2d>,
}

impl<B: ResidualBackend> Stem<B> {
    pub(crate) fn new(config: &ResNetConfig, out_channels: usize, device: &B::Device) -> Self {
        let (kernel, stride, pooled) = match config.stem {
            StemKind::ImageNet => (7, 2, true),
            StemKind::Cifar => (3, 1, false),
        };
        let convolution = ConvolutionSpec {
            in_channels: config.input_channels,
            out_channels,
            kernel,
            stride,
            bias: config.convolution_bias,
            norm: Norm::Batch,
        }
        .init(device);
        let max_pool = pooled.then(|| {
            let [vertical, horizontal] = POOL_PADDING;
            MaxPool2dConfig::new(POOL_KERNEL)
                .with_strides(POOL_STRIDE)
                .with_padding(PaddingConfig2d::Explicit(
                    vertical, horizontal, vertical, horizontal,
                ))
                .init()
        });
        Self {
            convolution,
            max_pool,
        }
    }

    /// The convolution, norm and ReLU: `[batch, input_channels, height, width]` to
    /// `[batch, width of the first stage, ceil(height / stride), ceil(width / stride)]`.
    pub fn convolve(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        self.convolution.forward_fused(images, None, true)
    }

    /// The whole stem: [`convolve`](Self::convolve), then the max pool, which halves height and
    /// width.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        let features = self.convolve(images);
        match &self.max_pool {
            Some(_) => pool(features),
            None => features,
        }
    }
}

/// The max pool of the ImageNet stem, which halves height and width.
pub(crate) fn pool<B: ResidualBackend>(features: Tensor<B, 4>) -> Tensor<B, 4> {
    ops::max_pool(features, POOL_KERNEL, POOL_STRIDE, POOL_PADDING)
}
