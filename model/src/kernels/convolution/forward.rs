//! The forward pass.

use std::sync::OnceLock;

use super::pack::{Panels, WeightOrder, WeightView};
use super::shape::{ConvolutionShape, Target, Walk};
use super::sweep::{Finish, Residual, sweep};
use super::winograd::WinogradWeight;
use crate::kernels::simd::Level;

/// A weight in the order in which the forward pass reads it.
#[derive(Debug)]
pub(crate) struct PackedWeight {
    level: Level,
    panels: Panels,
    /// Made when it is first of use.
    transformed: OnceLock<WinogradWeight>,
    /// Whether many forward passes will use it.
    is_kept: bool,
}

impl PackedWeight {
    /// Brings a weight `[out_channels, in_channels, height, width]` into order.
    pub(crate) fn new(
        level: Level,
        weight: &[f32],
        order: WeightOrder,
        shape: &ConvolutionShape,
    ) -> Self {
        let view = WeightView::new(
            weight,
            order,
            shape.kernel,
            shape.in_channels,
            shape.out_channels,
        );
        let panels = Panels::pack(level, view);
        Self {
            level,
            panels,
            transformed: OnceLock::new(),
            is_kept: false,
        }
    }

    /// For many forward passes, which may be worth a dearer preparation.
    pub(crate) fn kept(self) -> Self {
        Self {
            is_kept: true,
            ..self
        }
    }
}

/// What is done to the sums of products.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Epilogue<'a> {
    /// Added to each channel: `[out_channels]`.
    pub bias: Option<&'a [f32]>,
    /// Added, in the output's order.
    pub residual: Option<&'a [f32]>,
    /// Whether negative results become zero.
    pub relu: bool,
}

/// `output = relu(convolution(input, weight) + bias + residual)`; channels-last.
///
/// # Panics
///
/// If a slice does not have the length that `shape` says.
pub(crate) fn forward(
    shape: &ConvolutionShape,
    input: &[f32],
    weight: &PackedWeight,
    epilogue: Epilogue<'_>,
    output: &mut [f32],
) {
    assert_eq!(input.len(), shape.input_len());
    assert_eq!(output.len(), shape.output_len());
    let walk = walk(shape);
    let finish = Finish {
        bias: epilogue.bias,
        residual: epilogue.residual.map_or(Residual::None, Residual::Other),
        relu: epilogue.relu,
    };
    let transformed = weight.is_kept.then_some(&weight.transformed);
    sweep(
        weight.level,
        &walk,
        input,
        &weight.panels,
        transformed,
        finish,
        output,
    );
}

/// The window over the input.
pub(super) fn walk(shape: &ConvolutionShape) -> Walk {
    let [rows, columns] = shape.output_size();
    Walk {
        batch: shape.batch,
        height: shape.height,
        width: shape.width,
        in_channels: shape.in_channels,
        rows,
        columns,
        out_channels: shape.out_channels,
        taps: shape.kernel,
        step: shape.stride,
        origin: shape.padding.map(|padding| -(padding as isize)),
        target: Target {
            start: 0,
            image: rows * columns * shape.out_channels,
            row: columns * shape.out_channels,
            pixel: shape.out_channels,
        },
    }
}
