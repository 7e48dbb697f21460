//! Batch normalization and addition: conversion between tensors and kernels.

use burn_flex::{Flex, FlexTensor};

use super::images::{Images, contiguous, vector};
use crate::kernels::norm::{
    Gradients, InputGradient, backward_apply, backward_sums, forward, forward_in_place,
    inverse_deviation, scale_and_shift, statistics,
};
use crate::kernels::simd::SimdLevel;
use crate::profile;
use crate::{BatchNormGradients, BatchNormOutput};

/// Statistics that normalized a batch.
pub(super) struct Statistics {
    pub mean: FlexTensor,
    pub variance: FlexTensor,
    pub epsilon: f64,
}

pub(super) fn channel_sum(tensor: FlexTensor) -> FlexTensor {
    let _running = profile::operation("channel sum");
    let images = Images::new(tensor);
    let channels = images.shape.channels;
    let mut sums = vec![0.0; channels];
    crate::kernels::norm::channel_sum(SimdLevel::best(), images.values(), channels, &mut sums);
    vector(sums)
}

pub(super) fn batch_norm(
    input: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    residual: Option<FlexTensor>,
    relu: bool,
    epsilon: f64,
) -> BatchNormOutput<Flex> {
    let _running = profile::operation("batch norm");
    let input = Images::new(input);
    let channels = input.shape.channels;
    let mut mean = vec![0.0; channels];
    let mut variance = vec![0.0; channels];
    statistics(
        SimdLevel::best(),
        input.values(),
        channels,
        &mut mean,
        &mut variance,
    );
    let [gamma, beta] = [gamma, beta].map(contiguous);
    let (scale, shift) =
        scale_and_shift(&mean, &variance, gamma.storage(), beta.storage(), epsilon);
    BatchNormOutput {
        output: scaled(input, &scale, &shift, residual, relu),
        mean: vector(mean),
        variance: vector(variance),
    }
}

pub(super) fn affine(
    input: FlexTensor,
    scale: FlexTensor,
    shift: FlexTensor,
    residual: Option<FlexTensor>,
    relu: bool,
) -> FlexTensor {
    let _running = profile::operation("affine");
    let [scale, shift] = [scale, shift].map(contiguous);
    scaled(
        Images::new(input),
        scale.storage(),
        shift.storage(),
        residual,
        relu,
    )
}

/// Works in the memory of one of the operands if nothing else shares it. Reuses the pass that adds
/// a residual after a norm, with a scale of one.
pub(super) fn add(left: FlexTensor, right: FlexTensor) -> FlexTensor {
    let _running = profile::operation("add");
    let mut left = Images::new(left);
    let mut right = Images::new(right);
    if left.values_mut().is_none() {
        std::mem::swap(&mut left, &mut right);
    }
    let channels = left.shape.channels;
    let [scale, shift] = [1.0, 0.0].map(|value| vec![value; channels]);
    scaled(left, &scale, &shift, Some(right.into_tensor()), false)
}

/// Works in the input's memory if nothing else shares it.
fn scaled(
    mut input: Images,
    scale: &[f32],
    shift: &[f32],
    residual: Option<FlexTensor>,
    relu: bool,
) -> FlexTensor {
    let level = SimdLevel::best();
    let shape = input.shape;
    let residual = residual.map(Images::new);
    let residual = residual.as_ref().map(Images::values);
    if let Some(values) = input.values_mut() {
        forward_in_place(level, values, scale, shift, residual, relu, shape.channels);
        return input.into_tensor();
    }
    let mut output = Images::buffer(shape);
    let channels = shape.channels;
    forward(
        level,
        input.values(),
        scale,
        shift,
        residual,
        relu,
        &mut output,
        channels,
    );
    Images::from_values(output, shape).into_tensor()
}

pub(super) fn batch_norm_backward(
    input: FlexTensor,
    gamma: FlexTensor,
    statistics: Statistics,
    output: Option<FlexTensor>,
    output_gradient: FlexTensor,
    needs_residual: bool,
) -> BatchNormGradients<Flex> {
    let _running = profile::operation("batch norm, backward");
    let level = SimdLevel::best();
    let input = Images::new(input);
    let shape = input.shape;
    let output = output.map(Images::new);
    let output = output.as_ref().map(Images::values);
    let mut gradient = Images::new(output_gradient);
    let [gamma, mean, variance] = [gamma, statistics.mean, statistics.variance].map(contiguous);
    let inverse_deviation = inverse_deviation(variance.storage(), statistics.epsilon);
    let mut gamma_gradient = vec![0.0; shape.channels];
    let mut beta_gradient = vec![0.0; shape.channels];
    backward_sums(
        level,
        input.values(),
        mean.storage(),
        &inverse_deviation,
        output,
        gradient.values(),
        shape.channels,
        &mut gamma_gradient,
        &mut beta_gradient,
    );
    let coefficients = InputGradient::new(
        shape.batch * shape.height * shape.width,
        mean.storage(),
        &inverse_deviation,
        gamma.storage(),
        &gamma_gradient,
        &beta_gradient,
    );
    let apply = |gradients: Gradients<'_>| {
        backward_apply(level, input.values(), output, &coefficients, gradients)
    };
    let new = || Images::buffer(shape);
    let images = |values| Images::from_values(values, shape).into_tensor();
    let (input_gradient, residual_gradient) = match (gradient.values_mut(), needs_residual) {
        (Some(values), false) => {
            apply(Gradients::InPlace(values));
            (gradient.into_tensor(), None)
        }
        (Some(values), true) => {
            let mut to = new();
            apply(Gradients::Residual {
                output: values,
                input: &mut to,
            });
            (images(to), Some(gradient.into_tensor()))
        }
        (None, _) => {
            let mut to = new();
            let mut residual = needs_residual.then(new);
            apply(Gradients::Apart {
                output: gradient.values(),
                input: &mut to,
                residual: residual.as_deref_mut(),
            });
            (images(to), residual.map(images))
        }
    };
    BatchNormGradients {
        input: input_gradient,
        gamma: vector(gamma_gradient),
        beta: vector(beta_gradient),
        residual: residual_gradient,
    }
}
