//! Vectors of `f32`, with one implementation per vector width, chosen at run time.
//!
//! A kernel is written once as a [`Kernel`], generic over [`Simd`]. [`SimdLevel::run`] compiles it
//! for every width and runs the one for the selected width.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

use std::fmt;
use std::sync::OnceLock;

use super::pointer::{Destination, Source};

/// Repeats a block for every constant `$index` below `$limit`, which is at most 16. A loop would do
/// the same, but the compiler keeps its arrays in registers only if the indices are constants.
macro_rules! unroll {
    ($index:ident, $limit:expr, $body:block) => {
        unroll!(@ $index, $limit, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@ $index:ident, $limit:expr, $body:block, $($number:literal)*) => {
        // The lint does not see that blocks beyond the limit are unreachable.
        $(#[allow(clippy::out_of_bounds_indexing)] {
            const $index: usize = $number;
            if $index < $limit $body
        })*
    };
}
pub(crate) use unroll;

/// Operations on a vector of [`LANES`](Self::LANES) values.
///
/// # Safety
///
/// Every method may only be called on a CPU that supports the implementor's instructions, which
/// [`SimdLevel`] ensures. Memory accesses need not be aligned but must be within the slice of the
/// pointer; debug assertions check this.
pub(crate) trait Simd: Copy + Send + Sync + 'static {
    /// Number of values in a vector.
    const LANES: usize;
    /// Number of vectors that fit into the registers at once.
    const REGISTERS: usize;
    type Vector: Copy;

    unsafe fn splat(value: f32) -> Self::Vector;
    unsafe fn load(from: Source<'_>) -> Self::Vector;
    unsafe fn store(to: Destination<'_>, vector: Self::Vector);
    /// Loads the first `count` lanes, at most [`LANES`](Self::LANES); the others are zero.
    unsafe fn load_first(from: Source<'_>, count: usize) -> Self::Vector;
    /// Stores the first `count` lanes, at most [`LANES`](Self::LANES).
    unsafe fn store_first(to: Destination<'_>, vector: Self::Vector, count: usize);
    /// Prefetches the cache line of a value, which need not exist.
    #[inline(always)]
    fn prefetch(_value: Source<'_>) {}
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn div(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn sqrt(a: Self::Vector) -> Self::Vector;
    /// Computes `a * b + c`.
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// Returns the maximum, or `b` if either is NaN.
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Returns `value` where `condition` is greater than zero, and zero elsewhere.
    unsafe fn where_positive(value: Self::Vector, condition: Self::Vector) -> Self::Vector;
}

/// Work that is generic over the vector width.
pub(crate) trait Kernel {
    type Output;

    /// Must be marked `#[inline(always)]`, and so must the functions that it calls with `S`;
    /// otherwise they are compiled without the intended instructions.
    ///
    /// # Safety
    ///
    /// The CPU must support the instructions of `S`.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}

/// A vector width that this CPU supports. No other value can exist, so running one is safe.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimdLevel(Instructions);

// From narrow to wide. A variant exists only on the architectures that may support it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Instructions {
    Portable,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Environment variable that names the widest vectors to use: `portable`, `neon`, `avx2` or
/// `avx512`.
pub const SIMD_VARIABLE: &str = "RESNET_SIMD";

impl SimdLevel {
    /// Returns every width that this CPU supports, narrowest first.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut levels = vec![Self(Instructions::Portable)];
        #[cfg(target_arch = "aarch64")]
        levels.push(Self(Instructions::Neon)); // part of the architecture
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self(Instructions::Avx2));
                if is_x86_feature_detected!("avx512f") {
                    levels.push(Self(Instructions::Avx512));
                }
            }
        }
        levels
    }

    /// Returns the width that the environment variable [`SIMD_VARIABLE`] names, or the widest that
    /// this CPU supports if the variable is not set or names an unsupported one.
    pub fn best() -> Self {
        static BEST: OnceLock<SimdLevel> = OnceLock::new();
        *BEST.get_or_init(|| {
            let widest = || Self::available().pop();
            let best = Self::limit().or_else(widest);
            best.unwrap_or(Self(Instructions::Portable))
        })
    }

    /// Returns the width that the environment variable [`SIMD_VARIABLE`] names, if this CPU supports
    /// it.
    pub(crate) fn limit() -> Option<Self> {
        let name = std::env::var(SIMD_VARIABLE).ok()?;
        let mut available = Self::available().into_iter();
        available.find(|level| level.name() == name)
    }

    /// Returns `portable`, `neon`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable => "portable",
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => "neon",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "avx512",
        }
    }

    /// Returns the number of values in a vector.
    pub fn lanes(self) -> usize {
        match self.0 {
            Instructions::Portable => portable::Portable::LANES,
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => neon::Neon::LANES,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2::Avx2::LANES,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512::Avx512::LANES,
        }
    }

    /// Runs `kernel` with vectors of this width.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: a level exists only if `available` has found its instructions.
        unsafe {
            match self.0 {
                Instructions::Portable => kernel.run::<portable::Portable>(),
                #[cfg(target_arch = "aarch64")]
                Instructions::Neon => kernel.run::<neon::Neon>(),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => run_avx2(kernel),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => run_avx512(kernel),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has found these instructions.
    unsafe { kernel.run::<avx2::Avx2>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller has found these instructions.
    unsafe { kernel.run::<avx512::Avx512>() }
}

impl fmt::Debug for SimdLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SimdLevel({})", self.name())
    }
}

impl fmt::Display for SimdLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares every operation on vectors of all lengths up to the full one with plain arithmetic.
    struct Everything;

    impl Kernel for Everything {
        type Output = ();

        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let a: Vec<f32> = (0..S::LANES).map(|lane| lane as f32 - 2.5).collect();
            let b: Vec<f32> = (0..S::LANES).map(|lane| 0.5 + lane as f32 * 0.25).collect();
            let c: Vec<f32> = (0..S::LANES).map(|lane| 1.0 - lane as f32).collect();
            let check = |vector: S::Vector, expected: &dyn Fn(usize) -> f32| {
                let mut values = vec![f32::NAN; S::LANES];
                // SAFETY: there are as many values as lanes.
                unsafe { S::store(Destination::from(&mut values[..]), vector) };
                for (lane, value) in values.into_iter().enumerate() {
                    let expected = expected(lane);
                    assert!((value - expected).abs() <= 1e-6 * expected.abs().max(1.0));
                }
            };
            // SAFETY: the pointers belong to vectors with as many values as lanes.
            unsafe {
                let [va, vb, vc] = [&a, &b, &c].map(|values| S::load(Source::from(&values[..])));
                check(S::splat(3.0), &|_| 3.0);
                check(S::add(va, vb), &|lane| a[lane] + b[lane]);
                check(S::sub(va, vb), &|lane| a[lane] - b[lane]);
                check(S::mul(va, vb), &|lane| a[lane] * b[lane]);
                check(S::div(va, vb), &|lane| a[lane] / b[lane]);
                check(S::sqrt(vb), &|lane| b[lane].sqrt());
                check(S::mul_add(va, vb, vc), &|lane| a[lane] * b[lane] + c[lane]);
                check(S::max(va, vc), &|lane| a[lane].max(c[lane]));
                check(S::where_positive(va, vc), &|lane| {
                    if c[lane] > 0.0 { a[lane] } else { 0.0 }
                });
                for count in 0..=S::LANES {
                    check(S::load_first(Source::from(&a[..]), count), &|lane| {
                        if lane < count { a[lane] } else { 0.0 }
                    });
                    let mut values = vec![7.0; S::LANES];
                    S::store_first(Destination::from(&mut values[..]), va, count);
                    assert_eq!(values[..count], a[..count]);
                    assert!(values[count..].iter().all(|&value| value == 7.0));
                }
            }
        }
    }

    #[test]
    fn all_simd_levels_agree() {
        for level in SimdLevel::available() {
            level.run(Everything);
        }
    }

    /// Reads or writes one value past the end.
    #[cfg(debug_assertions)]
    #[derive(Clone, Copy)]
    enum PastTheEnd {
        Load,
        Store,
        LoadFirst,
        StoreFirst,
    }

    #[cfg(debug_assertions)]
    impl Kernel for PastTheEnd {
        type Output = ();

        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let mut values = vec![0.0; S::LANES - 1];
            let to = Destination::from(&mut values[..]);
            // SAFETY: the check fails before anything is read or written.
            unsafe {
                match self {
                    Self::Load => {
                        S::load(to.into());
                    }
                    Self::Store => S::store(to, S::splat(1.0)),
                    Self::LoadFirst => {
                        S::load_first(to.add(2).into(), S::LANES - 2);
                    }
                    Self::StoreFirst => S::store_first(to.add(2), S::splat(1.0), S::LANES - 2),
                }
            }
        }
    }

    #[cfg(debug_assertions)]
    #[test]
    fn all_simd_levels_check_bounds() {
        use PastTheEnd::*;
        for level in SimdLevel::available() {
            for access in [Load, Store, LoadFirst, StoreFirst] {
                assert!(std::panic::catch_unwind(|| level.run(access)).is_err());
            }
        }
    }

    #[test]
    fn best_simd_level_is_available() {
        assert!(SimdLevel::available().contains(&SimdLevel::best()));
    }
}
