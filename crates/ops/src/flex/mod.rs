//! Burn's CPU backend in plain Rust, with this crate's kernels.
//!
//! Images stay channels-last from one operation to the next: the shape of a tensor is
//! `[batch, channels, height, width]` as everywhere, and its strides describe the memory layout. A
//! tensor with another layout is copied once. Tensors of types other than `f32` use the default
//! bodies, and so do average pools. If the environment variable `RESNET_KERNELS` is `off`, all
//! operations do.

mod convolution;
mod images;
mod norm;
mod optimizer;
mod orthogonal;
mod pooling;
mod product;

use burn_flex::{Flex, FlexTensor};

pub use images::KERNELS_VARIABLE;

use super::{
    AdamStep, BatchNormGradients, BatchNormOutput, ConvolutionOptions, PreparedConvolution,
    ResidualBackend, SgdStep, default,
};
use crate::profile;

impl ResidualBackend for Flex {
    const HAS_INT8: bool = true;

    fn host_values(tensor: &FlexTensor) -> Option<&[f32]> {
        images::values_in_order(tensor)
    }

    fn convolution(
        input: FlexTensor,
        weight: FlexTensor,
        bias: Option<FlexTensor>,
        options: ConvolutionOptions,
    ) -> FlexTensor {
        if !images::computable([&input, &weight].into_iter().chain(&bias)) {
            return default::convolution::<Self>(input, weight, bias, options);
        }
        convolution::convolution(input, weight, bias, options)
    }

    fn convolution_input_gradient(
        output_gradient: FlexTensor,
        weight: FlexTensor,
        input_shape: [usize; 4],
        options: ConvolutionOptions,
        accumulate: Option<FlexTensor>,
    ) -> FlexTensor {
        if !images::computable([&output_gradient, &weight].into_iter().chain(&accumulate)) {
            return default::convolution_input_gradient::<Self>(
                output_gradient,
                weight,
                input_shape,
                options,
                accumulate,
            );
        }
        convolution::input_gradient(output_gradient, weight, input_shape, options, accumulate)
    }

    fn convolution_weight_gradient(
        input: FlexTensor,
        output_gradient: FlexTensor,
        weight_shape: [usize; 4],
        options: ConvolutionOptions,
    ) -> FlexTensor {
        if !images::computable([&input, &output_gradient]) {
            return default::convolution_weight_gradient::<Self>(
                input,
                output_gradient,
                weight_shape,
                options,
            );
        }
        convolution::weight_gradient(input, output_gradient, weight_shape, options)
    }

    fn channel_sum(tensor: FlexTensor) -> FlexTensor {
        if !images::computable([&tensor]) {
            return default::channel_sum::<Self>(tensor);
        }
        norm::channel_sum(tensor)
    }

    fn batch_norm(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: Option<FlexTensor>,
        relu: bool,
        epsilon: f64,
    ) -> BatchNormOutput<Self> {
        if !images::computable([&input, &gamma, &beta].into_iter().chain(&residual)) {
            return default::batch_norm::<Self>(input, gamma, beta, residual, relu, epsilon);
        }
        norm::batch_norm(input, gamma, beta, residual, relu, epsilon)
    }

    fn batch_norm_backward(
        input: FlexTensor,
        gamma: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        epsilon: f64,
        output: Option<FlexTensor>,
        output_gradient: FlexTensor,
        needs_residual: bool,
    ) -> BatchNormGradients<Self> {
        if !images::computable([&input, &gamma, &output_gradient]) {
            return default::batch_norm_backward::<Self>(
                input,
                gamma,
                mean,
                variance,
                epsilon,
                output,
                output_gradient,
                needs_residual,
            );
        }
        let statistics = norm::Statistics {
            mean,
            variance,
            epsilon,
        };
        norm::batch_norm_backward(
            input,
            gamma,
            statistics,
            output,
            output_gradient,
            needs_residual,
        )
    }

    fn affine(
        input: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        residual: Option<FlexTensor>,
        relu: bool,
    ) -> FlexTensor {
        if !images::computable([&input, &scale, &shift].into_iter().chain(&residual)) {
            return default::affine::<Self>(input, scale, shift, residual, relu);
        }
        norm::affine(input, scale, shift, residual, relu)
    }

    fn prepare_convolution(
        weight: FlexTensor,
        bias: Option<FlexTensor>,
        options: ConvolutionOptions,
    ) -> PreparedConvolution<Self> {
        if !images::computable([&weight].into_iter().chain(&bias)) {
            return default::prepare_convolution::<Self>(weight, bias, options);
        }
        convolution::prepare(weight, bias, options)
    }

    fn prepared_convolution(
        input: FlexTensor,
        convolution: &PreparedConvolution<Self>,
        residual: Option<FlexTensor>,
        relu: bool,
    ) -> FlexTensor {
        match convolution::packed(convolution) {
            Some(packed) if images::computable([&input].into_iter().chain(&residual)) => {
                convolution::prepared(input, convolution, packed, residual, relu)
            }
            _ => default::prepared_convolution::<Self>(input, convolution, residual, relu),
        }
    }

