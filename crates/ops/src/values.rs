//! What operations take and give back besides tensors.

use std::any::Any;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

/// How a convolution moves over its input, in pixels `[vertical, horizontal]`. Dilation is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvolutionOptions {
    /// Distance between neighboring windows, at least 1.
    pub stride: [usize; 2],
    /// Zeros around the input, the same on opposite sides.
    pub padding: [usize; 2],
    /// Input and output channels are split into so many parts, in order, that do not mix; at least
    /// 1, and divides both.
    pub groups: usize,
}

/// What [`ResidualBackend::batch_norm`](super::ResidualBackend::batch_norm) gives back.
#[derive(Clone, Debug)]
pub struct BatchNormOutput<B: Backend> {
    /// In the shape of the input.
    pub output: FloatTensor<B>,
    /// Mean of each channel `[channels]`; no gradient flows through it.
    pub mean: FloatTensor<B>,
    /// Biased variance of each channel `[channels]`; no gradient flows through it.
    pub variance: FloatTensor<B>,
}

/// What [`ResidualBackend::batch_norm_backward`](super::ResidualBackend::batch_norm_backward)
/// gives back.
#[derive(Clone, Debug)]
pub struct BatchNormGradients<B: Backend> {
    /// In the shape of the input.
    pub input: FloatTensor<B>,
    /// `[channels]`
    pub gamma: FloatTensor<B>,
    /// `[channels]`
    pub beta: FloatTensor<B>,
    /// In the shape of the input; there if it was asked for.
    pub residual: Option<FloatTensor<B>>,
}

/// A convolution whose weight is brought into a backend's own form once, for many predictions.
#[derive(Clone, Debug)]
pub struct PreparedConvolution<B: Backend> {
    /// The weight in whichever form.
    pub weight: PreparedWeight<B>,
    /// `[out, in / groups, kernel height, kernel width]`, whatever the form.
    pub weight_shape: [usize; 4],
    /// `[out]`
    pub bias: Option<FloatTensor<B>>,
    /// How it moves over its input.
    pub options: ConvolutionOptions,
}

/// The weight of a [`PreparedConvolution`].
#[derive(Clone, Debug)]
pub enum PreparedWeight<B: Backend> {
    /// `[out, in / groups, kernel height, kernel width]`
    Plain(FloatTensor<B>),
    /// In a form that the backend alone knows; clones share it.
    Packed(Arc<dyn Any + Send + Sync>),
}
