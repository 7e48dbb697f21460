//! Weights in the layout that the tiles read.

use crate::kernels::buffer::Buffer;
use crate::kernels::parallel::{Shared, for_each};
use crate::kernels::simd::SimdLevel;
use crate::profile;

/// Memory layout of a weight `[out_channels, in_channels, height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WeightOrder {
    /// The order of the shape.
    OutIn,
    /// `[height, width, in_channels, out_channels]`, the layout of the weight gradient.
    InOut,
}

/// A strided view of a weight as `[rows, columns, inner, outer]`. Sums run over rows, columns and
/// `inner`; `outer` becomes the channels of the result.
#[derive(Clone, Copy, Debug)]
pub(super) struct WeightView<'a> {
    pub weight: &'a [f32],
    pub start: isize,
    pub sizes: [usize; 4],
    pub strides: [isize; 4],
}

impl<'a> WeightView<'a> {
    /// Creates a view of a whole weight, for the forward pass.
    pub(super) fn new(
        weight: &'a [f32],
        order: WeightOrder,
        kernel: [usize; 2],
        in_channels: usize,
        out_channels: usize,
    ) -> Self {
        let sizes = [kernel[0], kernel[1], in_channels, out_channels];
        assert_eq!(weight.len(), sizes.iter().product::<usize>());
        let [height, width, inner, outer] = sizes.map(|size| size as isize);
        let strides = match order {
            WeightOrder::OutIn => [width, 1, height * width, height * width * inner],
            WeightOrder::InOut => [width * inner * outer, inner * outer, outer, 1],
        };
        Self {
            weight,
            start: 0,
            sizes,
            strides,
        }
    }

    /// Returns the view for one phase of the input gradient: inner and outer channels are swapped,
    /// and each axis has only every `step`-th tap, backward from `last`.
    pub(super) fn phase(&self, last: [usize; 2], taps: [usize; 2], step: [usize; 2]) -> Self {
        let [height, width, inner, outer] = self.strides;
        Self {
            weight: self.weight,
            start: last[0] as isize * height + last[1] as isize * width,
            sizes: [taps[0], taps[1], self.sizes[3], self.sizes[2]],
            strides: [
                -(step[0] as isize) * height,
                -(step[1] as isize) * width,
                outer,
                inner,
            ],
        }
    }
}

/// Panels of `width` output channels, each `[rows, columns * inner, width]`; the last one is padded
/// with zeros.
#[derive(Debug)]
pub(super) struct Panels {
    pub values: Buffer,
    /// Number of channels in a panel.
    pub width: usize,
    /// Number of values in a panel.
    pub stride: usize,
    pub count: usize,
}

impl Panels {
    pub(super) fn pack(level: SimdLevel, view: WeightView<'_>) -> Self {
        let _running = profile::operation("pack weights");
        let [rows, columns, inner, outer] = view.sizes;
        let width = panel_width(level, outer);
        let stride = rows * columns * inner * width;
        let count = outer.div_ceil(width);
        let mut values = Buffer::new(stride * count);
        let shared = Shared::new(&mut values);
        for_each(count, |panel| {
            // SAFETY: each task has its own panel.
            let target = unsafe { shared.part(panel * stride..(panel + 1) * stride) };
            pack_panel(&view, panel * width, width, target);
        });
        Self {
            values,
            width,
            stride,
            count,
        }
    }
}

/// Returns the number of output channels that a tile computes at once.
pub(super) fn panel_width(level: SimdLevel, out_channels: usize) -> usize {
    let lanes = level.lanes();
    lanes * super::tile::vectors(lanes, out_channels)
}

fn pack_panel(view: &WeightView<'_>, first: usize, width: usize, target: &mut [f32]) {
    let [rows, columns, inner, outer] = view.sizes;
    let [row_stride, column_stride, inner_stride, outer_stride] = view.strides;
    let filled = width.min(outer - first);
    let block = inner * width;
    if filled < width {
        target.fill(0.0);
    }
    for row in 0..rows {
        for column in 0..columns {
            let source = view.start
                + row as isize * row_stride
                + column as isize * column_stride
                + first as isize * outer_stride;
            let target = &mut target[(row * columns + column) * block..][..block];
            if outer_stride == 1 {
                for (index, values) in target.chunks_exact_mut(width).enumerate() {
                    let from = (source + index as isize * inner_stride) as usize;
                    values[..filled].copy_from_slice(&view.weight[from..from + filled]);
                }
            } else {
                for outer in 0..filled {
                    let from = source + outer as isize * outer_stride;
                    for index in 0..inner {
                        target[index * width + outer] =
                            view.weight[(from + index as isize * inner_stride) as usize];
                    }
                }
            }
        }
    }
}
