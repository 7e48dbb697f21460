//! Operations of residual networks, as an extension of Burn's backends.
//!
//! [`ResidualBackend`] follows Burn's own pattern for custom operations: a trait over [`Backend`]
//! whose methods work on a backend's tensor primitives. Every method has a default body built from
//! Burn's operations, so a backend without its own kernels needs only an empty `impl`. A backend
//! with kernels overrides the operations that it computes faster and falls back to [`default`] for
//! the rest. `Autodiff` records one step per operation, and the step calls the gradient operations
//! of the inner backend.
//!
//! | module | contents |
//! |---|---|
//! | [`default`] | default bodies, as functions |
//! | `values` | arguments and results other than tensors |
//! | `functions` | the operations on `Tensor`, which the networks call |
//! | `autodiff` | forward and backward steps for `Autodiff` |
//! | `flex`, `backends` | implementations of the trait |
//! | `kernels` | CPU kernels, which `flex` calls |
//! | `optimizer` | SGD, Adam and Muon, with one operation per step |
//! | [`int8`] | kernels for networks of 8-bit integers |
//! | [`profile`] | time spent in each operation |
//!
//! ```
//! use burn::tensor::Tensor;
//! use burn_flex::Flex;
//! use ops::ConvolutionOptions;
//!
//! let device = Default::default();
//! let input = Tensor::<Flex, 4>::ones([1, 3, 8, 8], &device); // [batch, channels, height, width]
//! let weight = Tensor::ones([4, 3, 3, 3], &device); // [out, in, height, width]
//! let options = ConvolutionOptions::default().with_stride([2, 2]).with_padding([1, 1]);
//! let output = ops::convolution(input, weight, None, options);
//! assert_eq!(output.dims(), [1, 4, 4, 4]);
//! ```

mod autodiff;
mod backends;
pub mod default;
mod environment;
#[cfg(feature = "flex")]
mod flex;
mod functions;
#[cfg(feature = "flex")]
mod kernels;
mod optimizer;
mod orthogonal;
// Only the kernels record operations.
#[cfg_attr(not(feature = "flex"), allow(dead_code))]
pub mod profile;
mod step;
mod values;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

pub use environment::{EnvironmentError, check_environment, int8_simd, simd};
#[cfg(feature = "flex")]
pub use flex::KERNELS_VARIABLE;
pub use functions::{
    adam_step, add, add_relu, affine, average_pool, batch_norm, convolution, flatten,
    global_average_pool, known_gradient, max_pool, orthogonalize, prepare_convolution,
    prepared_convolution, relu, sgd_step, zero_pad_shortcut,
};
#[cfg(feature = "flex")]
pub use kernels::{SIMD_VARIABLE, SimdLevel, int8, peak_gflops};
pub use optimizer::{Adam, Muon, Optimizer, OptimizerState, Sgd};
pub use step::{AdamStep, SgdStep};
pub use values::{
    BatchNormGradients, BatchNormOutput, ConvolutionOptions, PreparedConvolution, PreparedWeight,
};

/// A backend with the operations of residual networks.
///
/// Four-dimensional tensors are `[batch, channels, height, width]`, regardless of their memory
/// layout. `Autodiff` differentiates every operation once, except for
/// [`prepared_convolution`](Self::prepared_convolution), [`affine`](Self::affine) with a learnable
/// scale or shift, and the gradient operations, all of which it composes from Burn's.
pub trait ResidualBackend: Backend {
    /// Whether networks of 8-bit integers run in the kernels of `int8`, on the host's memory.
    const HAS_INT8: bool = false;

    /// Returns the values of a tensor without a copy, if they lie in the host's memory in the order of
    /// its shape.
    fn host_values(_tensor: &FloatTensor<Self>) -> Option<&[f32]> {
        None
    }

    /// Computes the two-dimensional cross-correlation of `input` `[batch, in, height, width]` with
    /// `weight` `[out, in / groups, kernel height, kernel width]`, plus `bias` `[out]`. Returns
    /// `[batch, out, output height, output width]`.
    fn convolution(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Option<FloatTensor<Self>>,
        options: ConvolutionOptions,
    ) -> FloatTensor<Self> {
        default::convolution::<Self>(input, weight, bias, options)
    }

