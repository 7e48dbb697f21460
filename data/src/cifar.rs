//! CIFAR-10 and CIFAR-100, in the publisher's binary format.
//!
//! A file is a sequence of records: one label byte (preceded by a coarse label in CIFAR-100), then
//! `[3, 32, 32]` bytes. Described at <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::io::Read;
use std::path::Path;

use crate::error::DataError;
use crate::packed::PackedImages;
use crate::published::LocalFile;

const SHAPE: [usize; 3] = [3, 32, 32];
const IMAGE_BYTES: usize = 3 * 32 * 32;
/// Maximum size of a file in bytes; the publisher's largest has 154 MB.
const MAX_BYTES: u64 = 1 << 30;

/// The differences between the two data sets.
pub(crate) struct Cifar {
    class_names_file: &'static str,
    class_names: &'static [&'static str],
    /// Number of bytes before the pixels; the last one is the label.
    label_bytes: usize,
}

/// Class names of CIFAR-10, in the order of the labels.
pub const CIFAR10_CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

pub(crate) const CIFAR10: Cifar = Cifar {
    class_names_file: "batches.meta.txt",
    class_names: &CIFAR10_CLASSES,
    label_bytes: 1,
};

pub(crate) const CIFAR100: Cifar = Cifar {
    class_names_file: "fine_label_names.txt",
    #[rustfmt::skip]
    class_names: &[
        "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle",
        "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle",
        "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch",
        "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox",
        "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard",
        "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse",
        "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck",
        "pine_tree", "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray",
        "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail",
        "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank",
        "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle",
        "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
    ],
    label_bytes: 2,
};

impl Cifar {
    /// Loads class names, training images and test images from a set's files; the last file is the
    /// test part.
    pub(crate) fn load(
        &self,
        files: &[LocalFile<'_>],
    ) -> Result<(Vec<String>, PackedImages, PackedImages), DataError> {
        let (train, test) = files.split_at(files.len() - 1);
        let class_names = self.class_names(&test[0].path.with_file_name(self.class_names_file))?;
        Ok((class_names, self.images(train)?, self.images(test)?))
    }

    /// Returns the names in the publisher's file, one per line, or the built-in ones if the file is
    /// missing.
    fn class_names(&self, path: &Path) -> Result<Vec<String>, DataError> {
        if !path.is_file() {
            return Ok(self
                .class_names
                .iter()
                .map(|&name| name.to_owned())
                .collect());
        }
        let text = read(path)?;
        let names: Vec<String> = String::from_utf8_lossy(&text)
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        if names.len() != self.class_names.len() {
            return Err(DataError::ClassNames {
                path: path.to_owned(),
                expected: self.class_names.len(),
                found: names.len(),
            });
        }
        Ok(names)
    }

    /// Reads the records of several files, in order.
    fn images(&self, files: &[LocalFile<'_>]) -> Result<PackedImages, DataError> {
        let record = self.label_bytes + IMAGE_BYTES;
        let (mut pixels, mut labels, mut hashed) = (Vec::new(), Vec::new(), Vec::new());
        for file in files {
            let path = &file.path;
            let bytes = read(path)?;
            if bytes.is_empty() || bytes.len() % record != 0 {
                return Err(DataError::RecordLength {
                    path: path.clone(),
                    record,
                    found: bytes.len() as u64,
                });
            }
            for (index, record) in bytes.chunks_exact(record).enumerate() {
                let (head, image) = record.split_at(self.label_bytes);
                let label = head[self.label_bytes - 1];
                if usize::from(label) >= self.class_names.len() {
                    return Err(DataError::LabelOutOfRange {
                        path: path.clone(),
                        index,
                        label,
                        classes: self.class_names.len(),
                    });
                }
                labels.push(u32::from(label));
                pixels.extend_from_slice(image);
            }
            hashed.push(file.hashed(&bytes));
        }
        // A format error is more specific than a checksum mismatch.
        for (file, hashed) in files.iter().zip(&hashed) {
            file.check(hashed)?;
        }
        PackedImages::new(SHAPE, pixels, labels)
    }
}

/// Reads a whole file, or fails if it is larger than any of the publisher's.
fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    files::open_file(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| DataError::Read {
            path: path.to_owned(),
            source,
        })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(DataError::FileTooLarge {
            path: path.to_owned(),
            limit: MAX_BYTES,
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_name() {
        assert_eq!(CIFAR10.class_names.len(), 10);
        assert_eq!(CIFAR100.class_names.len(), 100);
        assert!(CIFAR100.class_names.is_sorted(), "the publisher sorts them");
    }
}
