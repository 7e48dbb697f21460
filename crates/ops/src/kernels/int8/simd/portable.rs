//! Eight lanes: plain arrays, for any CPU.

use super::{Int8Simd, STEP};
use crate::kernels::int8::tile::{Rows, tile_sizes};
use crate::kernels::pointer::{Destination, Source};

const LANES: usize = 8;

#[derive(Clone, Copy)]
pub(crate) struct Portable;

#[inline(always)]
fn each<T: Copy, U: Copy, V>(a: [T; LANES], b: [U; LANES], of: impl Fn(T, U) -> V) -> [V; LANES] {
    std::array::from_fn(|lane| of(a[lane], b[lane]))
}

// SAFETY of every block: callers of the trait guarantee valid pointers.
impl Int8Simd for Portable {
    const LANES: usize = LANES;
    const HAS_WIDE_CODES: bool = true;
    const WIDTHS: &'static [usize] = &[1, 2];
    type Sums = [i32; LANES];
    type Codes = [u8; STEP];
    type Weights = [[i8; STEP]; LANES];
    type Floats = [f32; LANES];

    #[inline(always)]
    unsafe fn zero() -> Self::Sums {
        [0; LANES]
    }

    #[inline(always)]
    unsafe fn load_codes(from: Source<'_, u8>) -> Self::Codes {
        let from: *const Self::Codes = from.for_reading(STEP).cast();
        unsafe { from.read() }
    }

    #[inline(always)]
    unsafe fn load_weights(from: Source<'_, i8>) -> Self::Weights {
        let from: *const Self::Weights = from.for_reading(LANES * STEP).cast();
        unsafe { from.read() }
    }

    #[inline(always)]
    unsafe fn dot(sums: Self::Sums, codes: Self::Codes, weights: Self::Weights) -> Self::Sums {
        each(sums, weights, |sum, weights| {
            let products = codes.iter().zip(weights);
            let products = products.map(|(&code, weight)| i32::from(code) * i32::from(weight));
            sum + products.sum::<i32>()
        })
    }

    #[inline(always)]
    unsafe fn to_floats(sums: Self::Sums) -> Self::Floats {
        sums.map(|sum| sum as f32)
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::Floats {
        [value; LANES]
    }

    #[inline(always)]
    unsafe fn load(from: Source<'_>) -> Self::Floats {
        let from: *const Self::Floats = from.for_reading(LANES).cast();
        unsafe { from.read() }
    }

    #[inline(always)]
    unsafe fn store(to: Destination<'_>, values: Self::Floats) {
        let to: *mut Self::Floats = to.for_writing(LANES).cast();
        unsafe { to.write(values) }
    }

    #[inline(always)]
    unsafe fn load_bytes(from: Source<'_, u8>) -> Self::Floats {
        let from: *const [u8; LANES] = from.for_reading(LANES).cast();
        unsafe { from.read() }.map(f32::from)
    }

    #[inline(always)]
    unsafe fn store_bytes(to: Destination<'_, u8>, values: Self::Floats) {
        let to: *mut [u8; LANES] = to.for_writing(LANES).cast();
        unsafe { to.write(values.map(|value| value.round_ties_even() as u8)) }
    }

    #[inline(always)]
    unsafe fn store_factors(to: Destination<'_, u8>, values: Self::Floats) {
        unsafe { Self::store_bytes(to, values.map(|value| value.clamp(0.0, 127.0))) }
    }

    #[inline(always)]
    unsafe fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        each(a, b, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        each(a, b, |a, b| a * b)
    }

    #[inline(always)]
    unsafe fn mul_add(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
        std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }

    #[inline(always)]
    unsafe fn min(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        each(a, b, f32::min)
    }

    #[inline(always)]
    unsafe fn max(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        each(a, b, f32::max)
    }

    tile_sizes!(1 x 2, 2 x 2);
}
