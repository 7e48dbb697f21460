//! Default bodies of [`ResidualBackend`]'s operations, composed of Burn's own.
//!
//! They are functions so that a backend with its own kernels can fall back to them by name.
//! Channels are scaled as rows of a matrix, `[batch * channels, height * width]`, which backends
//! compute many times faster than a broadcast over four dimensions.

use burn::tensor::backend::Backend;
use burn::tensor::ops::{ConvOptions, FloatTensor};
use burn::tensor::{Shape, Slice, TensorMetadata};

use super::{
    BatchNormGradients, BatchNormOutput, ConvolutionOptions, PreparedConvolution, PreparedWeight,
    ResidualBackend,
};

mod pools;

pub use super::orthogonal::orthogonalize;
pub use super::step::{adam_step, sgd_step};
pub use pools::{
    average_pool, average_pool_backward, flatten, global_average_pool,
    global_average_pool_backward, max_pool, max_pool_backward,
};

/// Distance between neighboring values of a window, in pixels.
const DILATION: [usize; 2] = [1, 1];

/// See [`ResidualBackend::convolution`].
pub fn convolution<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    options: ConvolutionOptions,
) -> FloatTensor<B> {
    B::conv2d(input, weight, bias, burn_options(options))
}

/// See [`ResidualBackend::convolution_input_gradient`].
pub fn convolution_input_gradient<B: Backend>(
    output_gradient: FloatTensor<B>,
    weight: FloatTensor<B>,
    input_shape: [usize; 4],
    options: ConvolutionOptions,
    accumulate: Option<FloatTensor<B>>,
) -> FloatTensor<B> {
    // Burn reads only the shape of the input, not its values.
    let input = empty_like::<B>(&output_gradient, input_shape);
    let gradient = B::conv2d_x_backward(input, weight, output_gradient, burn_options(options));
    match accumulate {
        Some(accumulate) => B::float_add(gradient, accumulate),
        None => gradient,
    }
}

/// See [`ResidualBackend::convolution_weight_gradient`].
pub fn convolution_weight_gradient<B: Backend>(
    input: FloatTensor<B>,
    output_gradient: FloatTensor<B>,
    weight_shape: [usize; 4],
    options: ConvolutionOptions,
) -> FloatTensor<B> {
    // Burn reads only the shape of the weight, not its values.
    let weight = empty_like::<B>(&output_gradient, weight_shape);
    B::conv2d_weight_backward(input, weight, output_gradient, burn_options(options))
}

/// See [`ResidualBackend::channel_sum`].
pub fn channel_sum<B: Backend>(tensor: FloatTensor<B>) -> FloatTensor<B> {
    let shape = tensor.shape().dims();
    sum_of_rows::<B>(rows::<B>(tensor), shape)
}

/// See [`ResidualBackend::batch_norm`].
pub fn batch_norm<B: Backend>(
    input: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    residual: Option<FloatTensor<B>>,
    relu: bool,
    epsilon: f64,
) -> BatchNormOutput<B> {
    let shape @ [batch, ..] = input.shape().dims::<4>();
    let input = rows::<B>(input);
    let mean = mean_of_rows::<B>(input.clone(), shape);
    let centerd = B::float_sub(input, spread::<B>(mean.clone(), batch));
    let squares = B::float_mul(centerd.clone(), centerd.clone());
    let variance = mean_of_rows::<B>(squares, shape);
    let scale = B::float_mul(gamma, inverse_deviation::<B>(variance.clone(), epsilon));
    let output = scale_rows::<B>(centerd, scale, beta, shape);
    BatchNormOutput {
        output: finish::<B>(output, residual, relu),
        mean,
        variance,
    }
}

