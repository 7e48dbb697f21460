//! Augmentation of one image.

use std::borrow::Cow;

use image::DynamicImage;

use super::shift::{Shift, shift};
use super::trivial::trivial_augment;
use super::{Augmentation, AugmentationError, Mixing, ResizedCrop};
use crate::convert::{planes_of_region, region_of_planes};
use crate::preprocessing::{Preprocessing, PreprocessingError};
use crate::random::{Generator, Purpose};

/// The image and epoch to augment: together with the seed, everything that the changes depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    /// The epoch.
    pub epoch: u64,
    /// Index of the image in its set.
    pub image: u64,
    /// How often the image already occurred in the epoch.
    pub repeat: u64,
}

impl Draw {
    /// Returns the stream numbers for this image; no set has 2^40 images.
    fn numbers(self) -> [u64; 2] {
        [self.epoch, self.image | self.repeat << 40]
    }
}

/// An image before augmentation.
pub(crate) enum Original<'a> {
    /// `[channels, height, width]`, at the model's input size.
    Packed(&'a [u8]),
    /// Of any size.
    Image(DynamicImage),
}

/// An image under augmentation.
#[derive(Debug, Default)]
pub(crate) struct Canvas {
    /// `[channels, height, width]`.
    pub pixels: Vec<u8>,
}

/// Augments images of one size according to an [`Augmentation`].
#[derive(Clone, Debug)]
pub(crate) struct Augmenter {
    augmentation: Augmentation,
    seed: u64,
    preprocessing: Preprocessing,
    /// The mean color.
    filling: Vec<u8>,
}

impl Augmenter {
    /// Creates an augmenter for images prepared with `preprocessing`.
    ///
    /// # Errors
    /// [`AugmentationError`] if a setting is out of range.
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

    /// Creates an augmenter that only resizes images to the size of `preprocessing`.
    pub(crate) fn none(preprocessing: &Preprocessing) -> Self {
        let mean = preprocessing.mean().iter();
        Self {
            augmentation: Augmentation::default(),
            seed: 0,
            filling: mean.map(|mean| (mean * 255.0).round() as u8).collect(),
            preprocessing: preprocessing.clone(),
        }
    }

    /// Draws an image on the canvas, augmented for an epoch.
    ///
    /// # Errors
    /// [`PreprocessingError`] if the image has no pixels.
    pub(crate) fn change(
        &self,
        original: &Original<'_>,
        draw: Draw,
        canvas: &mut Canvas,
    ) -> Result<(), PreprocessingError> {
        let shape = self.preprocessing.shape();
        let prepared = self.prepare(original, draw)?;
        let pixels = &mut canvas.pixels;
        pixels.clear();
        shift(&prepared, shape, self.shift(draw), &self.filling, pixels);

        let Augmentation {
            affine,
            trivial,
            color,
            erasing,
            ..
        } = &self.augmentation;
        let [channels, height, width] = shape;
        if let Some(affine) = affine {
            let warp = affine.warp([height, width], &mut self.generator(Purpose::Affine, draw));
            *pixels = warp.apply(pixels, shape, &self.filling);
        }
        if *trivial {
            let mut generator = self.generator(Purpose::Trivial, draw);
            trivial_augment(pixels, shape, &self.filling, &mut generator);
        }
        if let Some(color) = color {
            color.apply(pixels, channels, &mut self.generator(Purpose::Color, draw));
        }
        if let Some(erasing) = erasing {
            let mut generator = self.generator(Purpose::Erase, draw);
            erasing.apply(pixels, shape, &self.filling, &mut generator);
        }
        Ok(())
    }

    /// Returns how to mix the images of a batch, if mixing is on.
    pub(crate) fn mixing(&self) -> Option<Mixing> {
        Mixing::new(&self.augmentation, self.seed)
    }

    /// Returns an image at the model's input size: the whole image or a random crop.
    fn prepare<'a>(
        &self,
        original: &Original<'a>,
        draw: Draw,
    ) -> Result<Cow<'a, [u8]>, PreprocessingError> {
        let [_, height, width] = self.preprocessing.shape();
        let region = |crop: &ResizedCrop, size| {
            crop.region(size, &mut self.generator(Purpose::ResizedCrop, draw))
        };
        let crop = self.augmentation.resized_crop.as_ref();
        let prepared = match (original, crop) {
            (Original::Packed(pixels), None) => return Ok(Cow::Borrowed(pixels)),
            (Original::Packed(pixels), Some(crop)) => {
                let region = region(crop, [height, width]);
                region_of_planes(pixels, &region, self.preprocessing.shape())
            }
            (Original::Image(image), None) => {
                return self.preprocessing.prepare_bytes(image).map(Cow::Owned);
            }
            (Original::Image(image), Some(_)) if image.width() == 0 || image.height() == 0 => {
                return Err(PreprocessingError::EmptyImage);
            }
            (Original::Image(image), Some(crop)) => {
                let size = [image.height(), image.width()].map(|side| side as usize);
                planes_of_region(image, &region(crop, size), self.preprocessing.shape())
            }
        };
        Ok(Cow::Owned(prepared))
    }

    fn shift(&self, draw: Draw) -> Shift {
        let (mut up, mut left) = (0, 0);
        if self.augmentation.pad_crop > 0 {
            let pad = self.augmentation.pad_crop;
            let mut generator = self.generator(Purpose::PadCrop, draw);
            let mut offset = || generator.below(2 * pad + 1) as isize - pad as isize;
            (up, left) = (offset(), offset());
        }
        Shift {
            up,
            left,
            mirrored: self.augmentation.flip && self.generator(Purpose::Flip, draw).coin(),
        }
    }

    fn generator(&self, purpose: Purpose, draw: Draw) -> Generator {
        Generator::new(self.seed, purpose, draw.numbers())
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
    fn filling_is_the_mean_color() {
        assert_eq!(
            augmenter(Augmentation::default(), 1).filling,
            [26, 128, 255]
        );
    }

    #[test]
    fn crops_and_flips_are_uniform() {
        let augmentation = Augmentation {
            pad_crop: 2,
            flip: true,
            ..Augmentation::default()
        };
        let augmenter = augmenter(augmentation, 5);
        let mut counts = HashMap::new();
        for image in 0..50_000 {
            let Shift { up, left, mirrored } = augmenter.shift(Draw {
                epoch: 1,
                image,
                repeat: 0,
            });
            *counts.entry((up, left, mirrored)).or_insert(0) += 1;
        }
        // 1000 expected for each of 5 * 5 * 2, with a standard deviation of 31.
        assert_eq!(counts.len(), 50);
        assert!(
            counts.values().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn flipping_does_not_change_the_crop() {
        let crops = |flip| {
            let augmentation = Augmentation {
                pad_crop: 4,
                flip,
                ..Augmentation::default()
            };
            let augmenter = augmenter(augmentation, 5);
            let draw = |image| Draw {
                epoch: 3,
                image,
                repeat: 0,
            };
            let shifts: Vec<_> = (0..100).map(|image| augmenter.shift(draw(image))).collect();
            shifts
                .iter()
                .map(|shift| (shift.up, shift.left))
                .collect::<Vec<_>>()
        };
        assert_eq!(crops(false), crops(true));
    }
}
