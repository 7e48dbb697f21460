//! Measures how fast a program of this project computes, for `--bench` of both programs.
//!
//! | module | contents |
//! |---|---|
//! | `measure` | one cold run, then warm ones |
//! | `process` | start time and memory of the process |
//! | `report` | the results as text and as JSON |

mod measure;
mod process;
mod report;

use burn::tensor::backend::ExecutionError;
use thiserror::Error;

use saved_models::{InputShape, SavedModelError};

pub use measure::{Measurement, measure};
pub use process::{ProgramStart, memory_now};
pub use report::{Report, Setting, Work};

/// Seed of the weights and of the images.
pub const SEED: u64 = 1;

/// The reason why nothing was measured.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BenchmarkError {
    /// The network does not accept such images.
    #[error("{model} cannot be measured with {input}: {reason}")]
    Input {
        /// The network's name.
        model: String,
        /// The shape of the given images.
        input: InputShape,
        /// What does not match.
        reason: String,
    },
    /// The saved model cannot be used.
    #[error(transparent)]
    SavedModel(#[from] SavedModelError),
    /// The device has no kernels for integers.
    #[error("the device cannot compute with 8-bit integers")]
    NoIntegers,
    /// The device failed while computing.
    #[error("the device failed: {0}")]
    Device(String),
}

impl BenchmarkError {
    /// Returns a hint on how to fix the error, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Input { .. } => Some("choose another --input, or omit it".into()),
            Self::SavedModel(error) => error.hint(),
            Self::NoIntegers => Some("use --device flex".into()),
            Self::Device(_) => Some("try a smaller batch or another --device".into()),
        }
    }
}

impl From<ExecutionError> for BenchmarkError {
    fn from(error: ExecutionError) -> Self {
        // Burn's message has several lines, some of them a backtrace.
        let text = error.to_string();
        let lines: Vec<_> = text.lines().map(str::trim).take(3).collect();
        Self::Device(lines.join(" "))
    }
}
