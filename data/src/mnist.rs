//! MNIST and Fashion-MNIST, in the publishers' format.

use std::io::Read;
use std::path::Path;

use files::Hasher;

use crate::error::DataError;
use crate::idx::{self, IdxImages};
use crate::packed::PackedImages;
use crate::published::{Hashed, LocalFile};

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

/// Loads the training and test images from the four files of a set, in the catalogue's order.
pub(crate) fn load(files: &[LocalFile<'_>]) -> Result<(PackedImages, PackedImages), DataError> {
    Ok((part(&files[0], &files[1])?, part(&files[2], &files[3])?))
}

fn part(images: &LocalFile<'_>, labels: &LocalFile<'_>) -> Result<PackedImages, DataError> {
    let open = |file: &LocalFile<'_>| -> Result<_, DataError> {
        Ok(Hashed {
            inner: idx::open(&file.path)?,
            hasher: Hasher::new(),
        })
    };
    let mut read = [open(images)?, open(labels)?];
    let [images_read, labels_read] = &mut read;
    let packed = paired((images_read, &images.path), (labels_read, &labels.path))?;
    images.check(&read[0].hasher)?;
    labels.check(&read[1].hasher)?;
    Ok(packed)
}

/// Pairs the images of one decompressed file with the labels of another; the paths are used in
/// errors.
pub(crate) fn paired(
    (images, images_path): (impl Read, &Path),
    (labels, labels_path): (impl Read, &Path),
) -> Result<PackedImages, DataError> {
    let images: IdxImages = idx::read_images(images, images_path)?;
    let labels = idx::read_labels(labels, labels_path)?;
    if labels.len() != images.count() {
        return Err(DataError::LabelCount {
            path: labels_path.to_owned(),
            images: images.count(),
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
    PackedImages::new([1, images.height, images.width], images.pixels, labels)
}
