//! MNIST and Fashion-MNIST, in the publishers' files.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::idx::{self, IdxImages};
use crate::pictures::Pictures;

pub(crate) const CLASSES: usize = 10;

pub(crate) const DIGITS: [&str; CLASSES] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

pub(crate) const FASHION: [&str; CLASSES] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// Loads the training and test pictures of the four files of a set, in the catalogue's order.
pub(crate) fn load(paths: &[PathBuf]) -> Result<(Pictures, Pictures), DataError> {
    let part = |images: &Path, labels: &Path| {
        pictures((idx::open(images)?, images), (idx::open(labels)?, labels))
    };
    Ok((part(&paths[0], &paths[1])?, part(&paths[2], &paths[3])?))
}

/// Pairs the images of one file with the labels of another; the paths name them in errors.
pub(crate) fn pictures(
    (images, images_path): (impl BufRead, &Path),
    (labels, labels_path): (impl BufRead, &Path),
) -> Result<Pictures, DataError> {
    let images: IdxImages = idx::read_images(images, images_path)?;
    let labels = idx::read_labels(labels, labels_path)?;
    if labels.len() != images.count() {
        return Err(DataError::LabelCount {
            path: labels_path.to_owned(),
            pictures: images.count(),
            labels: labels.len(),
        });
    }
    let wrong = labels
        .iter()
        .position(|&label| usize::from(label) >= CLASSES);
    if let Some(index) = wrong {
        return Err(DataError::LabelOutOfRange {
            path: labels_path.to_owned(),
            index,
            label: labels[index],
            classes: CLASSES,
        });
    }
    let labels = labels.into_iter().map(u32::from).collect();
    Pictures::new([1, images.height, images.width], images.pixels, labels)
}
