//! Ranges of values on images.

use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::formats::{Format, Formats};
use super::histogram::Histogram;
use super::weights::{Rounded, round};
use super::{InputRange, Quantization, QuantizedLayer, QuantizedNorm, floats};
use crate::floats::FloatNetwork;
use crate::graph::{Layer, Step, Traced};
use crate::network::Network;
use crate::norm::BatchNorm;
use ops::ResidualBackend;

/// Largest code of a pixel.
const MOST_PIXEL: f32 = 254.0;

/// How the range of a value's codes follows from its distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RangeRule {
    /// The value that this share of all values does not exceed, 0 to 1.
    Percentile(f64),
    /// The end with the least mean squared error of the codes.
    LeastError,
}

/// What the values of a network look like on images.
#[derive(Clone, Debug)]
pub struct Calibration<B: Backend> {
    network: FloatNetwork<B>,
    formats: Formats,
    values: Vec<Observed>,
}

/// Distribution of a value.
#[derive(Clone, Debug, Default)]
struct Observed {
    histogram: Histogram,
    /// Sum, least and largest value of each channel.
    sums: Vec<f64>,
    least: Vec<f32>,
    largest: Vec<f32>,
    /// Number of values of a channel.
    count: usize,
}

impl<B: ResidualBackend> Calibration<B> {
    /// Starts without images.
    pub fn new(network: &Network<B>) -> Self {
        let formats = Formats::of(&network.trace().graph);
        Self {
            network: network.fold_floats(),
            values: vec![Observed::default(); formats.formats.len()],
            formats,
        }
    }

    /// Adds images `[batch, input_channels, height, width]`, and returns their logits
    /// `[batch, classes]`.
    pub fn add(&mut self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let Self {
            network,
            formats,
            values,
        } = self;
        network.forward_with(images, &mut |number, value| {
            if formats.roots[number] == number {
                values[number].add(value);
            }
        })
    }

    /// Rounds `network`, with which the calibration started, to integers.
    ///
    /// The rounding of weights changes the mean of each output channel; the biases make up for it
    /// (Nagel et al. 2019, <https://arxiv.org/abs/1906.04721>, section 4.2).
    pub fn quantize(&self, network: &Network<B>, rule: RangeRule) -> Quantization {
        let Traced {
            graph,
            layers,
            norms,
            linear: (name, linear),
        } = network.trace();
        let input = self.values[0].input_range();
        let mut convolutions = Vec::with_capacity(layers.len());
        for step in graph.steps() {
            if let Step::Convolution {
                layer, input: from, ..
            } = *step
            {
                let factors = (from == 0).then_some(&input.step[..]);
                let means = self.values[self.formats.roots[from]].means();
                convolutions.push(convolution(&layers[layer], &means, factors));
            }
        }
        let step = |number: usize| {
            let format = self.formats.formats[number];
            if format == Format::Floats {
                return 1.0;
            }
            let histogram = &self.values[self.formats.roots[number]].histogram;
            let end = match rule {
                RangeRule::Percentile(share) => histogram.percentile(share),
                RangeRule::LeastError => histogram.least_error(format.levels()),
            };
            // A value that is always zero has any range.
            if end > 0.0 {
                end / format.levels()
            } else {
                1.0
            }
        };
        let means = self.values.last().map(Observed::means).unwrap_or_default();
        Quantization {
            convolutions,
            linear: self::linear(name, linear, &means),
            norms: norms.into_iter().map(QuantizedNorm::of).collect(),
            input,
            steps: (1..self.values.len()).map(step).collect(),
        }
    }
}

impl Observed {
    fn add<B: ResidualBackend>(&mut self, value: &Tensor<B, 4>) {
        let [_, channels, height, width] = value.dims();
        let data = value.clone().into_data().convert::<f32>();
        let Ok(values) = data.as_slice::<f32>() else {
            return; // it was converted to this type
        };
        self.histogram.add(values);
        self.sums.resize(channels, 0.0);
        self.least.resize(channels, 0.0);
        self.largest.resize(channels, 0.0);
        for (index, pixels) in values.chunks_exact((height * width).max(1)).enumerate() {
            let channel = index % channels;
            let sum: f32 = pixels.iter().sum();
            self.sums[channel] += f64::from(sum);
            let ends = [&mut self.least[channel], &mut self.largest[channel]];
            let [least, largest] = ends;
            *least = pixels.iter().fold(*least, |least, &value| least.min(value));
            *largest = pixels
                .iter()
                .fold(*largest, |largest, &value| largest.max(value));
        }
        self.count += values.len() / channels.max(1);
    }

