//! Grouped convolutions, computed as dense convolutions of a few groups each. A group often has
//! fewer channels than a vector, and the zeros between groups cost less than half-filled vectors.

use std::ops::Range;

use super::pack::{WeightOrder, WeightView};
use super::shape::ConvolutionShape;
use crate::kernels::buffer::Buffer;

/// Number of channels that fill a tile on every level.
const FULL: usize = 16;

/// Blocks of channels of a convolution; a single block without groups.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Blocks {
    pub count: usize,
    /// Number of input channels of a block.
    pub in_channels: usize,
    pub out_channels: usize,
    /// Number of groups in a block.
    groups: usize,
}

impl Blocks {
    pub(in crate::kernels) fn new(shape: &ConvolutionShape) -> Self {
        let [inner, outer] = shape.channels_per_group();
        // As many groups as fit into a tile, or one that fills it alone.
        let groups = (1..=shape.groups)
            .filter(|groups| shape.groups.is_multiple_of(*groups))
            .take_while(|&groups| groups == 1 || groups * inner.min(outer) <= FULL)
            .last()
            .unwrap_or(1);
        Self {
            count: shape.groups / groups,
            in_channels: groups * inner,
            out_channels: groups * outer,
            groups,
        }
    }

    pub(in crate::kernels) fn out_range(&self, block: usize) -> Range<usize> {
        block * self.out_channels..(block + 1) * self.out_channels
    }

    /// Calls `use_view` with the dense weight of a block: the weight itself, or a copy with zeros
    /// between its groups.
    pub(super) fn with_weight<R>(
        &self,
        block: usize,
        weight: &[f32],
        order: WeightOrder,
        shape: &ConvolutionShape,
        use_view: impl FnOnce(WeightView<'_>) -> R,
    ) -> R {
        assert_eq!(weight.len(), shape.weight_len());
        let [inner, outer] = [self.in_channels, self.out_channels];
        if shape.groups == 1 {
            return use_view(WeightView::new(weight, order, shape.kernel, inner, outer));
        }
        let mut dense = Buffer::new(shape.taps() * inner * outer);
        dense.fill(0.0);
        self.for_each_weight(block, order, shape, |dense_index, index| {
            dense[dense_index] = weight[index];
        });
        let order = WeightOrder::InOut;
        use_view(WeightView::new(&dense, order, shape.kernel, inner, outer))
    }

    /// Extracts the gradient of a block's weight from the gradient of its dense form; both are
    /// `[height, width, in, out]`.
    pub(super) fn take_gradient(
        &self,
        block: usize,
        dense: &[f32],
        shape: &ConvolutionShape,
        gradient: &mut [f32],
    ) {
        self.for_each_weight(block, WeightOrder::InOut, shape, |dense_index, index| {
            gradient[index] = dense[dense_index];
        });
    }

    /// Calls `visit` for every weight of a block with its index in the block's dense weight
    /// `[height, width, in, out]` and its index in the whole weight.
    fn for_each_weight(
        &self,
        block: usize,
        order: WeightOrder,
        shape: &ConvolutionShape,
        mut visit: impl FnMut(usize, usize),
    ) {
        let [inner, outer] = shape.channels_per_group();
        let taps = shape.taps();
        for group in 0..self.groups {
            for tap in 0..taps {
                for from in 0..inner {
                    let dense_row = tap * self.in_channels + group * inner + from;
                    for to in 0..outer {
                        let out = (block * self.groups + group) * outer + to;
                        let index = match order {
                            WeightOrder::OutIn => (out * inner + from) * taps + tap,
                            WeightOrder::InOut => (tap * inner + from) * shape.out_channels + out,
                        };
                        visit(dense_row * self.out_channels + group * outer + to, index);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(groups: usize, in_channels: usize, out_channels: usize) -> [usize; 3] {
        let shape = ConvolutionShape {
            batch: 1,
            height: 4,
            width: 4,
            in_channels,
            out_channels,
            groups,
            kernel: [3, 3],
            stride: [1, 1],
            padding: [1, 1],
        };
        let blocks = Blocks::new(&shape);
        [blocks.count, blocks.in_channels, blocks.out_channels]
    }

    #[test]
    fn blocks_fill_tiles() {
        assert_eq!(blocks(1, 64, 32), [1, 64, 32]);
        assert_eq!(blocks(32, 128, 128), [8, 16, 16]);
        assert_eq!(blocks(32, 256, 256), [16, 16, 16]);
        assert_eq!(blocks(32, 1024, 1024), [32, 32, 32]);
        assert_eq!(blocks(6, 18, 6), [1, 18, 6]);
        assert_eq!(blocks(5, 25, 25), [5, 5, 5]);
    }
}