    fn max_pool(
        input: FlexTensor,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FlexTensor {
        match pooling::window(kernel, stride, padding) {
            Some(window) if images::computable([&input]) => pooling::max_pool(input, window),
            _ => default::max_pool::<Self>(input, kernel, stride, padding),
        }
    }

    fn max_pool_backward(
        input: FlexTensor,
        output: FlexTensor,
        output_gradient: FlexTensor,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FlexTensor {
        match pooling::window(kernel, stride, padding) {
            Some(window) if images::computable([&input, &output, &output_gradient]) => {
                pooling::max_pool_backward(input, output, output_gradient, window)
            }
            _ => default::max_pool_backward::<Self>(
                input,
                output,
                output_gradient,
                kernel,
                stride,
                padding,
            ),
        }
    }

    fn average_pool(input: FlexTensor, edge: usize) -> FlexTensor {
        let _running = profile::operation("average pool");
        default::average_pool::<Self>(input, edge)
    }

    fn average_pool_backward(
        output_gradient: FlexTensor,
        input_shape: [usize; 4],
        edge: usize,
    ) -> FlexTensor {
        let _running = profile::operation("average pool, backward");
        default::average_pool_backward::<Self>(output_gradient, input_shape, edge)
    }

    fn global_average_pool(input: FlexTensor) -> FlexTensor {
        if !images::computable([&input]) {
            return default::global_average_pool::<Self>(input);
        }
        pooling::global_average_pool(input)
    }

    fn global_average_pool_backward(
        output_gradient: FlexTensor,
        input_shape: [usize; 4],
    ) -> FlexTensor {
        if !images::computable([&output_gradient]) {
            return default::global_average_pool_backward::<Self>(output_gradient, input_shape);
        }
        pooling::global_average_pool_backward(output_gradient, input_shape)
    }

    fn flatten(input: FlexTensor) -> FlexTensor {
        if !images::computable([&input]) || input.is_contiguous() {
            return default::flatten::<Self>(input);
        }
        pooling::flatten(input)
    }

    fn zero_pad_shortcut(input: FlexTensor, stride: usize, padding: [usize; 2]) -> FlexTensor {
        if !images::computable([&input]) {
            return default::zero_pad_shortcut::<Self>(input, stride, padding);
        }
        pooling::zero_pad_shortcut(input, stride, padding)
    }

    fn zero_pad_shortcut_backward(
        output_gradient: FlexTensor,
        input_shape: [usize; 4],
        stride: usize,
        padding: [usize; 2],
    ) -> FlexTensor {
        if !images::computable([&output_gradient]) {
            return default::zero_pad_shortcut_backward::<Self>(
                output_gradient,
                input_shape,
                stride,
                padding,
            );
        }
        pooling::zero_pad_shortcut_backward(output_gradient, input_shape, stride, padding)
    }

    fn rectify(tensor: FlexTensor) -> FlexTensor {
        if !images::computable([&tensor]) {
            return default::rectify::<Self>(tensor);
        }
        pooling::relu(tensor)
    }

    fn add(left: FlexTensor, right: FlexTensor) -> FlexTensor {
        if !images::computable([&left, &right]) {
            return default::add::<Self>(left, right);
        }
        norm::add(left, right)
    }

    fn add_relu(left: FlexTensor, right: FlexTensor) -> FlexTensor {
        if !images::computable([&left, &right]) {
            return default::add_relu::<Self>(left, right);
        }
        pooling::add_relu(left, right)
    }

    fn relu_gradient(output: FlexTensor, output_gradient: FlexTensor) -> FlexTensor {
        if !images::computable([&output, &output_gradient]) {
            return default::relu_gradient::<Self>(output, output_gradient);
        }
        pooling::relu_gradient(output, output_gradient)
    }

    fn orthogonalize(matrix: FlexTensor, length: f64) -> FlexTensor {
        if !images::computable([&matrix]) {
            return default::orthogonalize::<Self>(matrix, length);
        }
        orthogonal::orthogonalize(matrix, length)
    }

    fn sgd_step(
        parameter: FlexTensor,
        gradient: FlexTensor,
        buffer: Option<FlexTensor>,
        step: SgdStep,
    ) -> (FlexTensor, Option<FlexTensor>) {
        if !images::computable([&parameter, &gradient].into_iter().chain(&buffer)) {
            return default::sgd_step::<Self>(parameter, gradient, buffer, step);
        }
        optimizer::sgd_step(parameter, gradient, buffer, step)
    }

    fn adam_step(
        parameter: FlexTensor,
        gradient: FlexTensor,
        moments: Option<[FlexTensor; 2]>,
        step: AdamStep,
    ) -> (FlexTensor, [FlexTensor; 2]) {
        if !images::computable(
            [&parameter, &gradient]
                .into_iter()
                .chain(moments.iter().flatten()),
        ) {
            return default::adam_step::<Self>(parameter, gradient, moments, step);
        }
        optimizer::adam_step(parameter, gradient, moments, step)
    }
}
