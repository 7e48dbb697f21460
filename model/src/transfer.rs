//! Adapts the input and output layers of a trained network.

use burn::nn::Linear;
use burn::nn::conv::Conv2d;

use crate::head::linear;
use crate::network::Network;
use crate::parameters::parameter_count;
use ops::ResidualBackend;

impl<B: ResidualBackend> Network<B> {
    /// Returns the network with a new, randomly initialized last linear layer for `classes`
    /// classes.
    #[must_use]
    pub fn with_new_head(mut self, classes: usize) -> Self {
        let head = self.head_mut();
        let weight = head.weight.val(); // [inputs, classes]
        let [inputs, _] = weight.dims();
        *head = linear(inputs, classes, &weight.device());
        parameter_count(&self); // draws the weights now, as `NetworkConfig::init` does
        self
    }

    /// Returns the network for images with `channels` channels. The weights of the first
    /// convolution are summed over its input channels and divided evenly among the new ones.
    ///
    /// As a result, an RGB network treats a grayscale image like three equal channels before the
    /// change.
    #[must_use]
    pub fn with_spread_channels(mut self, channels: usize) -> Self {
        let first = self.first_convolution_mut();
        // [out, in, kernel height, kernel width]
        first.weight = first.weight.clone().map(|weight| {
            let is_learned = weight.is_require_grad();
            let spread = weight.sum_dim(1).repeat_dim(1, channels) / channels as f64;
            spread.detach().set_require_grad(is_learned)
        });
        self
    }

    fn head_mut(&mut self) -> &mut Linear<B> {
        match self {
            Self::ResNet(network) => &mut network.head.linear,
            Self::Digit(network) => &mut network.linear,
        }
    }

    fn first_convolution_mut(&mut self) -> &mut Conv2d<B> {
        match self {
            Self::ResNet(network) => {
                let stem = &mut network.stem;
                match stem.deep.as_mut().and_then(|deep| deep.first_mut()) {
                    Some(first) => &mut first.conv,
                    None => &mut stem.convolution.conv,
                }
            }
            Self::Digit(network) => &mut network.convolution1,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::NetworkConfig;
    use burn::tensor::{Distribution, Tensor, Tolerance};
    use burn_flex::Flex;

    #[test]
    fn new_head_keeps_features() {
        let device = Default::default();
        for (name, edge) in [("resnet8", 16), ("digit", 28)] {
            let config = NetworkConfig::named(name).unwrap();
            let original = config.init::<Flex>(&device).unwrap();
            let changed = original.clone().with_new_head(7);
            let shape = [2, config.input_channels(), edge, edge];
            let images = Tensor::random(shape, Distribution::Default, &device);
            assert_eq!(changed.forward(images.clone()).dims(), [2, 7], "{name}");

            // Restoring the old head restores the old network.
            let mut restored = changed;
            *restored.head_mut() = original.clone().head_mut().clone();
            let expected = original.forward(images.clone()).into_data();
            restored
                .forward(images)
                .into_data()
                .assert_eq(&expected, true);
        }
    }

    #[test]
    fn first_convolution_adapts_channel_count() {
        let device = Default::default();
        for (name, edge) in [("resnet8", 16), ("resnet18d", 32), ("digit", 28)] {
            let config = NetworkConfig::named(name).unwrap().with_input_channels(3);
            let color = config.init::<Flex>(&device).unwrap();
            let gray = color.clone().with_spread_channels(1);
            let images = Tensor::random([2, 1, edge, edge], Distribution::Default, &device);
            let repeated = Tensor::repeat_dim(images.clone(), 1, 3);
            let tolerance = Tolerance::<f32>::rel_abs(1e-4, 1e-4);
            let expected = color.forward(repeated.clone()).into_data();
            let logits = gray.forward(images);
            logits.into_data().assert_approx_eq(&expected, tolerance);
            let logits = gray.with_spread_channels(3).forward(repeated);
            logits.into_data().assert_approx_eq(&expected, tolerance);
        }
    }
}
