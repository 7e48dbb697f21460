//! Autodiff steps of the operations that join the two paths of a block.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::tensor::TensorMetadata;
use burn::tensor::ops::FloatTensor;

use super::{accumulate, record, record_unary};
use crate::ResidualBackend;

pub(super) fn zero_pad<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    stride: usize,
    padding: [usize; 2],
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::zero_pad_shortcut(input.primitive.clone(), stride, padding);
    let state = (input.shape().dims(), stride, padding);
    record_unary::<B, C, _>(
        &input,
        state,
        output,
        |(input_shape, stride, padding), gradient| {
            B::zero_pad_shortcut_backward(gradient, input_shape, stride, padding)
        },
    )
}

#[derive(Debug)]
struct Add;

pub(super) fn add<B: ResidualBackend, C: CheckpointStrategy>(
    left: FloatTensor<Autodiff<B, C>>,
    right: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::add(left.primitive.clone(), right.primitive.clone());
    record::<B, C, _, 2>(Add, [&left, &right], (), output)
}

impl<B: ResidualBackend> Backward<B, 2> for Add {
    type State = ();

    fn backward(
        self,
        ops: Ops<(), 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        for node in ops.parents.into_iter().flatten() {
            accumulate::<B>(gradients, gradient.clone(), |parent| parent.node = node);
        }
    }
}
