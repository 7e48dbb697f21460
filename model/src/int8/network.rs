//! Prediction with integers.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData, TensorPrimitive};

use super::formats::{Format, Formats};
use super::{Quantization, QuantizationError, QuantizedLayer, QuantizedNorm, floats};
use crate::config::NetworkConfig;
use crate::convolution::options;
use crate::graph::{Features, Graph, Step, Traced, Values};
use ops::int8::{InputCodes, Int8Convolution, Int8Images, Int8Layer, Int8Linear, Int8Output};
use ops::{ConvolutionOptions, ResidualBackend};

/// A network of 8-bit integers, for prediction on a CPU.
#[derive(Clone, Debug)]
pub struct Int8Network(Arc<Layers>);

#[derive(Debug)]
struct Layers {
    graph: Graph,
    input: InputCodes,
    convolutions: Vec<Int8Convolution>,
    /// Scale and shift of the norms that do not follow a convolution, in codes of their output.
    norms: Vec<[Vec<f32>; 2]>,
    formats: Vec<Format>,
    /// Difference between neighboring codes of each value.
    steps: Vec<f32>,
    linear: Int8Linear,
    classes: usize,
}

impl Int8Network {
    /// Builds a network from its integers. `device` is not computed on.
    ///
    /// # Errors
    ///
    /// If the quantization belongs to another network.
    pub fn new<B: ResidualBackend>(
        config: &NetworkConfig,
        quantization: &Quantization,
        device: &B::Device,
    ) -> Result<Self, QuantizationError> {
        quantization.check(config)?;
        let network = config.undrawn::<B>(device);
        let Traced {
            graph,
            layers,
            norms,
            ..
        } = network.trace();
        let names: Vec<_> = layers.iter().map(|layer| layer.name.as_str()).collect();
        let norms: Vec<_> = norms.iter().map(|(name, _)| name.as_str()).collect();
        quantization.check_order(&names, &norms, graph.steps().len())?;
        let Formats { formats, .. } = Formats::of(&graph);
        // The steps of the images are part of the first weight.
        let steps: Vec<f32> = [1.0]
            .into_iter()
            .chain(quantization.steps.iter().copied())
            .collect();
        let values = Forms {
            formats: &formats,
            steps: &steps,
        };
        let scale = quantization.input.step.iter().map(|step| 1.0 / step);
        let codes = InputCodes {
            scale: scale.collect(),
            zero: quantization.input.zero.clone(),
        };
        let mut convolutions = Vec::with_capacity(layers.len());
        let mut norms = Vec::with_capacity(quantization.norms.len());
        for (index, step) in graph.steps().iter().enumerate() {
            let output = index + 1;
            match *step {
                Step::Convolution {
                    layer,
                    input,
                    residual,
                    relu,
                } => {
                    let convolution = &quantization.convolutions[layer];
                    let options = options(layers[layer].conv);
                    let images = (input == 0).then_some(&codes);
                    let layer = values.layer(
                        convolution,
                        options,
                        images,
                        [input, output],
                        residual,
                        relu,
                    );
                    convolutions.push(Int8Convolution::new(&layer));
                }
                Step::Norm { norm, input } => {
                    norms.push(values.norm(&quantization.norms[norm], [input, output]));
                }
                _ => {}
            }
        }
        let linear = &quantization.linear;
        // The last value comes from a ReLU, so its features are codes times the step.
        let last = graph.steps().len();
        let factor = Int8Linear::MOST / (formats[last].levels() * steps[last]);
        Ok(Self(Arc::new(Layers {
            input: codes,
            convolutions,
            norms,
            formats,
            steps,
            linear: Int8Linear::new(&linear.weight, &linear.scale, &linear.bias, factor),
            classes: linear.bias.len(),
            graph,
        })))
    }

    /// Maps images `[batch, input_channels, height, width]` to logits `[batch, classes]`, on the CPU.
    pub fn forward<B: ResidualBackend>(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let device = images.device();
        let shape = images.dims();
        let images = images.into_primitive().tensor();
        let logits = match B::host_values(&images) {
            Some(values) => self.logits(values, shape),
            None => {
                let images = Tensor::<B, 4>::from_primitive(TensorPrimitive::Float(images));
                self.logits(&floats(images.into_data()), shape)
            }
        };
        Tensor::from_data(TensorData::new(logits, [shape[0], self.0.classes]), &device)
    }

