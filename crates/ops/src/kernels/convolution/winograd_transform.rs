//! The three linear maps around the products of F(4x4, 3x3), for the points 0, 1, -1, 2, -2 and
//! infinity.

use super::winograd::{IN, OUT, PRODUCTS};
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::simd::{Kernel, Simd};

/// Transform of a 3x3 panel `[3, 3, in_channels, width]` to 36 panels `[in_channels, width]`.
pub(super) struct WeightTransform<'a> {
    pub weight: &'a [f32],
    /// Space for 36 panels.
    pub output: Destination<'a>,
    /// Number of values in a panel: `in_channels * width`, a multiple of the vector length.
    pub stride: usize,
}

impl Kernel for WeightTransform<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        assert!(self.weight.len() == 9 * self.stride && self.stride.is_multiple_of(S::LANES));
        let weight = Source::from(self.weight);
        for first in (0..self.stride).step_by(S::LANES) {
            // SAFETY: a vector that starts at `first` is within each of the panels.
            unsafe {
                let mut half = [[S::splat(0.0); 3]; IN];
                for column in 0..3 {
                    let mut taps = [S::splat(0.0); 3];
                    for (row, tap) in taps.iter_mut().enumerate() {
                        let at = (row * 3 + column) * self.stride + first;
                        *tap = S::load(weight.add(at));
                    }
                    let mapped = map_weight::<S>(taps);
                    for (half, mapped) in half.iter_mut().zip(mapped) {
                        half[column] = mapped;
                    }
                }
                for (row, half) in half.into_iter().enumerate() {
                    let mapped = map_weight::<S>(half);
                    for (column, mapped) in mapped.into_iter().enumerate() {
                        let at = (row * IN + column) * self.stride + first;
                        S::store(self.output.add(at), mapped);
                    }
                }
            }
        }
    }
}

/// Transform of the pixels under a tile `[6, 6, channels]` to one row in each of 36 matrices.
pub(super) struct InputTiles<'a> {
    /// Pixels with one value per channel.
    pub pixels: [[Source<'a>; IN]; IN],
    pub channels: usize,
    /// The tile's row in the first matrix.
    pub output: &'a mut [f32],
    /// Distance between matrices, in values.
    pub stride: usize,
}

impl Kernel for InputTiles<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        assert!((PRODUCTS - 1) * self.stride + self.channels <= self.output.len());
        let output = Destination::from(self.output);
        for first in (0..self.channels).step_by(S::LANES) {
            let count = (self.channels - first).min(S::LANES);
            // SAFETY: `count` channels are left in every pixel, and in the row of every matrix.
            unsafe {
                let mut half = [[S::splat(0.0); IN]; IN];
                for (half, pixels) in half.iter_mut().zip(&self.pixels) {
                    let mut values = [S::splat(0.0); IN];
                    for (value, pixel) in values.iter_mut().zip(pixels) {
                        *value = load::<S>(pixel.add(first), count);
                    }
                    *half = map_input::<S>(values);
                }
                for column in 0..IN {
                    let mut values = [S::splat(0.0); IN];
                    for (value, half) in values.iter_mut().zip(&half) {
                        *value = half[column];
                    }
                    let mapped = map_input::<S>(values);
                    for (row, mapped) in mapped.into_iter().enumerate() {
                        let at = (row * IN + column) * self.stride + first;
                        store::<S>(output.add(at), mapped, count);
                    }
                }
            }
        }
    }
}

/// Transform of one row in each of 36 matrices to a tile of results.
pub(super) struct OutputTiles<'a> {
    /// The tile's row in the first matrix.
    pub products: &'a [f32],
    /// Distance between matrices, in values.
    pub stride: usize,
    pub channels: usize,
    /// Size of the tile's existing results, at most 4 by 4.
    pub rows: usize,
    pub columns: usize,
    /// The first result.
    pub output: Destination<'a>,
    pub row_stride: usize,
    pub pixel_stride: usize,
    pub bias: Option<&'a [f32]>,
    /// Added to the results. Has the layout of the output and may be the output itself.
    pub residual: Option<Source<'a>>,
    pub relu: bool,
}

