//! Integers without training.

use super::formats::Formats;
use super::{InputRange, Quantization, QuantizationError, QuantizedLayer, QuantizedNorm};
use crate::config::NetworkConfig;
use crate::graph::Traced;
use crate::tensors::tensors;
use ops::ResidualBackend;

/// Standard deviation of whole numbers from -127 to 127, all equally likely.
const SPREAD: f32 = 73.3;
/// Ends of the ranges of values, which are about as large as those of a normal distribution.
const RANGE: f32 = 4.0;

impl Quantization {
    /// Returns a network of random weights, to measure how fast a network is. No float of its weights
    /// is ever in memory, and `device` is not computed on.
    ///
    /// # Errors
    ///
    /// If a value of the config is out of range.
    pub fn untrained<B: ResidualBackend>(
        config: &NetworkConfig,
        device: &B::Device,
    ) -> Result<Self, QuantizationError> {
        let wrong = |error: crate::config::ConfigError| QuantizationError(error.to_string());
        let tensors = tensors(config).map_err(wrong)?;
        let network = config.undrawn::<B>(device);
        let Traced {
            graph,
            layers,
            norms,
            linear: (linear, _),
        } = network.trace();
        let shape = |name: String| {
            let tensor = tensors.iter().find(|tensor| tensor.name == name);
            tensor
                .map(|tensor| tensor.shape.clone())
                .unwrap_or_default()
        };
        let mut numbers = Numbers(1);
        let mut layer = |name: &str, norm: Option<String>| {
            let shape = match shape(format!("{name}.weight"))[..] {
                [outputs, inner, height, width] => [outputs, inner, height, width],
                [inputs, outputs] => [outputs, inputs, 1, 1],
                _ => [0; 4],
            };
            let inputs: usize = shape[1..].iter().product();
            let scale = (2.0 / inputs.max(1) as f32).sqrt() / SPREAD;
            QuantizedLayer {
                name: name.to_owned(),
                norm,
                weight: (0..shape[0] * inputs).map(|_| numbers.next()).collect(),
                shape,
                scale: vec![scale; shape[0]],
                bias: vec![0.0; shape[0]],
            }
        };
        let formats = Formats::of(&graph).formats;
        let channels = config.input_channels();
        Ok(Self {
            convolutions: layers
                .iter()
                .map(|part| layer(&part.name, part.norm.as_ref().map(|(name, _)| name.clone())))
                .collect(),
            linear: layer(linear, None),
            norms: norms
                .into_iter()
                .map(|(name, _)| QuantizedNorm {
                    scale: vec![1.0; shape(format!("{name}.gamma")).iter().product()],
                    shift: vec![0.0; shape(format!("{name}.beta")).iter().product()],
                    name,
                })
                .collect(),
            input: InputRange {
                step: vec![2.0 * RANGE / 254.0; channels],
                zero: vec![127.0; channels],
            },
            steps: formats[1..]
                .iter()
                .map(|format| RANGE / format.levels())
                .collect(),
        })
    }
}

/// Whole numbers from -127 to 127 that look random (Marsaglia 2003, "Xorshift RNGs").
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> i8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (((self.0 >> 8) % 255) as i16 - 127) as i8
    }
}
