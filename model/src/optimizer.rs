//! Optimisers that update a parameter in one pass, in place where nothing else holds its memory.

use burn::optim::{LearningRate, SimpleOptimizer};
use burn::record::Record;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::ops::{self, AdamStep, ResidualBackend, SgdStep};

/// An optimiser and its settings, computing as PyTorch's of the same name does.
///
/// ```
/// use burn::backend::Autodiff;
/// use burn::optim::adaptor::OptimizerAdaptor;
/// use burn_flex::Flex;
/// use model::{Network, Optimizer, Sgd};
///
/// let optimizer: OptimizerAdaptor<Optimizer, Network<Autodiff<Flex>>, Autodiff<Flex>> =
///     Optimizer::Sgd(Sgd { momentum: 0.9, ..Sgd::default() }).into();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam or AdamW.
    Adam(Adam),
}

/// Settings of stochastic gradient descent; by default without momentum and decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// Part of the last direction that is kept, 0 to 1.
    pub momentum: f64,
    /// Part of the gradient that the direction does not take up, 0 to 1.
    pub dampening: f64,
    /// Whether momentum looks ahead.
    pub nesterov: bool,
    /// Part of a parameter that is added to its gradient.
    pub weight_decay: f64,
}

/// Settings of Adam; by default those of PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// Part of the gradient's mean that is kept, 0 to 1.
    pub beta1: f64,
    /// Part of the squared gradient's mean that is kept, 0 to 1.
    pub beta2: f64,
    /// Added to the root of the squared gradient's mean.
    pub epsilon: f64,
    /// Part of a parameter that is added to its gradient, or taken from the parameter itself if
    /// `decoupled`.
    pub weight_decay: f64,
    /// Whether decay bypasses the means, as in AdamW.
    pub decoupled: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            decoupled: false,
        }
    }
}

/// What an [`Optimizer`] remembers of a parameter.
#[derive(Record, Clone, Debug)]
pub struct OptimizerState<B: Backend, const D: usize> {
    /// The direction of SGD, or the gradient's mean of Adam.
    pub first: Tensor<B, D>,
    /// The squared gradient's mean of Adam.
    pub second: Option<Tensor<B, D>>,
    /// Steps taken.
    pub steps: usize,
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
        let steps = state.as_ref().map_or(0, |state| state.steps) + 1;
        match self {
            Self::Sgd(sgd) => {
                let step = SgdStep {
                    rate,
                    momentum: sgd.momentum,
                    dampening: sgd.dampening,
                    nesterov: sgd.nesterov,
                    weight_decay: sgd.weight_decay,
                };
                let buffer = state.map(|state| state.first);
                let (parameter, buffer) = ops::sgd_step(parameter, gradient, buffer, step);
                let state = buffer.map(|first| OptimizerState {
                    first,
                    second: None,
                    steps,
                });
                (parameter, state)
            }
            Self::Adam(adam) => {
                let step = AdamStep {
                    rate,
                    beta1: adam.beta1,
                    beta2: adam.beta2,
                    epsilon: adam.epsilon,
                    weight_decay: adam.weight_decay,
                    decoupled: adam.decoupled,
                    number: steps,
                };
                let moments = state.and_then(|state| Some([state.first, state.second?]));
                let (parameter, [first, second]) =
                    ops::adam_step(parameter, gradient, moments, step);
                let state = OptimizerState {
                    first,
                    second: Some(second),
                    steps,
                };
                (parameter, Some(state))
            }
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

    /// Three steps with the gradients 0.5, -1.0 and 0.25 times the parameter `[1, -2]`; references
    /// from PyTorch 2's `torch.optim` in double precision.
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

    #[test]
    fn sgd_is_that_of_pytorch() {
        for (sgd, expected) in SGD_REFERENCES {
            three_steps(Optimizer::Sgd(sgd))
                .assert_approx_eq::<f32>(&TensorData::from(expected), Tolerance::absolute(1e-6));
        }
    }

    #[test]
    fn adam_is_that_of_pytorch() {
        for (adam, expected) in ADAM_REFERENCES {
            three_steps(Optimizer::Adam(adam))
                .assert_approx_eq::<f32>(&TensorData::from(expected), Tolerance::absolute(1e-6));
        }
    }

    #[expect(
        clippy::excessive_precision,
        reason = "references as PyTorch prints them"
    )]
    const SGD_REFERENCES: [(Sgd, [f32; 2]); 3] = [
        (
            Sgd {
                momentum: 0.0,
                dampening: 0.0,
                nesterov: false,
                weight_decay: 0.01,
            },
            [1.015834274, -2.031668548],
        ),
        (
            Sgd {
                momentum: 0.9,
                dampening: 0.1,
                nesterov: false,
                weight_decay: 0.0,
            },
            [1.004663750, -2.009327500],
        ),
        (
            Sgd {
                momentum: 0.9,
                dampening: 0.0,
                nesterov: true,
                weight_decay: 0.0005,
            },
            [1.023666252, -2.047332505],
        ),
    ];

    #[expect(
        clippy::excessive_precision,
        reason = "references as PyTorch prints them"
    )]
    const ADAM_REFERENCES: [(Adam, [f32; 2]); 3] = [
        (
            Adam {
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.0,
                decoupled: false,
            },
            [0.942935176, -1.946752862],
        ),
        (
            Adam {
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.1,
                decoupled: false,
            },
            [0.915164744, -1.919361930],
        ),
        (
            Adam {
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.1,
                decoupled: true,
            },
            [0.914293594, -1.888454520],
        ),
    ];
}
