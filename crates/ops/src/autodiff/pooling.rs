//! Autodiff steps of pooling and flattening.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::tensor::TensorMetadata;
use burn::tensor::ops::FloatTensor;

use super::record_unary;
use crate::ResidualBackend;

pub(super) fn max_pool<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::max_pool(input.primitive.clone(), kernel, stride, padding);
    let window = [kernel, stride, padding];
    let state = (input.primitive.clone(), output.clone(), window);
    record_unary::<B, C, _>(
        &input,
        state,
        output,
        |(input, output, window), gradient| {
            let [kernel, stride, padding] = window;
            B::max_pool_backward(input, output, gradient, kernel, stride, padding)
        },
    )
}

pub(super) fn average_pool<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    edge: usize,
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::average_pool(input.primitive.clone(), edge);
    let state = (input.shape().dims(), edge);
    record_unary::<B, C, _>(&input, state, output, |(input_shape, edge), gradient| {
        B::average_pool_backward(gradient, input_shape, edge)
    })
}

pub(super) fn global_average_pool<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::global_average_pool(input.primitive.clone());
    let input_shape = input.shape().dims();
    record_unary::<B, C, _>(&input, input_shape, output, |input_shape, gradient| {
        B::global_average_pool_backward(gradient, input_shape)
    })
}

pub(super) fn flatten<B: ResidualBackend, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let output = B::flatten(input.primitive.clone());
    record_unary::<B, C, _>(&input, input.shape(), output, |input_shape, gradient| {
        B::float_reshape(gradient, input_shape)
    })
}
