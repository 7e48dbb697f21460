//! The operations of each kind of network.

use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::backend::Backend;

use super::{Features, Graph, Step};
use crate::block::Block;
use crate::convolution::Convolution;
use crate::digit::{DigitBlock, DigitResNet, POOL};
use crate::network::Network;
use crate::norm::BatchNorm;
use crate::resnet::ResNet;
use crate::shortcut::{AVERAGE_POOL, Shortcut};
use crate::stem::{POOL_KERNEL, POOL_PADDING, POOL_STRIDE};
use ops::ResidualBackend;

/// A network's operations, and the layers that they use.
#[derive(Debug)]
pub(crate) struct Traced<'a, B: Backend> {
    pub graph: Graph,
    /// Layers in the order of their numbers.
    pub layers: Vec<Layer<'a, B>>,
    /// Norms that do not follow a convolution, with their names in records, in the order of their
    /// numbers.
    pub norms: Vec<(String, &'a BatchNorm<B>)>,
    /// The last layer and its name in records.
    pub linear: (&'static str, &'a Linear<B>),
}

/// A convolution and the norm that follows it.
#[derive(Debug)]
pub(crate) struct Layer<'a, B: Backend> {
    /// Name of the convolution in records, such as `stem.convolution.conv`.
    pub name: String,
    pub conv: &'a Conv2d<B>,
    /// The norm and its name in records.
    pub norm: Option<(String, &'a BatchNorm<B>)>,
}

impl<B: ResidualBackend> Network<B> {
    /// Returns the operations for prediction.
    pub(crate) fn trace(&self) -> Traced<'_, B> {
        let mut trace = Trace {
            steps: Vec::new(),
            layers: Vec::new(),
            norms: Vec::new(),
        };
        let (linear, features) = match self {
            Self::ResNet(network) => (trace.resnet(network), Features::Mean),
            Self::Digit(network) => (trace.digit(network), Features::Flat),
        };
        Traced {
            graph: Graph::new(trace.steps, features),
            layers: trace.layers,
            norms: trace.norms,
            linear,
        }
    }
}

struct Trace<'a, B: Backend> {
    steps: Vec<Step>,
    layers: Vec<Layer<'a, B>>,
    norms: Vec<(String, &'a BatchNorm<B>)>,
}

impl<'a, B: ResidualBackend> Trace<'a, B> {
    fn resnet(&mut self, network: &'a ResNet<B>) -> (&'static str, &'a Linear<B>) {
        let stem = &network.stem;
        let mut value = 0;
        for (index, convolution) in stem.deep.iter().flatten().enumerate() {
            value = self.convolution(&format!("stem.deep.{index}"), convolution, value);
        }
        value = self.convolution("stem.convolution", &stem.convolution, value);
        if stem.max_pool.is_some() {
            value = self.push(Step::MaxPool {
                input: value,
                kernel: POOL_KERNEL[0],
                stride: POOL_STRIDE[0],
                padding: POOL_PADDING[0],
            });
        }
        for (number, stage) in network.stages.iter().enumerate() {
            for (index, block) in stage.blocks.iter().enumerate() {
                value = self.block(&format!("stages.{number}.blocks.{index}"), block, value);
            }
        }
        if let Some(norm) = &network.head.norm {
            self.norm("head.norm", norm, value);
        }
        ("head.linear", &network.head.linear)
    }

    fn block(&mut self, path: &str, block: &'a Block<B>, input: usize) -> usize {
        let mut features = input;
        let mut residual = input;
        if let Some(norm) = &block.pre_activation {
            features = self.norm(&format!("{path}.pre_activation"), norm, input);
            let shortcut = block.shortcut.as_ref();
            if shortcut.is_some_and(|shortcut| shortcut.projection.is_some()) {
                residual = features;
            }
        }
        let Some((last, earlier)) = block.branch.split_last() else {
            // Every config has at least one convolution in the branch.
            return features;
        };
        for (index, convolution) in earlier.iter().enumerate() {
            features = self.convolution(&format!("{path}.branch.{index}"), convolution, features);
        }
        let shortcut = block.shortcut.as_ref();
        let residual = shortcut.map(|shortcut| self.shortcut(path, shortcut, residual));
        let path = format!("{path}.branch.{}", earlier.len());
        self.layer(&path, last, features, residual, block.relu)
    }

    fn shortcut(&mut self, path: &str, shortcut: &'a Shortcut<B>, input: usize) -> usize {
        let Some(projection) = &shortcut.projection else {
            if shortcut.is_identity() {
                return input;
            }
            return self.push(Step::ZeroPad {
                input,
                stride: shortcut.stride,
                padding: shortcut.padding,
            });
        };
        let input = match shortcut.average_pool {
            true => self.push(Step::AveragePool {
                input,
                edge: AVERAGE_POOL,
            }),
            false => input,
        };
        let path = format!("{path}.shortcut.projection");
        self.layer(&path, projection, input, None, false)
    }

    fn digit(&mut self, network: &'a DigitResNet<B>) -> (&'static str, &'a Linear<B>) {
        let halve = |input| Step::MaxPool {
            input,
            kernel: POOL,
            stride: POOL,
            padding: 0,
        };
        // The ReLU runs before the pool, fused into the convolution: the maximum is the same either
        // way.
        let value = self.plain("convolution1", &network.convolution1, 0, None, true);
        let value = self.push(halve(value));
        let value = self.digit_block("block1", &network.block1, value);
        let value = self.plain("convolution2", &network.convolution2, value, None, true);
        let value = self.push(halve(value));
        self.digit_block("block2", &network.block2, value);
        ("linear", &network.linear)
    }

    fn digit_block(&mut self, path: &str, block: &'a DigitBlock<B>, input: usize) -> usize {
        let first = format!("{path}.convolution1");
        let features = self.plain(&first, &block.convolution1, input, None, false);
        let second = format!("{path}.convolution2");
        self.plain(&second, &block.convolution2, features, Some(input), true)
    }

    /// Appends a convolution and a ReLU.
    fn convolution(&mut self, path: &str, layer: &'a Convolution<B>, input: usize) -> usize {
        self.layer(path, layer, input, None, true)
    }

    fn layer(
        &mut self,
        path: &str,
        layer: &'a Convolution<B>,
        input: usize,
        residual: Option<usize>,
        relu: bool,
    ) -> usize {
        let norm = layer.norm.as_ref();
        let value = self.plain(&format!("{path}.conv"), &layer.conv, input, residual, relu);
        if let Some(last) = self.layers.last_mut() {
            last.norm = norm.map(|norm| (format!("{path}.norm"), norm));
        }
        value
    }

    fn plain(
        &mut self,
        name: &str,
        conv: &'a Conv2d<B>,
        input: usize,
        residual: Option<usize>,
        relu: bool,
    ) -> usize {
        self.layers.push(Layer {
            name: name.to_owned(),
            conv,
            norm: None,
        });
        self.push(Step::Convolution {
            layer: self.layers.len() - 1,
            input,
            residual,
            relu,
        })
    }

    fn norm(&mut self, name: &str, norm: &'a BatchNorm<B>, input: usize) -> usize {
        self.norms.push((name.to_owned(), norm));
        self.push(Step::Norm {
            norm: self.norms.len() - 1,
            input,
        })
    }

    /// Appends a step and returns the number of its value.
    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len()
    }
}
