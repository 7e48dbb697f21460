//! Four lanes: AArch64, whose architecture includes NEON.

use std::arch::aarch64::*;

use super::Simd;
use crate::kernels::pointer::{Destination, Source};

#[derive(Clone, Copy)]
pub(crate) struct Neon;

// SAFETY of every block: the architecture has the instructions, and callers of the trait pass valid
// pointers.
impl Simd for Neon {
    const LANES: usize = 4;
    const REGISTERS: usize = 32;
    type Vector = float32x4_t;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::Vector {
        unsafe { vdupq_n_f32(value) }
    }

    #[inline(always)]
    unsafe fn load(from: Source<'_>) -> Self::Vector {
        unsafe { vld1q_f32(from.for_reading(4)) }
    }

    #[inline(always)]
    unsafe fn store(to: Destination<'_>, vector: Self::Vector) {
        unsafe { vst1q_f32(to.for_writing(4), vector) }
    }

    #[inline(always)]
    unsafe fn load_first(from: Source<'_>, count: usize) -> Self::Vector {
        let from = from.for_reading(count);
        let mut lanes = [0.0; 4];
        for (lane, value) in lanes.iter_mut().enumerate().take(count) {
            *value = unsafe { from.add(lane).read() };
        }
        unsafe { vld1q_f32(lanes.as_ptr()) }
    }

    #[inline(always)]
    unsafe fn store_first(to: Destination<'_>, vector: Self::Vector, count: usize) {
        let mut lanes = [0.0; 4];
        unsafe { vst1q_f32(lanes.as_mut_ptr(), vector) };
        let to = to.for_writing(count);
        for (lane, value) in lanes.into_iter().enumerate().take(count) {
            unsafe { to.add(lane).write(value) };
        }
    }

    #[inline(always)]
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { vsubq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { vmulq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn div(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        unsafe { vdivq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn sqrt(a: Self::Vector) -> Self::Vector {
        unsafe { vsqrtq_f32(a) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        unsafe { vfmaq_f32(c, a, b) }
    }

    #[inline(always)]
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        // Not `vmaxq_f32`, which propagates NaN from either side.
        unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
    }

    #[inline(always)]
    unsafe fn where_positive(value: Self::Vector, condition: Self::Vector) -> Self::Vector {
        unsafe {
            let positive = vcgtq_f32(condition, vdupq_n_f32(0.0));
            vbslq_f32(positive, value, vdupq_n_f32(0.0))
        }
    }
}
