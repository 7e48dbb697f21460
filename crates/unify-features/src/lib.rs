//! Nothing but dependencies.
//!
//! `train` needs more of some small crates than `infer` does. Burn is built on these, so that without
//! this crate the first `cargo run -p infer` after a `cargo run -p train` would build Burn once more,
//! which takes minutes. `.ci/features` finds what has to be listed in `Cargo.toml`.
