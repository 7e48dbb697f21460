//! The layers after the last stage.

use burn::module::{Initializer, Module};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::layout::HeadLayout;
use crate::norm::BatchNorm;
use ops::ResidualBackend;

/// Global average pool and a linear layer.
#[derive(Module, Debug)]
pub struct Head<B: Backend> {
    /// The norm before the pool, followed by a ReLU; only in the pre-activation order.
    pub norm: Option<BatchNorm<B>>,
    /// Weight `[in_channels, classes]`.
    pub linear: Linear<B>,
}

impl<B: ResidualBackend> Head<B> {
    pub(crate) fn new(layout: &HeadLayout, device: &B::Device) -> Self {
        let channels = layout.channels;
        Self {
            norm: layout
                .norm
                .then(|| BatchNorm::from_one(channels, layout.epsilon, device)),
            linear: linear(channels, layout.classes, device),
        }
    }

    /// Applies the norm and ReLU, if any, then the global average pool: `[batch, channels, height,
    /// width]` to `[batch, channels]`.
    pub fn pool(&self, features: Tensor<B, 4>) -> Tensor<B, 2> {
        ops::global_average_pool(match &self.norm {
            Some(norm) => norm.forward_fused(features, None, true),
            None => features,
        })
    }

    /// Maps `[batch, channels, height, width]` to logits `[batch, classes]`.
    pub fn forward(&self, features: Tensor<B, 4>) -> Tensor<B, 2> {
        self.linear.forward(self.pool(features))
    }
}

/// Builds a linear layer with PyTorch's default initialization: uniform within one over the square
/// root of the number of inputs.
pub(crate) fn linear<B: Backend>(inputs: usize, outputs: usize, device: &B::Device) -> Linear<B> {
    LinearConfig::new(inputs, outputs)
        .with_initializer(Initializer::KaimingUniform {
            gain: 1.0 / 3.0_f64.sqrt(),
            fan_out_only: false,
        })
        .init(device)
}
