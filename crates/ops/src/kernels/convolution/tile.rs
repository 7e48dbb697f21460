//! The innermost loop: a tile of pixels in a row by vectors of output channels, summed in
//! registers.

use super::plan::even_parts;
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::simd::{Kernel, Simd, unroll};

/// One row of output pixels for one panel of channels.
#[derive(Clone, Copy)]
pub(super) struct RowOfTiles<'a> {
    /// Input under the first pixel's first tap.
    pub input: Source<'a>,
    /// Distance between rows of taps, in values.
    pub tap_row_stride: usize,
    /// Distance between the inputs of neighboring output pixels, in values.
    pub input_pixel_stride: usize,
    /// Number of rows of taps.
    pub tap_rows: usize,
    /// Number of values under one row of taps, which are contiguous.
    pub run: usize,
    /// The panel: `[tap_rows, run, panel width]`.
    pub weight: Source<'a>,
    /// Weights to prefetch, which the next rows read: the row prefetches as many for each of its
    /// pixels as `ahead_per_pixel` says.
    pub ahead: Source<'a>,
    pub ahead_per_pixel: f32,
    /// Number of vectors in the panel's width; see [`vectors`].
    pub vectors: usize,
    /// Number of channels of the panel that exist.
    pub channels: usize,
    /// Number of output pixels.
    pub pixels: usize,
    pub output: Destination<'a>,
    /// Distance between output pixels, in values.
    pub output_pixel_stride: usize,
    /// Added to every pixel.
    pub bias: Option<Source<'a>>,
    /// Added to the sums. Has the layout of the output and may be the output itself.
    pub residual: Option<Source<'a>>,
    pub relu: bool,
}

/// Number of values in a cache line.
const LINE: usize = 16;
/// Number of input values per pixel that one iteration of the innermost loop reads. Address
/// arithmetic and prefetches then take few of the instructions that a CPU can issue.
const STEPS: usize = 4;
/// Largest number of pixels in a tile with 16 registers of 8 values, or 32 of 4: 12 or 24 sums.
const PIXELS: usize = 6;

/// Returns the number of vectors of output channels in a tile.
pub(super) const fn vectors(lanes: usize, out_channels: usize) -> usize {
    match lanes {
        16 if out_channels > 16 => 2,
        16 => 1,
        4 => 4,
        _ => 2,
    }
}

impl Kernel for RowOfTiles<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the creator of this row guarantees its pointers; a tile never leaves the row.
        unsafe {
            match (S::LANES, self.vectors) {
                (16, 2) => match best_width(self.pixels, &[14, 8, 7, 4, 1]) {
                    14 => self.tiles::<S, 14, 2>(),
                    8 => self.tiles::<S, 8, 2>(),
                    7 => self.tiles::<S, 7, 2>(),
                    4 => self.tiles::<S, 4, 2>(),
                    _ => self.tiles::<S, 1, 2>(),
                },
                (16, _) => match best_width(self.pixels, &[16, 14, 8, 4, 1]) {
                    16 => self.tiles::<S, 16, 1>(),
                    14 => self.tiles::<S, 14, 1>(),
                    8 => self.tiles::<S, 8, 1>(),
                    4 => self.tiles::<S, 4, 1>(),
                    _ => self.tiles::<S, 1, 1>(),
                },
                (4, _) => self.even_tiles::<S, 4>(),
                _ => self.even_tiles::<S, 2>(),
            }
        }
    }
}

/// Returns the fastest tile width for `pixels`: a tile costs about as much as three more pixels
/// than it has.
fn best_width(pixels: usize, widths: &[usize]) -> usize {
    widths
        .iter()
        .copied()
        .filter(|&width| width <= pixels)
        .min_by_key(|&width| pixels.div_ceil(width) * (width + 3))
        .unwrap_or(1)
}

