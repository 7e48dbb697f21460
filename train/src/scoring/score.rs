//! Scoring a network on a set of images.

use std::ops::ControlFlow;

use burn::data::dataloader::{DataLoader, Progress};
use burn_train::metric::ItemLazy as _;
use data::ImageBatch;
use model::{FoldedNetwork, ResidualBackend};
use saved_models::Views;

use crate::evaluation::Tally;
use crate::step::{Fetched, classified};

/// Scores a network on every batch of a loader, adds the results to `tally`, and calls `each` for every batch.
///
/// Returns `None` if `each` breaks.
pub(crate) fn score<B: ResidualBackend>(
    network: &FoldedNetwork<B>,
    loader: &dyn DataLoader<B, ImageBatch<B>>,
    views: Views,
    mut tally: Tally,
    each: &mut dyn FnMut(Fetched<B>, Progress) -> ControlFlow<()>,
) -> Option<Tally> {
    let mut batches = loader.iter();
    while let Some(batch) = batches.next() {
        let logits = views.logits(network, batch.images);
        let output = classified(logits, batch.targets).sync();
        tally.add(output.output.clone(), output.targets.clone());
        if each(output, batches.progress()).is_break() {
            return None;
        }
    }
    Some(tally)
}
