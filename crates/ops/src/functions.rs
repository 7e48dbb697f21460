//! The operations of [`ResidualBackend`] on Burn's `Tensor`. Shapes are the same as in the trait's
//! methods.

use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};

use super::{
    AdamStep, BatchNormOutput, ConvolutionOptions, PreparedConvolution, ResidualBackend, SgdStep,
};

/// See [`ResidualBackend::convolution`].
pub fn convolution<B: ResidualBackend>(
    input: Tensor<B, 4>,
    weight: Tensor<B, 4>,
    bias: Option<Tensor<B, 1>>,
    options: ConvolutionOptions,
) -> Tensor<B, 4> {
    tensor(B::convolution(
        primitive(input),
        primitive(weight),
        bias.map(primitive),
        options,
    ))
}

/// See [`ResidualBackend::batch_norm`]. Returns the output, mean and biased variance.
pub fn batch_norm<B: ResidualBackend>(
    input: Tensor<B, 4>,
    gamma: Tensor<B, 1>,
    beta: Tensor<B, 1>,
    residual: Option<Tensor<B, 4>>,
    relu: bool,
    epsilon: f64,
) -> (Tensor<B, 4>, Tensor<B, 1>, Tensor<B, 1>) {
    let BatchNormOutput {
        output,
        mean,
        variance,
    } = B::batch_norm(
        primitive(input),
        primitive(gamma),
        primitive(beta),
        residual.map(primitive),
        relu,
        epsilon,
    );
    (tensor(output), tensor(mean), tensor(variance))
}

/// See [`ResidualBackend::affine`].
pub fn affine<B: ResidualBackend>(
    input: Tensor<B, 4>,
    scale: Tensor<B, 1>,
    shift: Tensor<B, 1>,
    residual: Option<Tensor<B, 4>>,
    relu: bool,
) -> Tensor<B, 4> {
    tensor(B::affine(
        primitive(input),
        primitive(scale),
        primitive(shift),
        residual.map(primitive),
        relu,
    ))
}

/// See [`ResidualBackend::prepare_convolution`].
pub fn prepare_convolution<B: ResidualBackend>(
    weight: Tensor<B, 4>,
    bias: Option<Tensor<B, 1>>,
    options: ConvolutionOptions,
) -> PreparedConvolution<B> {
    B::prepare_convolution(primitive(weight), bias.map(primitive), options)
}

/// See [`ResidualBackend::prepared_convolution`].
pub fn prepared_convolution<B: ResidualBackend>(
    input: Tensor<B, 4>,
    convolution: &PreparedConvolution<B>,
    residual: Option<Tensor<B, 4>>,
    relu: bool,
) -> Tensor<B, 4> {
    tensor(B::prepared_convolution(
        primitive(input),
        convolution,
        residual.map(primitive),
        relu,
    ))
}

/// See [`ResidualBackend::max_pool`].
pub fn max_pool<B: ResidualBackend>(
    input: Tensor<B, 4>,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Tensor<B, 4> {
    tensor(B::max_pool(primitive(input), kernel, stride, padding))
}

/// See [`ResidualBackend::average_pool`].
pub fn average_pool<B: ResidualBackend>(input: Tensor<B, 4>, edge: usize) -> Tensor<B, 4> {
    tensor(B::average_pool(primitive(input), edge))
}

/// See [`ResidualBackend::flatten`].
pub fn flatten<B: ResidualBackend>(input: Tensor<B, 4>) -> Tensor<B, 2> {
    tensor(B::flatten(primitive(input)))
}

/// See [`ResidualBackend::global_average_pool`].
pub fn global_average_pool<B: ResidualBackend>(input: Tensor<B, 4>) -> Tensor<B, 2> {
    tensor(B::global_average_pool(primitive(input)))
}

/// See [`ResidualBackend::known_gradient`].
pub fn known_gradient<B: ResidualBackend>(
    output: Tensor<B, 4>,
    gradient: Tensor<B, 4>,
) -> Tensor<B, 1> {
    tensor(B::known_gradient(primitive(output), primitive(gradient)))
}

/// See [`ResidualBackend::zero_pad_shortcut`].
pub fn zero_pad_shortcut<B: ResidualBackend>(
    input: Tensor<B, 4>,
    stride: usize,
    padding: [usize; 2],
) -> Tensor<B, 4> {
    tensor(B::zero_pad_shortcut(primitive(input), stride, padding))
}

/// See [`ResidualBackend::rectify`].
pub fn relu<B: ResidualBackend>(input: Tensor<B, 4>) -> Tensor<B, 4> {
    tensor(B::rectify(primitive(input)))
}

/// See [`ResidualBackend::add`].
pub fn add<B: ResidualBackend>(left: Tensor<B, 4>, right: Tensor<B, 4>) -> Tensor<B, 4> {
    tensor(B::add(primitive(left), primitive(right)))
}

/// See [`ResidualBackend::add_relu`].
pub fn add_relu<B: ResidualBackend>(left: Tensor<B, 4>, right: Tensor<B, 4>) -> Tensor<B, 4> {
    tensor(B::add_relu(primitive(left), primitive(right)))
}

fn primitive<B: ResidualBackend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

/// See [`ResidualBackend::orthogonalize`].
pub fn orthogonalize<B: ResidualBackend>(matrix: Tensor<B, 2>, length: f64) -> Tensor<B, 2> {
    tensor(B::orthogonalize(primitive(matrix), length))
}

/// See [`ResidualBackend::sgd_step`].
pub fn sgd_step<B: ResidualBackend, const D: usize>(
    parameter: Tensor<B, D>,
    gradient: Tensor<B, D>,
    buffer: Option<Tensor<B, D>>,
    step: SgdStep,
) -> (Tensor<B, D>, Option<Tensor<B, D>>) {
    let (parameter, buffer) = B::sgd_step(
        primitive(parameter),
        primitive(gradient),
        buffer.map(primitive),
        step,
    );
    (tensor(parameter), buffer.map(tensor))
}

/// See [`ResidualBackend::adam_step`].
pub fn adam_step<B: ResidualBackend, const D: usize>(
    parameter: Tensor<B, D>,
    gradient: Tensor<B, D>,
    moments: Option<[Tensor<B, D>; 2]>,
    step: AdamStep,
) -> (Tensor<B, D>, [Tensor<B, D>; 2]) {
    let (parameter, moments) = B::adam_step(
        primitive(parameter),
        primitive(gradient),
        moments.map(|moments| moments.map(primitive)),
        step,
    );
    (tensor(parameter), moments.map(tensor))
}

fn tensor<B: ResidualBackend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}
