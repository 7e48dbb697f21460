//! What stands before the first stage.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;

use crate::config::{ResNetConfig, StemKind};
use crate::convolution::{Convolution, ConvolutionSpec, Norm};

/// A convolution with norm and ReLU, then a max pool where the kind has one.
#[derive(Module, Debug)]
pub struct Stem<B: Backend> {
    /// 7x7 with stride 2 (ImageNet), or 3x3 with stride 1 (CIFAR).
    pub convolution: Convolution<B>,
    /// 3x3 with stride 2, ImageNet only.
    pub max_pool: Option<MaxPool2d>,
}

impl<B: Backend> Stem<B> {
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
            MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
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
        relu(self.convolution.forward(images))
    }

    /// The whole stem: [`convolve`](Self::convolve), then the max pool, which halves height and
    /// width.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        let features = self.convolve(images);
        match &self.max_pool {
            Some(pool) => pool.forward(features),
            None => features,
        }
    }
}
