//! Vectors for sums of 8-bit products, with one implementation per instruction set, chosen at run
//! time.
//!
//! Codes of images are 0 to 127, so that they are valid both as signed and as unsigned bytes, and a
//! sum of two products of a code and a weight fits into 16 bits. Every instruction set then computes
//! the exact sum, and all of them return the same results.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

use std::fmt;
use std::sync::OnceLock;

use super::tile::Rows;
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::simd::SimdLevel;

/// Number of codes that one instruction multiplies and adds to a lane.
pub(crate) const STEP: usize = 4;

/// Operations on a vector of [`LANES`](Self::LANES) sums.
///
/// # Safety
///
/// Every method may only be called on a CPU that supports the implementor's instructions, which
/// [`Int8Level`] ensures. Memory accesses need not be aligned but must be within the slice of the
/// pointer; debug assertions check this.
pub(crate) trait Int8Simd: Copy + Send + Sync + 'static {
    /// Number of sums in a vector.
    const LANES: usize;
    /// Whether codes may be up to 255 rather than 127.
    const HAS_WIDE_CODES: bool;
    /// Numbers of pixels in a tile, in ascending order from 1.
    const WIDTHS: &'static [usize];
    /// Sums of 32 bits.
    type Sums: Copy;
    /// Four codes.
    type Codes: Copy;
    /// Four weights for each lane.
    type Weights: Copy;
    type Floats: Copy;

    /// Returns sums of zero.
    unsafe fn zero() -> Self::Sums;
    /// Loads four codes.
    unsafe fn load_codes(from: Source<'_, u8>) -> Self::Codes;
    /// Loads the weights of all lanes.
    unsafe fn load_weights(from: Source<'_, i8>) -> Self::Weights;
    /// Adds the products of four codes and the four weights of each lane to the sums.
    unsafe fn dot(sums: Self::Sums, codes: Self::Codes, weights: Self::Weights) -> Self::Sums;

    /// Converts sums, rounding to the nearest value.
    unsafe fn to_floats(sums: Self::Sums) -> Self::Floats;
    unsafe fn splat(value: f32) -> Self::Floats;
    unsafe fn load(from: Source<'_>) -> Self::Floats;
    unsafe fn store(to: Destination<'_>, values: Self::Floats);
    /// Loads one code for each lane.
    unsafe fn load_bytes(from: Source<'_, u8>) -> Self::Floats;
    /// Rounds values, 0 to 255, to the nearest code, and to the even one of two.
    unsafe fn store_bytes(to: Destination<'_, u8>, values: Self::Floats);
    /// Rounds values below 2^31 to the nearest code of 0 to 127, and to the even one of two.
    unsafe fn store_factors(to: Destination<'_, u8>, values: Self::Floats);
    unsafe fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// Computes `a * b + c` with one rounding.
    unsafe fn mul_add(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    unsafe fn min(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn max(a: Self::Floats, b: Self::Floats) -> Self::Floats;

    /// Returns the width of the tiles for a row of pixels: the one with the fewest pixels in all
    /// tiles, which each take as long as one more.
    fn width(pixels: usize) -> usize {
        let fitting = Self::WIDTHS
            .iter()
            .copied()
            .filter(|&width| width <= pixels);
        let cost = |&width: &usize| pixels.div_ceil(width) * (width + 1);
        fitting.rev().min_by_key(cost).unwrap_or(1)
    }

    /// Computes a row in tiles of `width` pixels, the last of which may overlap the one before.
    ///
    /// # Safety
    ///
    /// The row must have at least `width` pixels.
    unsafe fn tiles(rows: &Rows<'_>, row: usize, width: usize);
}

/// Work that is generic over the instructions.
pub(crate) trait Int8Kernel {
    type Output;

    /// Must be marked `#[inline(always)]`, and so must the functions that it calls with `S`;
    /// otherwise they are compiled without the intended instructions.
    ///
    /// # Safety
    ///
    /// The CPU must support the instructions of `S`.
    unsafe fn run<S: Int8Simd>(self) -> Self::Output;
}

/// Instructions for sums of 8-bit products that this CPU supports. No other value can exist, so
/// running one is safe.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Int8Level(Instructions);

// From slow to fast. A variant exists only on the architectures that may support it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Instructions {
    Portable,
    #[cfg(target_arch = "aarch64")]
    DotProduct,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
}

impl Int8Level {
    /// Returns all instructions that this CPU supports, slowest first.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut levels = vec![Self(Instructions::Portable)];
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("dotprod") {
            levels.push(Self(Instructions::DotProduct));
        }
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels.push(Self(Instructions::Avx2));
            if is_x86_feature_detected!("avxvnni") {
                levels.push(Self(Instructions::AvxVnni));
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni") {
                levels.push(Self(Instructions::Avx512Vnni));
            }
        }
        levels
    }

    /// Returns the fastest instructions that this CPU supports, within the limit that the
    /// environment variable [`SIMD_VARIABLE`](crate::SIMD_VARIABLE) sets: `avx2` excludes VNNI.
    pub fn best() -> Self {
        static BEST: OnceLock<Int8Level> = OnceLock::new();
        *BEST.get_or_init(|| {
            let mut available = Self::available().into_iter();
            let limit = SimdLevel::limit();
            available
                .rfind(|level| limit.is_none_or(|limit| level.is_within(limit)))
                .unwrap_or(Self(Instructions::Portable))
        })
    }

    /// Returns whether a CPU with vectors of this width, and no other, has the instructions.
    fn is_within(self, limit: SimdLevel) -> bool {
        match self.0 {
            Instructions::Portable => true,
            #[cfg(target_arch = "aarch64")]
            Instructions::DotProduct => limit.name() == "neon",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => limit.name() != "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::AvxVnni | Instructions::Avx512Vnni => limit.name() == "avx512",
        }
    }

    /// Returns `portable`, `neon-dotprod`, `avx2`, `avx-vnni` or `avx512-vnni`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable => "portable",
            #[cfg(target_arch = "aarch64")]
            Instructions::DotProduct => "neon-dotprod",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Instructions::AvxVnni => "avx-vnni",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512Vnni => "avx512-vnni",
        }
    }

    /// Returns whether convolutions can read codes up to 255 rather than 127.
    pub(crate) fn has_wide_codes(self) -> bool {
        match self.0 {
            Instructions::Portable => portable::Portable::HAS_WIDE_CODES,
            #[cfg(target_arch = "aarch64")]
            Instructions::DotProduct => neon::DotProduct::HAS_WIDE_CODES,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2::Avx2::HAS_WIDE_CODES,
            #[cfg(target_arch = "x86_64")]
            Instructions::AvxVnni => avx2::AvxVnni::HAS_WIDE_CODES,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512Vnni => avx512::Avx512Vnni::HAS_WIDE_CODES,
        }
    }

    /// Returns the number of sums in a vector.
    pub(crate) fn lanes(self) -> usize {
        match self.0 {
            Instructions::Portable => portable::Portable::LANES,
            #[cfg(target_arch = "aarch64")]
            Instructions::DotProduct => neon::DotProduct::LANES,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2::Avx2::LANES,
            #[cfg(target_arch = "x86_64")]
            Instructions::AvxVnni => avx2::AvxVnni::LANES,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512Vnni => avx512::Avx512Vnni::LANES,
        }
    }

    /// Runs `kernel` with these instructions.
    #[inline]
    pub(crate) fn run<K: Int8Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: a level exists only if `available` has found its instructions.
        unsafe {
            match self.0 {
                Instructions::Portable => kernel.run::<portable::Portable>(),
                #[cfg(target_arch = "aarch64")]
                Instructions::DotProduct => run_dot_product(kernel),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => run_avx2(kernel),
                #[cfg(target_arch = "x86_64")]
                Instructions::AvxVnni => run_avx_vnni(kernel),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512Vnni => run_avx512_vnni(kernel),
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon,dotprod")]
unsafe fn run_dot_product<K: Int8Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has found these instructions.
    unsafe { kernel.run::<neon::DotProduct>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<K: Int8Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has found these instructions.
    unsafe { kernel.run::<avx2::Avx2>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avxvnni")]
unsafe fn run_avx_vnni<K: Int8Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has found these instructions.
    unsafe { kernel.run::<avx2::AvxVnni>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni,avx2,fma")]
unsafe fn run_avx512_vnni<K: Int8Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has found these instructions.
    unsafe { kernel.run::<avx512::Avx512Vnni>() }
}

impl fmt::Debug for Int8Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Int8Level({})", self.name())
    }
}

impl fmt::Display for Int8Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
