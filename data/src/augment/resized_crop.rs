//! Random resized crop.

use derive_setters::Setters;
use serde::{Deserialize, Serialize};

use super::AugmentationError;
use super::range::Range;
use crate::convert::Region;
use crate::random::Generator;
use crate::resize::Stretch;

/// Number of attempts to find a crop within the image, as in torchvision.
const TRIES: usize = 10;

/// Crops a random region of the image and resizes it to the model's input size, bilinear with
/// antialiasing (Szegedy et al. 2014, <https://arxiv.org/abs/1409.4842>, section 6).
///
/// Image files are cropped at full resolution; the random crop then replaces the center crop.
#[derive(Clone, Debug, PartialEq, Setters, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct ResizedCrop {
    /// Minimum and maximum area of the crop as a fraction of the image's area, above 0 and at most
    /// 1; 0.08 and 1 by default.
    pub scale: [f64; 2],
    /// Minimum and maximum aspect ratio (width / height), 0.1 to 10; 3/4 and 4/3 by default.
    pub ratio: [f64; 2],
}

impl Default for ResizedCrop {
    fn default() -> Self {
        Self {
            scale: [0.08, 1.0],
            ratio: [3.0 / 4.0, 4.0 / 3.0],
        }
    }
}

impl ResizedCrop {
    pub(crate) fn validate(&self) -> Result<(), AugmentationError> {
        Range::above(0.0, 1.0).check_pair("resized_crop.scale", self.scale)?;
        Range::new(0.1, 10.0).check_pair("resized_crop.ratio", self.ratio)
    }

    /// Draws a region of an image of `[height, width]`, in whole pixels.
    pub(crate) fn region(&self, size: [usize; 2], generator: &mut Generator) -> Region {
        let [height, width] = size.map(|side| side as f64);
        let [narrow, wide] = self.ratio.map(f64::ln);
        for _ in 0..TRIES {
            let area = height * width * generator.between(self.scale);
            let ratio = generator.between([narrow, wide]).exp();
            let part = [area / ratio, area * ratio].map(|square| square.sqrt().round() as usize);
            let fits = part
                .iter()
                .zip(size)
                .all(|(&part, side)| (1..=side).contains(&part));
            if fits {
                let stretch = |length: usize, start: usize| Stretch {
                    start: start as f64,
                    length: length as f64,
                };
                let top = generator.below(size[0] - part[0] + 1);
                let left = generator.below(size[1] - part[1] + 1);
                return Region {
                    columns: stretch(part[1], left),
                    rows: stretch(part[0], top),
                };
            }
        }
        self.center([height, width])
    }

    /// Returns the largest centered region with an allowed aspect ratio.
    fn center(&self, [height, width]: [f64; 2]) -> Region {
        let ratio = (width / height).clamp(self.ratio[0], self.ratio[1]);
        let stretch = |side: f64, other: f64| {
            let length = side.min(other).round().clamp(1.0, side);
            Stretch {
                start: ((side - length) / 2.0).floor(),
                length,
            }
        };
        Region {
            columns: stretch(width, height * ratio),
            rows: stretch(height, width / ratio),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn crop_stays_inside_image(
            height in 1_usize..2000,
            width in 1_usize..2000,
            scale in (0.001_f64..=1.0, 0.001_f64..=1.0),
            ratio in (0.1_f64..=10.0, 0.1_f64..=10.0),
            seed: u64,
        ) {
            let crop = ResizedCrop {
                scale: [scale.0.min(scale.1), scale.0.max(scale.1)],
                ratio: [ratio.0.min(ratio.1), ratio.0.max(ratio.1)],
            };
            crop.validate().unwrap();
            let mut generator = Generator::new(seed, Purpose::ResizedCrop, [0, 0]);
            let Region { columns, rows } = crop.region([height, width], &mut generator);
            for (stretch, side) in [(columns, width), (rows, height)] {
                prop_assert!(stretch.start >= 0.0 && stretch.length >= 1.0);
                prop_assert!(stretch.start + stretch.length <= side as f64);
            }
        }
    }

    #[test]
    fn crop_area_and_ratio_are_in_range() {
        let crop = ResizedCrop::default();
        let mut generator = Generator::new(1, Purpose::ResizedCrop, [0, 0]);
        for _ in 0..1000 {
            let Region { columns, rows } = crop.region([300, 400], &mut generator);
            let area = columns.length * rows.length / 120_000.0;
            let ratio = columns.length / rows.length;
            assert!((0.078..=1.0).contains(&area), "{area}");
            assert!((0.74..=1.35).contains(&ratio), "{ratio}");
        }
    }

    #[test]
    fn impossible_crop_falls_back_to_center() {
        let crop = ResizedCrop {
            scale: [1.0, 1.0],
            ratio: [1.0, 1.0],
        };
        let mut generator = Generator::new(1, Purpose::ResizedCrop, [0, 0]);
        let Region { columns, rows } = crop.region([10, 31], &mut generator);
        assert_eq!((columns.start, columns.length), (10.0, 10.0));
        assert_eq!((rows.start, rows.length), (0.0, 10.0));
    }
}
