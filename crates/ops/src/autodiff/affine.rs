//! Autodiff step of a norm with fixed statistics and parameters.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Shape, TensorMetadata};

use super::{accumulate, record};
use crate::{ResidualBackend, default};

/// Parents: input, and residual if there is one.
#[derive(Debug)]
struct Affine;

#[derive(Clone, Debug)]
struct State<B: ResidualBackend> {
    scale: FloatTensor<B>,
    /// Kept for the mask of the ReLU, if there is one.
    output: Option<FloatTensor<B>>,
}

pub(super) fn affine<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    scale: FloatTensor<Autodiff<B, C>>,
    shift: FloatTensor<Autodiff<B, C>>,
    residual: Option<FloatTensor<Autodiff<B, C>>>,
    relu: bool,
) -> FloatTensor<Autodiff<B, C>> {
    if scale.is_tracked() || shift.is_tracked() {
        // No network learns scale and shift, so their gradients have no step of their own.
        return default::affine::<Autodiff<B, C>>(input, scale, shift, residual, relu);
    }
    let output = B::affine(
        input.primitive.clone(),
        scale.primitive.clone(),
        shift.primitive,
        residual.as_ref().map(|residual| residual.primitive.clone()),
        relu,
    );
    let state = State {
        scale: scale.primitive,
        output: relu.then(|| output.clone()),
    };
    match &residual {
        Some(residual) => record::<B, C, _, 2>(Affine, [&input, residual], state, output),
        None => record::<B, C, _, 1>(Affine, [&input], state, output),
    }
}

impl<B: ResidualBackend, const N: usize> Backward<B, N> for Affine {
    type State = State<B>;

    fn backward(
        self,
        ops: Ops<State<B>, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let State { scale, output } = ops.state;
        let mut gradient = gradients.consume::<B>(&ops.node);
        if let Some(output) = output {
            gradient = B::relu_gradient(output, gradient);
        }
        let [input, residual] = [0, 1].map(|index| ops.parents.get(index).cloned().flatten());
        if let Some(node) = residual {
            accumulate::<B>(gradients, gradient.clone(), |parent| parent.node = node);
        }
        if let Some(node) = input {
            let device = B::float_device(&scale);
            let zeros = B::float_zeros(
                Shape::new(scale.shape().dims::<1>()),
                &device,
                scale.dtype().into(),
            );
            let gradient = B::affine(gradient, scale, zeros, None, false);
            accumulate::<B>(gradients, gradient, |parent| parent.node = node);
        }
    }
}
