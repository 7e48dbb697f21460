//! Batches that several threads make together.

use std::any::Any;
use std::mem;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::assembly::{Assembly, BatchParts, HostBatch};
use crate::epoch::EpochItem;
use crate::error::DataError;
use crate::shelf::Shelf;

/// An epoch to make batches from.
pub(crate) struct Epoch {
    pub assembly: Assembly,
    pub number: usize,
    /// All images of the epoch.
    pub places: Vec<EpochItem>,
    /// Whether its batches are no longer needed.
    pub abandoned: AtomicBool,
    /// Buffers for parts of batches.
    pub parts: Shelf<u8>,
    /// Buffers for batches.
    pub values: Arc<Shelf<f32>>,
}

impl Epoch {
    /// Creates the epoch `number`, with `ahead` batches in flight at a time.
    pub(crate) fn new(
        assembly: Assembly,
        number: usize,
        places: Vec<EpochItem>,
        ahead: NonZeroUsize,
    ) -> Self {
        Self {
            assembly,
            number,
            places,
            abandoned: AtomicBool::new(false),
            parts: Shelf::new(PARTS_KEPT),
            values: Arc::new(Shelf::new(ahead.get())),
        }
    }
}

/// Maximum number of part buffers kept.
const PARTS_KEPT: usize = 64;

/// A batch in progress: each thread makes a part, and the last one assembles the batch.
pub(crate) struct PendingBatch {
    epoch: Arc<Epoch>,
    /// Range of the batch in the epoch.
    range: Range<usize>,
    part_length: usize,
    parts: Mutex<Made>,
    done: Sender<Result<HostBatch, DataError>>,
}

/// The finished parts.
struct Made {
    pixels: Vec<Vec<u8>>,
    missing: usize,
}

/// A handle to a batch in progress.
pub(crate) struct Promise(Receiver<Result<HostBatch, DataError>>);

impl Promise {
    /// Waits for the batch.
    pub(crate) fn wait(self) -> Result<HostBatch, DataError> {
        // The result cannot get lost: the first part that fails reports it.
        self.0.recv().unwrap_or_else(|_| {
            Err(DataError::Panicked {
                message: "its threads ended".to_owned(),
            })
        })
    }
}

impl PendingBatch {
    /// Creates a batch of the images at `range` of an epoch; at least one.
    pub(crate) fn new(epoch: Arc<Epoch>, range: Range<usize>) -> (Self, Promise) {
        let (done, receiver) = channel();
        let part_length = epoch.assembly.part_length();
        let count = range.len().div_ceil(part_length);
        let batch = Self {
            epoch,
            range,
            part_length,
            parts: Mutex::new(Made {
                pixels: vec![Vec::new(); count],
                missing: count,
            }),
            done,
        };
        (batch, Promise(receiver))
    }

    /// Returns the number of parts to make; any thread may make any part, each exactly once.
    pub(crate) fn parts(&self) -> usize {
        self.range.len().div_ceil(self.part_length)
    }

    /// Makes a part, and the batch if this is the last part; does not panic.
    pub(crate) fn make(&self, part: usize) {
        if self.epoch.abandoned.load(Ordering::Relaxed) {
            return;
        }
        let made = catch_unwind(AssertUnwindSafe(|| self.try_make(part)));
        let result = match made {
            Ok(Ok(None)) => return,
            Ok(Ok(Some(batch))) => Ok(batch),
            Ok(Err(error)) => Err(error),
            Err(panic) => Err(DataError::Panicked {
                message: message(panic.as_ref()),
            }),
        };
        // The receiver may be gone; of several errors, the first one counts.
        let _ = self.done.send(result);
    }

    fn try_make(&self, part: usize) -> Result<Option<HostBatch>, DataError> {
        let Epoch {
            assembly,
            number,
            places,
            ..
        } = &*self.epoch;
        let places = &places[self.range.clone()];
        let begin = part * self.part_length;
        let end = places.len().min(begin + self.part_length);
        let size = assembly.image_bytes();
        let mut pixels = self.epoch.parts.take((end - begin) * size);
        assembly.pixels_into(&places[begin..end], *number, &mut pixels)?;

        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.pixels[part] = pixels;
        parts.missing -= 1;
        if parts.missing > 0 {
            return Ok(None);
        }
        let pixels = mem::take(&mut parts.pixels);
        drop(parts);
        let parts = BatchParts {
            pixels: &pixels,
            length: self.part_length,
        };
        let outliers = assembly.outliers.as_ref();
        let outliers = outliers.map_or(0, |maker| maker.outliers.count(places.len()));
        let values = self.epoch.values.take((places.len() + outliers) * size);
        let batch = assembly.batch(&parts, places, *number, self.range.start, values);
        let shelf = &self.epoch.parts;
        pixels.into_iter().for_each(|part| shelf.put(part));
        Ok(Some(batch))
    }
}

/// Returns the message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a thread panicked").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::Augmenter;
    use crate::{ImageDataset, PackedImages, Preprocessing};

    /// An epoch of ten images, large enough that each is its own part.
    fn epoch(places: Vec<EpochItem>) -> Arc<Epoch> {
        let shape = [1, 512, 512];
        let pixels = (0..10).flat_map(|value| vec![value; 512 * 512]).collect();
        let images = PackedImages::new(shape, pixels, (0..10).collect()).unwrap();
        let preprocessing = Preprocessing::new(shape, 512, vec![0.0], vec![1.0 / 255.0]).unwrap();
        let assembly = Assembly {
            dataset: Arc::new(ImageDataset::all(Arc::new(images))),
            augmenter: Augmenter::none(&preprocessing),
            outliers: None,
            preprocessing,
        };
        Arc::new(Epoch::new(assembly, 0, places, NonZeroUsize::MIN))
    }

    fn places(items: impl IntoIterator<Item = usize>) -> Vec<EpochItem> {
        let place = |item| EpochItem { item, repeat: 0 };
        items.into_iter().map(place).collect()
    }

    #[test]
    fn parts_may_be_made_in_any_order() {
        let (batch, promise) = PendingBatch::new(epoch(places([3, 1, 4, 9, 2])), 1..4);
        assert_eq!(batch.parts(), 3);
        for part in [2, 0, 1] {
            batch.make(part);
        }
        let batch = promise.wait().unwrap();
        assert_eq!(batch.targets, [1, 4, 9]);
        let first: Vec<f32> = batch
            .values
            .chunks(512 * 512)
            .map(|values| values[7])
            .collect();
        for (found, expected) in first.iter().zip([1.0, 4.0, 9.0]) {
            assert!((found - expected).abs() < 1e-5, "{first:?}");
        }
    }

    #[test]
    fn panic_becomes_an_error() {
        let (batch, promise) = PendingBatch::new(epoch(places([3, 10, 4])), 0..3);
        for part in [0, 1, 2] {
            batch.make(part);
        }
        let error = promise.wait().err().unwrap();
        assert!(matches!(error, DataError::Panicked { .. }));
        assert!(error.to_string().contains("index is 10"), "{error}");
    }

    #[test]
    fn missing_part_becomes_an_error() {
        let (batch, promise) = PendingBatch::new(epoch(places([3])), 0..1);
        drop(batch);
        assert!(matches!(promise.wait(), Err(DataError::Panicked { .. })));
    }

    #[test]
    fn abandoned_batches_are_not_made() {
        let epoch = epoch(places([10]));
        epoch.abandoned.store(true, Ordering::Relaxed);
        let (batch, promise) = PendingBatch::new(epoch, 0..1);
        batch.make(0);
        drop(batch);
        assert!(promise.wait().is_err());
    }
}