    /// Like [`forward`](Self::forward), on values in the order of the shape.
    ///
    /// # Panics
    ///
    /// Panics if the shape does not match the values or the network.
    pub fn logits(&self, images: &[f32], shape: [usize; 4]) -> Vec<f32> {
        let layers = &self.0;
        let images = Int8Images::new(images, shape, &layers.input);
        let mut number = 0;
        let last = layers.graph.run(images, |step, values| {
            number += 1;
            layers.apply(step, number, values)
        });
        let (step, zero) = match layers.formats[number] {
            Format::Codes { zero, .. } => (layers.steps[number], zero),
            Format::Floats => (1.0, 0),
        };
        let features = match layers.graph.features() {
            Features::Mean => last.mean(step, zero),
            Features::Flat => last.flatten(step, zero),
        };
        layers.linear.forward(&features)
    }
}

impl Layers {
    fn apply(&self, step: &Step, number: usize, values: &Values<Int8Images>) -> Int8Images {
        match *step {
            Step::Convolution {
                layer,
                input,
                residual,
                ..
            } => {
                let residual = residual.map(|residual| &values[residual]);
                self.convolutions[layer].forward(&values[input], residual)
            }
            Step::Norm { norm, input } => {
                let [scale, shift] = &self.norms[norm];
                let most = match self.formats[number] {
                    Format::Codes { most, .. } => most,
                    Format::Floats => u8::MAX, // the output of a ReLU before a convolution has codes
                };
                values[input].affine(scale, shift, most)
            }
            Step::MaxPool {
                input,
                kernel,
                stride,
                padding,
            } => values[input].max_pool(kernel, stride, padding),
            Step::AveragePool { input, edge } => values[input].average_pool(edge),
            Step::ZeroPad {
                input,
                stride,
                padding,
            } => {
                let zero = match self.formats[input] {
                    Format::Codes { zero, .. } => zero,
                    Format::Floats => 0,
                };
                values[input].zero_pad(stride, padding, zero)
            }
        }
    }
}

/// Forms of all values, with the differences between neighboring codes.
struct Forms<'a> {
    formats: &'a [Format],
    steps: &'a [f32],
}

impl Forms<'_> {
    /// Returns the difference between neighboring codes, and the code of zero.
    fn of(&self, value: usize) -> (f64, f64) {
        match self.formats[value] {
            Format::Codes { zero, .. } => (f64::from(self.steps[value]), f64::from(zero)),
            Format::Floats => (1.0, 0.0),
        }
    }

    /// Returns a layer. `images` are their codes if it reads images.
    fn layer(
        &self,
        convolution: &QuantizedLayer,
        options: ConvolutionOptions,
        images: Option<&InputCodes>,
        [input, output]: [usize; 2],
        residual: Option<usize>,
        relu: bool,
    ) -> Int8Layer {
        let [out_channels, inner, height, width] = convolution.shape;
        let taps = height * width;
        let (input_step, input_zero) = self.of(input);
        let (output_step, output_zero) = self.of(output);
        let (residual_step, residual_zero) = residual.map_or((0.0, 0.0), |value| self.of(value));
        let zero = |channel: usize| match images {
            Some(codes) => f64::from(codes.zero[channel]),
            None => input_zero,
        };
        let mut scale = Vec::with_capacity(out_channels);
        let mut shift = Vec::with_capacity(out_channels);
        for out in 0..out_channels {
            let factor = input_step * f64::from(convolution.scale[out]);
            let weights = &convolution.weight[out * inner * taps..(out + 1) * inner * taps];
            let zeros = weights
                .chunks_exact(taps)
                .enumerate()
                .map(|(channel, weights)| {
                    let sum: i32 = weights.iter().copied().map(i32::from).sum();
                    f64::from(sum) * zero(channel)
                });
            let value = f64::from(convolution.bias[out])
                - factor * zeros.sum::<f64>()
                - residual_step * residual_zero;
            scale.push((factor / output_step) as f32);
            shift.push((value / output_step + output_zero) as f32);
        }
        Int8Layer {
            weight: convolution.weight.clone(),
            weight_shape: convolution.shape,
            options,
            outside: match images {
                Some(codes) => codes.outside(),
                None => vec![input_zero as u8; inner * options.groups],
            },
            reads_images: images.is_some(),
            scale,
            shift,
            residual_scale: (residual_step / output_step) as f32,
            output: match self.formats[output] {
                Format::Codes { most, .. } => Int8Output::Codes { most },
                Format::Floats => Int8Output::Floats { relu },
            },
        }
    }

    /// Returns scale and shift of a norm from and to codes.
    fn norm(&self, norm: &QuantizedNorm, [input, output]: [usize; 2]) -> [Vec<f32>; 2] {
        let (input_step, input_zero) = self.of(input);
        let (output_step, output_zero) = self.of(output);
        let pairs = norm.scale.iter().zip(&norm.shift).map(|(&scale, &shift)| {
            let factor = f64::from(scale) * input_step;
            let shift = f64::from(shift) - factor * input_zero;
            (
                (factor / output_step) as f32,
                (shift / output_step + output_zero) as f32,
            )
        });
        let (scale, shift) = pairs.unzip();
        [scale, shift]
    }
}
