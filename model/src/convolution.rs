//! The basic unit of every block: a convolution with an optional batch norm.

use burn::module::{Initializer, Module};
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::norm::{BatchNorm, Pass};
use ops::{ConvolutionOptions, ResidualBackend};

/// A square convolution that preserves the size up to its stride, followed by an optional batch
/// norm.
#[derive(Module, Debug)]
pub struct Convolution<B: Backend> {
    /// Weight `[out_channels, in_channels / groups, kernel, kernel]`.
    pub conv: Conv2d<B>,
    /// Norm over the output channels.
    pub norm: Option<BatchNorm<B>>,
}

/// Settings of a [`Convolution`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvolutionSpec {
    pub in_channels: usize,
    pub out_channels: usize,
    /// Edge length of the square kernel, odd.
    pub kernel: usize,
    pub stride: usize,
    /// Number of groups that the input and output channels are split into without mixing; divides
    /// both.
    pub groups: usize,
    pub bias: bool,
    pub norm: Norm,
    /// Value added to the norm's variance.
    pub epsilon: f64,
}

/// The norm after a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Norm {
    None,
    /// Scale starts at one.
    Batch,
    /// Scale starts at zero, so that a block starts as its shortcut (Goyal et al. 2017,
    /// <https://arxiv.org/abs/1706.02677>, section 5.1).
    BatchFromZero,
}

impl ConvolutionSpec {
    /// Builds the layer. Weights are drawn from Kaiming's normal distribution in fan-out mode (He
    /// et al. 2015, <https://arxiv.org/abs/1502.01852>), as in torchvision; biases start at zero.
    pub(crate) fn init<B: ResidualBackend>(&self, device: &B::Device) -> Convolution<B> {
        let padding = self.kernel / 2;
        let mut conv = Conv2dConfig::new(
            [self.in_channels, self.out_channels],
            [self.kernel, self.kernel],
        )
        .with_stride([self.stride, self.stride])
        .with_padding(PaddingConfig2d::Explicit(
            padding, padding, padding, padding,
        ))
        .with_groups(self.groups)
        .with_bias(false)
        .with_initializer(Initializer::KaimingNormal {
            gain: std::f64::consts::SQRT_2,
            fan_out_only: true,
        })
        .init(device);
        if self.bias {
            conv.bias = Some(Initializer::Zeros.init([self.out_channels], device));
        }

        let norm = match self.norm {
            Norm::None => None,
            Norm::Batch => Some(Initializer::Ones),
            Norm::BatchFromZero => Some(Initializer::Zeros),
        }
        .map(|gamma| BatchNorm::new(self.out_channels, gamma, self.epsilon, device));

        Convolution { conv, norm }
    }
}

impl<B: ResidualBackend> Convolution<B> {
    /// Maps `[batch, in_channels, height, width]` to `[batch, out_channels, ceil(height / stride),
    /// ceil(width / stride)]`.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        self.forward_fused(input, None, false)
    }

    /// Like [`forward`](Self::forward), then adds `residual`, which has the shape of the output,
    /// and applies a ReLU if `relu`; with a norm, all three take one pass over the output.
    pub fn forward_fused(
        &self,
        input: Tensor<B, 4>,
        residual: Option<Tensor<B, 4>>,
        relu: bool,
    ) -> Tensor<B, 4> {
        self.run(input, residual, relu, Pass::Learning)
    }

    pub(crate) fn run(
        &self,
        input: Tensor<B, 4>,
        residual: Option<Tensor<B, 4>>,
        relu: bool,
        pass: Pass,
    ) -> Tensor<B, 4> {
        let output = convolve(&self.conv, input, pass);
        if let Some(norm) = &self.norm {
            return norm.run(output, residual, relu, pass);
        }
        match (residual, relu) {
            (Some(residual), true) => ops::add_relu(output, residual),
            (Some(residual), false) => ops::add(output, residual),
            (None, true) => ops::relu(output),
            (None, false) => output,
        }
    }
}

/// Applies the convolution of a layer with its weight, bias, stride and padding.
pub(crate) fn convolve<B: ResidualBackend>(
    layer: &Conv2d<B>,
    input: Tensor<B, 4>,
    pass: Pass,
) -> Tensor<B, 4> {
    let bias = layer.bias.as_ref().map(|bias| pass.parameter(bias));
    ops::convolution(input, pass.parameter(&layer.weight), bias, options(layer))
}

/// Returns the stride, padding and groups of a layer. The padding is equal on opposite sides,
/// because all layers here are built that way.
pub(crate) fn options<B: Backend>(layer: &Conv2d<B>) -> ConvolutionOptions {
    let padding = match layer.padding {
        PaddingConfig2d::Explicit(top, left, ..) => [top, left],
        PaddingConfig2d::Valid => [0, 0],
        PaddingConfig2d::Same => layer.kernel_size.map(|edge| edge / 2),
    };
    ConvolutionOptions::default()
        .with_stride(layer.stride)
        .with_padding(padding)
        .with_groups(layer.groups)
}
