//! Conversion of coefficients to samples.
//!
//! The inverse cosine transform of Loeffler, Ligtenberg and Moschytz in integers, rounded like
//! libjpeg's accurate transform: once after the columns, to a quarter, and once after the rows. Its
//! 12 products of sums are expanded to 16 products of 16-bit numbers, of which processors compute
//! more at once.

use super::{BLOCK, SIDE};

/// Number of fractional bits of a factor.
const FACTOR_BITS: u32 = 13;
/// Number of fractional bits between columns and rows.
const BETWEEN_BITS: u32 = 2;
/// The transform is scaled by a factor of 8.
const GAIN_BITS: u32 = 3;

/// Converts a block's coefficients to samples, written to the start of `samples` with rows `stride`
/// apart.
#[inline]
pub(super) fn inverse_transform(block: &[i16; BLOCK], samples: &mut [u8], stride: usize) {
    let rows = samples.chunks_mut(stride).take(SIDE);
    let mut others = *block;
    others[0] = 0;
    if others == [0; BLOCK] {
        // All samples are equal, with the same rounding as in both passes.
        let level = (i32::from(block[0]) + (1 << (GAIN_BITS - 1))) >> GAIN_BITS;
        rows.for_each(|row| row[..SIDE].fill(sample(level as i16)));
        return;
    }
    let columns = pass::<{ FACTOR_BITS - BETWEEN_BITS }>(block);
    let pixels = pass::<{ FACTOR_BITS + BETWEEN_BITS + GAIN_BITS }>(&transpose(&columns));
    let pixels = transpose(&pixels).map(sample);
    for (row, pixels) in rows.zip(pixels.as_chunks::<SIDE>().0) {
        row[..SIDE].copy_from_slice(pixels);
    }
}

/// Converts a sample's difference from the middle level.
#[inline(always)]
fn sample(level: i16) -> u8 {
    (level.clamp(-128, 127) + 128) as u8
}

/// Transposes a block by interleaving the upper half with the lower half three times.
#[inline(always)]
fn transpose(values: &[i16; BLOCK]) -> [i16; BLOCK] {
    shuffle(&shuffle(&shuffle(values)))
}

#[inline(always)]
fn shuffle(values: &[i16; BLOCK]) -> [i16; BLOCK] {
    let mut shuffled = [0; BLOCK];
    for place in 0..BLOCK / 2 {
        shuffled[2 * place] = values[place];
        shuffled[2 * place + 1] = values[BLOCK / 2 + place];
    }
    shuffled
}

/// Transforms every column, and rounds off `BITS` bits.
#[inline(always)]
fn pass<const BITS: u32>(values: &[i16; BLOCK]) -> [i16; BLOCK] {
    let mut transformed = [0; BLOCK];
    for column in 0..SIDE {
        let value = |row: usize| values[row * SIDE + column];
        let even = even_half([value(0), value(2), value(4), value(6)]);
        let odd = odd_half([value(1), value(3), value(5), value(7)]);
        let round = |sum: i32| {
            let rounded = sum.wrapping_add(1 << (BITS - 1)) >> BITS;
            rounded.clamp(i16::MIN.into(), i16::MAX.into()) as i16
        };
        for row in 0..SIDE / 2 {
            transformed[row * SIDE + column] = round(even[row].wrapping_add(odd[row]));
            transformed[(SIDE - 1 - row) * SIDE + column] = round(even[row].wrapping_sub(odd[row]));
        }
    }
    transformed
}

/// Returns the part that is equal in a value and in its mirror image.
#[inline(always)]
fn even_half([first, second, third, fourth]: [i16; 4]) -> [i32; 4] {
    const TURN: i32 = factor(0.541196100);
    let low = products(second, TURN + factor(0.765366865), fourth, TURN);
    let high = products(second, TURN, fourth, TURN - factor(1.847759065));
    let sum = i32::from(first.wrapping_add(third)) << FACTOR_BITS;
    let difference = i32::from(first.wrapping_sub(third)) << FACTOR_BITS;
    [
        sum.wrapping_add(low),
        difference.wrapping_add(high),
        difference.wrapping_sub(high),
        sum.wrapping_sub(low),
    ]
}

