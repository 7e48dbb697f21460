//! Training step.
//!
//! | module | what it holds |
//! |---|---|
//! | `classifier` | a network with its loss, as burn-train's `Learner` takes it |
//! | `trainee` | a network and its optimizer, one step at a time |
//! | `gradients` | clipping the gradients of all parameters by their joint norm |
//! | `average` | the moving average of a network |
//! | `laps` | timing of the parts of a step |

mod average;
mod classifier;
mod gradients;
mod laps;
mod trainee;

pub(crate) use average::Average;
pub(crate) use classifier::{Classifier, Fetched, TrainBackend, classified};
pub(crate) use laps::{Laps, StepPart};
pub(crate) use trainee::{Optimizer, Trainee};
