//! The operations that a residual network is made of, as an extension of Burn's backends.
//!
//! [`ResidualBackend`] is Burn's own pattern for custom operations: a trait over [`Backend`] whose
//! methods work on a backend's tensor primitives. Every method has a default body built from
//! Burn's operations, so an empty `impl` serves a backend without kernels of its own; a backend
//! with kernels overrides what it is faster at, and falls back to [`default`] elsewhere.
//! `Autodiff` records one step for each operation, and the step calls the inner backend's own
//! gradient operations.
//!
//! | module | what it holds |
//! |---|---|
//! | [`default`] | the default bodies, as functions |
//! | `values` | what operations take and give back besides tensors |
//! | `functions` | the operations on `Tensor`, which the networks call |
//! | `autodiff` | forward and backward steps for `Autodiff` |
//! | `flex`, `backends` | which backends have the trait |
//! | `kernels` | kernels for the CPU, which `flex` calls |
//! | `optimizer`, `muon` | SGD, Adam and Muon, with one operation for a whole step |
//! | [`profile`] | how long each operation takes |
//!
//! ```
//! use burn::tensor::Tensor;
//! use burn_flex::Flex;
//! use ops::ConvolutionOptions;
//!
//! let device = Default::default();
//! let input = Tensor::<Flex, 4>::ones([1, 3, 8, 8], &device); // [batch, channels, height, width]
//! let weight = Tensor::ones([4, 3, 3, 3], &device); // [out, in, height, width]
//! let options = ConvolutionOptions {
//!     stride: [2, 2],
//!     padding: [1, 1],
//!     groups: 1,
//! };
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
mod muon;
mod optimizer;
mod orthogonal;
// Only the kernels tell it of operations.
#[cfg_attr(not(feature = "flex"), allow(dead_code))]
pub mod profile;
mod step;
mod values;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

pub use environment::{EnvironmentError, check_environment, simd};
#[cfg(feature = "flex")]
pub use flex::KERNELS_VARIABLE;
pub use functions::{
    adam_step, add, add_relu, affine, average_pool, batch_norm, convolution, global_average_pool,
    known_gradient, max_pool, orthogonalize, prepare_convolution, prepared_convolution, relu,
    sgd_step, zero_pad_shortcut,
};
#[cfg(feature = "flex")]
pub use kernels::{SimdLevel, SIMD_VARIABLE, peak_gflops};
pub use muon::Muon;
pub use optimizer::{Adam, Optimizer, OptimizerState, Sgd};
pub use step::{AdamStep, SgdStep};
pub use values::{
    BatchNormGradients, BatchNormOutput, ConvolutionOptions, PreparedConvolution, PreparedWeight,
};

/// A backend with the operations of a residual network.
///
/// Tensors of four dimensions are `[batch, channels, height, width]`, whatever the order of their
/// memory. `Autodiff` differentiates every operation once, except for
/// [`prepared_convolution`](Self::prepared_convolution), [`affine`](Self::affine) where scale or
/// shift are to be learned, and the gradient operations, which it composes from Burn's.
pub trait ResidualBackend: Backend {
    /// Two-dimensional cross-correlation: `input` `[batch, in, height, width]`, `weight`
    /// `[out, in / groups, kernel height, kernel width]` and `bias` `[out]` to
    /// `[batch, out, output height, output width]`.
    fn convolution(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Option<FloatTensor<Self>>,
        options: ConvolutionOptions,
    ) -> FloatTensor<Self> {
        default::convolution::<Self>(input, weight, bias, options)
    }

    /// The gradient of a convolution's input, `[batch, in, height, width]`, plus `accumulate` of
    /// the same shape if there is one.
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

    /// The gradient of a convolution's weight, `[out, in / groups, kernel height, kernel width]`.
    fn convolution_weight_gradient(
        input: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
        weight_shape: [usize; 4],
        options: ConvolutionOptions,
    ) -> FloatTensor<Self> {
        default::convolution_weight_gradient::<Self>(input, output_gradient, weight_shape, options)
    }

    /// The sum of each channel, `[channels]`: the gradient of a convolution's bias.
    fn channel_sum(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        default::channel_sum::<Self>(tensor)
    }

    /// Batch normalization with the batch's own statistics (Ioffe and Szegedy 2015,
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

    /// The gradients of [`batch_norm`](Self::batch_norm), through the statistics too. `mean` and
    /// `variance` are those that it gave back; `output` is its output if it had a ReLU, whose mask
    /// is `output > 0`, and `None` else. The residual's gradient is there iff `needs_residual`.
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

    /// For each channel `input * scale + shift`, then `+ residual`, then a ReLU if `relu`: batch
    /// normalization with known statistics. `scale` and `shift` are `[channels]`.
    fn affine(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        residual: Option<FloatTensor<Self>>,
        relu: bool,
    ) -> FloatTensor<Self> {
        default::affine::<Self>(input, scale, shift, residual, relu)
    }

    /// Brings a convolution's weight into the form that
    /// [`prepared_convolution`](Self::prepared_convolution) is fastest with.
    fn prepare_convolution(
        weight: FloatTensor<Self>,
        bias: Option<FloatTensor<Self>>,
        options: ConvolutionOptions,
    ) -> PreparedConvolution<Self> {
        default::prepare_convolution::<Self>(weight, bias, options)
    }

