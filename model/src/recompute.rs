//! Gradients with less memory at the cost of more time.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use crate::block::Block;
use crate::network::Network;
use crate::norm::Pass;
use crate::resnet::ResNet;
use crate::stem::Stem;
use ops::ResidualBackend;

impl<B: ResidualBackend + AutodiffBackend> Network<B> {
    /// Returns the gradients of a loss, equal to those of a backward pass after
    /// [`forward`](Self::forward). Values that are needed only inside a block are computed twice
    /// instead of kept (gradient checkpointing; Chen et al. 2016,
    /// <https://arxiv.org/abs/1604.06174>).
    ///
    /// Between the forward and the backward pass, only the values passed between blocks are in
    /// memory; during the backward pass, also the inside of one block. This takes about a third
    /// more time. The digit network is small and counts as one block.
    ///
    /// `loss` computes a loss `[1]` from logits `[batch, classes]`; its second return value is
    /// passed through.
    ///
    /// ```
    /// use burn::backend::Autodiff;
    /// use burn::tensor::Tensor;
    /// use burn_flex::Flex;
    ///
    /// let device = Default::default();
    /// let network = model::NetworkConfig::named("resnet20")?.init::<Autodiff<Flex>>(&device)?;
    /// let images = Tensor::ones([2, 3, 32, 32], &device);
    /// let (gradients, logits) = network.recomputed_gradients(images, |logits| {
    ///     (logits.clone().powi_scalar(2).mean(), logits.inner())
    /// });
    /// assert_eq!(logits.dims(), [2, 10]);
    /// assert!(gradients.len() > 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recomputed_gradients<T>(
        &self,
        images: Tensor<B, 4>,
        loss: impl FnOnce(Tensor<B, 2>) -> (Tensor<B, 1>, T),
    ) -> (GradientsParams, T) {
        match self {
            Self::ResNet(network) => network.recomputed_gradients(images, loss),
            Self::Digit(network) => {
                let (loss, rest) = loss(network.forward(images));
                let mut found = Found::<B>::new(loss.backward());
                network.visit(&mut found);
                (found.parameters, rest)
            }
        }
    }
}

impl<B: ResidualBackend + AutodiffBackend> ResNet<B> {
    fn recomputed_gradients<T>(
        &self,
        images: Tensor<B, 4>,
        loss: impl FnOnce(Tensor<B, 2>) -> (Tensor<B, 1>, T),
    ) -> (GradientsParams, T) {
        let blocks = self.stages.iter().flat_map(|stage| &stage.blocks);
        let segments: Vec<_> = [Segment::Stem(&self.stem)]
            .into_iter()
            .chain(blocks.map(Segment::Block))
            .collect();
        // The segments before the first trained one need no gradient.
        let first = segments.iter().position(Segment::learns);
        let first = first.unwrap_or(segments.len());

        let mut inputs = Vec::new();
        let mut features = images;
        for (index, segment) in segments.iter().enumerate() {
            if index >= first {
                inputs.push(features.clone());
            }
            features = segment.forward(features, Pass::Ahead);
        }
        if first < segments.len() {
            features = features.require_grad();
        }
        let (loss, rest) = loss(self.head.forward(features.clone()));
        let mut found = Found::<B>::new(loss.backward());
        self.head.visit(&mut found);
        let mut gradient = features.grad_remove(&mut found.gradients);
        drop(features);

        for (segment, input) in segments[first..].iter().zip(inputs).rev() {
            let Some(known) = gradient.take() else { break };
            let input = input.require_grad();
            let output = segment.forward(input.clone(), Pass::Learning);
            let loss = ops::known_gradient(output, Tensor::from_inner(known));
            found.gradients = loss.backward();
            segment.visit(&mut found);
            gradient = input.grad_remove(&mut found.gradients);
        }
        (found.parameters, rest)
    }
}

