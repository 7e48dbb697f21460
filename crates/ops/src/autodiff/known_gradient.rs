//! Start of a backward pass that continues where another one ended.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::tensor::ops::FloatTensor;

use super::record;
use crate::ResidualBackend;

#[derive(Debug)]
struct KnownGradient;

pub(super) fn known_gradient<B: ResidualBackend, C: CheckpointStrategy>(
    output: FloatTensor<Autodiff<B, C>>,
    gradient: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let gradient = gradient.primitive;
    let loss = B::known_gradient(output.primitive.clone(), gradient.clone());
    record::<B, C, _, 1>(KnownGradient, [&output], gradient, loss)
}

impl<B: ResidualBackend> Backward<B, 1> for KnownGradient {
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<FloatTensor<B>, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        // The gradient of the loss with respect to itself, which is 1.
        gradients.consume::<B>(&ops.node);
        let [parent] = ops.parents;
        if let Some(node) = parent {
            gradients.register::<B>(node.id, ops.state);
        }
    }
}
