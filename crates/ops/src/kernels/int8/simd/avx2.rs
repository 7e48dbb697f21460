//! Eight lanes: x86-64 with AVX2, without and with VNNI.

use std::arch::x86_64::*;

use super::Int8Simd;
use crate::kernels::int8::tile::{Rows, tile_sizes};
use crate::kernels::pointer::{Destination, Source};

#[derive(Clone, Copy)]
pub(crate) struct Avx2;

#[derive(Clone, Copy)]
pub(crate) struct AvxVnni;

/// Adds products with two instructions that exist since AVX2. The sums of pairs fit into 16 bits, as
/// codes are at most 127: 2 * 127 * 128 is 32,512.
#[inline(always)]
unsafe fn dot_avx2(sums: __m256i, codes: __m256i, weights: __m256i) -> __m256i {
    // SAFETY: the caller guarantees AVX2.
    unsafe {
        let pairs = _mm256_maddubs_epi16(codes, weights);
        let products = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
        _mm256_add_epi32(sums, products)
    }
}

#[inline(always)]
unsafe fn dot_vnni(sums: __m256i, codes: __m256i, weights: __m256i) -> __m256i {
    // SAFETY: the caller guarantees AVX-VNNI.
    unsafe { _mm256_dpbusd_avx_epi32(sums, codes, weights) }
}

/// Implements the trait for two instruction sets that differ in `dot` only.
macro_rules! implement {
    ($name:ident, $dot:ident, $wide:literal, $widths:expr, $sizes:tt) => {
        // SAFETY of every block: callers of the trait guarantee the instructions and valid pointers.
        impl Int8Simd for $name {
            const LANES: usize = 8;
            const HAS_WIDE_CODES: bool = $wide;
            const WIDTHS: &'static [usize] = $widths;
            type Sums = __m256i;
            type Codes = __m256i;
            type Weights = __m256i;
            type Floats = __m256;

            #[inline(always)]
            unsafe fn zero() -> Self::Sums {
                unsafe { _mm256_setzero_si256() }
            }

            #[inline(always)]
            unsafe fn load_codes(from: Source<'_, u8>) -> Self::Codes {
                unsafe {
                    let codes: *const i32 = from.for_reading(4).cast();
                    _mm256_set1_epi32(codes.read_unaligned())
                }
            }

            #[inline(always)]
            unsafe fn load_weights(from: Source<'_, i8>) -> Self::Weights {
                unsafe { _mm256_loadu_si256(from.for_reading(32).cast()) }
            }

            #[inline(always)]
            unsafe fn dot(
                sums: Self::Sums,
                codes: Self::Codes,
                weights: Self::Weights,
            ) -> Self::Sums {
                unsafe { $dot(sums, codes, weights) }
            }

            #[inline(always)]
            unsafe fn to_floats(sums: Self::Sums) -> Self::Floats {
                unsafe { _mm256_cvtepi32_ps(sums) }
            }

            #[inline(always)]
            unsafe fn splat(value: f32) -> Self::Floats {
                unsafe { _mm256_set1_ps(value) }
            }

            #[inline(always)]
            unsafe fn load(from: Source<'_>) -> Self::Floats {
                unsafe { _mm256_loadu_ps(from.for_reading(8)) }
            }

            #[inline(always)]
            unsafe fn store(to: Destination<'_>, values: Self::Floats) {
                unsafe { _mm256_storeu_ps(to.for_writing(8), values) }
            }

            #[inline(always)]
            unsafe fn load_bytes(from: Source<'_, u8>) -> Self::Floats {
                unsafe {
                    let codes = _mm_loadl_epi64(from.for_reading(8).cast());
                    _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(codes))
                }
            }

            #[inline(always)]
            unsafe fn store_bytes(to: Destination<'_, u8>, values: Self::Floats) {
                unsafe {
                    let codes = _mm256_cvtps_epi32(values);
                    let [low, high] = [
                        _mm256_castsi256_si128(codes),
                        _mm256_extracti128_si256::<1>(codes),
                    ];
                    let codes = _mm_packus_epi32(low, high);
                    let codes = _mm_packus_epi16(codes, codes);
                    _mm_storel_epi64(to.for_writing(8).cast(), codes);
                }
            }

            #[inline(always)]
            unsafe fn store_factors(to: Destination<'_, u8>, values: Self::Floats) {
                unsafe {
                    let codes = _mm256_cvtps_epi32(values);
                    let [low, high] = [
                        _mm256_castsi256_si128(codes),
                        _mm256_extracti128_si256::<1>(codes),
                    ];
                    let codes = _mm_packs_epi32(low, high);
                    let codes = _mm_packs_epi16(codes, codes);
                    let codes = _mm_max_epi8(codes, _mm_setzero_si128());
                    _mm_storel_epi64(to.for_writing(8).cast(), codes);
                }
            }

            #[inline(always)]
            unsafe fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats {
                unsafe { _mm256_add_ps(a, b) }
            }

            #[inline(always)]
            unsafe fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats {
                unsafe { _mm256_mul_ps(a, b) }
            }

            #[inline(always)]
            unsafe fn mul_add(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
                unsafe { _mm256_fmadd_ps(a, b, c) }
            }

            #[inline(always)]
            unsafe fn min(a: Self::Floats, b: Self::Floats) -> Self::Floats {
                unsafe { _mm256_min_ps(a, b) }
            }

            #[inline(always)]
            unsafe fn max(a: Self::Floats, b: Self::Floats) -> Self::Floats {
                unsafe { _mm256_max_ps(a, b) }
            }

            tile_sizes! $sizes;
        }
    };
}

implement!(Avx2, dot_avx2, false, &[1, 3, 4, 5], (1 x 2, 3 x 2, 4 x 2, 5 x 2));
implement!(AvxVnni, dot_vnni, true, &[1, 3, 4, 5, 6], (1 x 2, 3 x 2, 4 x 2, 5 x 2, 6 x 2));
