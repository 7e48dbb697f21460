//! Moving average of a network.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorPrimitive};
use model::{Network, ResidualBackend};
use ops::{SgdStep, sgd_step};

/// Exponential moving average of a network. It covers weights and running statistics, so that the averaged weights have
/// matching statistics.
///
/// The decay is lower for the first steps, as in timm and TensorFlow: at step `n`, it is at most
/// `(1 + n) / (10 + n)`.
#[derive(Clone, Debug)]
pub(crate) struct Average<B: Backend> {
    network: Network<B>,
    decay: f64,
}

impl<B: ResidualBackend> Average<B> {
    /// Starts the average of a network before its first step.
    pub(crate) fn new(network: Network<B>, decay: f64) -> Self {
        Self { network, decay }
    }

    /// Loads the values of a saved average.
    pub(crate) fn load(self, record: <Network<B> as Module<B>>::Record) -> Self {
        Self {
            network: self.network.load_record(record),
            ..self
        }
    }

    pub(crate) fn network(&self) -> &Network<B> {
        &self.network
    }

    /// Updates the average with the network after the given number of steps.
    pub(crate) fn update(self, trained: &Network<B>, steps: usize) -> Self {
        let mut collected = Collected(HashMap::new());
        trained.visit(&mut collected);
        let early = (1.0 + steps as f64) / (10.0 + steps as f64);
        let mut towards = Towards {
            values: collected.0,
            kept: self.decay.min(early),
        };
        Self {
            network: self.network.map(&mut towards),
            ..self
        }
    }
}

/// All values of a network by parameter id.
struct Collected<B: Backend>(HashMap<ParamId, B::FloatTensorPrimitive>);

impl<B: Backend> ModuleVisitor<B> for Collected<B> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<B, D>>) {
        let primitive = parameter.val().into_primitive().tensor();
        self.0.insert(parameter.id, primitive);
    }
}

struct Towards<B: Backend> {
    values: HashMap<ParamId, B::FloatTensorPrimitive>,
    kept: f64,
}

impl<B: ResidualBackend> ModuleMapper<B> for Towards<B> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let value = self.values.remove(&parameter.id);
        // Computes `average + (1 - kept) * (value - average)` in one pass, as an SGD step with negative learning rate
        // and weight decay. Two rounded factors would not add up to one, and a value that never changes, such as a
        // frozen one, would drift.
        let step = SgdStep {
            rate: self.kept - 1.0,
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
            weight_decay: -1.0,
        };
        parameter.map(|average| match value {
            Some(value) => {
                let value = Tensor::from_primitive(TensorPrimitive::Float(value));
                sgd_step(average, value, None, step).0
            }
            None => average,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Autodiff;
    use burn::module::AutodiffModule as _;
    use burn::tensor::Distribution;
    use burn_flex::Flex;

    type Train = Autodiff<Flex>;

    /// Every value of a network, in order.
    fn values(network: &Network<Flex>) -> Vec<f32> {
        struct Values(Vec<f32>);
        impl ModuleVisitor<Flex> for Values {
            fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<Flex, D>>) {
                self.0.extend(parameter.val().into_data().iter::<f32>());
            }
        }
        let mut values = Values(Vec::new());
        network.visit(&mut values);
        values.0
    }

    #[test]
    fn average_covers_weights_and_statistics_and_keeps_network() {
        let device = Default::default();
        let config = model::NetworkConfig::named("resnet8").unwrap();
        let network = config.init::<Train>(&device).unwrap();
        let before = network.valid();
        let first = values(&before);
        let average = Average::new(before, 0.75);
        // The forward pass changes the running statistics; `Doubled` changes the weights.
        let images = Tensor::<Train, 4>::random([4, 3, 16, 16], Distribution::Default, &device);
        network.forward(images);
        let moved = network.valid().map(&mut Doubled);
        let second = values(&moved);
        assert!(first.iter().zip(&second).filter(|(a, b)| a != b).count() > first.len() / 2);

        let average = average.update(&moved, 1_000_000);
        let third = values(average.network());
        for ((first, second), third) in first.iter().zip(&second).zip(&third) {
            assert!((0.75 * first + 0.25 * second - third).abs() < 1e-6);
        }
        assert_eq!(values(&moved), second);

        // The average of constant values equals them bit for bit.
        let mut steady = Average::new(moved.clone(), 0.998);
        for step in 1..=50 {
            steady = steady.update(&moved, 100 * step);
        }
        assert_eq!(values(steady.network()), second);

        // The first step counts for most.
        let average = Average::new(network.valid(), 0.999).update(&moved, 1);
        let early = values(average.network());
        let start = values(&network.valid());
        for ((start, second), early) in start.iter().zip(&second).zip(&early) {
            let kept = 2.0 / 11.0;
            assert!((kept * start + (1.0 - kept) * second - early).abs() < 1e-5);
        }
    }

    struct Doubled;

    impl ModuleMapper<Flex> for Doubled {
        fn map_float<const D: usize>(
            &mut self,
            parameter: Param<Tensor<Flex, D>>,
        ) -> Param<Tensor<Flex, D>> {
            parameter.map(|tensor| tensor * 2.0)
        }
    }
}