impl RowOfTiles<'_> {
    /// Computes the row in tiles of `P` pixels.
    #[inline(always)]
    unsafe fn tiles<S: Simd, const P: usize, const V: usize>(&self) {
        // SAFETY: the row has at least `P` pixels.
        unsafe { self.tiles_of::<S, P, V>(0, self.pixels) }
    }

    /// Computes the row in as few tiles of at most [`PIXELS`] as possible, which differ by at most
    /// one pixel.
    #[inline(always)]
    unsafe fn even_tiles<S: Simd, const V: usize>(&self) {
        let pixels = self.pixels;
        let (width, wider) = even_parts(pixels, PIXELS);
        // SAFETY: each of the two parts has at least as many pixels as its tiles, or none.
        unsafe {
            match width {
                PIXELS => self.tiles_of::<S, PIXELS, V>(0, pixels),
                5 => {
                    self.tiles_of::<S, 6, V>(0, wider);
                    self.tiles_of::<S, 5, V>(wider, pixels);
                }
                4 => {
                    self.tiles_of::<S, 5, V>(0, wider);
                    self.tiles_of::<S, 4, V>(wider, pixels);
                }
                // Three pixels take as long as four, because sums wait for each other.
                3 if wider > 0 => self.tiles_of::<S, 4, V>(0, pixels),
                _ => self.tiles_of::<S, 1, V>(0, pixels),
            }
        }
    }

    /// Computes pixels `done..end` in tiles of `P`; if they do not fill it, the last two overlap.
    #[inline(always)]
    unsafe fn tiles_of<S: Simd, const P: usize, const V: usize>(
        &self,
        mut done: usize,
        end: usize,
    ) {
        while done < end {
            let first = done.min(end - P);
            // SAFETY: `first + P` is at most the number of pixels.
            unsafe { self.tile::<S, P, V>(first, done - first) };
            done = first + P;
        }
    }

    /// Computes pixels `first..first + P`, of which the first `skipped` are already done.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const V: usize>(&self, first: usize, skipped: usize) {
        // SAFETY: all pointers stay within the rows that the creator of `self` guarantees.
        unsafe {
            self.prefetch_output::<S, P, V>(first);
            let mut sums = [[S::splat(0.0); V]; P];
            let mut weight = self.weight;
            let stride = self.input_pixel_stride;
            // Input of the next tile, which this tile prefetches.
            let mut next = self.input.add((first + P) * stride);
            let mut ahead = self
                .ahead
                .add((self.ahead_per_pixel * first as f32) as usize);
            let iterations = self.tap_rows * (self.run / STEPS).max(1);
            let ahead_step = (self.ahead_per_pixel * P as f32 / iterations as f32) as usize + 1;
            for row in 0..self.tap_rows {
                let input = self.input.add(row * self.tap_row_stride + first * stride);
                // One pointer for every three pixels: CPU addressing modes reach the other two, and
                // the registers suffice for all pointers.
                let mut inputs = [input; 6];
                unroll!(GROUP, 6, {
                    inputs[GROUP] = input.add(3 * GROUP * stride);
                });
                for _ in 0..self.run / STEPS {
                    unroll!(STEP, STEPS, {
                        let weight = weight.add(STEP * V * S::LANES);
                        self.step::<S, P, V>(&inputs, STEP, weight, &mut sums);
                    });
                    unroll!(AT, (P * STEPS).div_ceil(LINE), {
                        S::prefetch(next.add(AT * LINE));
                    });
                    next = next.add((P * STEPS).next_multiple_of(LINE));
                    S::prefetch(ahead);
                    S::prefetch(ahead.add(ahead_step / 2));
                    ahead = ahead.add(ahead_step);
                    weight = weight.add(STEPS * V * S::LANES);
                    unroll!(GROUP, 6, {
                        inputs[GROUP] = inputs[GROUP].add(STEPS);
                    });
                }
                for left in 0..self.run % STEPS {
                    self.step::<S, P, V>(&inputs, left, weight, &mut sums);
                    weight = weight.add(V * S::LANES);
                }
            }
            // A copy that can be indexed by variables, so that `sums` itself stays in registers.
            let mut finished = [[S::splat(0.0); V]; P];
            unroll!(PIXEL, P, {
                finished[PIXEL] = sums[PIXEL];
            });
            for (pixel, sums) in finished.iter().enumerate().skip(skipped) {
                self.finish::<S, V>(first + pixel, sums);
            }
        }
    }

    /// Prefetches what `finish` reads and writes for a tile.
    #[inline(always)]
    fn prefetch_output<S: Simd, const P: usize, const V: usize>(&self, first: usize) {
        let output = Source::from(self.output);
        unroll!(PIXEL, P, {
            let start = (first + PIXEL) * self.output_pixel_stride;
            unroll!(AT, (V * S::LANES).div_ceil(LINE), {
                S::prefetch(output.add(start + AT * LINE));
                if let Some(residual) = self.residual {
                    S::prefetch(residual.add(start + AT * LINE));
                }
            });
        });
    }

    /// Adds the products of the input value at `offset` of each pixel to the sums.
    #[inline(always)]
    unsafe fn step<S: Simd, const P: usize, const V: usize>(
        &self,
        inputs: &[Source<'_>; 6],
        offset: usize,
        weight: Source<'_>,
        sums: &mut [[S::Vector; V]; P],
    ) {
        let stride = self.input_pixel_stride;
        // SAFETY: as in `tile`.
        unsafe {
            let mut weights = [S::splat(0.0); V];
            unroll!(VECTOR, V, {
                weights[VECTOR] = S::load(weight.add(VECTOR * S::LANES));
            });
            unroll!(PIXEL, P, {
                let value = inputs[PIXEL / 3].add(PIXEL % 3 * stride + offset).read();
                let value = S::splat(value);
                unroll!(VECTOR, V, {
                    sums[PIXEL][VECTOR] = S::mul_add(value, weights[VECTOR], sums[PIXEL][VECTOR]);
                });
            });
        }
    }

    /// Applies bias, residual and ReLU, and writes one pixel.
    #[inline(always)]
    unsafe fn finish<S: Simd, const V: usize>(&self, pixel: usize, sums: &[S::Vector; V]) {
        let start = pixel * self.output_pixel_stride;
        for (vector, &sum) in sums.iter().enumerate() {
            let channel = vector * S::LANES;
            if channel >= self.channels {
                break;
            }
            let count = self.channels - channel;
            // SAFETY: `count` channels of this pixel are left in each of the rows.
            unsafe {
                let mut sum = sum;
                if let Some(bias) = self.bias {
                    sum = S::add(sum, load_up_to::<S>(bias.add(channel), count));
                }
                if let Some(residual) = self.residual {
                    let residual = residual.add(start + channel);
                    sum = S::add(sum, load_up_to::<S>(residual, count));
                }
                if self.relu {
                    // This argument order propagates NaN.
                    sum = S::max(S::splat(0.0), sum);
                }
                let output = self.output.add(start + channel);
                if count >= S::LANES {
                    S::store(output, sum);
                } else {
                    S::store_first(output, sum, count);
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn load_up_to<S: Simd>(from: Source<'_>, count: usize) -> S::Vector {
    // SAFETY: the caller guarantees `count` values there.
    unsafe {
        if count >= S::LANES {
            S::load(from)
        } else {
            S::load_first(from, count)
        }
    }
}
