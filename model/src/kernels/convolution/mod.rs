//! Convolutions over channels-last images: direct tiles of pixels by output channels, whose sums
//! stay in registers over the whole reduction.
//!
//! | module | what it holds |
//! |---|---|
//! | `shape` | sizes, and the strided walk that forward and input gradient share |
//! | `pack` | weights in the order in which the tiles read them |
//! | `tile` | pixels by channels in registers |
//! | `sweep` | tiles over a batch, split into tasks |
//! | `forward`, `input_gradient`, `weight_gradient` | the three passes |
//! | `scratch` | bands of the input with their zero border |

mod forward;
mod input_gradient;
mod pack;
mod scratch;
mod shape;
mod sweep;
mod tile;
mod weight_gradient;
mod weight_tile;

pub(crate) use forward::{Epilogue, PackedWeight, forward};
pub(crate) use input_gradient::input_gradient;
pub(crate) use pack::WeightOrder;
pub(crate) use shape::ConvolutionShape;
pub(crate) use weight_gradient::weight_gradient;

#[cfg(test)]
mod tests;
