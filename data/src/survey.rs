//! Statistics of a whole data set.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use image::DynamicImage;
use rayon::prelude::*;
use serde::Serialize;

use crate::decode::ImageError;
use crate::error::DataError;
use crate::options::LoadProgress;
use crate::packed::Brightness;
use crate::set::DataSet;
use crate::store::{ImageFiles, ImageStore};

/// Maximum number of duplicates listed, of each kind.
const NAMED: usize = 10;

/// Statistics of a whole data set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Survey {
    /// Name of the data set.
    pub name: String,
    /// `[channels, height, width]` of prepared images.
    pub shape: [usize; 3],
    /// Name of each class.
    pub class_names: Vec<String>,
    /// Training, validation (if the set defines it) and test part.
    pub parts: Vec<PartSurvey>,
    /// Mean of each channel of the training images, in units of full brightness (0 to 1).
    pub mean: Vec<f32>,
    /// Standard deviation of each channel of the training images, in the same units.
    pub std: Vec<f32>,
    /// Duplicate images within each part, and between each two parts.
    pub duplicates: Vec<Duplicates>,
}

/// Number of images in a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartSurvey {
    /// `train`, `validation` or `test`.
    pub name: &'static str,
    /// Number of readable images.
    pub images: usize,
    /// Number of readable images of each class.
    pub classes: Vec<usize>,
}

/// Images of one part that are also in another part, or earlier in the same part. Duplicates have
/// the same size and pixels, compared by a 128-bit hash. Images of a folder are compared as stored
/// in their files, others at their prepared size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// The part with the first occurrence, and the part with the counted images.
    pub parts: [&'static str; 2],
    /// Number of duplicates.
    pub images: usize,
    /// Number of duplicates with a different class than the first occurrence.
    pub other_class: usize,
    /// The first duplicates, at most ten.
    pub first: Vec<Duplicate>,
}

/// An image that occurs twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// Indices in the two parts, counted from 0.
    pub indices: [usize; 2],
    /// Files of the two images, if they have files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<[PathBuf; 2]>,
}

impl Survey {
    /// Reads every image of a set in parallel; unreadable ones are added to
    /// [`DataSet::unreadable`]. `progress` is called from several threads.
    ///
    /// # Errors
    /// [`DataError`] if more images cannot be read than the load options allow, or if none can be
    /// read.
    pub fn new(
        data: &DataSet,
        progress: &(dyn Fn(LoadProgress) + Send + Sync),
    ) -> Result<Self, DataError> {
        let parts: Vec<(&'static str, &ImageStore)> = [("train", &data.train)]
            .into_iter()
            .chain(data.validation.as_ref().map(|part| ("validation", part)))
            .chain([("test", &data.test)])
            .collect();
        let total = parts.iter().map(|(_, store)| store.len()).sum();
        let done = AtomicUsize::new(0);
        let brightness = Mutex::new(Brightness::new(data.preprocessing.channels()));
        let look = |(name, store): &(&'static str, &ImageStore)| -> Vec<Option<u128>> {
            let look = |index| {
                let print = match store {
                    ImageStore::Packed(images) => Some(fingerprint(&[], images.planes(index))),
                    ImageStore::Files(files) => {
                        let counted = (*name == "train").then_some(&brightness);
                        look_at_file(data, files, index, counted)
                    }
                };
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                progress(LoadProgress { done, total });
                print
            };
            (0..store.len()).into_par_iter().map(look).collect()
        };
        let prints: Vec<Vec<Option<u128>>> = parts.iter().map(look).collect();
        data.unreadable.check()?;
        if prints[0].iter().all(Option::is_none) {
            return data.unreadable.too_many();
        }
        let (mean, std) = match &data.train {
            ImageStore::Packed(images) => images.statistics(),
            ImageStore::Files(_) => brightness
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .statistics(),
        };
        Ok(Self {
            name: data.name.clone(),
            shape: data.preprocessing.shape(),
            class_names: data.class_names.clone(),
            parts: parts
                .iter()
                .zip(&prints)
                .map(|((name, store), prints)| counts(name, store, prints, data.class_names.len()))
                .collect(),
            mean,
            std,
            duplicates: duplicates(&parts, &prints),
        })
    }
}

fn counts(
    name: &'static str,
    store: &ImageStore,
    prints: &[Option<u128>],
    classes: usize,
) -> PartSurvey {
    let mut part = PartSurvey {
        name,
        images: 0,
        classes: vec![0; classes],
    };
    for index in (0..store.len()).filter(|&index| prints[index].is_some()) {
        part.images += 1;
        part.classes[store.label(index)] += 1;
    }
    part
}

/// Returns the fingerprint of an image as stored in its file, or `None` if it cannot be read.
/// Counts its prepared pixels if requested.
fn look_at_file(
    data: &DataSet,
    files: &ImageFiles,
    index: usize,
    counted: Option<&Mutex<Brightness>>,
) -> Option<u128> {
    let path = &files.paths()[index];
    let look = |image: DynamicImage| {
        let prepared = data.preprocessing.prepare_bytes(&image)?;
        if let Some(brightness) = counted {
            let [_, height, width] = data.preprocessing.shape();
            let mut brightness = brightness.lock().unwrap_or_else(PoisonError::into_inner);
            brightness.add(&prepared, height * width);
        }
        let size = [image.width(), image.height()];
        Ok(fingerprint(&size, image.into_rgb8().as_raw()))
    };
    let found = files.open_with(index, look).and_then(|found| {
        found.map_err(|source| ImageError::Prepare {
            path: path.clone(),
            source,
        })
    });
    match found {
        Ok(print) => Some(print),
        Err(error) => {
            data.unreadable.add(path, error);
            None
        }
    }
}

fn fingerprint(size: &[u32], pixels: &[u8]) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        for &side in size {
            hasher.write_u32(side);
        }
        hasher.write(pixels);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

fn duplicates(
    parts: &[(&'static str, &ImageStore)],
    prints: &[Vec<Option<u128>>],
) -> Vec<Duplicates> {
    // For each image, the index of its first occurrence in each part.
    let mut first: HashMap<u128, Vec<Option<usize>>> = HashMap::new();
    let mut found: Vec<Duplicates> = Vec::new();
    for (part, prints) in prints.iter().enumerate() {
        let start = found.len();
        found.extend((0..=part).map(|before| Duplicates {
            parts: [parts[before].0, parts[part].0],
            images: 0,
            other_class: 0,
            first: Vec::new(),
        }));
        for (index, print) in prints.iter().enumerate() {
            let Some(print) = print else { continue };
            let places = first
                .entry(*print)
                .or_insert_with(|| vec![None; parts.len()]);
            for before in 0..=part {
                if let Some(place) = places[before] {
                    let stores = [parts[before].1, parts[part].1];
                    found[start + before].add(stores, [place, index]);
                }
            }
            places[part].get_or_insert(index);
        }
    }
    found
}

impl Duplicates {
    fn add(&mut self, [first, second]: [&ImageStore; 2], indices: [usize; 2]) {
        self.images += 1;
        self.other_class += usize::from(first.label(indices[0]) != second.label(indices[1]));
        if self.first.len() == NAMED {
            return;
        }
        let files = match (first, second) {
            (ImageStore::Files(first), ImageStore::Files(second)) => Some([
                first.paths()[indices[0]].clone(),
                second.paths()[indices[1]].clone(),
            ]),
            _ => None,
        };
        self.first.push(Duplicate { indices, files });
    }
}