    /// Computes the gradient of a convolution's input, `[batch, in, height, width]`, plus
    /// `accumulate` of the same shape if given.
    fn convolution_input_gradient(
        output_gradient: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        input_shape: [usize; 4],
        options: ConvolutionOptions,
        accumulate: Option<FloatTensor<Self>>,
    ) -> FloatTensor<Self> {
        default::convolution_input_gradient::<Self>(
            output_gradient,
            weight,
            input_shape,
            options,
            accumulate,
        )
    }

    /// Computes the gradient of a convolution's weight,
    /// `[out, in / groups, kernel height, kernel width]`.
    fn convolution_weight_gradient(
        input: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        weight_shape: [usize; 4],
        options: ConvolutionOptions,
    ) -> FloatTensor<Self> {
        default::convolution_weight_gradient::<Self>(input, output_gradient, weight_shape, options)
    }

    /// Sums each channel, `[channels]`: the gradient of a convolution's bias.
    fn channel_sum(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        default::channel_sum::<Self>(tensor)
    }

    /// Applies batch normalization with the statistics of the batch (Ioffe and Szegedy 2015,
    /// <https://arxiv.org/abs/1502.03167>, algorithm 1): for each channel
    /// `(input - mean) / sqrt(variance + epsilon) * gamma + beta`, then `+ residual`, then a ReLU
    /// if `relu`. `gamma` and `beta` are `[channels]`, `residual` has the shape of `input`.
    fn batch_norm(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: Option<FloatTensor<Self>>,
        relu: bool,
        epsilon: f64,
    ) -> BatchNormOutput<Self> {
        default::batch_norm::<Self>(input, gamma, beta, residual, relu, epsilon)
    }

    /// Computes the gradients of [`batch_norm`](Self::batch_norm), including those through the
    /// statistics. `mean` and `variance` are the ones that it returned. `output` is its output if
    /// it applied a ReLU, whose mask is `output > 0`, and `None` otherwise. The result contains the
    /// residual's gradient iff `needs_residual`.
    #[allow(clippy::too_many_arguments)]
    fn batch_norm_backward(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        epsilon: f64,
        output: Option<FloatTensor<Self>>,
        output_gradient: FloatTensor<Self>,
        needs_residual: bool,
    ) -> BatchNormGradients<Self> {
        default::batch_norm_backward::<Self>(
            input,
            gamma,
            mean,
            variance,
            epsilon,
            output,
            output_gradient,
            needs_residual,
        )
    }

    /// Computes `input * scale + shift` for each channel, then `+ residual`, then a ReLU if `relu`:
    /// batch normalization with known statistics. `scale` and `shift` are `[channels]`.
    fn affine(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        residual: Option<FloatTensor<Self>>,
        relu: bool,
    ) -> FloatTensor<Self> {
        default::affine::<Self>(input, scale, shift, residual, relu)
    }

    /// Converts a convolution's weight to the form that is fastest for
    /// [`prepared_convolution`](Self::prepared_convolution).
    fn prepare_convolution(
        weight: FloatTensor<Self>,
        bias: Option<FloatTensor<Self>>,
        options: ConvolutionOptions,
    ) -> PreparedConvolution<Self> {
        default::prepare_convolution::<Self>(weight, bias, options)
    }

    /// Computes a convolution for inference: [`convolution`](Self::convolution), then `+ residual`,
    /// then a ReLU if `relu`. `residual` has the shape of the output.
    fn prepared_convolution(
        input: FloatTensor<Self>,
        convolution: &PreparedConvolution<Self>,
        residual: Option<FloatTensor<Self>>,
        relu: bool,
    ) -> FloatTensor<Self> {
        default::prepared_convolution::<Self>(input, convolution, residual, relu)
    }

    /// Returns the maximum of every window; sizes are in pixels, `[vertical, horizontal]`. Padding
    /// is the same on opposite sides, at most half the kernel, and never the maximum. Windows that
    /// do not fit are dropped.
    fn max_pool(
        input: FloatTensor<Self>,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        default::max_pool::<Self>(input, kernel, stride, padding)
    }

    /// Computes the gradient of [`max_pool`](Self::max_pool)'s input, from its input and output. If
    /// several values of a window tie for the maximum, one of them receives the window's gradient.
    fn max_pool_backward(
        input: FloatTensor<Self>,
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        default::max_pool_backward::<Self>(input, output, output_gradient, kernel, stride, padding)
    }

    /// Returns the mean of every window of `edge` by `edge` pixels. Windows do not overlap and
    /// start at the upper left: `[batch, channels, ceil(height / edge), ceil(width / edge)]`.
    /// Pixels outside the image do not count.
    fn average_pool(input: FloatTensor<Self>, edge: usize) -> FloatTensor<Self> {
        default::average_pool::<Self>(input, edge)
    }

