//! Adam and AdamW.

use burn::optim::LearningRate;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::state::{OptimizerState, decay, next};
use crate::{AdamStep, ResidualBackend, adam_step};

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

impl Adam {
    pub(super) fn step<B: ResidualBackend, const D: usize>(
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
        let (parameter, [first, second]) = adam_step(parameter, gradient, moments, step);
        let state = OptimizerState {
            first,
            second: Some(second),
            steps,
        };
        (parameter, Some(state))
    }
}
