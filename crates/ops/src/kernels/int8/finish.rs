//! From sums to the values of the next layer.

use super::simd::Int8Simd;
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::simd::unroll;

/// Largest number of lanes of any vector.
const MOST_LANES: usize = 16;
/// Largest code that every convolution can read.
pub(super) const FACTORS: f32 = 127.0;
/// Largest code of all.
pub(super) const WIDEST: f32 = 255.0;

/// What becomes of the sums: `sum * scale + shift`, plus `residual * residual_scale`.
#[derive(Clone, Copy)]
pub(crate) struct Finish<'a> {
    /// One factor for each channel of the panel.
    pub scale: Source<'a>,
    pub shift: Source<'a>,
    pub residual: Residual<'a>,
    pub residual_scale: f32,
    pub target: Target<'a>,
    /// Distances between output rows and pixels, in values; also of the residual.
    pub row_stride: usize,
    pub pixel_stride: usize,
}

#[derive(Clone, Copy)]
pub(crate) enum Residual<'a> {
    None,
    Codes(Source<'a, u8>),
    Floats(Source<'a>),
}

#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    /// Rounded to codes of 0 to `most`.
    Codes {
        start: Destination<'a, u8>,
        most: f32,
    },
    /// At least `least`.
    Floats { start: Destination<'a>, least: f32 },
}

impl Finish<'_> {
    /// Writes codes of up to 127, or 255 if `IS_WIDE`, for a tile whose channels all exist, without
    /// leaving registers.
    ///
    /// # Safety
    ///
    /// The pixels and channels exist, and the CPU has the instructions of `S`.
    #[inline(always)]
    pub(super) unsafe fn codes<
        S: Int8Simd,
        const P: usize,
        const V: usize,
        const IS_ADDED: bool,
        const IS_WIDE: bool,
    >(
        &self,
        sums: &[[S::Sums; V]; P],
        target: Destination<'_, u8>,
        residual: Option<Source<'_, u8>>,
    ) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let residual_scale = S::splat(self.residual_scale);
            unroll!(VECTOR, V, {
                let scale = S::load(self.scale.add(VECTOR * S::LANES));
                let shift = S::load(self.shift.add(VECTOR * S::LANES));
                unroll!(PIXEL, P, {
                    let at = PIXEL * self.pixel_stride + VECTOR * S::LANES;
                    let mut values = S::mul_add(S::to_floats(sums[PIXEL][VECTOR]), scale, shift);
                    if IS_ADDED && let Some(residual) = residual {
                        let codes = S::load_bytes(residual.add(at));
                        values = S::mul_add(codes, residual_scale, values);
                    }
                    if IS_WIDE {
                        let codes = S::min(S::max(values, S::splat(0.0)), S::splat(WIDEST));
                        S::store_bytes(target.add(at), codes);
                    } else {
                        S::store_factors(target.add(at), values);
                    }
                });
            });
        }
    }

    /// Writes pixels of a row, the first of which is at `start`, with the given number of channels.
    ///
    /// # Safety
    ///
    /// The pixels and channels exist, and the CPU has the instructions of `S`.
    #[inline(always)]
    pub(super) unsafe fn any<S: Int8Simd, const V: usize>(
        &self,
        start: usize,
        sums: &[[S::Sums; V]],
        channels: usize,
    ) {
        for vector in 0..V {
            let channel = vector * S::LANES;
            if channel >= channels {
                break;
            }
            let count = channels - channel;
            // SAFETY: `scale` and `shift` have as many values as the panel, and `count` channels of
            // each pixel are left in the residual and the output.
            unsafe {
                let scale = S::load(self.scale.add(channel));
                let shift = S::load(self.shift.add(channel));
                let residual_scale = S::splat(self.residual_scale);
                for (pixel, sums) in sums.iter().enumerate() {
                    let at = start + pixel * self.pixel_stride + channel;
                    let mut values = S::mul_add(S::to_floats(sums[vector]), scale, shift);
                    match self.residual {
                        Residual::None => {}
                        Residual::Codes(codes) => {
                            let codes = load_bytes::<S>(codes.add(at), count);
                            values = S::mul_add(codes, residual_scale, values);
                        }
                        Residual::Floats(floats) => {
                            let floats = load_floats::<S>(floats.add(at), count);
                            values = S::mul_add(floats, residual_scale, values);
                        }
                    }
                    match self.target {
                        Target::Codes { start, most } => {
                            let codes = S::min(S::max(values, S::splat(0.0)), S::splat(most));
                            store_bytes::<S>(start.add(at), codes, count);
                        }
                        Target::Floats { start, least } => {
                            let values = S::max(values, S::splat(least));
                            store_floats::<S>(start.add(at), values, count);
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn load_bytes<S: Int8Simd>(from: Source<'_, u8>, count: usize) -> S::Floats {
    // SAFETY: the caller guarantees `count` values there.
    unsafe {
        if count >= S::LANES {
            return S::load_bytes(from);
        }
        let mut lanes = [0; MOST_LANES];
        for (index, lane) in lanes.iter_mut().enumerate().take(count) {
            *lane = from.add(index).read();
        }
        S::load_bytes(Source::from(&lanes[..]))
    }
}

#[inline(always)]
unsafe fn load_floats<S: Int8Simd>(from: Source<'_>, count: usize) -> S::Floats {
    // SAFETY: the caller guarantees `count` values there.
    unsafe {
        if count >= S::LANES {
            return S::load(from);
        }
        let mut lanes = [0.0; MOST_LANES];
        for (index, lane) in lanes.iter_mut().enumerate().take(count) {
            *lane = from.add(index).read();
        }
        S::load(Source::from(&lanes[..]))
    }
}

#[inline(always)]
unsafe fn store_bytes<S: Int8Simd>(to: Destination<'_, u8>, values: S::Floats, count: usize) {
    // SAFETY: the caller guarantees `count` values there.
    unsafe {
        if count >= S::LANES {
            return S::store_bytes(to, values);
        }
        let mut lanes = [0; MOST_LANES];
        S::store_bytes(Destination::from(&mut lanes[..]), values);
        to.slice(count).copy_from_slice(&lanes[..count]);
    }
}

#[inline(always)]
unsafe fn store_floats<S: Int8Simd>(to: Destination<'_>, values: S::Floats, count: usize) {
    // SAFETY: the caller guarantees `count` values there.
    unsafe {
        if count >= S::LANES {
            return S::store(to, values);
        }
        let mut lanes = [0.0; MOST_LANES];
        S::store(Destination::from(&mut lanes[..]), values);
        to.slice(count).copy_from_slice(&lanes[..count]);
    }
}
