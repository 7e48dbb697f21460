//! Sixteen lanes: x86-64 with AVX-512F.

use std::arch::x86_64::*;

use super::Simd;
use crate::kernels::pointer::{Destination, Source};

#[derive(Clone, Copy)]
pub(crate) struct Avx512;

/// Returns a mask of ones for the first `count` of 16 lanes.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    debug_assert!(count <= 16);
    ((1u32 << count) - 1) as __mmask16
}

// SAFETY of every block: callers of the trait guarantee the instructions and valid pointers.
impl Simd for Avx512 {
    const LANES: usize = 16;
    const REGISTERS: usize = 32;
    type Vector = __m512;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::Vector {
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(from: Source<'_>) -> Self::Vector {
        unsafe { _mm512_loadu_ps(from.for_reading(16)) }
    }

    #[inline(always)]
    unsafe fn store(to: Destination<'_>, vector: Self::Vector) {
        unsafe { _mm512_storeu_ps(to.for_writing(16), vector) }
    }

    #[inline(always)]
    unsafe fn load_first(from: Source<'_>, count: usize) -> Self::Vector {
        unsafe { _mm512_maskz_loadu_ps(first(count), from.for_reading(count)) }
    }

    #[inline(always)]
    unsafe fn store_first(to: Destination<'_>, vector: Self::Vector, count: usize) {
        unsafe { _mm512_mask_storeu_ps(to.for_writing(count), first(count), vector) }
    }

    #[inline(always)]
    fn prefetch(value: Source<'_>) {
        // SAFETY: every x86-64 CPU has this instruction, and it accepts any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(value.for_reading(0).cast()) }
    }

    #[inline(always)]
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn div(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { _mm512_div_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn sqrt(a: Self::Vector) -> Self::Vector {
        unsafe { _mm512_sqrt_ps(a) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn where_positive(value: Self::Vector, condition: Self::Vector) -> Self::Vector {
        unsafe {
            let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(condition, _mm512_setzero_ps());
            _mm512_maskz_mov_ps(positive, value)
        }
    }
}