/// See [`ResidualBackend::batch_norm_backward`].
#[allow(clippy::too_many_arguments)]
pub fn batch_norm_backward<B: Backend>(
    input: FloatTensor<B>,
    gamma: FloatTensor<B>,
    mean: FloatTensor<B>,
    variance: FloatTensor<B>,
    epsilon: f64,
    output: Option<FloatTensor<B>>,
    output_gradient: FloatTensor<B>,
    needs_residual: bool,
) -> BatchNormGradients<B> {
    let shape @ [batch, _, height, width] = input.shape().dims();
    let values = (batch * height * width) as f64;
    let gradient = match output {
        Some(output) => B::relu_backward(output, output_gradient),
        None => output_gradient,
    };
    let residual = needs_residual.then(|| gradient.clone());

    let gradient = rows::<B>(gradient);
    let centerd = B::float_sub(rows::<B>(input), spread::<B>(mean, batch));
    let inverse_deviation = inverse_deviation::<B>(variance, epsilon);
    let normalized = B::float_mul(centerd, spread::<B>(inverse_deviation.clone(), batch));
    let beta_gradient = sum_of_rows::<B>(gradient.clone(), shape);
    let gamma_gradient =
        sum_of_rows::<B>(B::float_mul(gradient.clone(), normalized.clone()), shape);

    // The mean absorbs the part of the gradient that all values share, and the variance the part
    // along the normalized values.
    let shared = B::float_div_scalar(beta_gradient.clone(), values.into());
    let along = B::float_div_scalar(gamma_gradient.clone(), values.into());
    let along = B::float_mul(normalized, spread::<B>(along, batch));
    let gradient = B::float_sub(gradient, spread::<B>(shared, batch));
    let gradient = B::float_sub(gradient, along);
    let scale = B::float_mul(gamma, inverse_deviation);
    let gradient = B::float_mul(gradient, spread::<B>(scale, batch));
    BatchNormGradients {
        input: B::float_reshape(gradient, Shape::new(shape)),
        gamma: gamma_gradient,
        beta: beta_gradient,
        residual,
    }
}

/// See [`ResidualBackend::affine`].
pub fn affine<B: Backend>(
    input: FloatTensor<B>,
    scale: FloatTensor<B>,
    shift: FloatTensor<B>,
    residual: Option<FloatTensor<B>>,
    relu: bool,
) -> FloatTensor<B> {
    let shape = input.shape().dims();
    let output = scale_rows::<B>(rows::<B>(input), scale, shift, shape);
    finish::<B>(output, residual, relu)
}

/// See [`ResidualBackend::prepare_convolution`]. Keeps the weight unchanged.
pub fn prepare_convolution<B: Backend>(
    weight: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    options: ConvolutionOptions,
) -> PreparedConvolution<B> {
    PreparedConvolution {
        weight_shape: weight.shape().dims(),
        weight: PreparedWeight::Plain(weight),
        bias,
        options,
    }
}

/// See [`ResidualBackend::prepared_convolution`].
///
/// # Panics
///
/// Panics if the weight is packed: only the backend that packed it can use it.
pub fn prepared_convolution<B: ResidualBackend>(
    input: FloatTensor<B>,
    convolution: &PreparedConvolution<B>,
    residual: Option<FloatTensor<B>>,
    relu: bool,
) -> FloatTensor<B> {
    let PreparedWeight::Plain(weight) = &convolution.weight else {
        panic!("a backend that packs weights has to override `prepared_convolution` too");
    };
    let output = B::convolution(
        input,
        weight.clone(),
        convolution.bias.clone(),
        convolution.options,
    );
    finish::<B>(output, residual, relu)
}

/// See [`ResidualBackend::known_gradient`].
pub fn known_gradient<B: Backend>(
    output: &FloatTensor<B>,
    gradient: &FloatTensor<B>,
) -> FloatTensor<B> {
    debug_assert_eq!(output.shape(), gradient.shape(), "shapes differ");
    let dtype = output.dtype().into();
    B::float_zeros(Shape::new([1]), &B::float_device(output), dtype)
}

/// See [`ResidualBackend::zero_pad_shortcut`].
pub fn zero_pad_shortcut<B: Backend>(
    input: FloatTensor<B>,
    stride: usize,
    padding: [usize; 2],
) -> FloatTensor<B> {
    let input = match stride {
        1 => input,
        stride => B::float_slice(input, &subsampled(stride)),
    };
    if padding == [0, 0] {
        return input;
    }
    let [batch, _, height, width] = input.shape().dims();
    let [before, after] = padding.map(|channels| {
        let shape = Shape::new([batch, channels, height, width]);
        (channels > 0).then(|| zeros_like::<B>(&input, shape))
    });
    let parts = [before, Some(input), after];
    B::float_cat(parts.into_iter().flatten().collect(), 1)
}

/// See [`ResidualBackend::zero_pad_shortcut_backward`].
pub fn zero_pad_shortcut_backward<B: Backend>(
    output_gradient: FloatTensor<B>,
    input_shape: [usize; 4],
    stride: usize,
    padding: [usize; 2],
) -> FloatTensor<B> {
    let [before, after] = padding;
    let gradient = if before + after == 0 {
        output_gradient
    } else {
        let channels = Slice::from(before..before + input_shape[1]);
        let every = Slice::full();
        B::float_slice(output_gradient, &[every, channels, every, every])
    };
    if stride == 1 {
        return gradient;
    }
    let zeros = zeros_like::<B>(&gradient, Shape::new(input_shape));
    B::float_slice_assign(zeros, &subsampled(stride), gradient)
}

