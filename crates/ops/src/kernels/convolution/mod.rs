//! Convolutions over channels-last images. Direct tiles of pixels by output channels keep their
//! sums in registers over the whole reduction; Winograd's algorithm replaces them where it is
//! faster.
//!
//! | module | contents |
//! |---|---|
//! | `shape` | sizes, and the strided walk that forward and input gradient share |
//! | `blocks` | grouped channels |
//! | `pack` | weights in the layout that the tiles read |
//! | `tile` | pixels by channels in registers |
//! | `plan` | the split into tasks |
//! | `sweep` | tiles over a batch |
//! | `forward`, `input_gradient`, `weight_gradient` | the three passes |
//! | `winograd`, `winograd_transform` | 3x3 with stride 1 in a quarter of the products |
//! | `scratch` | bands of the input with their zero border |

pub(super) mod blocks;
pub(super) mod forward;
mod input_gradient;
mod pack;
pub(super) mod plan;
pub(super) mod scratch;
pub(super) mod shape;
mod sweep;
mod tile;
mod weight_gradient;
mod weight_tile;
mod winograd;
mod winograd_transform;

pub(crate) use forward::{Epilogue, PackedWeight, forward};
pub(crate) use input_gradient::input_gradient;
pub(crate) use pack::WeightOrder;
pub(crate) use shape::ConvolutionShape;
pub(crate) use weight_gradient::weight_gradient;

#[cfg(test)]
mod tests;
