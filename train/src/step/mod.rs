//! A training step.
//!
//! | module | what it holds |
//! |---|---|
//! | `classifier` | a network with its loss, as burn-train's `Learner` takes it |
//! | `trainee` | a network and its optimizer, one step at a time |
//! | `gradients` | gradients of all parameters together |
//! | `average` | the moving average of a network |
//! | `laps` | where the time of a step goes |

mod average;
mod classifier;
mod gradients;
mod laps;
mod trainee;

pub(crate) use average::Average;
pub(crate) use classifier::{Classifier, Fetched, TrainBackend, classified};
pub(crate) use laps::{Laps, StepPart};
pub(crate) use trainee::{Optimizer, Trainee};