/// See [`ResidualBackend::rectify`].
pub fn rectify<B: Backend>(tensor: FloatTensor<B>) -> FloatTensor<B> {
    B::relu(tensor)
}

/// See [`ResidualBackend::add`].
pub fn add<B: Backend>(left: FloatTensor<B>, right: FloatTensor<B>) -> FloatTensor<B> {
    B::float_add(left, right)
}

/// See [`ResidualBackend::add_relu`].
pub fn add_relu<B: Backend>(left: FloatTensor<B>, right: FloatTensor<B>) -> FloatTensor<B> {
    B::relu(B::float_add(left, right))
}

/// See [`ResidualBackend::relu_gradient`].
pub fn relu_gradient<B: Backend>(
    output: FloatTensor<B>,
    output_gradient: FloatTensor<B>,
) -> FloatTensor<B> {
    B::relu_backward(output, output_gradient)
}

fn burn_options(options: ConvolutionOptions) -> ConvOptions<2> {
    ConvOptions::new(options.stride, options.padding, DILATION, options.groups)
}

fn empty_like<B: Backend>(tensor: &FloatTensor<B>, shape: [usize; 4]) -> FloatTensor<B> {
    let device = B::float_device(tensor);
    B::float_empty(Shape::new(shape), &device, tensor.dtype().into())
}

fn zeros_like<B: Backend>(tensor: &FloatTensor<B>, shape: Shape) -> FloatTensor<B> {
    let device = B::float_device(tensor);
    B::float_zeros(shape, &device, tensor.dtype().into())
}

/// Selects every `stride`-th pixel of every channel.
fn subsampled(stride: usize) -> [Slice; 4] {
    let pixels = Slice::with_step(0, None, stride as isize);
    [Slice::full(), Slice::full(), pixels, pixels]
}

/// Reshapes `[batch, channels, height, width]` to `[batch * channels, height * width]`.
fn rows<B: Backend>(tensor: FloatTensor<B>) -> FloatTensor<B> {
    let [batch, channels, height, width] = tensor.shape().dims();
    B::float_reshape(tensor, Shape::new([batch * channels, height * width]))
}

/// Sums each channel over the rows of a tensor of the given shape, `[channels]`.
fn sum_of_rows<B: Backend>(rows: FloatTensor<B>, shape: [usize; 4]) -> FloatTensor<B> {
    let [batch, channels, ..] = shape;
    let sums = B::float_reshape(B::float_sum_dim(rows, 1), Shape::new([batch, channels]));
    B::float_reshape(B::float_sum_dim(sums, 0), Shape::new([channels]))
}

/// Averages each channel over the rows of a tensor of the given shape, `[channels]`.
fn mean_of_rows<B: Backend>(rows: FloatTensor<B>, shape: [usize; 4]) -> FloatTensor<B> {
    let [batch, channels, ..] = shape;
    let means = B::float_reshape(B::float_mean_dim(rows, 1), Shape::new([batch, channels]));
    B::float_reshape(B::float_mean_dim(means, 0), Shape::new([channels]))
}

/// Repeats `[channels]` to one value per row, `[batch * channels, 1]`.
fn spread<B: Backend>(values: FloatTensor<B>, batch: usize) -> FloatTensor<B> {
    let [channels] = values.shape().dims();
    let values = B::float_reshape(values, Shape::new([1, channels]));
    let values = B::float_repeat_dim(values, 0, batch);
    B::float_reshape(values, Shape::new([batch * channels, 1]))
}

/// Computes `rows * scale + shift` in the given four-dimensional shape.
fn scale_rows<B: Backend>(
    rows: FloatTensor<B>,
    scale: FloatTensor<B>,
    shift: FloatTensor<B>,
    shape: [usize; 4],
) -> FloatTensor<B> {
    let scaled = B::float_mul(rows, spread::<B>(scale, shape[0]));
    let shifted = B::float_add(scaled, spread::<B>(shift, shape[0]));
    B::float_reshape(shifted, Shape::new(shape))
}

/// Computes `1 / sqrt(variance + epsilon)`.
fn inverse_deviation<B: Backend>(variance: FloatTensor<B>, epsilon: f64) -> FloatTensor<B> {
    B::float_recip(B::float_sqrt(B::float_add_scalar(variance, epsilon.into())))
}

/// Adds the residual if there is one, then applies a ReLU if `relu`.
fn finish<B: Backend>(
    output: FloatTensor<B>,
    residual: Option<FloatTensor<B>>,
    relu: bool,
) -> FloatTensor<B> {
    let output = match residual {
        Some(residual) => B::float_add(output, residual),
        None => output,
    };
    if relu { B::relu(output) } else { output }
}
