//! The CPU kernels: plain slices in channels-last order in, plain slices out.
//!
//! All `unsafe` code of the crate is here.
#![allow(unsafe_code)]

pub(crate) mod buffer;
mod elementwise;
mod layout;
mod norm;
mod optimizer;
mod parallel;
mod pool;
mod rows;
mod shape;
mod shortcut;
mod simd;
#[cfg(test)]
mod testing;

pub use simd::{Level, SIMD_VARIABLE};