/// A unit of recomputation.
enum Segment<'a, B: ResidualBackend> {
    Stem(&'a Stem<B>),
    Block(&'a Block<B>),
}

impl<B: ResidualBackend> Segment<'_, B> {
    fn forward(&self, input: Tensor<B, 4>, pass: Pass) -> Tensor<B, 4> {
        match self {
            Self::Stem(stem) => stem.run(input, pass),
            Self::Block(block) => block.run(input, pass),
        }
    }

    fn visit<V: ModuleVisitor<B>>(&self, visitor: &mut V) {
        match self {
            Self::Stem(stem) => stem.visit(visitor),
            Self::Block(block) => block.visit(visitor),
        }
    }

    /// Returns whether a parameter takes a gradient.
    fn learns(&self) -> bool {
        struct Learns(bool);
        impl<B: ResidualBackend> ModuleVisitor<B> for Learns {
            fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<B, D>>) {
                self.0 |= parameter.val().is_require_grad();
            }
        }
        let mut learns = Learns(false);
        self.visit(&mut learns);
        learns.0
    }
}

/// Moves the gradients of parameters to a container indexed by parameter ID.
struct Found<B: AutodiffBackend> {
    gradients: B::Gradients,
    parameters: GradientsParams,
}

impl<B: AutodiffBackend> Found<B> {
    fn new(gradients: B::Gradients) -> Self {
        Self {
            gradients,
            parameters: GradientsParams::new(),
        }
    }
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Found<B> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<B, D>>) {
        if let Some(gradient) = parameter.val().grad_remove(&mut self.gradients) {
            self.parameters.register(parameter.id, gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NetworkConfig;
    use crate::freeze::NetworkPart;
    use burn::backend::Autodiff;
    use burn::module::AutodiffModule as _;
    use burn::tensor::{Distribution, TensorData};
    use burn_flex::Flex;

    type Train = Autodiff<Flex>;

    /// Returns the gradient, if any, and the value of every parameter and running statistic.
    fn values(
        network: &Network<Train>,
        gradients: &GradientsParams,
    ) -> Vec<(Option<TensorData>, TensorData)> {
        struct Values<'a>(&'a GradientsParams, Vec<(Option<TensorData>, TensorData)>);
        impl ModuleVisitor<Flex> for Values<'_> {
            fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<Flex, D>>) {
                let gradient = self.0.get::<Flex, D>(parameter.id);
                let gradient = gradient.map(Tensor::into_data);
                self.1.push((gradient, parameter.val().into_data()));
            }
        }
        let mut values = Values(gradients, Vec::new());
        network.valid().visit(&mut values);
        values.1
    }

    #[test]
    fn gradients_and_statistics_match_single_pass() {
        let device = Default::default();
        for (name, frozen) in [
            ("resnet8", vec![]),
            ("preresnet8", vec![]),
            ("plain8", vec![]),
            ("resnet50d", vec![]),
            ("digit", vec![]),
            ("resnet8", vec![NetworkPart::Stem, NetworkPart::Stage(1)]),
            ("resnet8", vec![NetworkPart::Stage(2)]),
            ("resnet8", vec![NetworkPart::All]),
        ] {
            let config = NetworkConfig::named(name).unwrap();
            let shape = match name {
                "digit" => [3, 1, 28, 28],
                _ => [3, 3, 32, 32],
            };
            let images = Tensor::<Train, 4>::random(shape, Distribution::Default, &device);
            let loss = |logits: Tensor<Train, 2>| logits.powi_scalar(2).mean();
            let usual = config.init::<Train>(&device).unwrap();
            // A separate record, because clones share running statistics.
            let twice = config.init::<Train>(&device).unwrap();
            let twice = twice.load_record(usual.clone().into_record());
            let [usual, twice] = [usual, twice].map(|network| network.freeze(&frozen));

            let gradients = loss(usual.forward(images.clone())).backward();
            let gradients = GradientsParams::from_grads(gradients, &usual);
            let expected = values(&usual, &gradients);

            let (gradients, sum) = twice.recomputed_gradients(images, |logits| {
                let sum = logits.clone().inner().sum().into_scalar();
                (loss(logits), sum)
            });
            assert!(sum.is_finite());
            let found = values(&twice, &gradients);

            assert_eq!(found.len(), expected.len());
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert!(found == expected, "{name} {frozen:?}: value {index}");
            }
        }
    }
}
