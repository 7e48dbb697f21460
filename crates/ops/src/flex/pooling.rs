//! Pooling, the parameter-free shortcut, and addition with ReLU: conversion between tensors and
//! kernels.

use burn_flex::FlexTensor;

use super::images::{Images, contiguous, tensor};
use crate::kernels::buffer::Buffer;
use crate::kernels::elementwise;
use crate::kernels::layout::to_channels_last;
use crate::kernels::pool::{self, Window};
use crate::kernels::shape::Shape;
use crate::kernels::shortcut::{self, ZeroPad};
use crate::kernels::simd::SimdLevel;
use crate::profile;

/// Returns `None` for windows that are not square, which no kernel supports.
pub(super) fn window(
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Option<Window> {
    let is_square = [kernel, stride, padding]
        .iter()
        .all(|[vertical, horizontal]| vertical == horizontal);
    is_square.then_some(Window {
        kernel: kernel[0],
        stride: stride[0],
        padding: padding[0],
    })
}

pub(super) fn max_pool(input: FlexTensor, window: Window) -> FlexTensor {
    let _running = profile::operation("max pool");
    let input = Images::new(input);
    let shape = window.output(input.shape);
    let mut output = Images::buffer(shape);
    pool::max_pool(
        SimdLevel::best(),
        input.values(),
        input.shape,
        window,
        &mut output,
    );
    Images::from_values(output, shape).into_tensor()
}

pub(super) fn max_pool_backward(
    input: FlexTensor,
    output: FlexTensor,
    output_gradient: FlexTensor,
    window: Window,
) -> FlexTensor {
    let _running = profile::operation("max pool, backward");
    let [input, output, output_gradient] = [input, output, output_gradient].map(Images::new);
    let mut gradient = Images::buffer(input.shape);
    pool::max_pool_backward(
        SimdLevel::best(),
        input.values(),
        output.values(),
        output_gradient.values(),
        input.shape,
        window,
        &mut gradient,
    );
    Images::from_values(gradient, input.shape).into_tensor()
}

pub(super) fn flatten(input: FlexTensor) -> FlexTensor {
    let _running = profile::operation("channel order");
    let input = Images::new(input);
    let shape = input.shape;
    let mut output = Images::buffer(shape);
    // Swaps channels and pixels, like the way there.
    let swapped = Shape {
        batch: shape.batch,
        height: 1,
        width: shape.channels,
        channels: shape.height * shape.width,
    };
    to_channels_last(input.values(), swapped, &mut output);
    tensor(output, [shape.batch, shape.image()])
}

pub(super) fn global_average_pool(input: FlexTensor) -> FlexTensor {
    let _running = profile::operation("global average pool");
    let input = Images::new(input);
    let Shape {
        batch,
        height,
        width,
        channels,
    } = input.shape;
    let mut output = Buffer::new(batch * channels);
    pool::global_average_pool(
        SimdLevel::best(),
        input.values(),
        batch,
        height * width,
        channels,
        &mut output,
    );
    tensor(output, [batch, channels])
}

pub(super) fn global_average_pool_backward(
    output_gradient: FlexTensor,
    input_shape: [usize; 4],
) -> FlexTensor {
    let _running = profile::operation("global average pool, backward");
    let output_gradient = contiguous(output_gradient);
    let shape = images_shape(input_shape);
    let mut gradient = Images::buffer(shape);
    pool::global_average_pool_backward(
        output_gradient.storage(),
        shape.batch,
        shape.height * shape.width,
        shape.channels,
        &mut gradient,
    );
    Images::from_values(gradient, shape).into_tensor()
}

pub(super) fn zero_pad_shortcut(
    input: FlexTensor,
    stride: usize,
    [before, after]: [usize; 2],
) -> FlexTensor {
    let _running = profile::operation("zero-pad shortcut");
    let input = Images::new(input);
    let pad = ZeroPad {
        stride,
        before,
        after,
    };
    let shape = pad.output(input.shape);
    let mut output = Images::buffer(shape);
    shortcut::zero_pad_shortcut(input.values(), input.shape, pad, 0.0, &mut output);
    Images::from_values(output, shape).into_tensor()
}

pub(super) fn zero_pad_shortcut_backward(
    output_gradient: FlexTensor,
    input_shape: [usize; 4],
    stride: usize,
    [before, after]: [usize; 2],
) -> FlexTensor {
    let _running = profile::operation("zero-pad shortcut, backward");
    let output_gradient = Images::new(output_gradient);
    let shape = images_shape(input_shape);
    let pad = ZeroPad {
        stride,
        before,
        after,
    };
    let mut gradient = Images::buffer(shape);
    shortcut::zero_pad_shortcut_backward(output_gradient.values(), shape, pad, &mut gradient);
    Images::from_values(gradient, shape).into_tensor()
}

/// Works in the tensor's own memory if nothing else shares it.
pub(super) fn relu(tensor: FlexTensor) -> FlexTensor {
    let _running = profile::operation("relu");
    let mut images = Images::new(tensor);
    if let Some(values) = images.values_mut() {
        elementwise::relu_in_place(SimdLevel::best(), values);
        return images.into_tensor();
    }
    let mut output = Images::buffer(images.shape);
    elementwise::relu(SimdLevel::best(), images.values(), &mut output);
    Images::from_values(output, images.shape).into_tensor()
}

/// Works in the memory of one of the operands if nothing else shares it.
pub(super) fn add_relu(left: FlexTensor, right: FlexTensor) -> FlexTensor {
    let _running = profile::operation("add and relu");
    let level = SimdLevel::best();
    let [mut left, mut right] = [left, right].map(Images::new);
    if let Some(values) = left.values_mut() {
        elementwise::add_relu_in_place(level, values, right.values());
        return left.into_tensor();
    }
    if let Some(values) = right.values_mut() {
        elementwise::add_relu_in_place(level, values, left.values());
        return right.into_tensor();
    }
    let shape = left.shape;
    let mut output = Images::buffer(shape);
    elementwise::add_relu(level, left.values(), right.values(), &mut output);
    Images::from_values(output, shape).into_tensor()
}

pub(super) fn relu_gradient(output: FlexTensor, output_gradient: FlexTensor) -> FlexTensor {
    let _running = profile::operation("relu, backward");
    let output = Images::new(output);
    let mut gradient = Images::new(output_gradient);
    let shape = gradient.shape;
    if let Some(values) = gradient.values_mut() {
        elementwise::mask_gradient(SimdLevel::best(), output.values(), values);
        return gradient.into_tensor();
    }
    let mut values = Images::buffer(shape);
    values.copy_from_slice(gradient.values());
    elementwise::mask_gradient(SimdLevel::best(), output.values(), &mut values);
    Images::from_values(values, shape).into_tensor()
}

fn images_shape([batch, channels, height, width]: [usize; 4]) -> Shape {
    Shape {
        batch,
        height,
        width,
        channels,
    }
}
