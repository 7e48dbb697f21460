//! The forward pass.

use std::sync::OnceLock;

use super::blocks::Blocks;
use super::pack::{Panels, WeightOrder};
use super::shape::{ConvolutionShape, Target, Walk};
use super::sweep::{Finish, Residual, sweep};
use super::winograd::WinogradWeight;
use crate::kernels::simd::SimdLevel;

/// A weight in the layout that the forward pass reads.
#[derive(Debug)]
pub(crate) struct PackedWeight {
    level: SimdLevel,
    /// Panels of each block of channels.
    blocks: Vec<Panels>,
    /// Winograd form of the only block, created on first use.
    transformed: OnceLock<WinogradWeight>,
    /// Whether many forward passes will use this weight.
    is_kept: bool,
}

impl PackedWeight {
    /// Packs a weight `[out_channels, in_channels / groups, height, width]`.
    pub(crate) fn new(
        level: SimdLevel,
        weight: &[f32],
        order: WeightOrder,
        shape: &ConvolutionShape,
    ) -> Self {
        let blocks = Blocks::new(shape);
        let pack = |block| {
            blocks.with_weight(block, weight, order, shape, |view| {
                Panels::pack(level, view)
            })
        };
        Self {
            level,
            blocks: (0..blocks.count).map(pack).collect(),
            transformed: OnceLock::new(),
            is_kept: false,
        }
    }

    /// Marks the weight for many forward passes, which may justify a more expensive preparation.
    pub(crate) fn kept(self) -> Self {
        Self {
            is_kept: true,
            ..self
        }
    }
}

/// Operations on the sums of products.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Epilogue<'a> {
    /// Bias to add to each channel: `[out_channels]`.
    pub bias: Option<&'a [f32]>,
    /// Residual to add, in the layout of the output.
    pub residual: Option<&'a [f32]>,
    /// Whether to apply a ReLU.
    pub relu: bool,
}

/// Computes `output = relu(convolution(input, weight) + bias + residual)`; channels-last.
///
/// # Panics
///
/// Panics if the length of a slice does not match `shape`.
pub(crate) fn forward(
    shape: &ConvolutionShape,
    input: &[f32],
    weight: &PackedWeight,
    epilogue: Epilogue<'_>,
    output: &mut [f32],
) {
    assert_eq!(input.len(), shape.input_len());
    assert_eq!(output.len(), shape.output_len());
    let blocks = Blocks::new(shape);
    assert_eq!(weight.blocks.len(), blocks.count);
    if let Some(bias) = epilogue.bias {
        assert_eq!(bias.len(), shape.out_channels);
    }
    let transformed = weight.is_kept.then_some(&weight.transformed);
    for (block, panels) in weight.blocks.iter().enumerate() {
        let finish = Finish {
            bias: epilogue.bias.map(|bias| &bias[blocks.out_range(block)]),
            residual: epilogue.residual.map_or(Residual::None, Residual::Other),
            relu: epilogue.relu,
        };
        let walk = walk(shape, &blocks, block);
        sweep(
            weight.level,
            &walk,
            input,
            panels,
            transformed,
            finish,
            output,
        );
    }
}

/// Returns the walk over the input of a block of channels.
pub(in crate::kernels) fn walk(shape: &ConvolutionShape, blocks: &Blocks, block: usize) -> Walk {
    let [rows, columns] = shape.output_size();
    Walk {
        batch: shape.batch,
        height: shape.height,
        width: shape.width,
        in_channels: blocks.in_channels,
        pixel: shape.in_channels,
        first_channel: block * blocks.in_channels,
        rows,
        columns,
        out_channels: blocks.out_channels,
        taps: shape.kernel,
        step: shape.stride,
        origin: shape.padding.map(|padding| -(padding as isize)),
        target: Target {
            start: block * blocks.out_channels,
            image: rows * columns * shape.out_channels,
            row: columns * shape.out_channels,
            pixel: shape.out_channels,
        },
    }
}
