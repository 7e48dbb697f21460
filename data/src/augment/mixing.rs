//! Mixing of pairs of images in a batch.

use super::Augmentation;
use crate::order::shuffle;
use crate::random::{Generator, Purpose};

/// Mixes the images of a batch according to [`Augmentation::mixup`] and [`Augmentation::cutmix`].
#[derive(Clone, Debug)]
pub(crate) struct Mixing {
    mixup: f64,
    cutmix: f64,
    seed: u64,
}

/// How one image of a batch is mixed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recipe {
    /// Index in the batch of the image that is mixed in.
    pub partner: usize,
    /// Share of the first image in the result, 0 to 1.
    pub share: f32,
    /// Half-open ranges of rows and columns that are copied from the partner; `None` adds the two
    /// images instead.
    pub rectangle: Option<[(usize, usize); 2]>,
}

impl Mixing {
    /// Returns `None` if mixing is off.
    pub(crate) fn new(augmentation: &Augmentation, seed: u64) -> Option<Self> {
        let &Augmentation { mixup, cutmix, .. } = augmentation;
        (mixup > 0.0 || cutmix > 0.0).then_some(Self {
            mixup,
            cutmix,
            seed,
        })
    }

    /// Draws a recipe for each of `length` images of `size`, `[height, width]`, in the batch that
    /// begins at index `first` of an epoch.
    ///
    /// The partners are a permutation of the batch; an image may be its own partner.
    pub(crate) fn recipes(
        &self,
        length: usize,
        size: [usize; 2],
        epoch: usize,
        first: usize,
    ) -> Vec<Recipe> {
        let numbers = [epoch as u64, first as u64];
        let mut generator = Generator::new(self.seed, Purpose::Mix, numbers);
        let mut partners: Vec<usize> = (0..length).collect();
        shuffle(&mut partners, &mut generator);
        partners
            .into_iter()
            .map(|partner| {
                let cuts = generator.coin();
                let cuts = self.cutmix > 0.0 && (cuts || self.mixup == 0.0);
                let alpha = if cuts { self.cutmix } else { self.mixup };
                let share = generator.beta(alpha);
                if !cuts {
                    return Recipe {
                        partner,
                        share: share as f32,
                        rectangle: None,
                    };
                }
                let [rows, columns] = rectangle(size, 1.0 - share, &mut generator);
                let taken = (rows.1 - rows.0) * (columns.1 - columns.0);
                Recipe {
                    partner,
                    share: 1.0 - taken as f32 / (size[0] * size[1]) as f32,
                    rectangle: Some([rows, columns]),
                }
            })
            .collect()
    }
}

/// Draws a rectangle with the image's aspect ratio around a random center, clipped to the image.
fn rectangle(size: [usize; 2], area: f64, generator: &mut Generator) -> [(usize, usize); 2] {
    size.map(|side| {
        let length = (side as f64 * area.sqrt()) as usize;
        let center = generator.below(side);
        let begin = center.saturating_sub(length / 2);
        let end = (center + length - length / 2).min(side);
        (begin, end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixing(mixup: f64, cutmix: f64) -> Option<Mixing> {
        let augmentation = Augmentation {
            mixup,
            cutmix,
            ..Augmentation::default()
        };
        Mixing::new(&augmentation, 5)
    }

    #[test]
    fn mixing_partners_are_a_permutation() {
        assert!(mixing(0.0, 0.0).is_none());
        for (mixup, cutmix) in [(0.2, 0.0), (0.0, 1.0), (1.0, 1.0), (100.0, 0.001)] {
            for size in [[1, 1], [1, 7], [32, 32]] {
                let recipes = mixing(mixup, cutmix).unwrap().recipes(64, size, 1, 0);
                let mut partners: Vec<_> = recipes.iter().map(|recipe| recipe.partner).collect();
                partners.sort_unstable();
                assert_eq!(partners, (0..64).collect::<Vec<_>>());
                for Recipe {
                    share, rectangle, ..
                } in &recipes
                {
                    assert!((0.0..=1.0).contains(share));
                    let Some([rows, columns]) = rectangle else {
                        assert!(mixup > 0.0);
                        continue;
                    };
                    assert!(cutmix > 0.0 && rows.1 <= size[0] && columns.1 <= size[1]);
                    let kept = size[0] * size[1] - (rows.1 - rows.0) * (columns.1 - columns.0);
                    assert!((share * (size[0] * size[1]) as f32 - kept as f32).abs() < 1e-3);
                }
            }
        }
    }

    #[test]
    fn mixup_and_cutmix_split_images_evenly() {
        let recipes = mixing(0.5, 0.5).unwrap().recipes(1000, [32, 32], 0, 0);
        let cut = recipes
            .iter()
            .filter(|recipe| recipe.rectangle.is_some())
            .count();
        assert!((440..560).contains(&cut), "{cut}");
    }

    #[test]
    fn batches_are_mixed_differently() {
        let mixing = mixing(0.5, 0.0).unwrap();
        let first = mixing.recipes(8, [4, 4], 2, 0);
        assert_eq!(first, mixing.recipes(8, [4, 4], 2, 0));
        assert_ne!(first, mixing.recipes(8, [4, 4], 2, 8));
        assert_ne!(first, mixing.recipes(8, [4, 4], 3, 0));
    }
}
