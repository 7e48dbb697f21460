//! The last layer.

use super::convolution::Int8Convolution;
use super::images::{Codes, Int8Images, Values};
use super::layer::{Int8Layer, Int8Output};
use super::simd::Int8Level;
use crate::kernels::shape::Shape;
use crate::values::ConvolutionOptions;

/// Base of the two digits of a feature.
const BASE: f32 = 128.0;

/// A linear layer with weights of 8 bits, on features of 14 bits.
///
/// A feature has two digits of seven bits, each of which is a row of a product of 8 bits.
#[derive(Debug)]
pub struct Int8Linear {
    digits: Int8Convolution,
    inputs: usize,
    bias: Vec<f32>,
    /// Factor from features to whole numbers below 128 * 128.
    factor: f32,
}

impl Int8Linear {
    /// Largest feature in whole numbers.
    pub const MOST: f32 = BASE * BASE - 1.0;

    /// Packs a weight `[outputs, inputs]` with a scale for each output. A feature `x` is rounded to
    /// `x * factor` and limited to 0 to [`MOST`](Self::MOST).
    ///
    /// # Panics
    ///
    /// Panics if a length does not match.
    pub fn new(weight: &[i8], scale: &[f32], bias: &[f32], factor: f32) -> Self {
        Self::at(Int8Level::best(), weight, scale, bias, factor)
    }

    pub(super) fn at(
        level: Int8Level,
        weight: &[i8],
        scale: &[f32],
        bias: &[f32],
        factor: f32,
    ) -> Self {
        let outputs = scale.len();
        assert_eq!(bias.len(), outputs);
        let inputs = weight.len() / outputs.max(1);
        let digits = Int8Convolution::at(
            level,
            &Int8Layer {
                weight: weight.to_vec(),
                weight_shape: [outputs, inputs, 1, 1],
                options: ConvolutionOptions::default(),
                outside: vec![0; inputs],
                reads_images: false,
                scale: scale.iter().map(|scale| scale / factor).collect(),
                shift: vec![0.0; outputs],
                residual_scale: 0.0,
                output: Int8Output::Floats { relu: false },
            },
        );
        Self {
            digits,
            inputs,
            bias: bias.to_vec(),
            factor,
        }
    }

    /// Maps features `[batch, inputs]` to `[batch, outputs]`.
    ///
    /// # Panics
    ///
    /// Panics if the length is not a multiple of the inputs.
    pub fn forward(&self, features: &[f32]) -> Vec<f32> {
        assert!(features.len().is_multiple_of(self.inputs.max(1)));
        let rows = features.len() / self.inputs.max(1);
        let mut codes = Codes::new(2 * features.len());
        let (high, low) = codes.split_at_mut(features.len());
        for ((high, low), feature) in high.iter_mut().zip(low).zip(features) {
            let number = (feature * self.factor)
                .round_ties_even()
                .clamp(0.0, Self::MOST) as u16;
            *high = (number / BASE as u16) as u8;
            *low = (number % BASE as u16) as u8;
        }
        let images = Int8Images {
            shape: Shape {
                batch: 1,
                height: 2,
                width: rows,
                channels: self.inputs,
            },
            values: Values::Codes(codes),
        };
        let Values::Floats(digits) = self.digits.forward(&images, None).values else {
            return Vec::new(); // the layer returns floats
        };
        let (high, low) = digits.split_at(digits.len() / 2);
        let bias = self.bias.iter().cycle();
        let digits = high.iter().zip(low).zip(bias);
        digits
            .map(|((high, low), bias)| high * BASE + low + bias)
            .collect()
    }
}
