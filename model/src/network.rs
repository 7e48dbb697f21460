//! One type for all networks of the registry.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::config::{ConfigError, NetworkConfig};
use crate::digit::DigitResNet;
use crate::parameters::parameter_count;
use crate::resnet::ResNet;
use ops::ResidualBackend;

/// A network that maps images to logits, built by [`NetworkConfig::init`](crate::NetworkConfig).
// Only one network is held at a time, so the size of the larger variant does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Module, Debug)]
pub enum Network<B: Backend> {
    /// Stem, stages of residual blocks, head.
    ResNet(ResNet<B>),
    /// The small network for 28x28 digits.
    Digit(DigitResNet<B>),
}

impl<B: ResidualBackend> Network<B> {
    /// Maps images `[batch, input_channels, height, width]` to logits `[batch, classes]`.
    ///
    /// If `B` records gradients (`Autodiff<_>`), batch norms use the statistics of the batch and
    /// update the running ones; otherwise they use the running ones.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        match self {
            Self::ResNet(network) => network.forward(images),
            Self::Digit(network) => network.forward(images),
        }
    }
}

impl NetworkConfig {
    /// Builds the network with random weights. For reproducible weights, call `B::seed(&device,
    /// seed)` first.
    ///
    /// # Errors
    ///
    /// If a value is out of range.
    pub fn init<B: ResidualBackend>(&self, device: &B::Device) -> Result<Network<B>, ConfigError> {
        self.validate()?;
        let network = self.undrawn(device);
        // Burn draws a parameter when it is first used. Visiting every parameter draws all of them
        // now, in a fixed order, so that a seed gives the same weights regardless of what runs
        // first.
        parameter_count(&network);
        Ok(network)
    }

    /// Builds the network of a valid config, whose parameters take no memory until they are used.
    pub(crate) fn undrawn<B: ResidualBackend>(&self, device: &B::Device) -> Network<B> {
        match self {
            Self::Resnet(config) => Network::ResNet(ResNet::new(config, device)),
            Self::Digit(config) => Network::Digit(DigitResNet::new(config, device)),
        }
    }
}
