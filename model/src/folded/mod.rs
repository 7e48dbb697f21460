//! Networks prepared for prediction.

mod digit;
mod resnet;

use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::convolution::{Convolution, options};
use crate::network::Network;
use crate::norm::BatchNorm;
use digit::FoldedDigitResNet;
use ops::{PreparedConvolution, ResidualBackend};
use resnet::FoldedResNet;

/// A network for prediction, built by [`Network::fold`] and equal to the original up to rounding.
/// Every batch norm is merged into the preceding convolution (Jacob et al. 2018,
/// <https://arxiv.org/abs/1712.05877>, section 3.2), and every weight is in the form that suits the
/// backend's kernels best. A norm after an addition, as at the start of pre-activation blocks,
/// becomes one scale and one shift per channel.
#[derive(Clone, Debug)]
pub struct FoldedNetwork<B: Backend> {
    layers: Layers<B>,
}

// Only one network is held at a time, so the size of the larger variant does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
enum Layers<B: Backend> {
    ResNet(FoldedResNet<B>),
    Digit(FoldedDigitResNet<B>),
}

impl<B: ResidualBackend> Network<B> {
    /// Returns the network in its current state, for prediction only: faster, but no longer
    /// trainable.
    pub fn fold(&self) -> FoldedNetwork<B> {
        FoldedNetwork {
            layers: match self {
                Self::ResNet(network) => Layers::ResNet(FoldedResNet::new(network)),
                Self::Digit(network) => Layers::Digit(FoldedDigitResNet::new(network)),
            },
        }
    }
}

impl<B: ResidualBackend> FoldedNetwork<B> {
    /// Maps images `[batch, input_channels, height, width]` to logits `[batch, classes]`.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        match &self.layers {
            Layers::ResNet(network) => network.forward(images),
            Layers::Digit(network) => network.forward(images),
        }
    }
}

/// Merges a convolution and its norm: with the norm `y * scale + shift`, the weight becomes `weight
/// * scale` and the bias `bias * scale + shift`.
fn fold<B: ResidualBackend>(convolution: &Convolution<B>) -> PreparedConvolution<B> {
    let Some(norm) = &convolution.norm else {
        return prepare(&convolution.conv);
    };
    let (scale, shift) = norm.scale_and_shift();
    let [channels] = scale.dims();
    let bias = match &convolution.conv.bias {
        Some(bias) => bias.val() * scale.clone() + shift,
        None => shift,
    };
    let weight = convolution.conv.weight.val() * scale.reshape([channels, 1, 1, 1]);
    ops::prepare_convolution(weight, Some(bias), options(&convolution.conv))
}

/// A norm that does not follow a convolution, followed by a ReLU.
#[derive(Clone, Debug)]
struct FoldedNorm<B: Backend> {
    /// `[channels]`
    scale: Tensor<B, 1>,
    /// `[channels]`
    shift: Tensor<B, 1>,
}

impl<B: ResidualBackend> FoldedNorm<B> {
    fn new(norm: &BatchNorm<B>) -> Self {
        let (scale, shift) = norm.scale_and_shift();
        Self { scale, shift }
    }

    fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        ops::affine(input, self.scale.clone(), self.shift.clone(), None, true)
    }
}

fn prepare<B: ResidualBackend>(layer: &Conv2d<B>) -> PreparedConvolution<B> {
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    ops::prepare_convolution(layer.weight.val(), bias, options(layer))
}
