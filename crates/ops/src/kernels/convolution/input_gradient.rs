//! The gradient of the input: for every phase of the stride, a walk of the transposed weight over
//! the output's gradient.

use super::blocks::Blocks;
use super::pack::{Panels, WeightOrder, WeightView};
use super::shape::{ConvolutionShape, Target, Walk};
use super::sweep::{Finish, Residual, sweep};
use crate::kernels::simd::SimdLevel;

/// One axis of a phase: input positions `phase, phase + stride, ...`, which share the same taps.
#[derive(Clone, Copy)]
struct Phase {
    /// Number of input positions.
    count: usize,
    /// Tap that reaches furthest back, which is the last one in the kernel.
    last_tap: usize,
    taps: usize,
    /// Output position under the first tap of the first input position.
    origin: isize,
}

impl Phase {
    /// Input position `i = phase + stride * a` receives a gradient from output position `o` through
    /// tap `k` where `stride * o + k = i + padding`.
    fn new(length: usize, kernel: usize, stride: usize, padding: usize, phase: usize) -> Self {
        let first_tap = (phase + padding) % stride;
        let taps = kernel.saturating_sub(first_tap).div_ceil(stride);
        Self {
            count: length.saturating_sub(phase).div_ceil(stride),
            last_tap: first_tap + taps.saturating_sub(1) * stride,
            taps,
            origin: ((phase + padding) / stride) as isize - taps.saturating_sub(1) as isize,
        }
    }
}

/// Computes the gradient of the input from the gradient of the output; adds it to the contents of
/// `input_gradient` if `accumulate`. Channels-last.
///
/// # Panics
///
/// Panics if the length of a slice does not match `shape`.
pub(crate) fn input_gradient(
    level: SimdLevel,
    shape: &ConvolutionShape,
    output_gradient: &[f32],
    weight: &[f32],
    order: WeightOrder,
    accumulate: bool,
    input_gradient: &mut [f32],
) {
    assert_eq!(output_gradient.len(), shape.output_len());
    assert_eq!(input_gradient.len(), shape.input_len());
    let blocks = Blocks::new(shape);
    for block in 0..blocks.count {
        blocks.with_weight(block, weight, order, shape, |whole| {
            of_block(
                level,
                shape,
                &blocks,
                block,
                output_gradient,
                whole,
                accumulate,
                input_gradient,
            );
        });
    }
}

/// Like [`input_gradient`], for one block of channels.
#[allow(clippy::too_many_arguments)]
fn of_block(
    level: SimdLevel,
    shape: &ConvolutionShape,
    blocks: &Blocks,
    block: usize,
    output_gradient: &[f32],
    whole: WeightView<'_>,
    accumulate: bool,
    input_gradient: &mut [f32],
) {
    let [out_height, out_width] = shape.output_size();
    let axis = |axis: usize, length: usize, phase: usize| {
        Phase::new(
            length,
            shape.kernel[axis],
            shape.stride[axis],
            shape.padding[axis],
            phase,
        )
    };
    let pixel = shape.in_channels;
    let row = shape.width * pixel;
    for phase_y in 0..shape.stride[0] {
        for phase_x in 0..shape.stride[1] {
            let y = axis(0, shape.height, phase_y);
            let x = axis(1, shape.width, phase_x);
            let mut taps = [y.taps, x.taps];
            if taps.contains(&0) {
                if accumulate {
                    continue;
                }
                taps = [0, 0];
            }
            let view = whole.phase([y.last_tap, x.last_tap], taps, shape.stride);
            let walk = Walk {
                batch: shape.batch,
                height: out_height,
                width: out_width,
                in_channels: blocks.out_channels,
                pixel: shape.out_channels,
                first_channel: block * blocks.out_channels,
                rows: y.count,
                columns: x.count,
                out_channels: blocks.in_channels,
                taps,
                step: [1, 1],
                origin: [y.origin, x.origin],
                target: Target {
                    start: phase_y * row + phase_x * pixel + block * blocks.in_channels,
                    image: shape.height * row,
                    row: shape.stride[0] * row,
                    pixel: shape.stride[1] * pixel,
                },
            };
            let finish = Finish {
                residual: if accumulate {
                    Residual::Output
                } else {
                    Residual::None
                },
                ..Finish::default()
            };
            let panels = Panels::pack(level, view);
            sweep(
                level,
                &walk,
                output_gradient,
                &panels,
                None,
                finish,
                input_gradient,
            );
        }
    }
}