    /// A convolution for prediction: [`convolution`](Self::convolution), then `+ residual`, then a
    /// ReLU if `relu`. `residual` has the shape of the output.
    fn prepared_convolution(
        input: FloatTensor<Self>,
        convolution: &PreparedConvolution<Self>,
        residual: Option<FloatTensor<Self>>,
        relu: bool,
    ) -> FloatTensor<Self> {
        default::prepared_convolution::<Self>(input, convolution, residual, relu)
    }

    /// The largest value of every window, in pixels `[vertical, horizontal]`. Padding, the same on
    /// opposite sides and at most half the kernel, never wins; windows that do not fit are left
    /// out.
    fn max_pool(
        input: FloatTensor<Self>,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        default::max_pool::<Self>(input, kernel, stride, padding)
    }

    /// The gradient of [`max_pool`](Self::max_pool)'s input, from its input and output. Where
    /// several values of a window are largest, one of them takes the window's gradient.
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

    /// The mean of every window of `edge` by `edge` pixels, side by side from the upper left:
    /// `[batch, channels, ceil(height / edge), ceil(width / edge)]`. What a window has outside the
    /// image does not count.
    fn average_pool(input: FloatTensor<Self>, edge: usize) -> FloatTensor<Self> {
        default::average_pool::<Self>(input, edge)
    }

    /// The gradient of [`average_pool`](Self::average_pool)'s input.
    fn average_pool_backward(
        output_gradient: FloatTensor<Self>,
        input_shape: [usize; 4],
        edge: usize,
    ) -> FloatTensor<Self> {
        default::average_pool_backward::<Self>(output_gradient, input_shape, edge)
    }

    /// The mean of each channel of each image, `[batch, channels]`.
    fn global_average_pool(input: FloatTensor<Self>) -> FloatTensor<Self> {
        default::global_average_pool::<Self>(input)
    }

    /// The gradient of [`global_average_pool`](Self::global_average_pool)'s input.
    fn global_average_pool_backward(
        output_gradient: FloatTensor<Self>,
        input_shape: [usize; 4],
    ) -> FloatTensor<Self> {
        default::global_average_pool_backward::<Self>(output_gradient, input_shape)
    }

    /// Shortcut A (He et al. 2015, <https://arxiv.org/abs/1512.03385>, section 3.3): every
    /// `stride`-th pixel, with `padding` channels of zeros `[before, after]` the input's:
    /// `[batch, before + channels + after, ceil(height / stride), ceil(width / stride)]`.
    fn zero_pad_shortcut(
        input: FloatTensor<Self>,
        stride: usize,
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        default::zero_pad_shortcut::<Self>(input, stride, padding)
    }

    /// The gradient of [`zero_pad_shortcut`](Self::zero_pad_shortcut)'s input.
    fn zero_pad_shortcut_backward(
        output_gradient: FloatTensor<Self>,
        input_shape: [usize; 4],
        stride: usize,
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        default::zero_pad_shortcut_backward::<Self>(output_gradient, input_shape, stride, padding)
    }

    /// ReLU: the larger of zero and each value. Not `relu`, which Burn's backends have already
    /// and compute slowly in this order of memory.
    fn rectify(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        default::rectify::<Self>(tensor)
    }

    /// The gradient of [`rectify`](Self::rectify)'s input, and of both sides of
    /// [`add_relu`](Self::add_relu): the output's, where the output is greater than zero.
    fn relu_gradient(
        output: FloatTensor<Self>,
        output_gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        default::relu_gradient::<Self>(output, output_gradient)
    }

    /// The sum of two tensors of one shape. Burn's backends add, but slowly in this order of memory.
    fn add(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        default::add::<Self>(left, right)
    }

    /// `relu(left + right)` of two tensors of one shape.
    fn add_relu(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        default::add_relu::<Self>(left, right)
    }

    /// A loss `[1]` whose gradient by `output` is `gradient`, of the same shape: for a backward pass
    /// that goes on from where another ended. Its value is 0 and means nothing.
    fn known_gradient(output: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        default::known_gradient::<Self>(&output, &gradient)
    }

    /// `length` times about the nearest matrix to `matrix` `[rows, columns]` that has orthogonal rows
    /// or, if these are more than its columns, orthogonal columns, all of length 1: in the place of
    /// singular values that are not close to zero, those of the result are 0.7 to 1.2 times `length`.
    fn orthogonalize(matrix: FloatTensor<Self>, length: f64) -> FloatTensor<Self> {
        default::orthogonalize::<Self>(matrix, length)
    }

    /// One step of stochastic gradient descent: the new parameter, and the new buffer of its
    /// momentum if it has any. `buffer` is that of the last step. All are of one shape.
    fn sgd_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        buffer: Option<FloatTensor<Self>>,
        step: SgdStep,
    ) -> (FloatTensor<Self>, Option<FloatTensor<Self>>) {
        default::sgd_step::<Self>(parameter, gradient, buffer, step)
    }

    /// One step of Adam: the new parameter and its new moments. `moments` are those of the last
    /// step. All are of one shape.
    fn adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moments: Option<[FloatTensor<Self>; 2]>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, [FloatTensor<Self>; 2]) {
        default::adam_step::<Self>(parameter, gradient, moments, step)
    }
}
