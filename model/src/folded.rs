//! Networks prepared for prediction.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::config::NetworkConfig;
use crate::floats::FloatNetwork;
#[cfg(feature = "flex")]
use crate::int8::Int8Network;
use crate::int8::{Quantization, QuantizationError};
use crate::network::Network;
use ops::ResidualBackend;

/// A network for prediction, built by [`Network::fold`] and equal to the original up to rounding.
/// Every batch norm is merged into the preceding convolution (Jacob et al. 2018,
/// <https://arxiv.org/abs/1712.05877>, section 3.2), and every weight is in the form that suits the
/// backend's kernels best. A norm after an addition, as at the start of pre-activation blocks,
/// becomes one scale and one shift per channel.
///
/// A network of 8-bit integers takes this form too, from `Int8Network`.
#[derive(Clone, Debug)]
pub struct FoldedNetwork<B: Backend>(Form<B>);

// Only one network is held at a time, so the size of the larger variant does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
enum Form<B: Backend> {
    Floats(FloatNetwork<B>),
    #[cfg(feature = "flex")]
    Int8(Int8Network),
}

impl<B: ResidualBackend> Network<B> {
    /// Returns the network in its current state, for prediction only: faster, but no longer
    /// trainable.
    pub fn fold(&self) -> FoldedNetwork<B> {
        FoldedNetwork(Form::Floats(self.fold_floats()))
    }
}

impl Quantization {
    /// Returns the network for prediction, or `None` if the backend has no kernels for integers.
    ///
    /// # Errors
    ///
    /// If the quantization belongs to another network.
    #[cfg_attr(not(feature = "flex"), allow(unused_variables))]
    pub fn folded<B: ResidualBackend>(
        &self,
        config: &NetworkConfig,
        device: &B::Device,
    ) -> Result<Option<FoldedNetwork<B>>, QuantizationError> {
        #[cfg(feature = "flex")]
        if B::HAS_INT8 {
            let network = Int8Network::new::<B>(config, self, device)?;
            return Ok(Some(network.into()));
        }
        Ok(None)
    }
}

#[cfg(feature = "flex")]
impl<B: Backend> From<Int8Network> for FoldedNetwork<B> {
    fn from(network: Int8Network) -> Self {
        Self(Form::Int8(network))
    }
}

impl<B: ResidualBackend> FoldedNetwork<B> {
    /// Maps images `[batch, input_channels, height, width]` to logits `[batch, classes]`.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        match &self.0 {
            Form::Floats(network) => network.forward_with(images, &mut |_, _| ()),
            #[cfg(feature = "flex")]
            Form::Int8(network) => network.forward(images),
        }
    }
}
