//! Start position of the next iteration.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The epoch and the batch that a [`BatchLoader`](crate::BatchLoader) starts from next.
///
/// Clones share one position: a training loop sets it, and the loader reads it. It starts at epoch
/// 0, batch 0.
#[derive(Clone, Debug, Default)]
pub struct Position(Arc<Cursor>);

#[derive(Debug, Default)]
struct Cursor {
    epoch: AtomicUsize,
    first_batch: AtomicUsize,
}

impl Position {
    /// Sets the next iteration to `epoch`, starting at `first_batch` (counted from 0).
    pub fn set(&self, epoch: usize, first_batch: usize) {
        self.0.epoch.store(epoch, Ordering::SeqCst);
        self.0.first_batch.store(first_batch, Ordering::SeqCst);
    }

    /// Returns the epoch, which determines order and augmentation.
    pub fn epoch(&self) -> usize {
        self.0.epoch.load(Ordering::SeqCst)
    }

    /// Returns the batch that the next iteration starts from.
    pub fn first_batch(&self) -> usize {
        self.0.first_batch.load(Ordering::SeqCst)
    }
}
