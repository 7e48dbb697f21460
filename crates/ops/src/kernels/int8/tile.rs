//! The innermost loop: a tile of pixels in a row by vectors of output channels, summed in registers.

use super::finish::{FACTORS, Finish, Residual, Target, WIDEST};
use super::simd::{Int8Kernel, Int8Simd, STEP};
use crate::kernels::pointer::Source;
use crate::kernels::simd::unroll;

/// Number of steps in one iteration of the innermost loop.
const STEPS: usize = 4;

/// Rows of output pixels for one panel of channels.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// Codes under the first pixel's first tap.
    pub input: Source<'a, u8>,
    /// Distance between the inputs of neighboring rows of output pixels, in codes.
    pub input_row_stride: usize,
    /// Distance between the inputs of neighboring output pixels, in codes.
    pub input_pixel_stride: usize,
    /// Distance between rows of taps, in codes.
    pub tap_row_stride: usize,
    /// Number of rows of taps.
    pub tap_rows: usize,
    /// Number of steps under one row of taps.
    pub steps: usize,
    /// The panel: `[tap_rows, steps, panel width, 4]`.
    pub weight: Source<'a, i8>,
    /// Number of vectors in the panel's width.
    pub vectors: usize,
    /// Number of channels of the panel that exist.
    pub channels: usize,
    pub rows: usize,
    /// Number of output pixels of a row.
    pub pixels: usize,
    pub finish: Finish<'a>,
}

impl Int8Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Int8Simd>(self) {
        let width = S::width(self.pixels);
        for row in 0..self.rows {
            // SAFETY: the creator of these rows guarantees its pointers; tiles never leave a row.
            unsafe { S::tiles(&self, row, width) };
        }
    }
}

/// Implements [`Int8Simd::tiles`] for tiles of the given numbers of pixels and vectors.
macro_rules! tile_sizes {
    ($($pixels:literal x $vectors:literal),*) => {
        #[inline(always)]
        unsafe fn tiles(rows: &Rows<'_>, row: usize, width: usize) {
            match (width, rows.vectors) {
                // SAFETY: the caller guarantees that the pixels exist.
                $(($pixels, $vectors) => unsafe {
                    let mut pixel = 0;
                    while pixel < rows.pixels {
                        // The last tile may overlap the one before.
                        let first = pixel.min(rows.pixels - $pixels);
                        rows.tile::<Self, $pixels, $vectors>(row, first);
                        pixel = first + $pixels;
                    }
                },)*
                sizes => unreachable!("there are no tiles of {sizes:?}"),
            }
        }
    };
}
pub(super) use tile_sizes;

/// Number of pointers to the input of a tile: one for every three pixels, as addressing modes of a CPU
/// reach the other two.
const POINTERS: usize = 6;

impl Rows<'_> {
    /// Computes `P` pixels of a row.
    ///
    /// # Safety
    ///
    /// The row has these pixels, and the CPU the instructions of `S`.
    #[inline(always)]
    pub(super) unsafe fn tile<S: Int8Simd, const P: usize, const V: usize>(
        &self,
        row: usize,
        pixel: usize,
    ) {
        // SAFETY: all pointers stay within the rows that the creator of `self` guarantees.
        unsafe {
            let mut sums = [[S::zero(); V]; P];
            let mut weight = self.weight;
            let stride = self.input_pixel_stride;
            let input = self.input.add(row * self.input_row_stride + pixel * stride);
            for tap_row in 0..self.tap_rows {
                let input = input.add(tap_row * self.tap_row_stride);
                let mut inputs = [input; POINTERS];
                unroll!(AT, POINTERS, {
                    inputs[AT] = input.add(3 * AT * stride);
                });
                for _ in 0..self.steps / STEPS {
                    unroll!(AT, STEPS, {
                        let weight = weight.add(AT * V * S::LANES * STEP);
                        self.step::<S, P, V>(&inputs, AT * STEP, weight, &mut sums);
                    });
                    weight = weight.add(STEPS * V * S::LANES * STEP);
                    unroll!(AT, POINTERS, {
                        inputs[AT] = inputs[AT].add(STEPS * STEP);
                    });
                }
                for left in 0..self.steps % STEPS {
                    self.step::<S, P, V>(&inputs, left * STEP, weight, &mut sums);
                    weight = weight.add(V * S::LANES * STEP);
                }
            }
            let finish = &self.finish;
            let start = row * finish.row_stride + pixel * finish.pixel_stride;
            match (finish.target, finish.residual) {
                (Target::Codes { start: to, most }, Residual::None)
                    if most == FACTORS && self.channels == V * S::LANES =>
                {
                    finish.codes::<S, P, V, false, false>(&sums, to.add(start), None);
                }
                (Target::Codes { start: to, most }, Residual::Codes(residual))
                    if most == FACTORS && self.channels == V * S::LANES =>
                {
                    let residual = Some(residual.add(start));
                    finish.codes::<S, P, V, true, false>(&sums, to.add(start), residual);
                }
                (Target::Codes { start: to, most }, Residual::None)
                    if most == WIDEST && self.channels == V * S::LANES =>
                {
                    finish.codes::<S, P, V, false, true>(&sums, to.add(start), None);
                }
                _ => {
                    // A copy that can be indexed by variables, so that `sums` stays in registers.
                    let mut copy = [[S::zero(); V]; P];
                    unroll!(PIXEL, P, {
                        copy[PIXEL] = sums[PIXEL];
                    });
                    finish.any::<S, V>(start, &copy, self.channels);
                }
            }
        }
    }

    /// Adds the products of four codes of each pixel, at `offset`, to the sums.
    #[inline(always)]
    unsafe fn step<S: Int8Simd, const P: usize, const V: usize>(
        &self,
        inputs: &[Source<'_, u8>; POINTERS],
        offset: usize,
        weight: Source<'_, i8>,
        sums: &mut [[S::Sums; V]; P],
    ) {
        let stride = self.input_pixel_stride;
        // SAFETY: as in `tile`.
        unsafe {
            let mut weights = [S::load_weights(weight); V];
            unroll!(VECTOR, V, {
                weights[VECTOR] = S::load_weights(weight.add(VECTOR * S::LANES * STEP));
            });
            unroll!(PIXEL, P, {
                let codes = S::load_codes(inputs[PIXEL / 3].add(PIXEL % 3 * stride + offset));
                unroll!(VECTOR, V, {
                    sums[PIXEL][VECTOR] = S::dot(sums[PIXEL][VECTOR], codes, weights[VECTOR]);
                });
            });
        }
    }
}
