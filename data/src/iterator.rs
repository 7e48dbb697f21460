//! Iterator over the batches of one epoch, prefetched by threads.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

use burn::data::dataloader::{DataLoaderIterator, Progress};
use burn::tensor::backend::Backend;

use crate::batch::ImageBatch;
use crate::error::DataError;
use crate::pending::{Epoch, PendingBatch, Promise};
use crate::workers::Workers;

/// The batches of an epoch, in order; dropping it cancels the pending ones.
pub(crate) struct BatchIterator<'a, B: Backend> {
    pub epoch: Arc<Epoch>,
    pub batch_size: NonZeroUsize,
    /// Worker threads; without them, batches are made on the calling thread.
    pub workers: Option<&'a Workers>,
    /// Maximum number of batches in flight, or made and not yet requested.
    pub ahead: NonZeroUsize,
    pub device: &'a B::Device,
    /// Receives the reason if a batch cannot be made.
    pub failures: Option<Sender<DataError>>,
    /// Batches requested from the threads, with the number of images of each; the next one first.
    pub promised: VecDeque<(Promise, usize)>,
    /// Number of images of the epoch in batches requested so far, including skipped batches.
    pub asked: usize,
    /// Number of images of the epoch already processed.
    pub processed: usize,
}

impl<B: Backend> BatchIterator<'_, B> {
    /// Requests batches until the maximum number is in flight.
    pub(crate) fn ask(&mut self) {
        let most = self.workers.map_or(1, |_| self.ahead.get());
        while self.promised.len() < most && self.asked < self.epoch.places.len() {
            let end = self.epoch.places.len();
            let range = self.asked..end.min(self.asked + self.batch_size.get());
            self.asked = range.end;
            let length = range.len();
            let (batch, promise) = PendingBatch::new(Arc::clone(&self.epoch), range);
            match self.workers {
                Some(workers) => {
                    let batch = Arc::new(batch);
                    for part in 0..batch.parts() {
                        let batch = Arc::clone(&batch);
                        workers.submit(Box::new(move || batch.make(part)));
                    }
                }
                None => (0..batch.parts()).for_each(|part| batch.make(part)),
            }
            self.promised.push_back((promise, length));
        }
    }

    /// Stops requesting batches, and drops the pending ones.
    fn end(&mut self) {
        self.epoch.abandoned.store(true, Ordering::Relaxed);
        self.promised.clear();
        self.asked = self.epoch.places.len();
    }
}

impl<B: Backend> Iterator for BatchIterator<'_, B> {
    type Item = ImageBatch<B>;

    fn next(&mut self) -> Option<ImageBatch<B>> {
        self.ask();
        let (promise, length) = self.promised.pop_front()?;
        match promise.wait() {
            Ok(batch) => {
                self.processed += length;
                if self.workers.is_some() {
                    self.ask();
                }
                let shape = self.epoch.assembly.preprocessing.shape();
                Some(batch.upload(shape, &self.epoch.values, self.device))
            }
            Err(error) => {
                if let Some(failures) = &self.failures {
                    // A receiver that is gone does not ask for the reason.
                    let _ = failures.send(error);
                }
                self.end();
                None
            }
        }
    }
}

impl<B: Backend> DataLoaderIterator<ImageBatch<B>> for BatchIterator<'_, B> {
    fn progress(&self) -> Progress {
        Progress::new(self.processed, self.epoch.places.len())
    }
}

impl<B: Backend> Drop for BatchIterator<'_, B> {
    fn drop(&mut self) {
        self.end();
    }
}
