//! Kernels for networks with 8-bit integers: images are codes of 0 to 127, weights are signed bytes,
//! and sums are exact, so that every CPU returns the same values.
//!
//! | module | contents |
//! |---|---|
//! | `simd` | instructions for sums of 8-bit products |
//! | `images` | images as codes or floats |
//! | `layer` | a convolution as numbers |
//! | `weight` | weights in the layout that the tiles read |
//! | `tile` | pixels by channels in registers |
//! | `finish` | from sums to the values of the next layer |
//! | `convolution` | tiles over a batch |
//! | `pointwise` | operations on each pixel: norms, pools, shortcuts |
//! | `linear` | the last layer |

mod convolution;
mod finish;
mod images;
mod layer;
mod linear;
mod pointwise;
mod simd;
mod tile;
mod weight;

pub use convolution::Int8Convolution;
pub use images::{InputCodes, Int8Images};
pub use layer::{Int8Layer, Int8Output};
pub use linear::Int8Linear;
pub use simd::Int8Level;

#[cfg(test)]
mod tests;
