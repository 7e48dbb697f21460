//! Optimizers that update a parameter in one pass, in place if nothing else shares its memory.

use burn::optim::{LearningRate, SimpleOptimizer};
use burn::record::Record;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::muon::Muon;
use crate::{AdamStep, ResidualBackend, SgdStep};

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

/// Settings of stochastic gradient descent; without momentum and weight decay by default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// Fraction of the previous direction to keep, 0 to 1.
    pub momentum: f64,
    /// Fraction of the gradient to leave out of the direction, 0 to 1.
    pub dampening: f64,
    /// Whether to use Nesterov momentum.
    pub nesterov: bool,
    /// Fraction of a parameter to add to its gradient.
    pub weight_decay: f64,
    /// Whether weight decay applies to vectors too: biases, and the scale and shift of norms.
    pub vectors_decay: bool,
}

impl Default for Sgd {
    fn default() -> Self {
        Self {
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
            weight_decay: 0.0,
            vectors_decay: true,
        }
    }
}

/// Settings of Adam; PyTorch's by default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// Fraction of the gradient's mean to keep, 0 to 1.
    pub beta1: f64,
    /// Fraction of the squared gradient's mean to keep, 0 to 1.
    pub beta2: f64,
    /// Added to the square root of the squared gradient's mean.
    pub epsilon: f64,
    /// Fraction of a parameter to add to its gradient, or to subtract from the parameter itself if
    /// `decoupled`.
    pub weight_decay: f64,
    /// Whether weight decay bypasses the means, as in AdamW.
    pub decoupled: bool,
    /// Whether weight decay applies to vectors too: biases, and the scale and shift of norms.
    pub vectors_decay: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            decoupled: false,
            vectors_decay: true,
        }
    }
}

/// State that an [`Optimizer`] keeps for each parameter.
#[derive(Record, Clone, Debug)]
pub struct OptimizerState<B: Backend, const D: usize> {
    /// Momentum buffer of SGD and Muon, or Adam's mean of the gradient.
    pub first: Tensor<B, D>,
    /// Adam's mean of the squared gradient.
    pub second: Option<Tensor<B, D>>,
    /// Number of steps taken.
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

impl Sgd {
    fn step<B: ResidualBackend, const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<B, D>,
        gradient: Tensor<B, D>,
        state: Option<OptimizerState<B, D>>,
    ) -> (Tensor<B, D>, Option<OptimizerState<B, D>>) {
        let steps = next(&state);
        let step = SgdStep {
            rate,
            momentum: self.momentum,
            dampening: self.dampening,
            nesterov: self.nesterov,
            weight_decay: decay::<D>(self.weight_decay, self.vectors_decay),
        };
        let buffer = state.map(|state| state.first);
        let (parameter, buffer) = crate::sgd_step(parameter, gradient, buffer, step);
        let state = buffer.map(|first| OptimizerState {
            first,
            second: None,
            steps,
        });
        (parameter, state)
    }
}

impl Adam {
    pub(crate) fn step<B: ResidualBackend, const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<B, D>,
        gradient: Tensor<B, D>,
        state: Option<OptimizerState<B, D>>,
    ) -> (Tensor<B, D>, Option<OptimizerState<B, D>>) {
        let steps = next(&state);
        let step = AdamStep {
            rate,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            weight_decay: decay::<D>(self.weight_decay, self.vectors_decay),
            decoupled: self.decoupled,
            number: steps,
        };
        let moments = state.and_then(|state| Some([state.first, state.second?]));
        let (parameter, [first, second]) = crate::adam_step(parameter, gradient, moments, step);
        let state = OptimizerState {
            first,
            second: Some(second),
            steps,
        };
        (parameter, Some(state))
    }
}

/// Returns the number of the step that follows a state, counted from 1.
pub(crate) fn next<B: Backend, const D: usize>(state: &Option<OptimizerState<B, D>>) -> usize {
    state.as_ref().map_or(0, |state| state.steps) + 1
}

/// Returns the weight decay of a parameter with `D` dimensions.
pub(crate) fn decay<const D: usize>(weight_decay: f64, vectors_decay: bool) -> f64 {
    match D > 1 || vectors_decay {
        true => weight_decay,
        false => 0.0,
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
    fn vectors_decay_only_if_they_are_to() {
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
