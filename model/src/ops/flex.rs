//! Burn's CPU backend in plain Rust.

use burn_flex::Flex;

use super::ResidualBackend;

impl ResidualBackend for Flex {}
