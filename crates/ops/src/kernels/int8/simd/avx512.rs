//! Sixteen lanes: x86-64 with AVX-512 and VNNI.

use std::arch::x86_64::*;

use super::Int8Simd;
use crate::kernels::int8::tile::{Rows, tile_sizes};
use crate::kernels::pointer::{Destination, Source};

#[derive(Clone, Copy)]
pub(crate) struct Avx512Vnni;

// SAFETY of every block: callers of the trait guarantee the instructions and valid pointers.
impl Int8Simd for Avx512Vnni {
    const LANES: usize = 16;
    const HAS_WIDE_CODES: bool = true;
    const WIDTHS: &'static [usize] = &[1, 4, 7, 8, 14];
    type Sums = __m512i;
    type Codes = __m512i;
    type Weights = __m512i;
    type Floats = __m512;

    #[inline(always)]
    unsafe fn zero() -> Self::Sums {
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    unsafe fn load_codes(from: Source<'_, u8>) -> Self::Codes {
        unsafe {
            let codes: *const i32 = from.for_reading(4).cast();
            _mm512_set1_epi32(codes.read_unaligned())
        }
    }

    #[inline(always)]
    unsafe fn load_weights(from: Source<'_, i8>) -> Self::Weights {
        unsafe { _mm512_loadu_si512(from.for_reading(64).cast()) }
    }

    #[inline(always)]
    unsafe fn dot(sums: Self::Sums, codes: Self::Codes, weights: Self::Weights) -> Self::Sums {
        unsafe { _mm512_dpbusd_epi32(sums, codes, weights) }
    }

    #[inline(always)]
    unsafe fn to_floats(sums: Self::Sums) -> Self::Floats {
        unsafe { _mm512_cvtepi32_ps(sums) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::Floats {
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(from: Source<'_>) -> Self::Floats {
        unsafe { _mm512_loadu_ps(from.for_reading(16)) }
    }

    #[inline(always)]
    unsafe fn store(to: Destination<'_>, values: Self::Floats) {
        unsafe { _mm512_storeu_ps(to.for_writing(16), values) }
    }

    #[inline(always)]
    unsafe fn load_bytes(from: Source<'_, u8>) -> Self::Floats {
        unsafe {
            let codes = _mm_loadu_si128(from.for_reading(16).cast());
            _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(codes))
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(to: Destination<'_, u8>, values: Self::Floats) {
        unsafe {
            let codes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(values));
            _mm_storeu_si128(to.for_writing(16).cast(), codes);
        }
    }

    #[inline(always)]
    unsafe fn store_factors(to: Destination<'_, u8>, values: Self::Floats) {
        unsafe {
            let codes = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(values));
            let codes = _mm_max_epi8(codes, _mm_setzero_si128());
            _mm_storeu_si128(to.for_writing(16).cast(), codes);
        }
    }

    #[inline(always)]
    unsafe fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn min(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { _mm512_min_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn max(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { _mm512_max_ps(a, b) }
    }

    tile_sizes!(1 x 1, 4 x 1, 7 x 1, 8 x 1, 14 x 1, 1 x 2, 4 x 2, 7 x 2, 8 x 2, 14 x 2);
}
