//! Where an epoch goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The epoch and the batch in it that a [`BatchLoader`](crate::BatchLoader) starts from next.
///
/// Clones share one position: a training loop keeps one, sets it, and the loader obeys. It starts
/// as epoch 0, batch 0.
#[derive(Clone, Debug, Default)]
pub struct Position(Arc<Cursor>);

#[derive(Debug, Default)]
struct Cursor {
    epoch: AtomicUsize,
    first_batch: AtomicUsize,
}

impl Position {
    /// Lets the next iteration be that of `epoch`, from `first_batch` (counted from 0) on.
    pub fn set(&self, epoch: usize, first_batch: usize) {
        self.0.epoch.store(epoch, Ordering::SeqCst);
        self.0.first_batch.store(first_batch, Ordering::SeqCst);
    }

    /// The epoch, which decides order and augmentation.
    pub fn epoch(&self) -> usize {
        self.0.epoch.load(Ordering::SeqCst)
    }

    /// The batch that the next iteration starts from.
    pub fn first_batch(&self) -> usize {
        self.0.first_batch.load(Ordering::SeqCst)
    }
}
