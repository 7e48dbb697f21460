//! Batches in an order that a resumed run can continue.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::thread;

use burn::data::dataloader::{DataLoader, DataLoaderIterator};
use burn::tensor::backend::Backend;

use crate::assembly::Assembly;
use crate::augment::{Augmentation, AugmentationError, Augmenter};
use crate::batch::{ImageBatch, ImageBatcher};
use crate::dataset::ImageDataset;
use crate::epoch::Sampling;
use crate::failure::LoadFailure;
use crate::iterator::BatchIterator;
use crate::outliers::{OutlierMaker, Outliers};
use crate::pending::Epoch;
use crate::position::Position;
use crate::store::ImageStore;
use crate::workers::Workers;

/// How many batches are under way at a time: one that is waited for, and two more.
const AHEAD: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// Burn's [`DataLoader`] over images, with threads that make batches ahead.
///
/// With a shuffle seed, the order of an epoch depends only on the seed, the epoch and the number
/// of images, on every machine: a run can be resumed in the middle of an epoch. Without one it
/// is the order of the data set. The last batch of an epoch may be smaller than the others,
/// unless it is dropped. With an [`Augmentation`], images are changed at random, each by the
/// seed, the epoch and its index alone. The number of threads never matters for what comes out.
///
/// Threads start with the first iteration and end with the last clone of the loader; in between
/// they sleep when enough batches lie ready. If a batch cannot be made, the epoch ends there, and
/// [`BatchLoader::failure`] knows why.
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
    failure: LoadFailure,
}

impl<B: Backend> BatchLoader<B> {
    /// Batches of `batch_size` images of `dataset`, on `device`, shuffled with the seed
    /// `shuffle` if there is one.
    ///
    /// # Panics
    /// If the images are in memory at another size than the batcher's preprocessing prepares.
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
            ahead: AHEAD,
            workers: Arc::default(),
            device,
            position: Position::default(),
            failure: LoadFailure::default(),
        }
    }

    /// The same loader, obeying a position made elsewhere.
    #[must_use]
    pub fn with_position(self, position: Position) -> Self {
        Self { position, ..self }
    }

    /// The same loader, telling a failure to where others may tell theirs.
    #[must_use]
    pub fn with_failure(self, failure: LoadFailure) -> Self {
        Self { failure, ..self }
    }

    /// The same loader, changing images at random; `seed` may be that of the order.
    ///
    /// # Errors
    /// [`AugmentationError`] if a setting is out of its range.
    pub fn with_augmentation(
        mut self,
        augmentation: Augmentation,
        seed: u64,
    ) -> Result<Self, AugmentationError> {
        self.assembly.augmenter = Augmenter::new(augmentation, seed, &self.assembly.preprocessing)?;
        Ok(self)
    }

    /// The same loader, adding images of no class to each batch; `seed` may be that of the order.
    ///
    /// # Errors
    /// [`AugmentationError`] if a setting is out of its range.
    pub fn with_outliers(
        mut self,
        outliers: Outliers,
        seed: u64,
    ) -> Result<Self, AugmentationError> {
        outliers.validate()?;
        self.assembly.outliers = Some(OutlierMaker { outliers, seed });
        Ok(self)
    }

    /// The same loader with `threads` of its own; with 0, batches are made by whoever asks for
    /// them. Without this, there are as many as the machine has cores.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self {
            threads,
            workers: Arc::default(),
            ..self
        }
    }

    /// The same loader with `batches` under way at a time, which bounds its memory; 3 without
    /// this.
    #[must_use]
    pub fn with_batches_ahead(self, batches: NonZeroUsize) -> Self {
        Self {
            ahead: batches,
            ..self
        }
    }

    /// The same loader without the last batch of an epoch if it is smaller than the others.
    #[must_use]
    pub fn with_last_dropped(self) -> Self {
        Self {
            drops_last: true,
            ..self
        }
    }

    /// The same loader with as many images of each class in an epoch, which stays as long as it
    /// was: rare classes come more than once, and images of frequent ones take turns.
    ///
    /// The order is shuffled with `seed`.
    #[must_use]
    pub fn with_balanced_classes(self, seed: u64) -> Self {
        Self {
            sampling: Sampling::Balanced { seed },
            ..self
        }
    }

    /// Where the next iteration starts; it is read when `iter` is called.
    pub fn position(&self) -> Position {
        self.position.clone()
    }

    /// Where the reason is found if an epoch ended too early.
    pub fn failure(&self) -> LoadFailure {
        self.failure.clone()
    }

    /// The number of batches in a whole epoch.
    pub fn num_batches(&self) -> usize {
        self.num_items().div_ceil(self.batch_size.get())
    }

    /// The threads, which the first call starts.
    fn workers(&self) -> Option<&Workers> {
        self.workers
            .get_or_init(|| Workers::start(self.threads))
            .as_ref()
    }
}

impl<B: Backend> Clone for BatchLoader<B> {
    /// The clone shares the position, the threads and the failure.
    fn clone(&self) -> Self {
        Self {
            assembly: self.assembly.clone(),
            workers: Arc::clone(&self.workers),
            device: self.device.clone(),
            position: self.position.clone(),
            failure: self.failure.clone(),
            ..*self
        }
    }
}

impl<B: Backend> DataLoader<B, ImageBatch<B>> for BatchLoader<B> {
    /// Batches are made from now on, ahead of being asked for.
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
            failure: self.failure.clone(),
            promised: VecDeque::new(),
            asked: start,
            processed: start,
        };
        if iterator.workers.is_some() {
            iterator.ask();
        }
        Box::new(iterator)
    }

    /// The number of images in an epoch.
    fn num_items(&self) -> usize {
        let images = self.assembly.dataset.len();
        match self.drops_last {
            true => images - images % self.batch_size.get(),
            false => images,
        }
    }

    /// The new loader shares the position and the threads.
    fn to_device(&self, device: &B::Device) -> Arc<dyn DataLoader<B, ImageBatch<B>>> {
        Arc::new(Self {
            device: device.clone(),
            ..self.clone()
        })
    }

    /// The new loader shares the position and the threads, and shuffles its own images among
    /// themselves.
    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B, ImageBatch<B>>> {
        let mut part = self.clone();
        part.assembly.dataset = Arc::new(self.assembly.dataset.slice(start, end));
        Arc::new(part)
    }
}
