//! Passes over images without training.
//!
//! | module | what it holds |
//! |---|---|
//! | `score` | scoring a network on the batches of a loader |
//! | `evaluate` | evaluating a saved model on a part of a data set |
//! | `quantize` | rounding a saved model to 8-bit integers |
//! | `matching` | matching the classes of a data set to those of a model |

mod evaluate;
mod matching;
mod quantize;
mod score;

pub use evaluate::{EvaluationPlan, EvaluationSettings, SetPart};
pub use matching::MatchedBy;
pub use quantize::{Form, QuantizeProgress, Quantized};
pub(crate) use score::score;
