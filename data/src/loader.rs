//! A batch loader in an order that a resumed run can continue.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};
use std::thread;

use burn::data::dataloader::{DataLoader, DataLoaderIterator};
use burn::tensor::backend::Backend;

use crate::assembly::Assembly;
use crate::augment::{Augmentation, AugmentationError, Augmenter};
use crate::batch::{ImageBatch, ImageBatcher};
use crate::dataset::ImageDataset;
use crate::epoch::Sampling;
use crate::error::DataError;
use crate::iterator::BatchIterator;
use crate::outliers::{OutlierMaker, Outliers};
use crate::pending::Epoch;
use crate::position::Position;
use crate::store::ImageStore;
use crate::workers::Workers;

/// Number of batches in flight: the one being waited for, and two more.
pub const DEFAULT_BATCHES_AHEAD: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// Burn's [`DataLoader`] over images, with threads that prefetch batches.
///
/// With a shuffle seed, the order of an epoch depends only on the seed, the epoch and the number of
/// images, on every machine, so a run can be resumed in the middle of an epoch. Without one, it is
/// the order of the data set. The last batch of an epoch may be smaller than the others, unless it
/// is dropped. With an [`Augmentation`], random changes of an image depend only on the seed, the
/// epoch and the image's index. The number of threads never affects the result.
///
/// Threads start with the first iteration and end when the last clone of the loader is dropped;
/// they sleep while enough batches are ready. If a batch cannot be made, the epoch ends early and
/// [`BatchLoader::with_failures`] tells why.
pub struct BatchLoader<B: Backend> {
    assembly: Assembly,
    batch_size: NonZeroUsize,
    sampling: Sampling,
    drops_last: bool,
    threads: usize,
    ahead: NonZeroUsize,
    workers: Arc<OnceLock<Option<Workers>>>,
    device: B::Device,
    position: Position,
    failures: Option<Sender<DataError>>,
}

impl<B: Backend> BatchLoader<B> {
    /// Creates a loader of batches of `batch_size` images of `dataset`, on `device`, shuffled with
    /// the seed `shuffle` if given.
    ///
    /// # Panics
    /// If the images are in memory at a different size than the batcher's preprocessing produces.
    pub fn new(
        dataset: Arc<ImageDataset>,
        batcher: Arc<ImageBatcher>,
        batch_size: NonZeroUsize,
        shuffle: Option<u64>,
        device: B::Device,
    ) -> Self {
        let preprocessing = batcher.preprocessing().clone();
        if let ImageStore::Packed(images) = dataset.store() {
            assert_eq!(
                images.shape(),
                preprocessing.shape(),
                "images were prepared at another size"
            );
        }
        Self {
            assembly: Assembly {
                dataset,
                augmenter: Augmenter::none(&preprocessing),
                outliers: None,
                preprocessing,
            },
            batch_size,
            sampling: shuffle.map_or(Sampling::InOrder, |seed| Sampling::Shuffled { seed }),
            drops_last: false,
            threads: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            ahead: DEFAULT_BATCHES_AHEAD,
            workers: Arc::default(),
            device,
            position: Position::default(),
            failures: None,
        }
    }

    /// Uses an existing position.
    #[must_use]
    pub fn with_position(self, position: Position) -> Self {
        Self { position, ..self }
    }

    /// Sends the reason to `failures` when a batch cannot be made.
    ///
    /// Burn's iterators cannot return an error, so an epoch ends at the first such batch. Check the
    /// receiver after the iteration.
    #[must_use]
    pub fn with_failures(self, failures: Sender<DataError>) -> Self {
        Self {
            failures: Some(failures),
            ..self
        }
    }

    /// Augments images; `seed` may be the shuffle seed.
    ///
    /// # Errors
    /// [`AugmentationError`] if a setting is out of range.
    pub fn with_augmentation(
        mut self,
        augmentation: Augmentation,
        seed: u64,
    ) -> Result<Self, AugmentationError> {
        self.assembly.augmenter = Augmenter::new(augmentation, seed, &self.assembly.preprocessing)?;
        Ok(self)
    }

