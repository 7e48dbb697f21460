//! Whether integers belong to a network.

use super::{InputRange, Quantization, QuantizationError, QuantizedLayer, QuantizedNorm};
use crate::config::NetworkConfig;
use crate::tensors::{TensorShape, tensors};

impl Quantization {
    /// Checks that there is a part for each layer and norm of the network, with its sizes, and no other.
    pub(super) fn check(&self, config: &NetworkConfig) -> Result<(), QuantizationError> {
        let tensors = tensors(config).map_err(|error| QuantizationError(error.to_string()))?;
        let mut layers: Vec<_> = self.convolutions.iter().chain([&self.linear]).collect();
        let folded = layers.iter().filter_map(|layer| layer.norm.as_deref());
        let own = self.norms.iter().map(|norm| norm.name.as_str());
        let mut norms: Vec<&str> = folded.chain(own).collect();
        for TensorShape { name, shape } in &tensors {
            let Some((module, part)) = name.rsplit_once('.') else {
                continue;
            };
            match part {
                "weight" => {
                    let place = layers.iter().position(|layer| layer.name == module);
                    let layer = place.map(|place| layers.swap_remove(place));
                    let is_right = layer.is_some_and(|layer| layer.fits(shape));
                    require(
                        is_right,
                        module,
                        "is missing or has another shape than in the network",
                    )?;
                }
                "gamma" => {
                    let place = norms.iter().position(|norm| *norm == module);
                    let is_there = place.map(|place| norms.swap_remove(place)).is_some();
                    require(is_there, module, "is missing")?;
                    let norm = self.norms.iter().find(|norm| norm.name == module);
                    let is_right = norm.is_none_or(|norm| norm.fits(shape[0]));
                    require(is_right, module, "has another shape than in the network")?;
                }
                _ => {}
            }
        }
        let others = layers.iter().map(|layer| layer.name.as_str());
        if let Some(other) = others.chain(norms).next() {
            return Err(QuantizationError(format!(
                "`{other}` is not part of the network"
            )));
        }
        let InputRange { step, zero } = &self.input;
        let is_code = |zero: &f32| (0.0..=254.0).contains(zero);
        let is_right = [step.len(), zero.len()] == [config.input_channels(); 2]
            && step.iter().all(is_positive)
            && zero.iter().all(is_code);
        require(
            is_right,
            "input",
            "has no valid step and zero for each channel",
        )?;
        let is_right = self.steps.iter().all(is_positive);
        require(is_right, "values.step", "has a step out of range")
    }

    /// Checks that the layers and norms are in this order, and that there is a step for each of
    /// `values`.
    #[cfg(feature = "flex")]
    pub(super) fn check_order(
        &self,
        layers: &[&str],
        norms: &[&str],
        values: usize,
    ) -> Result<(), QuantizationError> {
        let own_layers = self.convolutions.iter().map(|layer| layer.name.as_str());
        let own_norms = self.norms.iter().map(|norm| norm.name.as_str());
        let is_right = own_layers.eq(layers.iter().copied()) && own_norms.eq(norms.iter().copied());
        require(
            is_right,
            "layers",
            "are in another order than in the network",
        )?;
        let is_right = self.steps.len() == values;
        require(is_right, "values.step", "has no step for each operation")
    }
}

impl QuantizedLayer {
    /// Returns whether the layer has a weight of this shape, `[inputs, outputs]` if it is linear.
    fn fits(&self, shape: &[usize]) -> bool {
        let shape = match *shape {
            [inputs, outputs] => vec![outputs, inputs, 1, 1],
            _ => shape.to_vec(),
        };
        self.shape[..] == shape
            && self.weight.len() == shape.iter().product::<usize>()
            && [self.scale.len(), self.bias.len()] == [shape[0]; 2]
            && self.scale.iter().all(is_positive)
            && self.bias.iter().all(|bias| bias.is_finite())
    }
}

impl QuantizedNorm {
    fn fits(&self, channels: usize) -> bool {
        [self.scale.len(), self.shift.len()] == [channels; 2]
            && self
                .scale
                .iter()
                .chain(&self.shift)
                .all(|value| value.is_finite())
    }
}

fn is_positive(step: &f32) -> bool {
    step.is_finite() && *step > 0.0
}

fn require(is_right: bool, name: &str, what: &str) -> Result<(), QuantizationError> {
    match is_right {
        true => Ok(()),
        false => Err(QuantizationError(format!("`{name}` {what}"))),
    }
}
