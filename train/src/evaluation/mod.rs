//! What a network scores over a set of images.
//!
//! | module | what it holds |
//! |---|---|
//! | `tally` | counts image by image, and the metrics made of them |
//! | `totals` | loss and accuracy over many batches |
//! | `exact` | numbers that come back from JSON bit for bit |

mod exact;
mod tally;
mod totals;

pub use tally::{ClassEvaluation, Evaluation, Misclassified};
pub(crate) use tally::{Missed, Tally};
pub use totals::Score;
pub(crate) use totals::{Sums, Totals, cross_entropy};
