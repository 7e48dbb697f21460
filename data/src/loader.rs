//! Batches in an order that a resumed run can continue.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use crate::assembly::{Assembly, HostBatch};
use crate::augment::{Augmentation, AugmentationError, Augmenter};
use crate::batch::{ImageBatch, ImageBatcher, PictureDataset};
use crate::order::permutation;
use crate::random::Purpose;

/// The epoch and the batch in it that a [`BatchLoader`] starts from next.
///
/// Clones share one position: a training loop keeps one, sets it, and the loader obeys. It starts
/// as epoch 0, batch 0.
#[derive(Clone, Debug, Default)]
pub struct Position(Arc<Place>);

#[derive(Debug, Default)]
struct Place {
    epoch: AtomicUsize,
    first_batch: AtomicUsize,
}

impl Position {
    /// Lets the next iteration be that of `epoch`, from `first_batch` (counted from 0) on.
    pub fn set(&self, epoch: usize, first_batch: usize) {
        self.0.epoch.store(epoch, Ordering::SeqCst);
        self.0.first_batch.store(first_batch, Ordering::SeqCst);
    }

    /// The epoch, which decides the order.
    pub fn epoch(&self) -> usize {
        self.0.epoch.load(Ordering::SeqCst)
    }

    /// The batch that the next iteration starts from.
    pub fn first_batch(&self) -> usize {
        self.0.first_batch.load(Ordering::SeqCst)
    }
}

/// Burn's [`DataLoader`] over pictures, on the calling thread.
///
/// With a shuffle seed, the order of an epoch depends only on the seed, the epoch and the number
/// of pictures, on every machine: a run can be resumed in the middle of an epoch. Without one it
/// is the order of the data set. The last batch of an epoch may be smaller than the others.
///
/// With an [`Augmentation`], pictures are changed at random, each by the seed, the epoch and its
/// index alone, so that a resumed epoch goes on as it would have.
pub struct BatchLoader<B: Backend> {
    assembly: Assembly,
    batch_size: NonZeroUsize,
    shuffle: Option<u64>,
    device: B::Device,
    position: Position,
}

impl<B: Backend> BatchLoader<B> {
    /// Batches of `batch_size` pictures of `dataset`, on `device`, shuffled with the seed
    /// `shuffle` if there is one.
    ///
    /// # Panics
    /// If the pictures have another shape than the batcher's preprocessing prepares.
    pub fn new(
        dataset: Arc<PictureDataset>,
        batcher: Arc<ImageBatcher>,
        batch_size: NonZeroUsize,
        shuffle: Option<u64>,
        device: B::Device,
    ) -> Self {
        let preprocessing = batcher.preprocessing().clone();
        assert_eq!(
            dataset.pictures().shape(),
            preprocessing.shape(),
            "pictures were prepared at another size"
        );
        Self {
            assembly: Assembly {
                dataset,
                preprocessing,
                augmenter: None,
            },
            batch_size,
            shuffle,
            device,
            position: Position::default(),
        }
    }

    /// The same loader, obeying a position made elsewhere.
    #[must_use]
    pub fn with_position(self, position: Position) -> Self {
        Self { position, ..self }
    }

    /// The same loader, changing pictures at random; `seed` may be that of the order.
    ///
    /// # Errors
    /// [`AugmentationError`] if a setting is out of its range.
    pub fn with_augmentation(
        mut self,
        augmentation: Augmentation,
        seed: u64,
    ) -> Result<Self, AugmentationError> {
        let augmenter = Augmenter::new(augmentation, seed, &self.assembly.preprocessing)?;
        self.assembly.augmenter = Some(augmenter);
        Ok(self)
    }

    /// Where the next iteration starts; it is read when `iter` is called.
    pub fn position(&self) -> Position {
        self.position.clone()
    }

    /// The number of batches in a whole epoch.
    pub fn num_batches(&self) -> usize {
        self.num_items().div_ceil(self.batch_size.get())
    }

