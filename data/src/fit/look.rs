//! Common properties of the training images of a small gray data set.

use serde::{Deserialize, Serialize};

use super::OFF_CENTER;
use super::inspect::{Border, Content, Sheet, tolerance};
use crate::packed::PackedImages;

/// Maximum side, in pixels, of analyzed images.
const LARGEST_SIDE: usize = 64;
/// Minimum number of images for a reliable result.
const LEAST_IMAGES: usize = 50;
/// Approximate number of images to analyze.
const SAMPLES: usize = 10_000;
/// Minimum fraction of the border that is background in nearly every image of a set with a
/// background.
const LEAST_BACKGROUND: f32 = 0.4;
/// Upper limit for the fraction of the border that must be background for it to count as plain.
const MOST_BACKGROUND: f32 = 0.9;
/// Quantile used in place of the minimum: one image in a thousand may be an outlier.
const SMALLEST: f32 = 0.001;
/// Tolerance factor for the smallest background share of the border and the smallest content of the
/// training images.
const SLACK: f32 = 0.5;
/// Tolerance factor for the content of images of another size, which may have any margin.
const NARROW_SLACK: f32 = 0.95;

/// Brightness of the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Background {
    /// Black or nearly black.
    Dark,
    /// White or nearly white.
    Light,
}

/// The point of the content that is centered in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Centering {
    /// Center of the bounding box, as in Fashion-MNIST.
    Box,
    /// Center of mass, as in MNIST.
    Mass,
}

/// Common properties of the training images, if they are small, gray and square, and each shows an
/// object on a plain background. Stored with a model for [`fit`](super::fit()).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageLook {
    /// Polarity.
    pub background: Background,
    /// Fraction of the outermost pixels that are background, 0 to 1; nearly every image has more.
    pub background_share: f32,
    /// Longer side of the content, as a fraction of the image's side; nearly every image has more.
    pub least_content: f32,
    /// Median of the longer side of the content, as a fraction of the image's side.
    pub typical_content: f32,
    /// Point of the content that is centered.
    pub centered_by: Centering,
}

impl ImageLook {
    /// Analyzes the images of a set at `indices`.
    ///
    /// Returns `None` if there are too few images, or if they have colors, more than 64 pixels per
    /// side or no plain background.
    ///
    /// # Panics
    /// If an index is out of range.
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
        // Large deviations count little: the bounding box of an object at the edge is in the
        // middle.
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

    /// Validates values that a user may have edited.
    pub fn is_valid(&self) -> bool {
        let shares = [
            self.background_share,
            self.least_content,
            self.typical_content,
        ];
        shares.iter().all(|share| (0.0..=1.0).contains(share)) && self.typical_content > 0.0
    }

    /// Returns the minimum background share of the border for an image with the polarity of the
    /// training images.
    pub(super) fn least_background(&self) -> f32 {
        SLACK * self.background_share
    }

    /// Returns the minimum share of the border with one brightness for an unambiguous background.
    pub(super) fn certain_background(&self) -> f32 {
        self.background_share.min(MOST_BACKGROUND)
    }

    /// Returns whether the content of an image of `side`, `[height, width]`, is centered and about
    /// as large as in the training images. An image of exactly their size passes unless its content
    /// is far too small.
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

/// Returns the value that the given fraction of the values are below.
fn quantile(values: &mut [f32], share: f32) -> f32 {
    let place = (values.len().saturating_sub(1) as f32 * share) as usize;
    match values.is_empty() {
        true => 0.0,
        false => *values.select_nth_unstable_by(place, f32::total_cmp).1,
    }
}
