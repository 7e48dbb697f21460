//! Batch normalization: statistics, result and gradients, each in one pass over memory.

mod backward;
mod forward;
mod statistics;

pub(crate) use backward::{Gradients, InputGradient, backward_apply, backward_sums};
pub(crate) use forward::{forward, forward_in_place, inverse_deviation, scale_and_shift};
pub(crate) use statistics::{channel_sum, statistics, sums_of};
