//! Autodiff steps of the pooling operations.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, unary};
use burn::tensor::TensorMetadata;
use burn::tensor::ops::FloatTensor;

use super::{accumulate, record};
use crate::ResidualBackend;

#[derive(Debug)]
struct MaxPool;

#[derive(Clone, Debug)]
struct MaxPoolState<B: ResidualBackend> {
    input: FloatTensor<B>,
    output: FloatTensor<B>,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
}

pub(super) fn max_pool<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::max_pool(input.primitive.clone(), kernel, stride, padding);
    let state = MaxPoolState {
        input: input.primitive.clone(),
        output: output.clone(),
        kernel,
        stride,
        padding,
    };
    record::<B, C, _, 1>(MaxPool, [&input], state, output)
}

impl<B: ResidualBackend> Backward<B, 1> for MaxPool {
    type State = MaxPoolState<B>;

    fn backward(
        self,
        ops: Ops<MaxPoolState<B>, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let MaxPoolState {
            input,
            output,
            kernel,
            stride,
            padding,
        } = ops.state;
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| {
            B::max_pool_backward(input, output, gradient, kernel, stride, padding)
        });
    }
}

#[derive(Debug)]
struct AveragePool;

#[derive(Clone, Debug)]
struct AveragePoolState {
    input_shape: [usize; 4],
    edge: usize,
}

pub(super) fn average_pool<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    edge: usize,
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::average_pool(input.primitive.clone(), edge);
    let state = AveragePoolState {
        input_shape: input.shape().dims(),
        edge,
    };
    record::<B, C, _, 1>(AveragePool, [&input], state, output)
}

impl<B: ResidualBackend> Backward<B, 1> for AveragePool {
    type State = AveragePoolState;

    fn backward(
        self,
        ops: Ops<AveragePoolState, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let AveragePoolState { input_shape, edge } = ops.state;
        let gradient = gradients.consume::<B>(&ops.node);
        let [parent] = ops.parents;
        if let Some(node) = parent {
            let gradient = B::average_pool_backward(gradient, input_shape, edge);
            accumulate::<B>(gradients, gradient, |parent| parent.node = node);
        }
    }
}

#[derive(Debug)]
struct GlobalAveragePool;

pub(super) fn global_average_pool<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::global_average_pool(input.primitive.clone());
    let shape = input.shape().dims();
    record::<B, C, _, 1>(GlobalAveragePool, [&input], shape, output)
}

impl<B: ResidualBackend> Backward<B, 1> for GlobalAveragePool {
    /// Shape of the input.
    type State = [usize; 4];

    fn backward(
        self,
        ops: Ops<[usize; 4], 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| {
            B::global_average_pool_backward(gradient, ops.state)
        });
    }
}
