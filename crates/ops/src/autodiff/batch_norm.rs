//! Autodiff step of a batch normalization with its residual and ReLU.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::tensor::ops::FloatTensor;

use super::{accumulate, record};
use crate::{BatchNormOutput, ResidualBackend};

/// Parents: input, gamma, beta, and residual if there is one.
#[derive(Debug)]
struct BatchNorm;

#[derive(Clone, Debug)]
struct State<B: ResidualBackend> {
    input: FloatTensor<B>,
    gamma: FloatTensor<B>,
    mean: FloatTensor<B>,
    variance: FloatTensor<B>,
    epsilon: f64,
    /// Kept for the mask of the ReLU, if there is one.
    output: Option<FloatTensor<B>>,
}

pub(super) fn batch_norm<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    gamma: FloatTensor<Autodiff<B, C>>,
    beta: FloatTensor<Autodiff<B, C>>,
    residual: Option<FloatTensor<Autodiff<B, C>>>,
    relu: bool,
    epsilon: f64,
) -> BatchNormOutput<Autodiff<B, C>> {
    let BatchNormOutput {
        output,
        mean,
        variance,
    } = B::batch_norm(
        input.primitive.clone(),
        gamma.primitive.clone(),
        beta.primitive.clone(),
        residual.as_ref().map(|residual| residual.primitive.clone()),
        relu,
        epsilon,
    );
    let state = State {
        input: input.primitive.clone(),
        gamma: gamma.primitive.clone(),
        mean: mean.clone(),
        variance: variance.clone(),
        epsilon,
        output: relu.then(|| output.clone()),
    };
    let output = match &residual {
        Some(residual) => {
            let parents = [&input, &gamma, &beta, residual];
            record::<B, C, _, 4>(BatchNorm, parents, state, output)
        }
        None => record::<B, C, _, 3>(BatchNorm, [&input, &gamma, &beta], state, output),
    };
    BatchNormOutput {
        output,
        mean: FloatTensor::<Autodiff<B, C>>::new(mean),
        variance: FloatTensor::<Autodiff<B, C>>::new(variance),
    }
}

impl<B: ResidualBackend, const N: usize> Backward<B, N> for BatchNorm {
    type State = State<B>;

    fn backward(
        self,
        ops: Ops<State<B>, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let State {
            input,
            gamma,
            mean,
            variance,
            epsilon,
            output,
        } = ops.state;
        let output_gradient = gradients.consume::<B>(&ops.node);
        let needs_residual = matches!(ops.parents.get(3), Some(Some(_)));
        let found = B::batch_norm_backward(
            input,
            gamma,
            mean,
            variance,
            epsilon,
            output,
            output_gradient,
            needs_residual,
        );
        let mut parents = ops.parents.into_iter();
        if let Some(node) = parents.next().flatten() {
            // In the pre-activation order, a shortcut shares this input.
            accumulate::<B>(gradients, found.input, |parent| parent.node = node);
        }
        let found = [Some(found.gamma), Some(found.beta), found.residual];
        for (parent, gradient) in parents.zip(found) {
            if let (Some(node), Some(gradient)) = (parent, gradient) {
                gradients.register::<B>(node.id, gradient);
            }
        }
    }
}
