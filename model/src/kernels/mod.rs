//! The CPU kernels: plain slices in channels-last order in, plain slices out.
//!
//! All `unsafe` code of the crate is here.
#![allow(unsafe_code)]

mod convolution;
mod parallel;
mod simd;

pub use simd::{Level, SIMD_VARIABLE};
