//! The innermost loop of the weight gradient: a tile of values of the run under a row of taps by
//! vectors of output channels, summed over pixels in registers.

use super::plan::even_parts;
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::simd::{Kernel, Simd, unroll};

/// Copies the gradient of some pixels for one panel of channels next to each other, because the
/// tiles read it many times, and pixels that are a power of two apart share few lines of a cache.
#[derive(Clone, Copy)]
pub(super) struct GradientPanel<'a> {
    /// The first pixel's gradient, at the panel's first channel.
    pub gradient: Source<'a>,
    pub image_stride: usize,
    pub row_stride: usize,
    pub pixel_stride: usize,
    pub images: usize,
    pub rows: usize,
    pub columns: usize,
    /// Number of vectors in a panel; see [`vectors`](super::tile::vectors).
    pub vectors: usize,
    /// Number of channels of the panel that exist; the others become zeros.
    pub channels: usize,
    /// `[images, rows, columns, panel width]`
    pub panel: Destination<'a>,
}

impl Kernel for GradientPanel<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let full = self.channels == self.vectors * S::LANES;
        let mut panel = self.panel;
        for image in 0..self.images {
            for row in 0..self.rows {
                let start = image * self.image_stride + row * self.row_stride;
                let mut pixel = self.gradient.add(start);
                for _ in 0..self.columns {
                    for vector in 0..self.vectors {
                        let channel = vector * S::LANES;
                        // SAFETY: the creator of this value guarantees its pointers.
                        unsafe {
                            let values = if full {
                                S::load(pixel.add(channel))
                            } else {
                                let left = self.channels.saturating_sub(channel);
                                S::load_first(pixel.add(channel), left.min(S::LANES))
                            };
                            S::store(panel, values);
                        }
                        panel = panel.add(S::LANES);
                    }
                    pixel = pixel.add(self.pixel_stride);
                }
            }
        }
    }
}

/// Pixels of some images, and their gradient for one row of taps and one panel of channels.
#[derive(Clone, Copy)]
pub(super) struct WeightTiles<'a> {
    /// Input under the first pixel's first tap.
    pub input: Source<'a>,
    pub input_image_stride: usize,
    pub input_row_stride: usize,
    pub input_pixel_stride: usize,
    /// The gradient of these pixels, from a [`GradientPanel`].
    pub gradient: Source<'a>,
    pub images: usize,
    pub rows: usize,
    pub columns: usize,
    /// Number of values under a row of taps, which are contiguous. If [`reads_beyond`] says so, the
    /// tiles read up to [`SLACK`] values beyond them.
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

/// Largest number of values beyond a run that its tiles read.
pub(super) const SLACK: usize = 16;
/// Largest number of values of the run in a tile with 16 registers of 8 values, or 32 of 4.
const HEIGHT: usize = 6;

/// Returns whether the tiles of a run read beyond it.
pub(super) const fn reads_beyond(lanes: usize, vectors: usize, run: usize) -> bool {
    match lanes {
        16 => !run.is_multiple_of(wide_height(vectors, run)),
        _ => run < 4 || run == 7,
    }
}

/// Returns the number of values of the run in a tile with 32 registers of 16 values.
const fn wide_height(vectors: usize, run: usize) -> usize {
    match vectors {
        2 if !run.is_multiple_of(12) && run.is_multiple_of(8) => 8,
        2 => 12,
        _ => 16,
    }
}

impl Kernel for WeightTiles<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the creator of this value guarantees its pointers.
        unsafe {
            match (S::LANES, self.vectors) {
                (16, 2) => match wide_height(2, self.run) {
                    8 => self.tiles::<S, 8, 2>(0, self.run),
                    _ => self.tiles::<S, 12, 2>(0, self.run),
                },
                (16, _) => self.tiles::<S, 16, 1>(0, self.run),
                (4, _) => self.even_tiles::<S, 4>(),
                _ => self.even_tiles::<S, 2>(),
            }
        }
    }
}

impl WeightTiles<'_> {
    /// Computes the run in as few tiles of at most [`HEIGHT`] values as possible, which differ by at
    /// most one value.
    #[inline(always)]
    unsafe fn even_tiles<S: Simd, const V: usize>(&self) {
        let run = self.run;
        let (height, higher) = even_parts(run, HEIGHT);
        // SAFETY: as for `run`; only the last case reads beyond the run, and `reads_beyond` says so.
        unsafe {
            match height {
                HEIGHT => self.tiles::<S, HEIGHT, V>(0, run),
                5 => {
                    self.tiles::<S, 6, V>(0, higher);
                    self.tiles::<S, 5, V>(higher, run);
                }
                4 => {
                    self.tiles::<S, 5, V>(0, higher);
                    self.tiles::<S, 4, V>(higher, run);
                }
                _ => self.tiles::<S, 4, V>(0, run),
            }
        }
    }

    /// Computes values `first..end` of the run in tiles of `H`.
    #[inline(always)]
    unsafe fn tiles<S: Simd, const H: usize, const V: usize>(&self, first: usize, end: usize) {
        for first in (first..end).step_by(H) {
            // SAFETY: as for `run`.
            unsafe { self.tile::<S, H, V>(first) };
        }
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const H: usize, const V: usize>(&self, first: usize) {
        // SAFETY: all pointers stay within the memory that the creator of `self` guarantees.
        unsafe {
            let mut sums = [[S::splat(0.0); V]; H];
            let mut gradient = self.gradient;
            for image in 0..self.images {
                for row in 0..self.rows {
                    let mut input = self
                        .input
                        .add(image * self.input_image_stride + row * self.input_row_stride + first);
                    for _ in 0..self.columns {
                        let mut gradients = [S::splat(0.0); V];
                        unroll!(VECTOR, V, {
                            gradients[VECTOR] = S::load(gradient.add(VECTOR * S::LANES));
                        });
                        unroll!(INDEX, H, {
                            let value = S::splat(input.add(INDEX).read());
                            unroll!(VECTOR, V, {
                                sums[INDEX][VECTOR] =
                                    S::mul_add(value, gradients[VECTOR], sums[INDEX][VECTOR]);
                            });
                        });
                        input = input.add(self.input_pixel_stride);
                        gradient = gradient.add(V * S::LANES);
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
