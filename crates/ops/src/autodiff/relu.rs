//! Autodiff steps of ReLU, alone and after an addition.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::tensor::ops::FloatTensor;

use super::record;
use crate::ResidualBackend;

/// Parents: the operands of the addition.
#[derive(Debug)]
struct Relu;

pub(super) fn relu<B: ResidualBackend, C: CheckpointStrategy>(
    tensor: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::rectify(tensor.primitive.clone());
    let state = output.clone();
    record::<B, C, _, 1>(Relu, [&tensor], state, output)
}

pub(super) fn add_relu<B: ResidualBackend, C: CheckpointStrategy>(
    left: FloatTensor<Autodiff<B, C>>,
    right: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::add_relu(left.primitive.clone(), right.primitive.clone());
    let state = output.clone();
    record::<B, C, _, 2>(Relu, [&left, &right], state, output)
}

impl<B: ResidualBackend, const N: usize> Backward<B, N> for Relu {
    /// Output of the ReLU.
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<FloatTensor<B>, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let output_gradient = gradients.consume::<B>(&ops.node);
        let gradient = B::relu_gradient(ops.state, output_gradient);
        for node in ops.parents.into_iter().flatten() {
            gradients.register::<B>(node.id, gradient.clone());
        }
    }
}
