//! Assembly of normalized batches, without a device.

use std::sync::Arc;

use crate::augment::{Augmenter, Canvas, Draw, Original, Recipe};
use crate::dataset::ImageDataset;
use crate::decode::ImageError;
use crate::epoch::EpochItem;
use crate::error::DataError;
use crate::outliers::{OutlierMaker, OutlierPart};
use crate::preprocessing::Preprocessing;
use crate::store::ImageStore;

/// Minimum number of bytes per task for images in memory, so that the overhead of scheduling is
/// negligible.
const PART_BYTES: usize = 1 << 17;

/// Everything that determines the content of a batch, except the selection of images.
#[derive(Clone)]
pub(crate) struct Assembly {
    pub dataset: Arc<ImageDataset>,
    pub preprocessing: Preprocessing,
    pub augmenter: Augmenter,
    /// Generator of images of no class, added to each batch.
    pub outliers: Option<OutlierMaker>,
}

/// A batch in host memory.
pub(crate) struct HostBatch {
    /// `[batch, channels, height, width]`, normalized, followed by the outliers in the same format.
    pub values: Vec<f32>,
    /// `[batch]`, classes.
    pub targets: Vec<i64>,
    /// Mixing partners, if the batch is mixed.
    pub mixed: Option<HostMixed>,
    /// Outliers at the end of the batch.
    pub outliers: Option<OutlierPart>,
}

/// The partners in a mixed batch.
pub(crate) struct HostMixed {
    /// `[batch]`, class of each partner.
    pub partners: Vec<i64>,
    /// `[batch]`, share of the first image, 0 to 1.
    pub shares: Vec<f32>,
}

/// The pixels of a batch, made in parts.
pub(crate) struct BatchParts<'a> {
    /// `[image, channels, height, width]` each.
    pub pixels: &'a [Vec<u8>],
    /// Number of images in each part but the last.
    pub length: usize,
}

impl Assembly {
    /// Returns the number of images per task.
    pub(crate) fn part_length(&self) -> usize {
        match self.dataset.store() {
            ImageStore::Packed(_) => PART_BYTES.div_ceil(self.image_bytes()),
            ImageStore::Files(_) => 1,
        }
    }

    /// Appends augmented images of `epoch`: `[image, channels, height, width]`.
    pub(crate) fn pixels_into(
        &self,
        places: &[EpochItem],
        epoch: usize,
        pixels: &mut Vec<u8>,
    ) -> Result<(), DataError> {
        let mut canvas = Canvas::default();
        for place in places {
            let index = self.dataset.indices()[place.item];
            let draw = Draw {
                epoch: epoch as u64,
                image: index as u64,
                repeat: place.repeat as u64,
            };
            match self.dataset.store() {
                ImageStore::Packed(images) => {
                    let original = Original::Packed(images.planes(index));
                    self.augmenter.change(&original, draw, &mut canvas)
                }
                ImageStore::Files(files) => self.dataset.open(files, place.item, |image| {
                    let original = Original::Image(image);
                    self.augmenter.change(&original, draw, &mut canvas)
                })?,
            }
            .map_err(|source| self.failed(index, source))?;
            pixels.extend_from_slice(&canvas.pixels);
        }
        Ok(())
    }

    /// Assembles a batch of `places`, which begin at index `first` in an epoch, from their pixels.
    /// Stores its values in the empty buffer `values`.
    pub(crate) fn batch(
        &self,
        parts: &BatchParts<'_>,
        places: &[EpochItem],
        epoch: usize,
        first: usize,
        mut values: Vec<f32>,
    ) -> HostBatch {
        let class = |place: &EpochItem| {
            let index = self.dataset.indices()[place.item];
            self.dataset.store().label(index) as i64
        };
        let targets: Vec<i64> = places.iter().map(class).collect();
        let Some(mixing) = self.augmenter.mixing() else {
            for pixels in parts.pixels {
                self.preprocessing.normalize_into(pixels, &mut values);
            }
            let outliers = self.add_outliers(parts, places.len(), epoch, first, &mut values);
            return HostBatch {
                values,
                targets,
                mixed: None,
                outliers,
            };
        };
        let [_, height, width] = self.preprocessing.shape();
        let recipes = mixing.recipes(places.len(), [height, width], epoch, first);
        for (place, recipe) in recipes.iter().enumerate() {
            let image = |place| self.image(parts, place);
            self.mix(image(place), image(recipe.partner), recipe, &mut values);
        }
        let partner = |recipe: &Recipe| targets[recipe.partner];
        let mixed = HostMixed {
            partners: recipes.iter().map(partner).collect(),
            shares: recipes.iter().map(|recipe| recipe.share).collect(),
        };
        let outliers = self.add_outliers(parts, places.len(), epoch, first, &mut values);
        HostBatch {
            values,
            targets,
            mixed: Some(mixed),
            outliers,
        }
    }

    /// Appends the normalized outliers of a batch of `length` images, if outliers are on.
    fn add_outliers(
        &self,
        parts: &BatchParts<'_>,
        length: usize,
        epoch: usize,
        first: usize,
        values: &mut Vec<f32>,
    ) -> Option<OutlierPart> {
        let maker = self.outliers.as_ref()?;
        let images: Vec<_> = (0..length).map(|place| self.image(parts, place)).collect();
        let count = maker.outliers.count(length);
        for place in first..first + count {
            let image = maker.image(self.preprocessing.shape(), &images, epoch, place);
            self.preprocessing.normalize_into(&image, values);
        }
        Some(OutlierPart {
            count,
            weight: maker.outliers.weight,
        })
    }

    /// Appends the normalized mix of two images.
    fn mix(&self, first: &[u8], partner: &[u8], recipe: &Recipe, values: &mut Vec<f32>) {
        let Some([rows, columns]) = recipe.rectangle else {
            self.preprocessing
                .normalize_sum_into([first, partner], recipe.share, values);
            return;
        };
        let [_, height, width] = self.preprocessing.shape();
        let mut pixels = first.to_vec();
        let planes = pixels.chunks_exact_mut(height * width);
        for (plane, partner) in planes.zip(partner.chunks_exact(height * width)) {
            for row in rows.0..rows.1 {
                let taken = row * width + columns.0..row * width + columns.1;
                plane[taken.clone()].copy_from_slice(&partner[taken]);
            }
        }
        self.preprocessing.normalize_into(&pixels, values);
    }

    /// Returns the pixels of one image of a batch.
    fn image<'a>(&self, parts: &BatchParts<'a>, place: usize) -> &'a [u8] {
        let size = self.image_bytes();
        let part = &parts.pixels[place / parts.length];
        &part[place % parts.length * size..][..size]
    }

    /// Returns the number of bytes of an image at the model's input size, which is also the number
    /// of values of a normalized one.
    pub(crate) fn image_bytes(&self) -> usize {
        self.preprocessing.shape().iter().product()
    }

    fn failed(&self, index: usize, source: crate::PreprocessingError) -> DataError {
        match self.dataset.store() {
            ImageStore::Packed(_) => source.into(),
            ImageStore::Files(files) => ImageError::Prepare {
                path: files.paths()[index].clone(),
                source,
            }
            .into(),
        }
    }
}
