//! Batches of normalised numbers, without a device.

use std::sync::Arc;

use image::DynamicImage;

use crate::augment::{Augmenter, Canvas, Draw};
use crate::dataset::PictureDataset;
use crate::epoch::Place;
use crate::error::DataError;
use crate::picture::PictureError;
use crate::preprocessing::Preprocessing;
use crate::store::PictureStore;

/// The least bytes that a thread makes at a time of pictures in memory, so that handing out the
/// work takes no time beside it.
const PART_BYTES: usize = 1 << 17;

/// All that decides what a batch holds, but for which pictures it is made of.
#[derive(Clone)]
pub(crate) struct Assembly {
    pub dataset: Arc<PictureDataset>,
    pub preprocessing: Preprocessing,
    pub augmenter: Augmenter,
}

/// A batch in the memory of the program.
pub(crate) struct HostBatch {
    /// `[batch, channels, height, width]`, normalised.
    pub values: Vec<f32>,
    /// `[batch]`, classes.
    pub targets: Vec<i64>,
}

/// A picture before it is changed.
pub(crate) enum Original<'a> {
    /// `[channels, height, width]`, at the network's size.
    Packed(&'a [u8]),
    /// Of any size.
    Image(DynamicImage),
}

impl Assembly {
    /// How many pictures of a batch are worth a task of their own.
    pub(crate) fn part_length(&self) -> usize {
        match self.dataset.store() {
            PictureStore::Packed(_) => PART_BYTES.div_ceil(self.picture_bytes()),
            PictureStore::Files(_) => 1,
        }
    }

    /// Pictures as they are to be in `epoch`: `[picture, channels, height, width]`.
    pub(crate) fn pixels(&self, places: &[Place], epoch: usize) -> Result<Vec<u8>, DataError> {
        let mut pixels = Vec::with_capacity(places.len() * self.picture_bytes());
        let mut canvas = Canvas::default();
        for place in places {
            let index = self.dataset.indices()[place.item];
            let draw = Draw {
                epoch: epoch as u64,
                picture: index as u64,
                repeat: place.repeat as u64,
            };
            match self.dataset.store() {
                PictureStore::Packed(pictures) => {
                    let original = Original::Packed(pictures.picture(index));
                    self.augmenter.change(&original, draw, &mut canvas)
                }
                PictureStore::Files(files) => {
                    let original = Original::Image(files.open(index)?);
                    self.augmenter.change(&original, draw, &mut canvas)
                }
            }
            .map_err(|source| self.failed(index, source))?;
            pixels.extend_from_slice(&canvas.pixels);
        }
        Ok(pixels)
    }

    /// A batch of the pixels of its `places`, in parts.
    pub(crate) fn batch(&self, parts: &[Vec<u8>], places: &[Place]) -> HostBatch {
        let mut values = Vec::with_capacity(places.len() * self.picture_bytes());
        for pixels in parts {
            self.preprocessing.normalise_into(pixels, &mut values);
        }
        let class = |place: &Place| {
            let index = self.dataset.indices()[place.item];
            self.dataset.store().label(index) as i64
        };
        HostBatch {
            values,
            targets: places.iter().map(class).collect(),
        }
    }

    fn picture_bytes(&self) -> usize {
        self.preprocessing.shape().iter().product()
    }

    fn failed(&self, index: usize, source: crate::PreprocessingError) -> DataError {
        match self.dataset.store() {
            PictureStore::Packed(_) => source.into(),
            PictureStore::Files(files) => PictureError::Prepare {
                path: files.paths()[index].clone(),
                source,
            }
            .into(),
        }
    }
}
