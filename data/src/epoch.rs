//! Selection and order of the images in an epoch.

use std::collections::BTreeMap;

use crate::dataset::ImageDataset;
use crate::order::{permutation, shuffle};
use crate::random::{Generator, Purpose};

/// How the images of an epoch are selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// All images, in the order of the data set.
    InOrder,
    /// All images, in random order.
    Shuffled { seed: u64 },
    /// The same number of images of each class, in random order.
    Balanced { seed: u64 },
}

/// An image in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EpochItem {
    /// Index of the image in the data set.
    pub item: usize,
    /// Number of earlier passes through the image's class in this epoch.
    pub repeat: usize,
}

impl Sampling {
    /// Returns the images of an epoch; the length is that of the data set.
    ///
    /// They depend only on the seed, the epoch and the data set's labels.
    pub(crate) fn epoch(self, dataset: &ImageDataset, epoch: usize) -> Vec<EpochItem> {
        let once = |item| EpochItem { item, repeat: 0 };
        let length = dataset.len();
        match self {
            Self::InOrder => (0..length).map(once).collect(),
            Self::Shuffled { seed } => {
                let order = permutation(length, seed, Purpose::Epoch, epoch as u64);
                order.into_iter().map(once).collect()
            }
            Self::Balanced { seed } => balanced(dataset, seed, epoch as u64),
        }
    }
}

/// Cycles through each class in a new random order each time, until the class has its share.
fn balanced(dataset: &ImageDataset, seed: u64, epoch: u64) -> Vec<EpochItem> {
    let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (item, &index) in dataset.indices().iter().enumerate() {
        let class = dataset.store().label(index);
        classes.entry(class).or_default().push(item);
    }
    let mut classes: Vec<_> = classes.into_iter().collect();
    let mut generator = Generator::new(seed, Purpose::Epoch, [epoch, 0]);
    // If shares are uneven, the classes that get one more image change from epoch to epoch.
    shuffle(&mut classes, &mut generator);

    let count = classes.len().max(1);
    let mut places = Vec::with_capacity(dataset.len());
    for (number, (class, mut members)) in classes.into_iter().enumerate() {
        let share = (dataset.len() + count - 1 - number) / count;
        let mut generator = Generator::new(seed, Purpose::Balance, [epoch, class as u64]);
        for first in (0..share).step_by(members.len()) {
            shuffle(&mut members, &mut generator);
            let repeat = first / members.len();
            let pass = members.iter().take(share - first);
            places.extend(pass.map(|&item| EpochItem { item, repeat }));
        }
    }
    shuffle(&mut places, &mut generator);
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PackedImages;
    use proptest::prelude::*;
    use std::collections::HashSet;
    use std::sync::Arc;

    fn dataset(labels: Vec<u32>) -> ImageDataset {
        let pixels = vec![0; labels.len()];
        ImageDataset::all(Arc::new(
            PackedImages::new([1, 1, 1], pixels, labels).unwrap(),
        ))
    }

    proptest! {
        #[test]
        fn classes_are_balanced(labels in prop::collection::vec(0_u32..6, 0..80), seed: u64) {
            let data = dataset(labels.clone());
            let sampling = Sampling::Balanced { seed };
            let places = sampling.epoch(&data, 3);
            prop_assert_eq!(&places, &sampling.epoch(&data, 3));
            prop_assert_eq!(places.len(), labels.len());
            let classes: HashSet<_> = labels.iter().collect();
            for class in &classes {
                let drawn = places.iter().filter(|place| labels[place.item] == **class);
                let exact = labels.len() as f64 / classes.len() as f64;
                prop_assert!((drawn.clone().count() as f64 - exact).abs() < 1.0);
                // An image repeats only after its class is exhausted.
                let members = labels.iter().filter(|label| label == class).count();
                let passes = drawn.clone().map(|place| place.repeat).max().unwrap_or(0);
                for pass in 0..passes {
                    prop_assert_eq!(drawn.clone().filter(|place| place.repeat == pass).count(), members);
                }
            }
            let different: HashSet<_> =
                places.iter().map(|place| (place.item, place.repeat)).collect();
            prop_assert_eq!(different.len(), places.len());
        }
    }

    #[test]
    fn epochs_are_balanced_differently() {
        let data = dataset((0..50).map(|item| u32::from(item % 10 == 0)).collect());
        let sampling = Sampling::Balanced { seed: 1 };
        assert_ne!(sampling.epoch(&data, 0), sampling.epoch(&data, 1));
    }
}
