//! The operations of `ops`, forward and backward.

mod against_burn;
mod gradients;
mod support;
mod tracking;