    /// The places in the data set of an epoch's pictures, in order.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let length = self.num_items();
        match self.shuffle {
            Some(seed) => permutation(length, seed, Purpose::Epoch, epoch as u64),
            None => (0..length).collect(),
        }
    }

    fn upload(&self, HostBatch { values, targets }: HostBatch) -> ImageBatch<B> {
        let [channels, height, width] = self.assembly.preprocessing.shape();
        let shape = [targets.len(), channels, height, width];
        let classes = TensorData::new(targets, [shape[0]]);
        ImageBatch {
            images: Tensor::from_data(TensorData::new(values, shape), &self.device),
            targets: Tensor::from_data(classes, &self.device),
        }
    }
}

impl<B: Backend> Clone for BatchLoader<B> {
    /// The clone shares the position.
    fn clone(&self) -> Self {
        Self {
            assembly: self.assembly.clone(),
            device: self.device.clone(),
            position: self.position.clone(),
            ..*self
        }
    }
}

impl<B: Backend> DataLoader<B, ImageBatch<B>> for BatchLoader<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<ImageBatch<B>> + 'a> {
        let epoch = self.position.epoch();
        let order = self.order(epoch);
        let start = self
            .position
            .first_batch()
            .saturating_mul(self.batch_size.get());
        Box::new(BatchIterator {
            loader: self,
            epoch,
            processed: start.min(order.len()),
            order,
        })
    }

    fn num_items(&self) -> usize {
        self.assembly.dataset.indices().len()
    }

    /// The new loader shares the position.
    fn to_device(&self, device: &B::Device) -> Arc<dyn DataLoader<B, ImageBatch<B>>> {
        Arc::new(Self {
            device: device.clone(),
            ..self.clone()
        })
    }

    /// The new loader shares the position, and shuffles its own pictures among themselves.
    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B, ImageBatch<B>>> {
        let mut part = self.clone();
        part.assembly.dataset = Arc::new(self.assembly.dataset.slice(start, end));
        Arc::new(part)
    }
}

struct BatchIterator<'a, B: Backend> {
    loader: &'a BatchLoader<B>,
    epoch: usize,
    order: Vec<usize>,
    /// Pictures of the epoch that lie behind, those of skipped batches too.
    processed: usize,
}

impl<B: Backend> Iterator for BatchIterator<'_, B> {
    type Item = ImageBatch<B>;

    fn next(&mut self) -> Option<ImageBatch<B>> {
        let rest = &self.order[self.processed..];
        let batch = &rest[..rest.len().min(self.loader.batch_size.get())];
        if batch.is_empty() {
            return None;
        }
        self.processed += batch.len();
        let batch = self.loader.assembly.batch(batch, self.epoch);
        Some(self.loader.upload(batch))
    }
}

