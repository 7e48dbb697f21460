//! Optimizers that update a parameter in one pass, in place if nothing else shares its memory.

mod adam;
mod muon;
mod sgd;
mod state;

use burn::optim::{LearningRate, SimpleOptimizer};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

pub use adam::Adam;
pub use muon::Muon;
pub use sgd::Sgd;
pub use state::OptimizerState;

use crate::ResidualBackend;

/// An optimizer and its settings; computes the same as PyTorch's optimizer of that name.
///
/// ```
/// use burn::backend::Autodiff;
/// use burn::optim::adaptor::OptimizerAdaptor;
/// use burn::nn::Linear;
/// use burn_flex::Flex;
/// use ops::{Optimizer, Sgd};
///
/// let optimizer: OptimizerAdaptor<Optimizer, Linear<Autodiff<Flex>>, Autodiff<Flex>> =
///     Optimizer::Sgd(Sgd { momentum: 0.9, ..Sgd::default() }).into();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam or AdamW.
    Adam(Adam),
    /// Muon for the weights of convolutions, AdamW for all other parameters.
    Muon(Muon),
}

impl<B: ResidualBackend> SimpleOptimizer<B> for Optimizer {
    type State<const D: usize> = OptimizerState<B, D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<B, D>,
        gradient: Tensor<B, D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<B, D>, Option<Self::State<D>>) {
        match self {
            Self::Sgd(sgd) => sgd.step(rate, parameter, gradient, state),
            Self::Adam(adam) => adam.step(rate, parameter, gradient, state),
            Self::Muon(muon) => muon.step(rate, parameter, gradient, state),
        }
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &B::Device) -> Self::State<D> {
        OptimizerState {
            first: state.first.to_device(device),
            second: state.second.map(|second| second.to_device(device)),
            steps: state.steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{TensorData, Tolerance};
    use burn_flex::Flex;

    /// Takes three steps with gradients of 0.5, -1.0 and 0.25 times the parameter, which starts at
    /// `[1, -2]`. The references come from PyTorch 2's `torch.optim` in double precision.
    fn three_steps(optimizer: Optimizer) -> TensorData {
        let device = Default::default();
        let mut parameter = Tensor::<Flex, 1>::from_data([1.0, -2.0], &device);
        let mut state = None;
        for factor in [0.5, -1.0, 0.25] {
            let gradient = parameter.clone() * factor;
            (parameter, state) = optimizer.step(0.1, parameter, gradient, state);
        }
        parameter.into_data()
    }

    fn assert_reference(optimizer: Optimizer, expected: [f32; 2]) {
        three_steps(optimizer)
            .assert_approx_eq::<f32>(&TensorData::from(expected), Tolerance::absolute(1e-6));
    }

    #[test]
    #[expect(
        clippy::excessive_precision,
        reason = "references as PyTorch prints them"
    )]
    fn sgd_is_that_of_pytorch() {
        let decaying = Sgd {
            weight_decay: 0.01,
            ..Sgd::default()
        };
        let dampened = Sgd {
            momentum: 0.9,
            dampening: 0.1,
            ..Sgd::default()
        };
        let nesterov = Sgd {
            momentum: 0.9,
            nesterov: true,
            weight_decay: 0.0005,
            ..Sgd::default()
        };
        assert_reference(Optimizer::Sgd(decaying), [1.015834274, -2.031668548]);
        assert_reference(Optimizer::Sgd(dampened), [1.004663750, -2.009327500]);
        assert_reference(Optimizer::Sgd(nesterov), [1.023666252, -2.047332505]);
    }

    #[test]
    #[expect(
        clippy::excessive_precision,
        reason = "references as PyTorch prints them"
    )]
    fn adam_is_that_of_pytorch() {
        let plain = Adam::default();
        let decaying = Adam {
            weight_decay: 0.1,
            ..plain
        };
        let decoupled = Adam {
            decoupled: true,
            ..decaying
        };
        assert_reference(Optimizer::Adam(plain), [0.942935176, -1.946752862]);
        assert_reference(Optimizer::Adam(decaying), [0.915164744, -1.919361930]);
        assert_reference(Optimizer::Adam(decoupled), [0.914293594, -1.888454520]);
    }

    #[test]
    fn vectors_decay_only_if_configured() {
        let device = Default::default();
        let moved = |vectors_decay, rank| {
            let sgd = Sgd {
                weight_decay: 0.5,
                vectors_decay,
                ..Sgd::default()
            };
            let vector = Tensor::<Flex, 1>::from_data([2.0], &device);
            let none = vector.zeros_like();
            let stepped = match rank {
                1 => sgd.step(0.1, vector, none, None).0,
                _ => sgd
                    .step(0.1, vector.reshape([1, 1]), none.reshape([1, 1]), None)
                    .0
                    .reshape([1]),
            };
            stepped.into_scalar()
        };
        for (vectors_decay, rank, expected) in [
            (true, 1, 1.9),
            (false, 1, 2.0),
            (true, 2, 1.9),
            (false, 2, 1.9),
        ] {
            assert_eq!(
                moved(vectors_decay, rank),
                expected,
                "{vectors_decay} {rank}"
            );
        }
    }
}
