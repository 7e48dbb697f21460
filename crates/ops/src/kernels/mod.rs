//! CPU kernels, which take and return plain slices in channels-last order.
//!
//! All `unsafe` code of the crate is in this module. Kernels read and write through the pointers of
//! `pointer`, which check every access in builds with debug assertions, including tests.
#![allow(unsafe_code)]

pub(crate) mod buffer;
pub(crate) mod convolution;
pub(crate) mod elementwise;
pub mod int8;
pub(crate) mod layout;
pub(crate) mod norm;
pub(crate) mod optimizer;
mod parallel;
mod peak;
mod pointer;
pub(crate) mod pool;
mod rows;
pub(crate) mod shape;
pub(crate) mod shortcut;
pub(crate) mod simd;
mod team;
#[cfg(test)]
pub(crate) mod testing;

pub use peak::peak_gflops;
pub use simd::{SIMD_VARIABLE, SimdLevel};
