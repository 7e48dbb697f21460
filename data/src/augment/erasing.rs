//! Random erasing.

use derive_setters::Setters;
use serde::{Deserialize, Serialize};

use super::AugmentationError;
use super::range::Range;
use crate::random::Generator;

/// Number of attempts to find a rectangle within the image; the paper has no limit.
const TRIES: usize = 100;

/// Erases a random rectangle of some images (Zhong et al. 2017,
/// <https://arxiv.org/abs/1708.04896>).
#[derive(Clone, Debug, PartialEq, Setters, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct RandomErasing {
    /// Fraction of images to erase a rectangle from, 0 to 1; 0.5 by default.
    pub probability: f64,
    /// Minimum and maximum area of the rectangle as a fraction of the image's area, above 0 and at
    /// most 1; 0.02 and 0.4 by default.
    pub area: [f64; 2],
    /// Minimum and maximum aspect ratio (height / width), 0.1 to 10; 0.3 and 1 / 0.3 by default.
    pub ratio: [f64; 2],
    /// Content of the erased rectangle; noise by default.
    pub filling: ErasedFilling,
}

/// Content of an erased rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErasedFilling {
    /// A random value for each pixel and channel.
    #[default]
    Noise,
    /// The mean color; black for images that are not normalized, whose mean is set to 0.
    Mean,
}

impl Default for RandomErasing {
    fn default() -> Self {
        Self {
            probability: 0.5,
            area: [0.02, 0.4],
            ratio: [0.3, 1.0 / 0.3],
            filling: ErasedFilling::Noise,
        }
    }
}

impl RandomErasing {
    pub(crate) fn validate(&self) -> Result<(), AugmentationError> {
        Range::new(0.0, 1.0).check("erasing.probability", self.probability)?;
        Range::above(0.0, 1.0).check_pair("erasing.area", self.area)?;
        Range::new(0.1, 10.0).check_pair("erasing.ratio", self.ratio)
    }

    /// Augments an image, `[channels, height, width]`; `mean` has one value per channel.
    pub(crate) fn apply(
        &self,
        pixels: &mut [u8],
        [_, height, width]: [usize; 3],
        mean: &[u8],
        generator: &mut Generator,
    ) {
        if generator.unit() >= self.probability {
            return;
        }
        let Some([rows, columns]) = self.rectangle([height, width], generator) else {
            return;
        };
        for (plane, &mean) in pixels.chunks_exact_mut(height * width).zip(mean) {
            for row in plane.chunks_exact_mut(width).take(rows.1).skip(rows.0) {
                let erased = &mut row[columns.0..columns.1];
                match self.filling {
                    ErasedFilling::Noise => generator.fill(erased),
                    ErasedFilling::Mean => erased.fill(mean),
                }
            }
        }
    }

    /// Draws the start and end of the rows and of the columns; `None` if no rectangle fits.
    fn rectangle(
        &self,
        size: [usize; 2],
        generator: &mut Generator,
    ) -> Option<[(usize, usize); 2]> {
        let [height, width] = size.map(|side| side as f64);
        for _ in 0..TRIES {
            let area = height * width * generator.between(self.area);
            let ratio = generator.between(self.ratio);
            let sides = [area * ratio, area / ratio].map(|square| square.sqrt().round() as usize);
            let fits = sides
                .iter()
                .zip(size)
                .all(|(&side, most)| (1..=most).contains(&side));
            if fits {
                return Some([0, 1].map(|axis| {
                    let begin = generator.below(size[axis] - sides[axis] + 1);
                    (begin, begin + sides[axis])
                }));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    fn generator(number: u64) -> Generator {
        Generator::new(1, Purpose::Erase, [number, 0])
    }

    #[test]
    fn erased_rectangle_has_requested_size() {
        let erasing = RandomErasing {
            probability: 1.0,
            filling: ErasedFilling::Mean,
            ..RandomErasing::default()
        };
        for number in 0..200 {
            let mut pixels = vec![0; 3 * 30 * 40];
            erasing.apply(&mut pixels, [3, 30, 40], &[1, 2, 3], &mut generator(number));
            let counts: Vec<usize> = (1..=3)
                .map(|mean| pixels.iter().filter(|&&pixel| pixel == mean).count())
                .collect();
            assert!(counts.iter().all(|&count| count == counts[0]), "{counts:?}");
            let share = counts[0] as f64 / 1200.0;
            assert!((0.015..0.42).contains(&share), "{share}");
        }
    }

    #[test]
    fn some_images_are_not_erased() {
        let erasing = RandomErasing::default();
        let whole = (0..1000)
            .filter(|&number| {
                let mut pixels = vec![0; 400];
                erasing.apply(&mut pixels, [1, 20, 20], &[0], &mut generator(number));
                pixels.iter().all(|&pixel| pixel == 0)
            })
            .count();
        assert!((440..560).contains(&whole), "{whole}");
    }

    #[test]
    fn ranges_are_checked() {
        let good = RandomErasing::default();
        assert!(good.validate().is_ok());
        for bad in [
            RandomErasing {
                probability: 1.1,
                ..good.clone()
            },
            RandomErasing {
                area: [0.0, 0.5],
                ..good.clone()
            },
            RandomErasing {
                ratio: [2.0, 1.0],
                ..good.clone()
            },
        ] {
            assert!(bad.validate().is_err(), "{bad:?}");
        }
    }
}
