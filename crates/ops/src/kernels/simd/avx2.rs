//! Eight lanes: x86-64 with AVX2 and FMA.

use std::arch::x86_64::*;

use super::Simd;
use crate::kernels::pointer::{Destination, Source};

#[derive(Clone, Copy)]
pub(crate) struct Avx2;

/// Returns a mask with all bits set in the first `count` of 8 lanes.
#[inline(always)]
unsafe fn first(count: usize) -> __m256i {
    debug_assert!(count <= 8);
    // Starts reading where `count` of the next eight lanes are ones.
    static ONES_THEN_ZEROS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: `count` is at most 8, so eight values follow.
    unsafe { _mm256_loadu_si256(ONES_THEN_ZEROS.as_ptr().add(8 - count).cast()) }
}

// SAFETY of every block: callers of the trait guarantee the instructions and valid pointers.
impl Simd for Avx2 {
    const LANES: usize = 8;
    const REGISTERS: usize = 16;
    type Vector = __m256;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::Vector {
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(from: Source<'_>) -> Self::Vector {
        unsafe { _mm256_loadu_ps(from.for_reading(8)) }
    }

    #[inline(always)]
    unsafe fn store(to: Destination<'_>, vector: Self::Vector) {
        unsafe { _mm256_storeu_ps(to.for_writing(8), vector) }
    }

    #[inline(always)]
    unsafe fn load_first(from: Source<'_>, count: usize) -> Self::Vector {
        unsafe { _mm256_maskload_ps(from.for_reading(count), first(count)) }
    }

    #[inline(always)]
    unsafe fn store_first(to: Destination<'_>, vector: Self::Vector, count: usize) {
        unsafe { _mm256_maskstore_ps(to.for_writing(count), first(count), vector) }
    }

    #[inline(always)]
    fn prefetch(value: Source<'_>) {
        // SAFETY: every x86-64 CPU has this instruction, and it accepts any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(value.for_reading(0).cast()) }
    }

    #[inline(always)]
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn div(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { _mm256_div_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn sqrt(a: Self::Vector) -> Self::Vector {
        unsafe { _mm256_sqrt_ps(a) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { _mm256_max_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn where_positive(value: Self::Vector, condition: Self::Vector) -> Self::Vector {
        unsafe {
            let positive = _mm256_cmp_ps::<_CMP_GT_OQ>(condition, _mm256_setzero_ps());
            _mm256_and_ps(positive, value)
        }
    }
}
