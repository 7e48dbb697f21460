//! A walk through a network that records its layers.

use super::{Layer, LayerKind, Summary};
use crate::convolution::{ConvolutionSpec, Norm};

/// Position of the walk, and the layers recorded so far.
pub(super) struct Walk {
    layers: Vec<Layer>,
    /// Shape of the next layer's input; `[channels]` after the head's pool.
    shape: Vec<usize>,
    running_statistics: u64,
}

/// Operations after a convolution and its norm.
#[derive(Clone, Copy, Default)]
pub(super) struct Then {
    pub adds: bool,
    pub relu: bool,
    /// Whether a later layer keeps the result for its backward pass.
    pub kept: bool,
}

impl Walk {
    pub(super) fn new(input: [usize; 3]) -> Self {
        Self {
            layers: Vec::new(),
            shape: input.to_vec(),
            running_statistics: 0,
        }
    }

    pub(super) fn finish(self, input: [usize; 3]) -> Summary {
        let total = |value: fn(&Layer) -> u64| {
            let values = self.layers.iter().map(value);
            values.fold(0, u64::saturating_add)
        };
        Summary {
            input,
            parameters: total(|layer| layer.parameters),
            running_statistics: self.running_statistics,
            multiply_adds: total(|layer| layer.multiply_adds),
            layers: self.layers,
        }
    }

    /// Returns the current shape, to return to later.
    pub(super) fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    pub(super) fn go_to(&mut self, shape: Vec<usize>) {
        self.shape = shape;
    }

    /// Records the convolution, its norm and the operations after them. Convolutions and norms keep
    /// their input, a ReLU keeps its output, and an addition keeps nothing.
    pub(super) fn convolution(&mut self, path: &str, spec: &ConvolutionSpec, then: Then) {
        let Then { adds, relu, kept } = then;
        let has_norm = spec.norm != Norm::None;
        let ends_here = !has_norm && !adds && !relu;
        self.plain_convolution(
            &format!("{path}.conv"),
            spec,
            spec.kernel / 2,
            has_norm || (ends_here && kept),
        );
        if has_norm {
            self.norm(&format!("{path}.norm"), then);
        } else if adds {
            self.same(
                &format!("{path}.addition"),
                LayerKind::Addition { relu },
                relu || kept,
            );
        } else if relu {
            self.same(&format!("{path}.relu"), LayerKind::Relu, true);
        }
    }

    /// Records the convolution alone, with `padding` pixels of zeros on every side.
    pub(super) fn plain_convolution(
        &mut self,
        name: &str,
        spec: &ConvolutionSpec,
        padding: usize,
        kept: bool,
    ) {
        let &ConvolutionSpec {
            in_channels,
            out_channels,
            kernel,
            stride,
            groups,
            bias,
            ..
        } = spec;
        let size = |pixels: usize| (pixels + 2 * padding).saturating_sub(kernel) / stride + 1;
        let kind = LayerKind::Convolution {
            kernel,
            stride,
            groups,
        };
        let weights = product(&[out_channels, in_channels / groups, kernel, kernel]);
        let output = self.resized(out_channels, size);
        let pixels = product(&output[1..]);
        let layer = self.push(name, kind, output, kept);
        layer.parameters = weights + if bias { out_channels as u64 } else { 0 };
        layer.multiply_adds = weights.saturating_mul(pixels);
    }

    pub(super) fn norm(&mut self, name: &str, then: Then) {
        let Then { adds, relu, kept } = then;
        let channels = product(&self.shape[..1]);
        self.same(name, LayerKind::BatchNorm { adds, relu }, relu || kept);
        if let Some(layer) = self.layers.last_mut() {
            layer.parameters = 2 * channels;
        }
        self.running_statistics += 2 * channels;
    }

    /// Records a layer that preserves the shape and has no parameters.
    pub(super) fn same(&mut self, name: &str, kind: LayerKind, kept: bool) {
        let output = self.shape.clone();
        self.push(name, kind, output, kept);
    }

    /// Records a max pool, which keeps its input and output.
    pub(super) fn max_pool(&mut self, name: &str, kernel: usize, stride: usize, padding: usize) {
        let size = |pixels: usize| (pixels + 2 * padding).saturating_sub(kernel) / stride + 1;
        let output = self.resized(self.channels(), size);
        self.push(name, LayerKind::MaxPool { kernel, stride }, output, true);
    }

    /// Records a pool before a convolution, which keeps its input.
    pub(super) fn average_pool(&mut self, name: &str, kernel: usize) {
        let output = self.resized(self.channels(), |pixels| pixels.div_ceil(kernel));
        self.push(name, LayerKind::AveragePool { kernel }, output, true);
    }

    /// Records zero padding to `channels` channels.
    pub(super) fn zero_pad(&mut self, name: &str, channels: usize, stride: usize) {
        let output = self.resized(channels, |pixels| pixels.div_ceil(stride));
        self.push(name, LayerKind::ZeroPad { stride }, output, false);
    }

    /// Records a pool before a linear layer, which keeps its input.
    pub(super) fn global_average_pool(&mut self, name: &str) {
        let output = vec![self.channels()];
        self.push(name, LayerKind::GlobalAveragePool, output, true);
    }

    /// Records a linear layer over all input values.
    pub(super) fn linear(&mut self, name: &str, classes: usize) {
        self.shape = vec![self.shape.iter().product()];
        let weights = product(&[self.channels(), classes]);
        let layer = self.push(name, LayerKind::Linear, vec![classes], false);
        layer.parameters = weights + classes as u64;
        layer.multiply_adds = weights;
    }

    pub(super) fn channels(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    fn resized(&self, channels: usize, size: impl Fn(usize) -> usize) -> Vec<usize> {
        let pixels = self.shape.iter().skip(1).map(|&pixels| size(pixels));
        [channels].into_iter().chain(pixels).collect()
    }

    fn push(&mut self, name: &str, kind: LayerKind, output: Vec<usize>, kept: bool) -> &mut Layer {
        let input = std::mem::replace(&mut self.shape, output.clone());
        self.layers.push(Layer {
            name: name.to_owned(),
            kind,
            input,
            output,
            parameters: 0,
            multiply_adds: 0,
            kept,
        });
        let last = self.layers.len() - 1;
        &mut self.layers[last]
    }
}

/// Multiplies the factors, saturating on overflow.
pub(super) fn product(factors: &[usize]) -> u64 {
    let factors = factors.iter().map(|&factor| factor as u64);
    factors.fold(1, u64::saturating_mul)
}
