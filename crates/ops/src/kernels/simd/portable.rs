//! Arrays that the compiler turns into the vectors of the architecture's baseline.

use super::Simd;
use crate::kernels::pointer::{Destination, Source};

#[derive(Clone, Copy)]
pub(crate) struct Portable;

const LANES: usize = 8;

#[inline(always)]
fn zip(a: [f32; LANES], b: [f32; LANES], operation: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    std::array::from_fn(|lane| operation(a[lane], b[lane]))
}

impl Simd for Portable {
    const LANES: usize = LANES;
    const REGISTERS: usize = 8;
    type Vector = [f32; LANES];

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::Vector {
        [value; LANES]
    }

    #[inline(always)]
    unsafe fn load(from: Source<'_>) -> Self::Vector {
        // SAFETY: the caller's pointer is valid for all lanes.
        unsafe {
            from.for_reading(LANES)
                .cast::<Self::Vector>()
                .read_unaligned()
        }
    }

    #[inline(always)]
    unsafe fn store(to: Destination<'_>, vector: Self::Vector) {
        // SAFETY: the caller's pointer is valid for all lanes.
        unsafe {
            to.for_writing(LANES)
                .cast::<Self::Vector>()
                .write_unaligned(vector)
        }
    }

    #[inline(always)]
    unsafe fn load_first(from: Source<'_>, count: usize) -> Self::Vector {
        let from = from.for_reading(count);
        let mut vector = [0.0; LANES];
        for (lane, value) in vector.iter_mut().enumerate().take(count) {
            // SAFETY: the caller's pointer is valid for `count` lanes.
            *value = unsafe { from.add(lane).read() };
        }
        vector
    }

    #[inline(always)]
    unsafe fn store_first(to: Destination<'_>, vector: Self::Vector, count: usize) {
        let to = to.for_writing(count);
        for (lane, value) in vector.into_iter().enumerate().take(count) {
            // SAFETY: the caller's pointer is valid for `count` lanes.
            unsafe { to.add(lane).write(value) };
        }
    }

    #[inline(always)]
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        zip(a, b, |a, b| a - b)
    }

    #[inline(always)]
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    unsafe fn div(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        zip(a, b, |a, b| a / b)
    }

    #[inline(always)]
    unsafe fn sqrt(a: Self::Vector) -> Self::Vector {
        a.map(f32::sqrt)
    }

    #[inline(always)]
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        // Not `f32::mul_add`, which is a function call on CPUs without the instruction.
        std::array::from_fn(|lane| a[lane] * b[lane] + c[lane])
    }

    #[inline(always)]
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        zip(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    unsafe fn where_positive(value: Self::Vector, condition: Self::Vector) -> Self::Vector {
        zip(
            value,
            condition,
            |value, condition| {
                if condition > 0.0 { value } else { 0.0 }
            },
        )
    }
}