impl Kernel for OutputTiles<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        assert!((PRODUCTS - 1) * self.stride + self.channels <= self.products.len());
        assert!(self.bias.is_none_or(|bias| bias.len() == self.channels));
        let products = Source::from(self.products);
        for first in (0..self.channels).step_by(S::LANES) {
            let count = (self.channels - first).min(S::LANES);
            // SAFETY: `count` channels are left in every row and every pixel.
            unsafe {
                let mut half = [[S::splat(0.0); OUT]; IN];
                for (row, half) in half.iter_mut().enumerate() {
                    let mut values = [S::splat(0.0); IN];
                    for (column, value) in values.iter_mut().enumerate() {
                        let at = (row * IN + column) * self.stride + first;
                        *value = load::<S>(products.add(at), count);
                    }
                    *half = map_output::<S>(values);
                }
                let bias = match self.bias {
                    Some(bias) => load::<S>(Source::from(bias).add(first), count),
                    None => S::splat(0.0),
                };
                for column in 0..self.columns {
                    let mut values = [S::splat(0.0); IN];
                    for (value, half) in values.iter_mut().zip(&half) {
                        *value = half[column];
                    }
                    let mapped = map_output::<S>(values);
                    for (row, value) in mapped.into_iter().enumerate().take(self.rows) {
                        let at = row * self.row_stride + column * self.pixel_stride + first;
                        let mut value = S::add(value, bias);
                        if let Some(residual) = self.residual {
                            value = S::add(value, load::<S>(residual.add(at), count));
                        }
                        if self.relu {
                            // This argument order propagates NaN.
                            value = S::max(S::splat(0.0), value);
                        }
                        store::<S>(self.output.add(at), value, count);
                    }
                }
            }
        }
    }
}

/// Maps three taps to six points.
#[inline(always)]
unsafe fn map_weight<S: Simd>([a, b, c]: [S::Vector; 3]) -> [S::Vector; IN] {
    // SAFETY: same as the caller's.
    unsafe {
        let outer = S::mul(S::add(a, c), S::splat(-1.0 / 6.0));
        let middle = S::mul(b, S::splat(1.0 / 6.0));
        let far = S::mul_add(a, S::splat(1.0 / 24.0), S::mul(c, S::splat(1.0 / 6.0)));
        let half = S::mul(b, S::splat(1.0 / 12.0));
        [
            S::mul(a, S::splat(0.25)),
            S::sub(outer, middle),
            S::add(outer, middle),
            S::add(far, half),
            S::sub(far, half),
            c,
        ]
    }
}

/// Maps six input values to six points.
#[inline(always)]
unsafe fn map_input<S: Simd>([a, b, c, d, e, f]: [S::Vector; IN]) -> [S::Vector; IN] {
    // SAFETY: same as the caller's.
    unsafe {
        let four = S::splat(4.0);
        let minus_four = S::splat(-4.0);
        let minus_five = S::splat(-5.0);
        let two = S::splat(2.0);
        let even = S::mul_add(c, minus_four, e);
        let odd = S::mul_add(b, minus_four, d);
        let even_far = S::sub(e, c);
        let odd_far = S::mul(S::sub(d, b), two);
        [
            S::mul_add(a, four, S::mul_add(c, minus_five, e)),
            S::add(even, odd),
            S::sub(even, odd),
            S::add(even_far, odd_far),
            S::sub(even_far, odd_far),
            S::mul_add(b, four, S::mul_add(d, minus_five, f)),
        ]
    }
}

/// Maps products at six points to four results.
#[inline(always)]
unsafe fn map_output<S: Simd>([a, b, c, d, e, f]: [S::Vector; IN]) -> [S::Vector; OUT] {
    // SAFETY: same as the caller's.
    unsafe {
        let sum = S::add(b, c);
        let difference = S::sub(b, c);
        let far_sum = S::add(d, e);
        let far_difference = S::sub(d, e);
        [
            S::add(a, S::add(sum, far_sum)),
            S::mul_add(far_difference, S::splat(2.0), difference),
            S::mul_add(far_sum, S::splat(4.0), sum),
            S::add(S::mul_add(far_difference, S::splat(8.0), difference), f),
        ]
    }
}

#[inline(always)]
unsafe fn load<S: Simd>(from: Source<'_>, count: usize) -> S::Vector {
    // SAFETY: the caller guarantees `count` values there.
    unsafe {
        if count == S::LANES {
            S::load(from)
        } else {
            S::load_first(from, count)
        }
    }
}

#[inline(always)]
unsafe fn store<S: Simd>(to: Destination<'_>, vector: S::Vector, count: usize) {
    // SAFETY: the caller guarantees `count` values there.
    unsafe {
        if count == S::LANES {
            S::store(to, vector);
        } else {
            S::store_first(to, vector, count);
        }
    }
}
