//! What can go wrong with a prediction.

use thiserror::Error;

/// A prediction failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The image cannot be brought to the network's input size.
    #[error(transparent)]
    Preprocessing(#[from] data::PreprocessingError),
    /// The device gave back nothing that can be read.
    #[error("the device returned no logits: {0}")]
    Device(String),
    /// The weights hold infinities, or the training diverged.
    #[error(
        "the network's output is not a number; its training diverged or its weights are damaged"
    )]
    NotFinite,
}
