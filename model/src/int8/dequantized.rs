//! The floats that integers stand for.

use super::{Quantization, QuantizationError, QuantizedLayer, QuantizedNorm};
use crate::config::NetworkConfig;
use crate::tensors::{TensorShape, tensors};

impl Quantization {
    /// Returns a record of floats: each tensor of the network with its values. Norms that were folded
    /// only add the bias. The codes between the layers have no counterpart.
    ///
    /// # Errors
    ///
    /// If the quantization belongs to another network.
    pub fn dequantized(
        &self,
        config: &NetworkConfig,
    ) -> Result<Vec<(TensorShape, Vec<f32>)>, QuantizationError> {
        self.check(config)?;
        let tensors = tensors(config).map_err(|error| QuantizationError(error.to_string()))?;
        let epsilon = match config {
            NetworkConfig::Resnet(config) => config.norm_epsilon as f32,
            NetworkConfig::Digit(_) => 0.0,
        };
        let with_values = tensors.into_iter().map(|tensor| {
            // Checked above: each tensor has a part with its size.
            let values = self.values(&tensor.name, epsilon).unwrap_or_default();
            (tensor, values)
        });
        Ok(with_values.collect())
    }

    fn values(&self, tensor: &str, epsilon: f32) -> Option<Vec<f32>> {
        let (module, part) = tensor.rsplit_once('.')?;
        if self.linear.name == module {
            return match part {
                "weight" => Some(self.linear.transposed()),
                _ => Some(self.linear.bias.clone()),
            };
        }
        if let Some(norm) = self.norms.iter().find(|norm| norm.name == module) {
            let QuantizedNorm { scale, shift, .. } = norm;
            return Some(norm_part(part, scale.clone(), shift.clone(), epsilon));
        }
        let mut layers = self.convolutions.iter().enumerate();
        let is_of =
            |layer: &QuantizedLayer| layer.name == module || layer.norm.as_deref() == Some(module);
        let (index, layer) = layers.find(|(_, layer)| is_of(layer))?;
        if layer.name != module {
            let ones = vec![1.0; layer.bias.len()];
            return Some(norm_part(part, ones, layer.bias.clone(), epsilon));
        }
        match (part, &layer.norm) {
            // The steps of the images' codes are part of the first weight.
            ("weight", _) if index == 0 => Some(layer.floats(Some(&self.input.step))),
            ("weight", _) => Some(layer.floats(None)),
            // The norm has the bias.
            (_, Some(_)) => Some(vec![0.0; layer.bias.len()]),
            (_, None) => Some(layer.bias.clone()),
        }
    }
}

impl QuantizedLayer {
    /// Returns the weight, divided by the step of each input channel if there are some.
    fn floats(&self, steps: Option<&[f32]>) -> Vec<f32> {
        let [_, inner, height, width] = self.shape;
        let taps = (height * width).max(1);
        let weights = self.weight.chunks_exact(taps).enumerate();
        weights
            .flat_map(|(index, weights)| {
                let step = steps.map_or(1.0, |steps| steps[index % inner]);
                let factor = self.scale[index / inner] / step;
                weights
                    .iter()
                    .map(move |&weight| f32::from(weight) * factor)
            })
            .collect()
    }

    /// Returns the weight `[inputs, outputs]` of a linear layer.
    fn transposed(&self) -> Vec<f32> {
        let [outputs, inputs, ..] = self.shape;
        let floats = self.floats(None);
        let places = (0..inputs).flat_map(|input| (0..outputs).map(move |output| (input, output)));
        places
            .map(|(input, output)| floats[output * inputs + input])
            .collect()
    }
}

/// Returns a part of a norm that computes `x * scale + shift`.
fn norm_part(part: &str, scale: Vec<f32>, shift: Vec<f32>, epsilon: f32) -> Vec<f32> {
    match part {
        "gamma" => scale,
        "beta" => shift,
        "running_var" => vec![1.0 - epsilon; scale.len()],
        _ => vec![0.0; scale.len()],
    }
}
