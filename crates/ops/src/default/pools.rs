//! Default bodies of the pooling operations.

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Shape, TensorMetadata};

use super::{DILATION, empty_like, rows};

/// See [`ResidualBackend::max_pool`](crate::ResidualBackend::max_pool).
pub fn max_pool<B: Backend>(
    input: FloatTensor<B>,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> FloatTensor<B> {
    B::max_pool2d(input, kernel, stride, padding, DILATION, false)
}

/// See [`ResidualBackend::max_pool_backward`](crate::ResidualBackend::max_pool_backward). Ignores
/// the output and searches for the maxima again.
pub fn max_pool_backward<B: Backend>(
    input: FloatTensor<B>,
    _output: FloatTensor<B>,
    output_gradient: FloatTensor<B>,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> FloatTensor<B> {
    let pooled =
        B::max_pool2d_with_indices(input.clone(), kernel, stride, padding, DILATION, false);
    B::max_pool2d_with_indices_backward(
        input,
        kernel,
        stride,
        padding,
        DILATION,
        false,
        output_gradient,
        pooled.indices,
    )
    .x_grad
}

/// See [`ResidualBackend::average_pool`](crate::ResidualBackend::average_pool).
pub fn average_pool<B: Backend>(input: FloatTensor<B>, edge: usize) -> FloatTensor<B> {
    let [count_padding, round_up] = [false, true];
    B::avg_pool2d(input, [edge; 2], [edge; 2], [0; 2], count_padding, round_up)
}

/// See [`ResidualBackend::average_pool_backward`](crate::ResidualBackend::average_pool_backward).
pub fn average_pool_backward<B: Backend>(
    output_gradient: FloatTensor<B>,
    input_shape: [usize; 4],
    edge: usize,
) -> FloatTensor<B> {
    let [count_padding, round_up] = [false, true];
    // Burn reads only the shape of the input, not its values.
    let input = empty_like::<B>(&output_gradient, input_shape);
    B::avg_pool2d_backward(
        input,
        output_gradient,
        [edge; 2],
        [edge; 2],
        [0; 2],
        count_padding,
        round_up,
    )
}

/// See [`ResidualBackend::flatten`](crate::ResidualBackend::flatten).
pub fn flatten<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    let [batch, channels, height, width] = input.shape().dims();
    B::float_reshape(input, Shape::from([batch, channels * height * width]))
}

/// See [`ResidualBackend::global_average_pool`](crate::ResidualBackend::global_average_pool).
pub fn global_average_pool<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    let [batch, channels, ..] = input.shape().dims::<4>();
    let means = B::float_mean_dim(rows::<B>(input), 1);
    B::float_reshape(means, Shape::new([batch, channels]))
}

/// See [`ResidualBackend::global_average_pool_backward`](crate::ResidualBackend::global_average_pool_backward).
pub fn global_average_pool_backward<B: Backend>(
    output_gradient: FloatTensor<B>,
    input_shape: [usize; 4],
) -> FloatTensor<B> {
    let [batch, channels, height, width] = input_shape;
    let values = height * width;
    let share = B::float_div_scalar(output_gradient, (values as f64).into());
    let share = B::float_reshape(share, Shape::new([batch * channels, 1]));
    let gradient = B::float_repeat_dim(share, 1, values);
    B::float_reshape(gradient, Shape::new(input_shape))
}
