//! The innermost loop of the weight gradient: a tile of values of the run under a row of taps by
//! vectors of output channels, summed over pixels in registers.

use crate::kernels::pointer::{Destination, Source};
use crate::kernels::simd::{Kernel, Simd, unroll};

/// Pixels of some images, and their gradient for one row of taps and one panel of channels.
#[derive(Clone, Copy)]
pub(super) struct WeightTiles<'a> {
    /// Input under the first pixel's first tap.
    pub input: Source<'a>,
    pub input_image_stride: usize,
    pub input_row_stride: usize,
    pub input_pixel_stride: usize,
    /// The first pixel's gradient, at the panel's first channel.
    pub gradient: Source<'a>,
    pub gradient_image_stride: usize,
    pub gradient_row_stride: usize,
    pub gradient_pixel_stride: usize,
    pub images: usize,
    pub rows: usize,
    pub columns: usize,
    /// Number of values under a row of taps, which are contiguous. Up to [`tile_height`] values may
    /// be read beyond them.
    pub run: usize,
    /// The weight's gradient `[run, out_channels]`, at the panel's first channel.
    pub sums: Destination<'a>,
    pub sums_stride: usize,
    /// Number of vectors in a panel; see [`vectors`](super::tile::vectors).
    pub vectors: usize,
    /// Number of channels of the panel that exist.
    pub channels: usize,
    /// Whether to add to the current contents.
    pub accumulate: bool,
}

/// Returns the number of values of the run in a tile.
pub(super) const fn tile_height(lanes: usize, vectors: usize, run: usize) -> usize {
    match (lanes, vectors) {
        (16, 2) if !run.is_multiple_of(12) && run.is_multiple_of(8) => 8,
        (16, 2) => 12,
        (16, _) => 16,
        (4, _) => 6,
        _ => 6,
    }
}

impl Kernel for WeightTiles<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the creator of this value guarantees its pointers.
        unsafe {
            match (S::LANES, self.vectors) {
                (16, 2) => match tile_height(16, 2, self.run) {
                    8 => self.tiles::<S, 8, 2>(),
                    _ => self.tiles::<S, 12, 2>(),
                },
                (16, _) => self.tiles::<S, 16, 1>(),
                (4, _) => self.tiles::<S, 6, 4>(),
                _ => self.tiles::<S, 6, 2>(),
            }
        }
    }
}

impl WeightTiles<'_> {
    #[inline(always)]
    unsafe fn tiles<S: Simd, const H: usize, const V: usize>(&self) {
        let full = self.channels == V * S::LANES;
        for first in (0..self.run).step_by(H) {
            // SAFETY: as for `run`; at most `H` values are read beyond the run.
            unsafe {
                if full {
                    self.tile::<S, H, V, true>(first);
                } else {
                    self.tile::<S, H, V, false>(first);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const H: usize, const V: usize, const FULL: bool>(&self, first: usize) {
        // SAFETY: all pointers stay within the memory that the creator of `self` guarantees.
        unsafe {
            let mut sums = [[S::splat(0.0); V]; H];
            for image in 0..self.images {
                for row in 0..self.rows {
                    let mut input = self
                        .input
                        .add(image * self.input_image_stride + row * self.input_row_stride + first);
                    let mut gradient = self
                        .gradient
                        .add(image * self.gradient_image_stride + row * self.gradient_row_stride);
                    for _ in 0..self.columns {
                        let mut gradients = [S::splat(0.0); V];
                        unroll!(VECTOR, V, {
                            let from = gradient.add(VECTOR * S::LANES);
                            gradients[VECTOR] = if FULL {
                                S::load(from)
                            } else {
                                let left = self.channels.saturating_sub(VECTOR * S::LANES);
                                S::load_first(from, left.min(S::LANES))
                            };
                        });
                        unroll!(INDEX, H, {
                            let value = S::splat(input.add(INDEX).read());
                            unroll!(VECTOR, V, {
                                sums[INDEX][VECTOR] =
                                    S::mul_add(value, gradients[VECTOR], sums[INDEX][VECTOR]);
                            });
                        });
                        input = input.add(self.input_pixel_stride);
                        gradient = gradient.add(self.gradient_pixel_stride);
                    }
                }
            }
            // A copy that can be indexed by variables, so that `sums` itself stays in registers.
            let mut finished = [[S::splat(0.0); V]; H];
            unroll!(INDEX, H, {
                finished[INDEX] = sums[INDEX];
            });
            for (index, sums) in finished.iter().enumerate().take(self.run - first) {
                self.finish::<S, V>(first + index, sums);
            }
        }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd, const V: usize>(&self, index: usize, sums: &[S::Vector; V]) {
        for (vector, &sum) in sums.iter().enumerate() {
            let channel = vector * S::LANES;
            if channel >= self.channels {
                break;
            }
            let count = (self.channels - channel).min(S::LANES);
            // SAFETY: `count` channels are left in this row of the weight's gradient.
            unsafe {
                let to = self.sums.add(index * self.sums_stride + channel);
                let mut sum = sum;
                if self.accumulate {
                    sum = S::add(sum, S::load_first(to.into(), count));
                }
                S::store_first(to, sum, count);
            }
        }
    }
}
