//! Any network of the registry behind one type.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::digit::DigitResNet;
use crate::folded::FoldedNetwork;
use crate::resnet::ResNet;
use ops::ResidualBackend;

/// A network that maps images to logits, built by [`NetworkConfig::init`](crate::NetworkConfig).
// One network is held at a time, so the size of the larger variant costs nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Module, Debug)]
pub enum Network<B: Backend> {
    /// Stem, stages of residual blocks, head.
    ResNet(ResNet<B>),
    /// The small network for 28x28 digits.
    Digit(DigitResNet<B>),
}

impl<B: ResidualBackend> Network<B> {
    /// Images `[batch, input_channels, height, width]` to logits `[batch, classes]`.
    ///
    /// Batch norm uses the batch's own statistics and updates the running ones where `B` records
    /// gradients (`Autodiff<_>`), and the running ones elsewhere.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        match self {
            Self::ResNet(network) => network.forward(images),
            Self::Digit(network) => network.forward(images),
        }
    }

    /// The same network as it stands, for prediction only: faster, and no longer trainable.
    pub fn fold(&self) -> FoldedNetwork<B> {
        FoldedNetwork::new(self)
    }
}
