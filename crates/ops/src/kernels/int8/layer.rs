//! A convolution as numbers.

use super::images::split;
use crate::values::ConvolutionOptions;

/// A convolution with weights of 8 bits: `sum * scale + shift`, plus `residual * residual_scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Int8Layer {
    /// Weight `[out_channels, in_channels / groups, height, width]`.
    pub weight: Vec<i8>,
    /// Shape of the weight.
    pub weight_shape: [usize; 4],
    /// Stride, padding and groups.
    pub options: ConvolutionOptions,
    /// Code outside the image for each input channel.
    pub outside: Vec<u8>,
    /// Whether the codes come from [`Int8Images::new`](super::Int8Images::new), up to 254; the others are at most 127.
    pub reads_images: bool,
    /// Factor for the sums of each output channel.
    pub scale: Vec<f32>,
    /// Value to add to each output channel.
    pub shift: Vec<f32>,
    /// Factor for the residual.
    pub residual_scale: f32,
    /// What the convolution returns.
    pub output: Int8Output,
}

/// What a convolution returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Int8Output {
    /// Codes of 0 to `most`, to which values are rounded. Only codes of up to 127 can enter another
    /// convolution.
    Codes {
        /// The largest code.
        most: u8,
    },
    /// Floats, after a ReLU if `relu`.
    Floats {
        /// Whether negative values become zero.
        relu: bool,
    },
}

impl Int8Layer {
    /// Returns the layer that reads codes in two parts.
    pub(super) fn split(&self) -> Self {
        let [out_channels, inner, height, width] = self.weight_shape;
        let weights = self.weight.chunks_exact((height * width).max(1));
        Self {
            weight: weights
                .flat_map(|weights| [weights, weights].concat())
                .collect(),
            weight_shape: [out_channels, 2 * inner, height, width],
            outside: self.outside.iter().flat_map(|&code| split(code)).collect(),
            ..self.clone()
        }
    }
}
