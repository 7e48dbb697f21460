//! Four lanes: AArch64 with the dot product instructions.

use std::arch::aarch64::*;
use std::arch::asm;

use super::Int8Simd;
use crate::kernels::int8::tile::{Rows, tile_sizes};
use crate::kernels::pointer::{Destination, Source};

#[derive(Clone, Copy)]
pub(crate) struct DotProduct;

// SAFETY of every block: callers of the trait guarantee the instructions and valid pointers.
impl Int8Simd for DotProduct {
    const LANES: usize = 4;
    const HAS_WIDE_CODES: bool = false;
    const WIDTHS: &'static [usize] = &[1, 4, 6, 7];
    type Sums = int32x4_t;
    type Codes = int8x16_t;
    type Weights = int8x16_t;
    type Floats = float32x4_t;

    #[inline(always)]
    unsafe fn zero() -> Self::Sums {
        unsafe { vdupq_n_s32(0) }
    }

    #[inline(always)]
    unsafe fn load_codes(from: Source<'_, u8>) -> Self::Codes {
        unsafe {
            let codes: *const i32 = from.for_reading(4).cast();
            vreinterpretq_s8_s32(vdupq_n_s32(codes.read_unaligned()))
        }
    }

    #[inline(always)]
    unsafe fn load_weights(from: Source<'_, i8>) -> Self::Weights {
        unsafe { vld1q_s8(from.for_reading(16)) }
    }

    #[inline(always)]
    unsafe fn dot(sums: Self::Sums, codes: Self::Codes, weights: Self::Weights) -> Self::Sums {
        let mut sums = sums;
        // The intrinsic of this instruction is not stable in the oldest supported compiler.
        unsafe {
            asm!(
                ".arch_extension dotprod",
                "sdot {sums:v}.4s, {codes:v}.16b, {weights:v}.16b",
                sums = inout(vreg) sums,
                codes = in(vreg) codes,
                weights = in(vreg) weights,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        sums
    }

    #[inline(always)]
    unsafe fn to_floats(sums: Self::Sums) -> Self::Floats {
        unsafe { vcvtq_f32_s32(sums) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::Floats {
        unsafe { vdupq_n_f32(value) }
    }

    #[inline(always)]
    unsafe fn load(from: Source<'_>) -> Self::Floats {
        unsafe { vld1q_f32(from.for_reading(4)) }
    }

    #[inline(always)]
    unsafe fn store(to: Destination<'_>, values: Self::Floats) {
        unsafe { vst1q_f32(to.for_writing(4), values) }
    }

    #[inline(always)]
    unsafe fn load_bytes(from: Source<'_, u8>) -> Self::Floats {
        unsafe {
            let codes: *const u32 = from.for_reading(4).cast();
            let codes = vcreate_u8(u64::from(codes.read_unaligned()));
            vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(codes))))
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(to: Destination<'_, u8>, values: Self::Floats) {
        unsafe {
            let codes = vmovn_u32(vcvtnq_u32_f32(values));
            let codes = vmovn_u16(vcombine_u16(codes, codes));
            let to: *mut u32 = to.for_writing(4).cast();
            to.write_unaligned(vget_lane_u32::<0>(vreinterpret_u32_u8(codes)));
        }
    }

    #[inline(always)]
    unsafe fn store_factors(to: Destination<'_, u8>, values: Self::Floats) {
        unsafe {
            let codes = vqmovn_s16(vcombine_s16(
                vqmovn_s32(vcvtnq_s32_f32(values)),
                vdup_n_s16(0),
            ));
            let codes = vmax_s8(codes, vdup_n_s8(0));
            let to: *mut u32 = to.for_writing(4).cast();
            to.write_unaligned(vget_lane_u32::<0>(vreinterpret_u32_s8(codes)));
        }
    }

    #[inline(always)]
    unsafe fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { vmulq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
        unsafe { vfmaq_f32(c, a, b) }
    }

    #[inline(always)]
    unsafe fn min(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { vminq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn max(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { vmaxq_f32(a, b) }
    }

    tile_sizes!(1 x 4, 4 x 4, 6 x 4, 7 x 4);
}
