//! Arguments and results of operations, other than tensors.

use std::any::Any;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use derive_setters::Setters;

/// Stride, padding and groups of a convolution, in pixels `[vertical, horizontal]`. Dilation is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Setters)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct ConvolutionOptions {
    /// Distance between neighboring windows, at least 1.
    pub stride: [usize; 2],
    /// Zeros around the input, the same number on opposite sides.
    pub padding: [usize; 2],
    /// Number of groups of input and output channels, in order, that are convolved independently.
    /// At least 1, and divides both channel counts.
    pub groups: usize,
}

impl Default for ConvolutionOptions {
    /// Returns a stride of 1, no padding and one group.
    fn default() -> Self {
        Self {
            stride: [1, 1],
            padding: [0, 0],
            groups: 1,
        }
    }
}

/// Result of [`ResidualBackend::batch_norm`](super::ResidualBackend::batch_norm).
#[derive(Clone, Debug)]
pub struct BatchNormOutput<B: Backend> {
    /// Output in the shape of the input.
    pub output: FloatTensor<B>,
    /// Mean of each channel `[channels]`; no gradient flows through it.
    pub mean: FloatTensor<B>,
    /// Biased variance of each channel `[channels]`; no gradient flows through it.
    pub variance: FloatTensor<B>,
}

/// Result of [`ResidualBackend::batch_norm_backward`](super::ResidualBackend::batch_norm_backward).
#[derive(Clone, Debug)]
pub struct BatchNormGradients<B: Backend> {
    /// Gradient in the shape of the input.
    pub input: FloatTensor<B>,
    /// `[channels]`
    pub gamma: FloatTensor<B>,
    /// `[channels]`
    pub beta: FloatTensor<B>,
    /// Gradient in the shape of the input, if requested.
    pub residual: Option<FloatTensor<B>>,
}

/// A convolution whose weight was converted once to a backend's own form, for repeated inference.
#[derive(Clone, Debug)]
pub struct PreparedConvolution<B: Backend> {
    /// The weight, plain or packed.
    pub weight: PreparedWeight<B>,
    /// `[out, in / groups, kernel height, kernel width]`, regardless of the form.
    pub weight_shape: [usize; 4],
    /// `[out]`
    pub bias: Option<FloatTensor<B>>,
    /// Stride, padding and groups.
    pub options: ConvolutionOptions,
}

/// The weight of a [`PreparedConvolution`].
#[derive(Clone, Debug)]
pub enum PreparedWeight<B: Backend> {
    /// `[out, in / groups, kernel height, kernel width]`
    Plain(FloatTensor<B>),
    /// Backend-specific form; clones share it.
    Packed(Arc<dyn Any + Send + Sync>),
}