    /// Computes the gradient of [`average_pool`](Self::average_pool)'s input.
    fn average_pool_backward(
        output_gradient: FloatTensor<Self>,
        input_shape: [usize; 4],
        edge: usize,
    ) -> FloatTensor<Self> {
        default::average_pool_backward::<Self>(output_gradient, input_shape, edge)
    }

    /// Returns the mean of each channel of each image, `[batch, channels]`.
    fn global_average_pool(input: FloatTensor<Self>) -> FloatTensor<Self> {
        default::global_average_pool::<Self>(input)
    }

    /// Computes the gradient of [`global_average_pool`](Self::global_average_pool)'s input.
    fn global_average_pool_backward(
        output_gradient: FloatTensor<Self>,
        input_shape: [usize; 4],
    ) -> FloatTensor<Self> {
        default::global_average_pool_backward::<Self>(output_gradient, input_shape)
    }

    /// Returns the values of each image in the order of channels, rows and columns:
    /// `[batch, channels * height * width]`.
    fn flatten(input: FloatTensor<Self>) -> FloatTensor<Self> {
        default::flatten::<Self>(input)
    }

    /// Computes shortcut A (He et al. 2015, <https://arxiv.org/abs/1512.03385>, section 3.3): every
    /// `stride`-th pixel, with `padding` channels of zeros `[before, after]` the input's channels.
    /// Returns `[batch, before + channels + after, ceil(height / stride), ceil(width / stride)]`.
    fn zero_pad_shortcut(
        input: FloatTensor<Self>,
        stride: usize,
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        default::zero_pad_shortcut::<Self>(input, stride, padding)
    }

    /// Computes the gradient of [`zero_pad_shortcut`](Self::zero_pad_shortcut)'s input.
    fn zero_pad_shortcut_backward(
        output_gradient: FloatTensor<Self>,
        input_shape: [usize; 4],
        stride: usize,
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        default::zero_pad_shortcut_backward::<Self>(output_gradient, input_shape, stride, padding)
    }

    /// Applies ReLU, the maximum of zero and each value. Not named `relu` because Burn's backends
    /// already have a `relu`, which is slow in this memory layout.
    fn rectify(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        default::rectify::<Self>(tensor)
    }

    /// Computes the gradient of [`rectify`](Self::rectify)'s input, and of both operands of
    /// [`add_relu`](Self::add_relu): the output's gradient where the output is greater than zero.
    fn relu_gradient(
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        default::relu_gradient::<Self>(output, output_gradient)
    }

    /// Adds two tensors of the same shape. Burn's own addition is slow in this memory layout.
    fn add(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        default::add::<Self>(left, right)
    }

    /// Computes `relu(left + right)` of two tensors of the same shape.
    fn add_relu(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        default::add_relu::<Self>(left, right)
    }

    /// Returns a loss `[1]` whose gradient with respect to `output` is `gradient`, of the same
    /// shape. It continues a backward pass where another one ended. The value of the loss is 0 and
    /// has no meaning.
    fn known_gradient(output: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        default::known_gradient::<Self>(&output, &gradient)
    }

    /// Returns approximately `length` times the nearest matrix to `matrix` `[rows, columns]` with
    /// orthonormal rows, or with orthonormal columns if it has more rows than columns. Singular
    /// values that are not close to zero become 0.7 to 1.2 times `length`.
    fn orthogonalize(matrix: FloatTensor<Self>, length: f64) -> FloatTensor<Self> {
        default::orthogonalize::<Self>(matrix, length)
    }

    /// Takes one step of stochastic gradient descent. Returns the new parameter and, with momentum,
    /// the new momentum buffer. `buffer` comes from the previous step. All tensors have the same
    /// shape.
    fn sgd_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        buffer: Option<FloatTensor<Self>>,
        step: SgdStep,
    ) -> (FloatTensor<Self>, Option<FloatTensor<Self>>) {
        default::sgd_step::<Self>(parameter, gradient, buffer, step)
    }

    /// Takes one step of Adam. Returns the new parameter and its new moments. `moments` come from
    /// the previous step. All tensors have the same shape.
    fn adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moments: Option<[FloatTensor<Self>; 2]>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, [FloatTensor<Self>; 2]) {
        default::adam_step::<Self>(parameter, gradient, moments, step)
    }
}
