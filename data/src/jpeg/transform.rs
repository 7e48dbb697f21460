//! From coefficients to samples.
//!
//! The inverse cosine transform of Loeffler, Ligtenberg and Moschytz with 12 multiplications, in
//! whole numbers, which are rounded where libjpeg's accurate transform rounds them: once behind
//! the columns, to a quarter, and once behind the rows.

use std::num::Wrapping;

use super::{BLOCK, SIDE};

type Number = Wrapping<i32>;

/// Bits of a factor behind the point.
const FACTOR_BITS: usize = 13;
/// Bits behind the point between columns and rows.
const BETWEEN_BITS: usize = 2;
/// The transform is larger than a cosine transform by the factor 8.
const GAIN_BITS: usize = 3;

/// A factor with [`FACTOR_BITS`] behind the point.
const fn factor(value: f64) -> Number {
    Wrapping((value * (1 << FACTOR_BITS) as f64 + 0.5) as i32)
}

/// Turns a block's coefficients into samples, the first of which is the first of `samples`, and
/// rows of which are `stride` apart.
#[inline]
pub(super) fn inverse_transform(block: &[i16; BLOCK], samples: &mut [u8], stride: usize) {
    let rows = samples.chunks_mut(stride).take(SIDE);
    if block[1..]
        .iter()
        .fold(0, |all, &coefficient| all | coefficient)
        == 0
    {
        // All samples are the same, and what both passes make of them.
        let level = (i32::from(block[0]) + (1 << (GAIN_BITS - 1))) >> GAIN_BITS;
        let level = (level + 128).clamp(0, 255) as u8;
        rows.for_each(|row| row[..SIDE].fill(level));
        return;
    }
    let columns = pass::<{ FACTOR_BITS - BETWEEN_BITS }>(&block.map(i32::from));
    let pixels = pass::<{ FACTOR_BITS + BETWEEN_BITS + GAIN_BITS }>(&transpose(&columns));
    let pixels = transpose(&pixels.map(|value| (value + 128).clamp(0, 255) as u8));
    for (row, pixels) in rows.zip(pixels.as_chunks::<SIDE>().0) {
        row[..SIDE].copy_from_slice(pixels);
    }
}

fn transpose<T: Copy + Default>(values: &[T; BLOCK]) -> [T; BLOCK] {
    let mut transposed = [T::default(); BLOCK];
    for row in 0..SIDE {
        for column in 0..SIDE {
            transposed[column * SIDE + row] = values[row * SIDE + column];
        }
    }
    transposed
}

/// Transforms every column, and rounds off `BITS`.
#[inline(always)]
fn pass<const BITS: usize>(values: &[i32; BLOCK]) -> [i32; BLOCK] {
    let mut transformed = [0; BLOCK];
    for column in 0..SIDE {
        let value = |row: usize| Wrapping(values[row * SIDE + column]);
        let [even, odd] = [
            even_half([value(0), value(2), value(4), value(6)]),
            odd_half([value(1), value(3), value(5), value(7)]),
        ];
        for row in 0..SIDE / 2 {
            let round = |sum: Number| ((sum + Wrapping(1 << (BITS - 1))) >> BITS).0;
            transformed[row * SIDE + column] = round(even[row] + odd[row]);
            transformed[(SIDE - 1 - row) * SIDE + column] = round(even[row] - odd[row]);
        }
    }
    transformed
}

/// What is the same in a value and in its mirror image.
#[inline(always)]
fn even_half([first, second, third, fourth]: [Number; 4]) -> [Number; 4] {
    let turned = (second + fourth) * const { factor(0.541196100) };
    let low = turned + second * const { factor(0.765366865) };
    let high = turned - fourth * const { factor(1.847759065) };
    let sum = (first + third) << FACTOR_BITS;
    let difference = (first - third) << FACTOR_BITS;
    [sum + low, difference + high, difference - high, sum - low]
}

/// What has the opposite sign in the mirror image.
#[inline(always)]
fn odd_half([first, second, third, fourth]: [Number; 4]) -> [Number; 4] {
    let (outer, inner) = (fourth + first, third + second);
    let (even, odd) = (fourth + second, third + first);
    let both = (even + odd) * const { factor(1.175875602) };
    let outer = outer * const { factor(0.899976223) };
    let inner = inner * const { factor(2.562915447) };
    let even = both - even * const { factor(1.961570560) };
    let odd = both - odd * const { factor(0.390180644) };
    [
        first * const { factor(1.501321110) } - outer + odd,
        second * const { factor(3.072711026) } - inner + even,
        third * const { factor(2.053119869) } - inner + odd,
        fourth * const { factor(0.298631336) } - outer + even,
    ]
}
