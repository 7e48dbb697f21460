//! Autodiff steps of the operations that join the two paths of a block.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::tensor::TensorMetadata;
use burn::tensor::ops::FloatTensor;

use super::{accumulate, record};
use crate::ResidualBackend;

#[derive(Debug)]
struct ZeroPad;

#[derive(Clone, Debug)]
struct ZeroPadState {
    input_shape: [usize; 4],
    stride: usize,
    padding: [usize; 2],
}

pub(super) fn zero_pad<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    stride: usize,
    padding: [usize; 2],
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::zero_pad_shortcut(input.primitive.clone(), stride, padding);
    let state = ZeroPadState {
        input_shape: input.shape().dims(),
        stride,
        padding,
    };
    record::<B, C, _, 1>(ZeroPad, [&input], state, output)
}

impl<B: ResidualBackend> Backward<B, 1> for ZeroPad {
    type State = ZeroPadState;

    fn backward(
        self,
        ops: Ops<ZeroPadState, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let ZeroPadState {
            input_shape,
            stride,
            padding,
        } = ops.state;
        let gradient = gradients.consume::<B>(&ops.node);
        let [parent] = ops.parents;
        if let Some(node) = parent {
            let gradient = B::zero_pad_shortcut_backward(gradient, input_shape, stride, padding);
            accumulate::<B>(gradients, gradient, |parent| parent.node = node);
        }
    }
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
