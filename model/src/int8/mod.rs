//! Networks of 8-bit integers for CPUs: calibration on images, and prediction.
//!
//! Every convolution multiplies codes of images, 0 to 127, by weights of 8 bits with a scale for each
//! output channel, as in Jacob et al. 2018 (<https://arxiv.org/abs/1712.05877>); batch norms are
//! folded. All CPUs return the same logits, bit for bit.
//!
//! | module | contents |
//! |---|---|
//! | `formats` | which values of a network are codes |
//! | `calibration` | ranges of values on images |
//! | `histogram` | the distribution of a value |
//! | `weights` | rounding of weights |
//! | `network` | prediction |
//! | `check` | whether integers belong to a network |
//! | `untrained` | integers without training |
//! | `dequantized` | the floats that integers stand for |

mod calibration;
mod check;
mod dequantized;
mod formats;
mod histogram;
#[cfg(feature = "flex")]
mod network;
mod untrained;
mod weights;

use burn::tensor::TensorData;

pub use calibration::{Calibration, RangeRule};
#[cfg(feature = "flex")]
pub use network::Int8Network;

/// The integers of a network, made by [`Calibration`].
#[derive(Clone, Debug, PartialEq)]
pub struct Quantization {
    /// Convolutions in forward order.
    pub convolutions: Vec<QuantizedLayer>,
    /// The last layer.
    pub linear: QuantizedLayer,
    /// How images become codes: a pixel's value in channel `c` is `(code - zero[c]) * step[c]`.
    pub input: InputRange,
    /// Norms that do not follow a convolution, in forward order.
    pub norms: Vec<QuantizedNorm>,
    /// Difference between neighboring codes for the output of each operation, in forward order; 1 for
    /// values that stay floats.
    pub steps: Vec<f32>,
}

/// A layer with its norm folded in.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedLayer {
    /// Name in records, such as `stem.convolution.conv`.
    pub name: String,
    /// Name of the folded norm in records.
    pub norm: Option<String>,
    /// Weight `[out_channels, in_channels / groups, height, width]`, -127 to 127. That of the first
    /// convolution is multiplied with the steps of the images' codes.
    pub weight: Vec<i8>,
    /// Shape of the weight.
    pub shape: [usize; 4],
    /// Factor of the weights of each output channel.
    pub scale: Vec<f32>,
    /// Value to add to each output channel.
    pub bias: Vec<f32>,
}

/// A norm as `x * scale + shift`.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedNorm {
    /// Name in records, such as `head.norm`.
    pub name: String,
    /// Factor of each channel.
    pub scale: Vec<f32>,
    /// Value to add to each channel.
    pub shift: Vec<f32>,
}

/// How images become codes of 0 to 254.
#[derive(Clone, Debug, PartialEq)]
pub struct InputRange {
    /// Difference between neighboring codes for each channel.
    pub step: Vec<f32>,
    /// Code of the value zero for each channel.
    pub zero: Vec<f32>,
}

/// Parts of a quantization do not belong to the network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuantizationError(pub(crate) String);

fn floats(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().to_vec().unwrap_or_default()
}