/// Returns the part with the opposite sign in the mirror image.
#[inline(always)]
fn odd_half([first, second, third, fourth]: [i16; 4]) -> [i32; 4] {
    const BOTH: i32 = factor(1.175875602);
    const OUTER: i32 = factor(0.899976223);
    const INNER: i32 = factor(2.562915447);
    let even = fourth.wrapping_add(second);
    let odd = third.wrapping_add(first);
    let from_even = products(even, BOTH - factor(1.961570560), odd, BOTH);
    let from_odd = products(even, BOTH, odd, BOTH - factor(0.390180644));
    [
        products(fourth, -OUTER, first, factor(1.501321110) - OUTER).wrapping_add(from_odd),
        products(third, -INNER, second, factor(3.072711026) - INNER).wrapping_add(from_even),
        products(third, factor(2.053119869) - INNER, second, -INNER).wrapping_add(from_odd),
        products(fourth, factor(0.298631336) - OUTER, first, -OUTER).wrapping_add(from_even),
    ]
}

/// Returns a factor with [`FACTOR_BITS`] fractional bits.
const fn factor(value: f64) -> i32 {
    (value * (1 << FACTOR_BITS) as f64 + 0.5) as i32
}

/// Returns the sum of two products with 16-bit factors.
#[inline(always)]
fn products(left: i16, left_factor: i32, right: i16, right_factor: i32) -> i32 {
    (i32::from(left) * left_factor).wrapping_add(i32::from(right) * right_factor)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_1_SQRT_2, PI};

    use proptest::prelude::*;

    use super::*;

    fn transformed(block: &[i16; BLOCK]) -> Vec<u8> {
        let mut samples = vec![0; BLOCK];
        inverse_transform(block, &mut samples, SIDE);
        samples
    }

    /// The standard's definition, in double precision.
    fn exact(block: &[i16; BLOCK]) -> Vec<f64> {
        let wave = |place: usize, frequency: usize| {
            let scale = if frequency == 0 { FRAC_1_SQRT_2 } else { 1.0 };
            scale * ((2 * place + 1) as f64 * frequency as f64 * PI / 16.0).cos() / 2.0
        };
        let sample = |place: usize| {
            let part = |at: usize| {
                let waves = wave(place / SIDE, at / SIDE) * wave(place % SIDE, at % SIDE);
                f64::from(block[at]) * waves
            };
            ((0..BLOCK).map(part).sum::<f64>() + 128.0).clamp(0.0, 255.0)
        };
        (0..BLOCK).map(sample).collect()
    }

    proptest! {
        #[test]
        fn inverse_dct_matches_definition(
            coefficients in prop::collection::vec((0..BLOCK, -400_i16..400), 0..20),
        ) {
            let mut block = [0; BLOCK];
            for (place, value) in coefficients {
                block[place] = value;
            }
            for (found, expected) in transformed(&block).into_iter().zip(exact(&block)) {
                prop_assert!((f64::from(found) - expected).abs() < 0.75, "{found}, {expected}");
            }
        }
    }

    #[test]
    fn constant_block_rounds_like_two_passes() {
        for level in -1100..1100 {
            let mut block = [0; BLOCK];
            block[0] = level;
            let pixels = pass::<18>(&transpose(&pass::<11>(&block)));
            assert_eq!(transformed(&block), pixels.map(sample), "{level}");
        }
    }

    #[test]
    fn rows_become_columns() {
        let values = std::array::from_fn(|place| place as i16);
        let transposed = transpose(&values);
        for (place, value) in transposed.into_iter().enumerate() {
            assert_eq!(
                usize::try_from(value),
                Ok(place % SIDE * SIDE + place / SIDE)
            );
        }
    }
}
