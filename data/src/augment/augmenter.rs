//! The changes of one picture.

use super::shift::{Shift, shift};
use super::{Augmentation, AugmentationError};
use crate::assembly::Original;
use crate::preprocessing::{Preprocessing, PreprocessingError};
use crate::random::{Generator, Purpose};

/// Which picture of which epoch is changed: with the seed, all that its changes depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    /// The epoch.
    pub epoch: u64,
    /// The picture's index in its set.
    pub picture: u64,
    /// How often the epoch has had the picture before.
    pub repeat: u64,
}

impl Draw {
    /// The numbers of a stream for this picture; no set has 2^40 pictures.
    fn numbers(self) -> [u64; 2] {
        [self.epoch, self.picture | self.repeat << 40]
    }
}

/// A picture while it is changed.
#[derive(Debug, Default)]
pub(crate) struct Canvas {
    /// `[channels, height, width]`.
    pub pixels: Vec<u8>,
}

/// Changes pictures of one size as an [`Augmentation`] says.
#[derive(Clone, Debug)]
pub(crate) struct Augmenter {
    augmentation: Augmentation,
    seed: u64,
    preprocessing: Preprocessing,
    /// The mean colour.
    filling: Vec<u8>,
}

impl Augmenter {
    /// For pictures that `preprocessing` prepares.
    ///
    /// # Errors
    /// [`AugmentationError`] if a setting is out of its range.
    pub(crate) fn new(
        augmentation: Augmentation,
        seed: u64,
        preprocessing: &Preprocessing,
    ) -> Result<Self, AugmentationError> {
        augmentation.validate()?;
        Ok(Self {
            augmentation,
            seed,
            ..Self::none(preprocessing)
        })
    }

    /// Brings pictures to the size that `preprocessing` prepares, and does nothing else.
    pub(crate) fn none(preprocessing: &Preprocessing) -> Self {
        let mean = preprocessing.mean().iter();
        Self {
            augmentation: Augmentation::default(),
            seed: 0,
            filling: mean.map(|mean| (mean * 255.0).round() as u8).collect(),
            preprocessing: preprocessing.clone(),
        }
    }

    /// Draws a picture on the canvas as it is to be in an epoch.
    ///
    /// # Errors
    /// [`PreprocessingError`] if it has no pixels.
    pub(crate) fn change(
        &self,
        original: &Original<'_>,
        draw: Draw,
        canvas: &mut Canvas,
    ) -> Result<(), PreprocessingError> {
        let prepared;
        let picture = match original {
            Original::Packed(pixels) => pixels,
            Original::Image(image) => {
                prepared = self.preprocessing.prepare_bytes(image)?;
                &prepared[..]
            }
        };
        canvas.pixels.clear();
        let (shape, by) = (self.preprocessing.shape(), self.shift(draw));
        shift(picture, shape, by, &self.filling, &mut canvas.pixels);
        Ok(())
    }

    fn shift(&self, draw: Draw) -> Shift {
        let generator = |purpose| Generator::new(self.seed, purpose, draw.numbers());
        let (mut up, mut left) = (0, 0);
        if self.augmentation.pad_crop > 0 {
            let pad = self.augmentation.pad_crop;
            let mut generator = generator(Purpose::PadCrop);
            let mut offset = || generator.below(2 * pad + 1) as isize - pad as isize;
            (up, left) = (offset(), offset());
        }
        Shift {
            up,
            left,
            mirrored: self.augmentation.flip && generator(Purpose::Flip).coin(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn augmenter(augmentation: Augmentation, seed: u64) -> Augmenter {
        let preprocessing =
            Preprocessing::new([3, 4, 4], 4, vec![0.1, 0.5, 1.5], vec![1.0; 3]).unwrap();
        Augmenter::new(augmentation, seed, &preprocessing).unwrap()
    }

    #[test]
    fn the_filling_is_the_mean_colour() {
        assert_eq!(
            augmenter(Augmentation::default(), 1).filling,
            [26, 128, 255]
        );
    }

    #[test]
    fn every_crop_and_side_is_as_likely() {
        let augmentation = Augmentation {
            pad_crop: 2,
            flip: true,
        };
        let augmenter = augmenter(augmentation, 5);
        let mut counts = HashMap::new();
        for picture in 0..50_000 {
            let Shift { up, left, mirrored } = augmenter.shift(Draw {
                epoch: 1,
                picture,
                repeat: 0,
            });
            *counts.entry((up, left, mirrored)).or_insert(0) += 1;
        }
        // 1000 expected of each of 5 * 5 * 2, with a standard deviation of 31.
        assert_eq!(counts.len(), 50);
        assert!(
            counts.values().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn flipping_does_not_change_the_crop() {
        let draws = (0..100).map(|picture| Draw {
            epoch: 3,
            picture,
            repeat: 0,
        });
        let crops = |flip| {
            let augmenter = augmenter(Augmentation { pad_crop: 4, flip }, 5);
            let shift = move |draw| augmenter.shift(draw);
            draws
                .clone()
                .map(shift)
                .map(|shift| (shift.up, shift.left))
                .collect::<Vec<_>>()
        };
        assert_eq!(crops(false), crops(true));
    }
}
