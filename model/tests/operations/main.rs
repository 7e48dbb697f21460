//! The operations of `model::ops`, forward and backward.

mod against_burn;
mod gradients;
mod support;
mod tracking;