    /// Adds images of no class to each batch; `seed` may be the shuffle seed.
    ///
    /// # Errors
    /// [`AugmentationError`] if a setting is out of range.
    pub fn with_outliers(
        mut self,
        outliers: Outliers,
        seed: u64,
    ) -> Result<Self, AugmentationError> {
        outliers.validate()?;
        self.assembly.outliers = Some(OutlierMaker { outliers, seed });
        Ok(self)
    }

    /// Sets the number of threads. With 0, batches are made on the calling thread. Defaults to the
    /// number of cores.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self {
            threads,
            workers: Arc::default(),
            ..self
        }
    }

    /// Sets the number of batches in flight, which bounds memory use. Defaults to 3.
    #[must_use]
    pub fn with_batches_ahead(self, batches: NonZeroUsize) -> Self {
        Self {
            ahead: batches,
            ..self
        }
    }

    /// Drops the last batch of an epoch if it is smaller than the others.
    #[must_use]
    pub fn with_last_dropped(self) -> Self {
        Self {
            drops_last: true,
            ..self
        }
    }

    /// Takes an equal number of images of each class per epoch. The length of the epoch stays the
    /// same: images of rare classes are repeated, and images of frequent classes take turns.
    ///
    /// The order is shuffled with `seed`.
    #[must_use]
    pub fn with_balanced_classes(self, seed: u64) -> Self {
        Self {
            sampling: Sampling::Balanced { seed },
            ..self
        }
    }

    /// Returns the start of the next iteration; it is read when `iter` is called.
    pub fn position(&self) -> Position {
        self.position.clone()
    }

    /// Returns the number of batches in a whole epoch.
    pub fn num_batches(&self) -> usize {
        self.num_items().div_ceil(self.batch_size.get())
    }

    /// Returns the threads, which the first call starts.
    fn workers(&self) -> Option<&Workers> {
        self.workers
            .get_or_init(|| Workers::start(self.threads))
            .as_ref()
    }
}

impl<B: Backend> Clone for BatchLoader<B> {
    /// Returns a clone that shares the position, the threads and the receiver of failures.
    fn clone(&self) -> Self {
        Self {
            assembly: self.assembly.clone(),
            workers: Arc::clone(&self.workers),
            device: self.device.clone(),
            position: self.position.clone(),
            failures: self.failures.clone(),
            ..*self
        }
    }
}

impl<B: Backend> DataLoader<B, ImageBatch<B>> for BatchLoader<B> {
    /// Starts an epoch; batches are prefetched from now on.
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<ImageBatch<B>> + 'a> {
        let number = self.position.epoch();
        let mut places = self.sampling.epoch(&self.assembly.dataset, number);
        places.truncate(self.num_items());
        let start = self
            .position
            .first_batch()
            .saturating_mul(self.batch_size.get())
            .min(places.len());
        let mut iterator = BatchIterator {
            epoch: Arc::new(Epoch::new(
                self.assembly.clone(),
                number,
                places,
                self.ahead,
            )),
            batch_size: self.batch_size,
            workers: self.workers(),
            ahead: self.ahead,
            device: &self.device,
            failures: self.failures.clone(),
            promised: VecDeque::new(),
            asked: start,
            processed: start,
        };
        if iterator.workers.is_some() {
            iterator.ask();
        }
        Box::new(iterator)
    }

    /// Returns the number of images in an epoch.
    fn num_items(&self) -> usize {
        let images = self.assembly.dataset.len();
        match self.drops_last {
            true => images - images % self.batch_size.get(),
            false => images,
        }
    }

    /// Returns a loader that shares the position and the threads.
    fn to_device(&self, device: &B::Device) -> Arc<dyn DataLoader<B, ImageBatch<B>>> {
        Arc::new(Self {
            device: device.clone(),
            ..self.clone()
        })
    }

    /// Returns a loader that shares the position and the threads, and shuffles only its own images.
    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B, ImageBatch<B>>> {
        let mut part = self.clone();
        part.assembly.dataset = Arc::new(self.assembly.dataset.slice(start, end));
        Arc::new(part)
    }
}
