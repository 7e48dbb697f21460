//! Batches of normalised numbers from packed pictures, without a device.

use std::sync::Arc;

use crate::augment::{Augmenter, Draw};
use crate::batch::PictureDataset;
use crate::preprocessing::Preprocessing;

/// All that decides what a batch holds, but for which pictures it is made of.
#[derive(Clone)]
pub(crate) struct Assembly {
    pub dataset: Arc<PictureDataset>,
    pub preprocessing: Preprocessing,
    pub augmenter: Option<Augmenter>,
}

/// A batch in the memory of the program.
pub(crate) struct HostBatch {
    /// `[batch, channels, height, width]`, normalised.
    pub values: Vec<f32>,
    /// `[batch]`, classes.
    pub targets: Vec<i64>,
}

impl Assembly {
    /// The pictures at `places` of the data set as they are to be in `epoch`.
    pub(crate) fn batch(&self, places: &[usize], epoch: usize) -> HostBatch {
        let pictures = self.dataset.pictures();
        let size: usize = pictures.shape().iter().product();
        let mut values = Vec::with_capacity(places.len() * size);
        let mut targets = Vec::with_capacity(places.len());
        let mut changed = Vec::with_capacity(size);
        for &place in places {
            let index = self.dataset.indices()[place];
            let mut picture = pictures.picture(index);
            if let Some(augmenter) = &self.augmenter {
                let draw = Draw {
                    epoch: epoch as u64,
                    picture: index as u64,
                };
                changed.clear();
                augmenter.change(picture, draw, &mut changed);
                picture = &changed;
            }
            self.preprocessing.normalise_into(picture, &mut values);
            targets.push(pictures.label(index) as i64);
        }
        HostBatch { values, targets }
    }
}
