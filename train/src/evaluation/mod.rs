//! Metrics of a network over a set of images.
//!
//! | module | what it holds |
//! |---|---|
//! | `tally` | per-image counts, and the metrics computed from them |
//! | `totals` | loss and accuracy over many batches |
//! | `exact` | numbers that survive a round trip through JSON bit for bit |

mod exact;
mod tally;
mod totals;

pub use tally::{ClassEvaluation, Evaluation, Misclassified};
pub(crate) use tally::{Missed, Tally};
pub use totals::Score;
pub(crate) use totals::{Sums, Totals, cross_entropy};
