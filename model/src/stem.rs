//! The layers before the first stage.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::convolution::{Convolution, ConvolutionSpec};
use crate::layout::StemLayout;
use crate::norm::Pass;
use ops::ResidualBackend;

/// Kernel in pixels `[vertical, horizontal]`.
pub(crate) const POOL_KERNEL: [usize; 2] = [3, 3];
pub(crate) const POOL_STRIDE: [usize; 2] = [2, 2];
pub(crate) const POOL_PADDING: [usize; 2] = [1, 1];

/// One or three convolutions with norm and ReLU, then a max pool in some stems.
#[derive(Module, Debug)]
pub struct Stem<B: Backend> {
    /// The first two of the three 3x3 convolutions of a deep stem; the first has stride 2.
    pub deep: Option<Vec<Convolution<B>>>,
    /// 7x7 with stride 2 (ImageNet), or 3x3 with stride 1 (deep, CIFAR).
    pub convolution: Convolution<B>,
    /// 3x3 with stride 2; `None` in a CIFAR stem.
    pub max_pool: Option<MaxPool2d>,
}

impl<B: ResidualBackend> Stem<B> {
    pub(crate) fn new(layout: &StemLayout, device: &B::Device) -> Self {
        let init = |spec: &ConvolutionSpec| spec.init(device);
        let max_pool = layout.pooled.then(|| {
            let [vertical, horizontal] = POOL_PADDING;
            MaxPool2dConfig::new(POOL_KERNEL)
                .with_strides(POOL_STRIDE)
                .with_padding(PaddingConfig2d::Explicit(
                    vertical, horizontal, vertical, horizontal,
                ))
                .init()
        });
        Self {
            deep: layout
                .deep
                .as_ref()
                .map(|deep| deep.iter().map(init).collect()),
            convolution: init(&layout.convolution),
            max_pool,
        }
    }

    /// Returns the convolutions in order from the images.
    pub(crate) fn convolutions(&self) -> impl Iterator<Item = &Convolution<B>> {
        self.deep.iter().flatten().chain([&self.convolution])
    }

    /// Applies the convolutions with norm and ReLU: `[batch, input_channels, height, width]` to
    /// `[batch, width of the first stage, ceil(height / stride), ceil(width / stride)]`.
    pub fn convolve(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        self.run_convolutions(images, Pass::Learning)
    }

    fn run_convolutions(&self, images: Tensor<B, 4>, pass: Pass) -> Tensor<B, 4> {
        self.convolutions().fold(images, |features, convolution| {
            convolution.run(features, None, true, pass)
        })
    }

    /// Applies the whole stem: [`convolve`](Self::convolve), then the max pool, which halves height
    /// and width.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        self.run(images, Pass::Learning)
    }

    pub(crate) fn run(&self, images: Tensor<B, 4>, pass: Pass) -> Tensor<B, 4> {
        let features = self.run_convolutions(images, pass);
        match &self.max_pool {
            Some(_) => pool(features),
            None => features,
        }
    }
}

/// Applies the max pool of the larger stems, which halves height and width.
pub(crate) fn pool<B: ResidualBackend>(features: Tensor<B, 4>) -> Tensor<B, 4> {
    ops::max_pool(features, POOL_KERNEL, POOL_STRIDE, POOL_PADDING)
}
