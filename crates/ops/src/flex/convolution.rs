//! Convolutions: conversion between tensors and kernels.

use std::sync::Arc;

use burn_flex::{Flex, FlexTensor};

use super::images::{Images, Weight, contiguous};
use crate::kernels::buffer::Buffer;
use crate::kernels::convolution::{
    ConvolutionShape, Epilogue, PackedWeight, forward, input_gradient as input_gradient_kernel,
    weight_gradient as weight_gradient_kernel,
};
use crate::kernels::shape::Shape;
use crate::kernels::simd::SimdLevel;
use crate::profile::{self, Running};
use crate::{ConvolutionOptions, PreparedConvolution, PreparedWeight};

pub(super) fn convolution(
    input: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    options: ConvolutionOptions,
) -> FlexTensor {
    let input = Images::new(input);
    let weight = Weight::new(weight);
    let shape = shape(input.shape, weight.shape, options);
    let _running = record(&shape, "");
    let packed = PackedWeight::new(SimdLevel::best(), weight.values(), weight.order, &shape);
    run(&input, &packed, shape, bias, None, false)
}

pub(super) fn prepare(
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    options: ConvolutionOptions,
) -> PreparedConvolution<Flex> {
    let weight = Weight::new(weight);
    let [_, in_channels, height, width] = weight.shape;
    let in_channels = options.groups * in_channels;
    // The layout of a packed weight does not depend on the images.
    let images = Shape {
        batch: 1,
        height,
        width,
        channels: in_channels,
    };
    let shape = shape(images, weight.shape, options);
    let packed = PackedWeight::new(SimdLevel::best(), weight.values(), weight.order, &shape).kept();
    PreparedConvolution {
        weight: PreparedWeight::Packed(Arc::new(packed)),
        weight_shape: weight.shape,
        bias: bias.map(contiguous),
        options,
    }
}

/// Returns the packed weight of a convolution from [`prepare`].
pub(super) fn packed(convolution: &PreparedConvolution<Flex>) -> Option<&PackedWeight> {
    match &convolution.weight {
        PreparedWeight::Packed(packed) => packed.downcast_ref(),
        PreparedWeight::Plain(_) => None,
    }
}

pub(super) fn prepared(
    input: FlexTensor,
    convolution: &PreparedConvolution<Flex>,
    packed: &PackedWeight,
    residual: Option<FlexTensor>,
    relu: bool,
) -> FlexTensor {
    let input = Images::new(input);
    let shape = shape(input.shape, convolution.weight_shape, convolution.options);
    let _running = record(&shape, "");
    let bias = convolution.bias.clone();
    run(&input, packed, shape, bias, residual, relu)
}

fn run(
    input: &Images,
    weight: &PackedWeight,
    shape: ConvolutionShape,
    bias: Option<FlexTensor>,
    residual: Option<FlexTensor>,
    relu: bool,
) -> FlexTensor {
    let bias = bias.map(contiguous);
    let residual = residual.map(Images::new);
    let epilogue = Epilogue {
        bias: bias.as_ref().map(|bias| bias.storage()),
        residual: residual.as_ref().map(Images::values),
        relu,
    };
    let images = output(&shape);
    let mut values = Images::buffer(images);
    forward(&shape, input.values(), weight, epilogue, &mut values);
    Images::from_values(values, images).into_tensor()
}

pub(super) fn input_gradient(
    output_gradient: FlexTensor,
    weight: FlexTensor,
    input_shape: [usize; 4],
    options: ConvolutionOptions,
    accumulate: Option<FlexTensor>,
) -> FlexTensor {
    let output_gradient = Images::new(output_gradient);
    let weight = Weight::new(weight);
    let [batch, channels, height, width] = input_shape;
    let images = Shape {
        batch,
        height,
        width,
        channels,
    };
    let shape = shape(images, weight.shape, options);
    let _running = record(&shape, ", input gradient");
    let compute = |accumulate: bool, gradient: &mut [f32]| {
        input_gradient_kernel(
            SimdLevel::best(),
            &shape,
            output_gradient.values(),
            weight.values(),
            weight.order,
            accumulate,
            gradient,
        );
    };
    let Some(accumulate) = accumulate else {
        let mut values = Images::buffer(images);
        compute(false, &mut values);
        return Images::from_values(values, images).into_tensor();
    };
    let mut sum = Images::new(accumulate);
    match sum.values_mut() {
        Some(values) => {
            compute(true, values);
            sum.into_tensor()
        }
        None => {
            let mut values = Images::buffer(images);
            values.copy_from_slice(sum.values());
            compute(true, &mut values);
            Images::from_values(values, images).into_tensor()
        }
    }
}

pub(super) fn weight_gradient(
    input: FlexTensor,
    output_gradient: FlexTensor,
    weight_shape: [usize; 4],
    options: ConvolutionOptions,
) -> FlexTensor {
    let input = Images::new(input);
    let output_gradient = Images::new(output_gradient);
    let shape = shape(input.shape, weight_shape, options);
    let _running = record(&shape, ", weight gradient");
    let mut values = Buffer::new(shape.weight_len());
    weight_gradient_kernel(
        SimdLevel::best(),
        &shape,
        input.values(),
        output_gradient.values(),
        &mut values,
    );
    Weight::tensor_from_values(values, weight_shape)
}

fn record(shape: &ConvolutionShape, pass: &str) -> Option<Running> {
    profile::operation_with(|| {
        let [height, width] = shape.kernel;
        let stride = match shape.stride {
            [vertical, horizontal] if vertical == horizontal => vertical.to_string(),
            [vertical, horizontal] => format!("{vertical}x{horizontal}"),
        };
        let groups = match shape.groups {
            1 => String::new(),
            groups => format!(" in {groups} groups"),
        };
        let name = format!("convolution {height}x{width} stride {stride}{groups}{pass}");
        (name.into(), shape.floating_point_operations())
    })
}

fn shape(images: Shape, weight: [usize; 4], options: ConvolutionOptions) -> ConvolutionShape {
    let [out_channels, in_channels, height, width] = weight;
    let groups = options.groups;
    let in_channels = groups * in_channels;
    assert!(
        groups > 0 && out_channels.is_multiple_of(groups),
        "{out_channels} channels are not in {groups} groups"
    );
    assert_eq!(
        images.channels, in_channels,
        "the images have {} channels, the weight takes {in_channels}",
        images.channels
    );
    ConvolutionShape {
        batch: images.batch,
        height: images.height,
        width: images.width,
        in_channels,
        out_channels,
        groups,
        kernel: [height, width],
        stride: options.stride,
        padding: options.padding,
    }
}

fn output(shape: &ConvolutionShape) -> Shape {
    let [height, width] = shape.output_size();
    Shape {
        batch: shape.batch,
        height,
        width,
        channels: shape.out_channels,
    }
}
