//! What the optimizers keep for each parameter, and share.

use burn::record::Record;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// State that an [`Optimizer`](crate::Optimizer) keeps for each parameter.
#[derive(Record, Clone, Debug)]
pub struct OptimizerState<B: Backend, const D: usize> {
    /// Momentum buffer of SGD and Muon, or Adam's mean of the gradient.
    pub first: Tensor<B, D>,
    /// Adam's mean of the squared gradient.
    pub second: Option<Tensor<B, D>>,
    /// Number of steps taken.
    pub steps: usize,
}

/// Returns the number of the step that follows a state, counted from 1.
pub(super) fn next<B: Backend, const D: usize>(state: &Option<OptimizerState<B, D>>) -> usize {
    state.as_ref().map_or(0, |state| state.steps) + 1
}

/// Returns the weight decay of a parameter with `D` dimensions.
pub(super) fn decay<const D: usize>(weight_decay: f64, vectors_decay: bool) -> f64 {
    match D > 1 || vectors_decay {
        true => weight_decay,
        false => 0.0,
    }
}