impl<B: Backend> DataLoaderIterator<ImageBatch<B>> for BatchIterator<'_, B> {
    fn progress(&self) -> Progress {
        Progress::new(self.processed, self.order.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImageBatcher, Pictures, Preprocessing};
    use burn_flex::Flex;

    /// Ten pictures of one pixel, labelled with their places, in batches of three.
    fn loader(shuffle: Option<u64>) -> BatchLoader<Flex> {
        let pictures = Pictures::new([1, 1, 1], (0..10).collect(), (0..10).collect()).unwrap();
        let preprocessing = Preprocessing::new([1, 1, 1], 1, vec![0.0], vec![1.0]).unwrap();
        BatchLoader::new(
            Arc::new(PictureDataset::all(Arc::new(pictures))),
            Arc::new(ImageBatcher::new(preprocessing)),
            NonZeroUsize::new(3).unwrap(),
            shuffle,
            Default::default(),
        )
    }

    fn batches(loader: &dyn DataLoader<Flex, ImageBatch<Flex>>) -> Vec<Vec<i64>> {
        loader
            .iter()
            .map(|batch| batch.targets.into_data().iter::<i64>().collect())
            .collect()
    }

    #[test]
    fn without_a_seed_the_order_is_that_of_the_set() {
        let loader = loader(None);
        let expected = [vec![0, 1, 2], vec![3, 4, 5], vec![6, 7, 8], vec![9]];
        assert_eq!(batches(&loader), expected);
        loader.position().set(5, 0);
        assert_eq!(batches(&loader), expected);
        assert_eq!((loader.num_items(), loader.num_batches()), (10, 4));
    }

    #[test]
    fn seed_and_epoch_alone_decide_the_order() {
        let (first, second) = (loader(Some(1)), loader(Some(1)));
        let epoch_0 = batches(&first);
        first.position().set(1, 0);
        let epoch_1 = batches(&first);
        assert_ne!(epoch_0, epoch_1);
        assert_eq!(epoch_0, batches(&second));
        assert_eq!(epoch_1, batches(&first), "an epoch repeats itself");
        assert_ne!(epoch_0, batches(&loader(Some(2))));
        let mut all = epoch_1.concat();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn a_later_start_gives_the_rest_of_the_epoch() {
        let loader = loader(Some(9));
        loader.position().set(4, 0);
        let whole = batches(&loader);
        for first in 0..6 {
            loader.position().set(4, first);
            assert_eq!(batches(&loader), whole[first.min(whole.len())..]);
        }
        loader.position().set(4, usize::MAX);
        assert!(batches(&loader).is_empty());
    }

    #[test]
    fn progress_is_that_of_the_whole_epoch() {
        let loader = loader(Some(9));
        loader.position().set(0, 2);
        let mut iterator = loader.iter();
        let mut seen = vec![iterator.progress().items_processed];
        while iterator.next().is_some() {
            let progress = iterator.progress();
            assert_eq!(progress.items_total, 10);
            seen.push(progress.items_processed);
        }
        assert_eq!(seen, [6, 9, 10]);
    }

    /// Ten pictures of 5x5, changed by every augmentation there is.
    fn changing(seed: u64) -> BatchLoader<Flex> {
        let pixels = (0..750).map(|value| value as u8).collect();
        let pictures = Pictures::new([3, 5, 5], pixels, (0..10).collect()).unwrap();
        let preprocessing = Preprocessing::new([3, 5, 5], 5, vec![0.5; 3], vec![0.2; 3]).unwrap();
        let augmentation = Augmentation {
            pad_crop: 2,
            flip: true,
        };
        BatchLoader::new(
            Arc::new(PictureDataset::all(Arc::new(pictures))),
            Arc::new(ImageBatcher::new(preprocessing)),
            NonZeroUsize::new(3).unwrap(),
            Some(1),
            Default::default(),
        )
        .with_augmentation(augmentation, seed)
        .unwrap()
    }

    fn values(loader: &dyn DataLoader<Flex, ImageBatch<Flex>>) -> Vec<Vec<f32>> {
        loader
            .iter()
            .map(|batch| batch.images.into_data().to_vec().unwrap())
            .collect()
    }

    #[test]
    fn changes_depend_on_seed_epoch_and_picture() {
        let loader = changing(3);
        let epoch_0 = values(&loader);
        assert_eq!(values(&loader), epoch_0, "an epoch repeats itself");
        assert_ne!(values(&changing(4)), epoch_0);
        loader.position().set(1, 0);
        let epoch_1 = values(&loader);
        assert_ne!(epoch_1, epoch_0);
        loader.position().set(1, 2);
        assert_eq!(values(&loader), epoch_1[2..], "a resume changes nothing");
    }

    #[test]
    fn changes_out_of_range_are_refused() {
        let augmentation = Augmentation {
            pad_crop: usize::MAX,
            ..Augmentation::default()
        };
        assert!(loader(None).with_augmentation(augmentation, 1).is_err());
    }

    #[test]
    fn slices_and_devices_share_the_position() {
        let loader = loader(None);
        let slice = loader.slice(2, 9);
        assert_eq!(slice.num_items(), 7);
        loader.position().set(0, 1);
        assert_eq!(batches(slice.as_ref()), [vec![5, 6, 7], vec![8]]);
        let moved = loader.to_device(&Default::default());
        assert_eq!(batches(moved.as_ref()), batches(&loader));
        assert_eq!(loader.slice(8, 20).num_items(), 2);
    }
}
