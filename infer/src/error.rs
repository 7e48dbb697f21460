//! Prediction errors.

use thiserror::Error;

/// A prediction failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The image cannot be resized to the network's input size.
    #[error(transparent)]
    Preprocessing(#[from] data::PreprocessingError),
    /// The device did not return readable data.
    #[error("the device returned no logits: {0}")]
    Device(String),
    /// The weights contain infinities, or training diverged.
    #[error(
        "the network's output is not a number; its training diverged or its weights are damaged"
    )]
    NotFinite,
}