    fn means(&self) -> Vec<f64> {
        let count = self.count.max(1) as f64;
        self.sums.iter().map(|sum| sum / count).collect()
    }

    /// Returns the codes of images, which cover all values and zero.
    fn input_range(&self) -> InputRange {
        let ranges = self.least.iter().zip(&self.largest);
        let step: Vec<f32> = ranges
            .map(|(least, largest)| (largest - least) / MOST_PIXEL)
            .map(|step| if step > 0.0 { step } else { 1.0 })
            .collect();
        let zero = self
            .least
            .iter()
            .zip(&step)
            .map(|(least, step)| -least / step);
        InputRange {
            zero: zero.collect(),
            step,
        }
    }
}

impl QuantizedNorm {
    fn of<B: ResidualBackend>((name, norm): (String, &BatchNorm<B>)) -> Self {
        let (scale, shift) = norm.scale_and_shift();
        Self {
            name,
            scale: floats(scale.into_data()),
            shift: floats(shift.into_data()),
        }
    }
}

/// Rounds a convolution whose input channels have the given means. `factors` are multiplied with the
/// weights of each input channel first.
fn convolution<B: ResidualBackend>(
    layer: &Layer<'_, B>,
    means: &[f64],
    factors: Option<&[f32]>,
) -> QuantizedLayer {
    let (weight, bias) = layer.fold();
    let norm = layer.norm.as_ref().map(|(name, _)| name.clone());
    let rounding = Rounding {
        shape: weight.dims(),
        groups: layer.conv.groups,
        weight: floats(weight.into_data()),
        bias: bias.map(|bias| floats(bias.into_data())),
        means,
        factors,
    };
    QuantizedLayer {
        norm,
        ..rounding.layer(&layer.name)
    }
}

/// Rounds the last layer, whose input channels have the given means.
fn linear<B: ResidualBackend>(name: &str, linear: &Linear<B>, means: &[f64]) -> QuantizedLayer {
    let weight = linear.weight.val();
    let [inputs, outputs] = weight.dims();
    // Channels of flattened images have several values.
    let repeats = inputs / means.len().max(1);
    let means: Vec<f64> = means.iter().flat_map(|&mean| vec![mean; repeats]).collect();
    let rounding = Rounding {
        shape: [outputs, inputs, 1, 1],
        groups: 1,
        weight: floats(weight.transpose().into_data()),
        bias: linear
            .bias
            .as_ref()
            .map(|bias| floats(bias.val().into_data())),
        means: &means,
        factors: None,
    };
    rounding.layer(name)
}

/// A layer to be rounded.
struct Rounding<'a> {
    shape: [usize; 4],
    groups: usize,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    means: &'a [f64],
    factors: Option<&'a [f32]>,
}

impl Rounding<'_> {
    fn layer(self, name: &str) -> QuantizedLayer {
        let Self {
            shape,
            groups,
            mut weight,
            bias,
            means,
            factors,
        } = self;
        let [out_channels, inner, height, width] = shape;
        let taps = height * width;
        if let Some(factors) = factors {
            for (index, weights) in weight.chunks_exact_mut(taps).enumerate() {
                weights
                    .iter_mut()
                    .for_each(|weight| *weight *= factors[index % inner]);
            }
        }
        let Rounded {
            weight: rounded,
            scale,
        } = round(&weight, out_channels);
        let mut bias = bias.unwrap_or_else(|| vec![0.0; out_channels]);
        let outer = out_channels / groups;
        for (out, bias) in bias.iter_mut().enumerate() {
            let first_channel = out / outer * inner;
            let mut error = 0.0;
            for channel in 0..inner {
                let start = (out * inner + channel) * taps;
                let errors = (start..start + taps)
                    .map(|index| weight[index] - f32::from(rounded[index]) * scale[out]);
                let factor = factors.map_or(1.0, |factors| factors[channel]);
                let sum = f64::from(errors.sum::<f32>() / factor);
                error += sum * means.get(first_channel + channel).copied().unwrap_or(0.0);
            }
            *bias += error as f32;
        }
        QuantizedLayer {
            name: name.to_owned(),
            norm: None,
            weight: rounded,
            shape,
            scale,
            bias,
        }
    }
}
