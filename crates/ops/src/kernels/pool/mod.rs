//! Pooling of images in channels-last order.

mod average;
mod max;

pub(crate) use average::{global_average_pool, global_average_pool_backward};
pub(crate) use max::{Window, max_pool, max_pool_backward};
