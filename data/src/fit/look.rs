//! What the training images of a small gray data set have in common.

use serde::{Deserialize, Serialize};

use super::OFF_CENTER;
use super::inspect::{Border, Content, Sheet, tolerance};
use crate::packed::PackedImages;

/// The largest side, in pixels, of images that are looked at.
const LARGEST_SIDE: usize = 64;
/// The least images that say what all have in common.
const LEAST_IMAGES: usize = 50;
/// About how many images are looked at.
const SAMPLES: usize = 10_000;
/// Share of the border that is background in nearly every image of a set with a background.
const LEAST_BACKGROUND: f32 = 0.4;
/// The most that is asked of the border of an image to call its background plain.
const MOST_BACKGROUND: f32 = 0.9;
/// The quantile that stands for the smallest value: one image in a thousand may be odd.
const SMALLEST: f32 = 0.001;
/// Of the smallest border of background and the smallest content of the training images, what is
/// still taken for one of them.
const SLACK: f32 = 0.5;
/// The same for the content of images of another size, which may have any margin.
const NARROW_SLACK: f32 = 0.95;

/// The brightness of what is around an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Background {
    /// Black or nearly so.
    Dark,
    /// White or nearly so.
    Light,
}

/// What is in the middle of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Centering {
    /// The content's bounding box, as in Fashion-MNIST.
    Box,
    /// The content's center of mass, as in MNIST.
    Mass,
}

/// What the training images have in common, if they are small, gray and square, and each shows an
/// object on a plain background; it travels with a model, for [`fit`](super::fit()).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageLook {
    /// The polarity.
    pub background: Background,
    /// Share of the outermost pixels that are background, 0 to 1: more in nearly every image.
    pub background_share: f32,
    /// Longer side of the content, as a share of the image's side: more in nearly every image.
    pub least_content: f32,
    /// The same in the middle.
    pub typical_content: f32,
    /// What is in the middle.
    pub centered_by: Centering,
}

impl ImageLook {
    /// Looks at the images of a set at `indices`.
    ///
    /// None if they are too few, or have colors, more than 64 pixels a side or no plain background.
    ///
    /// # Panics
    /// If an index names no image.
    pub fn of(images: &PackedImages, indices: &[usize]) -> Option<Self> {
        let [channels, height, width] = images.shape();
        let is_small = height <= LARGEST_SIDE && width <= LARGEST_SIDE;
        if channels != 1 || height != width || !is_small || indices.len() < LEAST_IMAGES {
            return None;
        }
        let step = indices.len().div_ceil(SAMPLES);
        let sampled = indices.iter().step_by(step);
        let sheet = |&index: &usize| Sheet::new(images.planes(index).to_vec(), [height, width]);
        let mut sheets: Vec<_> = sampled.map(sheet).collect();
        let borders: Vec<_> = sheets.iter().map(Border::of).collect();
        let smallest = |share: fn(&Border) -> f32| {
            let mut shares: Vec<f32> = borders.iter().map(share).collect();
            quantile(&mut shares, SMALLEST)
        };
        let (dark, light) = (
            smallest(|border| border.dark),
            smallest(|border| border.light),
        );
        let (background, background_share) = match dark >= light {
            true => (Background::Dark, dark),
            false => (Background::Light, light),
        };
        if background_share < LEAST_BACKGROUND {
            return None;
        }
        if background == Background::Light {
            sheets.iter_mut().for_each(Sheet::invert);
        }
        let measured: Vec<_> = sheets
            .iter()
            .filter_map(|sheet| {
                let (level, noise) = Border::of(sheet).dark_background();
                let content = sheet.content(level, tolerance(noise))?;
                Some((content, sheet.center_of_mass()))
            })
            .collect();
        let side = height as f32;
        let longest = |content: &Content| {
            let [height, width] = content.size();
            height.max(width) / side
        };
        let mut lengths: Vec<_> = measured
            .iter()
            .map(|(content, _)| longest(content))
            .collect();
        // Large deviations count little: an object at the edge has its box in the middle.
        let off = |center: [f32; 2]| {
            let [row, column] = center.map(|place| (place - side / 2.0).abs());
            row + column
        };
        let by_box: f32 = measured
            .iter()
            .map(|(content, _)| off(content.center()))
            .sum();
        let by_mass: f32 = measured.iter().map(|(_, mass)| off(*mass)).sum();
        (!lengths.is_empty()).then(|| Self {
            background,
            background_share,
            least_content: quantile(&mut lengths, SMALLEST),
            typical_content: quantile(&mut lengths, 0.5),
            centered_by: match by_box <= by_mass {
                true => Centering::Box,
                false => Centering::Mass,
            },
        })
    }

    /// Checks what a person may have edited.
    pub fn is_valid(&self) -> bool {
        let shares = [
            self.background_share,
            self.least_content,
            self.typical_content,
        ];
        shares.iter().all(|share| (0.0..=1.0).contains(share)) && self.typical_content > 0.0
    }

    /// Share of the border that is background in an image with the polarity of the training images.
    pub(super) fn least_background(&self) -> f32 {
        SLACK * self.background_share
    }

    /// Share of the border that is of one brightness in an image whose background is certain.
    pub(super) fn certain_background(&self) -> f32 {
        self.background_share.min(MOST_BACKGROUND)
    }

    /// Whether content of an image of `side`, `[height, width]`, is about as large as in the
    /// training images, and in the middle. An image of exactly their size is one of them unless its
    /// content is far too small.
    pub(super) fn is_placed(&self, content: &Content, side: [usize; 2], is_exact: bool) -> bool {
        let longest_side = side[0].max(side[1]) as f32;
        let [height, width] = content.size();
        let share = height.max(width) / longest_side;
        if is_exact {
            return share >= SLACK * self.least_content;
        }
        let is_square = side[0].abs_diff(side[1]) as f32 <= 0.04 * longest_side;
        let center = content.center();
        let is_centered = [0, 1].into_iter().all(|axis| {
            let middle = side[axis] as f32 / 2.0;
            (center[axis] - middle).abs() <= OFF_CENTER * longest_side
        });
        let most = 1.0 - NARROW_SLACK + self.typical_content;
        is_square
            && is_centered
            && share >= NARROW_SLACK * self.least_content
            && share <= most.max(self.least_content)
    }
}

/// The value that such a share of the values are below.
fn quantile(values: &mut [f32], share: f32) -> f32 {
    let place = (values.len().saturating_sub(1) as f32 * share) as usize;
    match values.is_empty() {
        true => 0.0,
        false => *values.select_nth_unstable_by(place, f32::total_cmp).1,
    }
}
