//! How fast a program of this project computes: what both `--bench` measure and say.
//!
//! | module | what it holds |
//! |---|---|
//! | `measure` | one cold run, then warm ones |
//! | `process` | since when the process runs, and how much memory it took |
//! | `report` | all of it as text and as JSON |

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

/// Why nothing was measured.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BenchmarkError {
    /// The network takes no such images.
    #[error("{model} cannot be measured with {input}: {reason}")]
    Input {
        /// The network's name.
        model: String,
        /// What it was given.
        input: InputShape,
        /// What does not fit.
        reason: String,
    },
    /// The saved model cannot be used.
    #[error(transparent)]
    SavedModel(#[from] SavedModelError),
    /// The device failed while it computed.
    #[error("the device failed: {0}")]
    Device(String),
}

impl BenchmarkError {
    /// The way out, if there is a usual one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Input { .. } => Some("choose another --input, or leave it out".into()),
            Self::SavedModel(error) => error.hint(),
            Self::Device(_) => Some("try a smaller batch or another --device".into()),
        }
    }
}

impl From<ExecutionError> for BenchmarkError {
    fn from(error: ExecutionError) -> Self {
        // Burn's words go over several lines, some of them a backtrace.
        let text = error.to_string();
        let lines: Vec<_> = text.lines().map(str::trim).take(3).collect();
        Self::Device(lines.join(" "))
    }
}
