//! The form for prediction with floats.

use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::convolution::options;
use crate::graph::{Features, Graph, Layer, Step, Traced, Values};
use crate::network::Network;
use crate::norm::BatchNorm;
use ops::{PreparedConvolution, ResidualBackend};

/// A network of floats with its norms merged.
#[derive(Clone, Debug)]
pub(crate) struct FloatNetwork<B: Backend> {
    graph: Graph,
    convolutions: Vec<PreparedConvolution<B>>,
    norms: Vec<FoldedNorm<B>>,
    linear: Linear<B>,
}

impl<B: ResidualBackend> Network<B> {
    pub(crate) fn fold_floats(&self) -> FloatNetwork<B> {
        let Traced {
            graph,
            layers,
            norms,
            linear: (_, linear),
        } = self.trace();
        let prepare = |layer: &Layer<'_, B>| {
            let (weight, bias) = layer.fold();
            ops::prepare_convolution(weight, bias, options(layer.conv))
        };
        FloatNetwork {
            graph,
            convolutions: layers.iter().map(prepare).collect(),
            norms: norms
                .iter()
                .map(|(_, norm)| FoldedNorm::new(norm))
                .collect(),
            linear: linear.clone(),
        }
    }
}

impl<B: ResidualBackend> FloatNetwork<B> {
    /// Maps images to logits, and calls `observe` with every value and its number in the graph.
    pub(crate) fn forward_with(
        &self,
        images: Tensor<B, 4>,
        observe: &mut dyn FnMut(usize, &Tensor<B, 4>),
    ) -> Tensor<B, 2> {
        let mut number = 0;
        observe(number, &images);
        let features = self.graph.run(images, |step, values| {
            let value = self.apply(step, values);
            number += 1;
            observe(number, &value);
            value
        });
        self.linear.forward(match self.graph.features() {
            Features::Mean => ops::global_average_pool(features),
            Features::Flat => ops::flatten(features),
        })
    }

    fn apply(&self, step: &Step, values: &Values<Tensor<B, 4>>) -> Tensor<B, 4> {
        match *step {
            Step::Convolution {
                layer,
                input,
                residual,
                relu,
            } => {
                let residual = residual.map(|residual| values[residual].clone());
                let convolution = &self.convolutions[layer];
                ops::prepared_convolution(values[input].clone(), convolution, residual, relu)
            }
            Step::Norm { norm, input } => self.norms[norm].forward(values[input].clone()),
            Step::MaxPool {
                input,
                kernel,
                stride,
                padding,
            } => ops::max_pool(
                values[input].clone(),
                [kernel; 2],
                [stride; 2],
                [padding; 2],
            ),
            Step::AveragePool { input, edge } => ops::average_pool(values[input].clone(), edge),
            Step::ZeroPad {
                input,
                stride,
                padding,
            } => ops::zero_pad_shortcut(values[input].clone(), stride, padding),
        }
    }
}

impl<B: ResidualBackend> Layer<'_, B> {
    /// Merges the convolution and its norm: with the norm `y * scale + shift`, the weight becomes
    /// `weight * scale` and the bias `bias * scale + shift`.
    pub(crate) fn fold(&self) -> (Tensor<B, 4>, Option<Tensor<B, 1>>) {
        let weight = self.conv.weight.val();
        let bias = self.conv.bias.as_ref().map(|bias| bias.val());
        let Some((_, norm)) = &self.norm else {
            return (weight, bias);
        };
        let (scale, shift) = norm.scale_and_shift();
        let [channels] = scale.dims();
        let bias = match bias {
            Some(bias) => bias * scale.clone() + shift,
            None => shift,
        };
        (weight * scale.reshape([channels, 1, 1, 1]), Some(bias))
    }
}

/// A norm that does not follow a convolution, followed by a ReLU.
#[derive(Clone, Debug)]
struct FoldedNorm<B: Backend> {
    /// `[channels]`
    scale: Tensor<B, 1>,
    /// `[channels]`
    shift: Tensor<B, 1>,
}

impl<B: ResidualBackend> FoldedNorm<B> {
    fn new(norm: &BatchNorm<B>) -> Self {
        let (scale, shift) = norm.scale_and_shift();
        Self { scale, shift }
    }

    fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        ops::affine(input, self.scale.clone(), self.shift.clone(), None, true)
    }
}
