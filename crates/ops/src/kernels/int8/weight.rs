//! Weights in the layout that the tiles read.

use super::simd::{Int8Level, STEP};
use crate::kernels::convolution::ConvolutionShape;
use crate::kernels::convolution::blocks::Blocks;

/// Panels of `width` output channels, each `[kernel rows, steps, width, 4]`, where the steps go over
/// the kernel's columns and the input channels. Zeros fill the last step and the last panel.
#[derive(Debug)]
pub(super) struct Panels {
    pub values: Vec<i8>,
    pub width: usize,
    /// Number of values in a panel.
    pub stride: usize,
    pub count: usize,
    /// Number of steps of a row of the kernel.
    pub steps: usize,
}

/// Returns the number of vectors of output channels in a tile.
pub(super) fn vectors(level: Int8Level, out_channels: usize) -> usize {
    match level.lanes() {
        4 => 4,
        16 if out_channels <= 16 => 1,
        _ => 2,
    }
}

impl Panels {
    /// Packs a block of channels of a weight `[out_channels, in_channels / groups, height, width]`.
    pub(super) fn pack(
        level: Int8Level,
        shape: &ConvolutionShape,
        blocks: &Blocks,
        block: usize,
        weight: &[i8],
    ) -> Self {
        assert_eq!(weight.len(), shape.weight_len());
        let [inner, outer] = [shape.in_channels, shape.out_channels].map(|all| all / shape.groups);
        let [height, width] = shape.kernel;
        let steps = (width * blocks.in_channels).div_ceil(STEP);
        let panel_width = level.lanes() * vectors(level, blocks.out_channels);
        let count = blocks.out_channels.div_ceil(panel_width);
        let stride = height * steps * panel_width * STEP;
        let mut values = vec![0; count * stride];
        for to in 0..blocks.out_channels {
            let out = block * blocks.out_channels + to;
            let group = out / outer;
            let (panel, lane) = (to / panel_width, to % panel_width);
            for channel in 0..inner {
                // Position of the channel within the block.
                let from = group * inner + channel - block * blocks.in_channels;
                for row in 0..height {
                    for column in 0..width {
                        let source = ((out * inner + channel) * height + row) * width + column;
                        let position = column * blocks.in_channels + from;
                        let step = row * steps + position / STEP;
                        let target = (step * panel_width + lane) * STEP + position % STEP;
                        values[panel * stride + target] = weight[source];
                    }
                }
            }
        }
        Self {
            values,
            width: panel_width,
            stride,
            count,
            steps,
        }
    }
}
