//! Stochastic gradient descent.

use burn::optim::LearningRate;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::state::{OptimizerState, decay, next};
use crate::{ResidualBackend, SgdStep, sgd_step};

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

impl Sgd {
    pub(super) fn step<B: ResidualBackend, const D: usize>(
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
        let (parameter, buffer) = sgd_step(parameter, gradient, buffer, step);
        let state = buffer.map(|first| OptimizerState {
            first,
            second: None,
            steps,
        });
        (parameter, state)
    }
}
