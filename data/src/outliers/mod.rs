//! Synthetic images of no class, which teach a model to be uncertain about unknown images.

mod fields;
mod remix;
mod shapes;

use derive_setters::Setters;
use serde::{Deserialize, Serialize};

use crate::augment::{AugmentationError, Range};
use crate::random::{Generator, Purpose};

/// Outlier exposure (Hendrycks et al. 2019, <https://arxiv.org/abs/1812.04606>) with synthetic
/// images: every training batch gets additional images of no class, whose target is the uniform
/// distribution over all classes.
///
/// A third of them are made from training images of the same batch: shuffled blocks, three
/// superimposed images, or a negative. The rest are drawn: white noise, fractal noise, gradients,
/// gratings, overlapping shapes and strokes, some of them cut out on a plain background. Each
/// outlier depends only on a seed, the epoch and its index in the epoch, like an
/// [`Augmentation`](crate::Augmentation).
///
/// ```
/// let outliers = data::Outliers::default().with_share(0.25);
/// outliers.validate()?;
/// # Ok::<(), data::AugmentationError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Setters, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct Outliers {
    /// Number of outliers per batch, as a fraction of its images, above 0, to 1; at least one.
    pub share: f64,
    /// Weight of the outliers' mean loss relative to that of the images, above 0, to 10.
    pub weight: f64,
}

impl Default for Outliers {
    /// Returns a fifth of each batch, and the weight from the paper.
    fn default() -> Self {
        Self {
            share: 0.2,
            weight: 0.5,
        }
    }
}

impl Outliers {
    /// Validates both settings.
    ///
    /// # Errors
    /// [`AugmentationError`], which names the setting that is out of range.
    pub fn validate(&self) -> Result<(), AugmentationError> {
        Range::above(0.0, 1.0).check("outliers.share", self.share)?;
        Range::above(0.0, 10.0).check("outliers.weight", self.weight)
    }

    /// Returns the number of outliers for a batch of `length` images.
    pub(crate) fn count(&self, length: usize) -> usize {
        let count = (length as f64 * self.share).round() as usize;
        count.clamp(1, length.max(1))
    }
}

/// Draws the outliers of a run.
#[derive(Clone, Debug)]
pub(crate) struct OutlierMaker {
    /// Settings of the outliers.
    pub outliers: Outliers,
    /// Seed of the run.
    pub seed: u64,
}

/// Kind of an outlier; [`KINDS`] holds the relative frequencies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    White,
    Fractal,
    Gradient,
    Grating,
    Shapes,
    Strokes,
    Shuffled,
    Stacked,
    Negative,
}

const KINDS: [(Kind, usize); 9] = [
    (Kind::White, 1),
    (Kind::Fractal, 3),
    (Kind::Gradient, 1),
    (Kind::Grating, 1),
    (Kind::Shapes, 4),
    (Kind::Strokes, 4),
    (Kind::Shuffled, 3),
    (Kind::Stacked, 3),
    (Kind::Negative, 1),
];

/// Fraction of the drawn outliers that are cut out on a plain background.
const CUT_OUT: f64 = 0.3;

impl OutlierMaker {
    /// Draws the outlier at an index in an epoch; `images` are those of its batch, at least one.
    /// All are `[channels, height, width]` bytes.
    pub(crate) fn image(
        &self,
        shape: [usize; 3],
        images: &[&[u8]],
        epoch: usize,
        place: usize,
    ) -> Vec<u8> {
        let numbers = [epoch as u64, place as u64];
        let mut generator = Generator::new(self.seed, Purpose::Outlier, numbers);
        let kind = kind(&mut generator);
        let image = &mut Image::new(shape, &mut generator);
        match kind {
            Kind::White => fields::white(image, &mut generator),
            Kind::Fractal => fields::fractal(image, &mut generator),
            Kind::Gradient => fields::gradient(image, &mut generator),
            Kind::Grating => fields::grating(image, &mut generator),
            Kind::Shapes => shapes::shapes(image, &mut generator),
            Kind::Strokes => shapes::strokes(image, &mut generator),
            Kind::Shuffled => return remix::shuffled(shape, images, &mut generator),
            Kind::Stacked => return remix::stacked(images, &mut generator),
            Kind::Negative => return remix::negative(images, &mut generator),
        }
        // Strokes already have a plain background.
        if kind != Kind::Strokes && generator.unit() < CUT_OUT {
            shapes::cut_out(image, &mut generator);
        }
        image.bytes()
    }
}

fn kind(generator: &mut Generator) -> Kind {
    let total = KINDS.iter().map(|(_, weight)| weight).sum();
    let mut draw = generator.below(total);
    for (kind, weight) in KINDS {
        if draw < weight {
            return kind;
        }
        draw -= weight;
    }
    Kind::White // unreachable: the draw is below the sum of all weights
}

/// A color, one value from 0 to 1 per channel.
type Color = Vec<f32>;

/// An image being drawn.
struct Image {
    /// `[channels, height, width]`, 0 to 1.
    values: Vec<f32>,
    shape: [usize; 3],
}

impl Image {
    /// Creates a plain image: black, white or a random color.
    fn new(shape: [usize; 3], generator: &mut Generator) -> Self {
        let [channels, height, width] = shape;
        let color = background(channels, generator);
        let plane = |value| std::iter::repeat_n(value, height * width);
        Self {
            values: color.into_iter().flat_map(plane).collect(),
            shape,
        }
    }

    /// Paints every pixel: `paint` receives the pixel center, 0 to 1 along the longer side, and
    /// returns the color and its opacity, 0 to 1.
    fn paint<'a>(&mut self, mut paint: impl FnMut([f32; 2]) -> (&'a Color, f32)) {
        let [channels, height, width] = self.shape;
        let side = height.max(width) as f32;
        for row in 0..height {
            for column in 0..width {
                let center = [row, column].map(|place| (place as f32 + 0.5) / side);
                let (color, cover) = paint(center);
                if cover <= 0.0 {
                    continue;
                }
                for (channel, color) in color.iter().enumerate().take(channels) {
                    let value = &mut self.values[(channel * height + row) * width + column];
                    *value += (color - *value) * cover.min(1.0);
                }
            }
        }
    }

    /// Maps a field, one value from 0 to 1 per pixel, to a blend of two colors.
    fn put_field(&mut self, field: &[f32], [from, to]: [Color; 2]) {
        let planes = self.values.chunks_exact_mut(field.len().max(1));
        for ((plane, from), to) in planes.zip(from).zip(to) {
            for (value, share) in plane.iter_mut().zip(field) {
                *value = from + (to - from) * share;
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |value: &f32| (value * 255.0).round() as u8;
        self.values.iter().map(byte).collect()
    }
}

/// Draws a random color; in two of three images, all channels are equal.
fn color(channels: usize, generator: &mut Generator) -> Color {
    match generator.below(3) {
        0 => (0..channels).map(|_| generator.unit() as f32).collect(),
        _ => vec![generator.unit() as f32; channels],
    }
}

/// Draws two dissimilar colors.
fn two_colors(channels: usize, generator: &mut Generator) -> [Color; 2] {
    let dark = generator.between([0.0, 0.45]) as f32;
    let bright = generator.between([0.55, 1.0]) as f32;
    let mut colors = [dark, bright].map(|level| {
        let mut color = color(channels, generator);
        color[0] = level;
        if channels > 1 && generator.coin() {
            color.fill(level);
        }
        color
    });
    if generator.coin() {
        colors.reverse();
    }
    colors
}

/// Draws black or white, as is common for cut-out objects, or a random color.
fn background(channels: usize, generator: &mut Generator) -> Color {
    match generator.below(4) {
        0 | 1 => vec![0.0; channels],
        2 => vec![1.0; channels],
        _ => color(channels, generator),
    }
}

/// The outliers at the end of a batch: images of no class, for which all classes should be equally
/// likely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutlierPart {
    /// Number of outliers.
    pub count: usize,
    /// Weight of the outliers' mean loss relative to that of the other images.
    pub weight: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn maker(seed: u64) -> OutlierMaker {
        OutlierMaker {
            outliers: Outliers::default(),
            seed,
        }
    }

    fn images(shape: [usize; 3]) -> Vec<Vec<u8>> {
        let size: usize = shape.iter().product();
        let image = |start: usize| (0..size).map(|pixel| (start + pixel) as u8).collect();
        [0, 80, 190].map(image).to_vec()
    }

    #[test]
    fn outliers_depend_only_on_seed_epoch_and_index() {
        let shape = [1, 28, 28];
        let images = images(shape);
        let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
        let image = |seed, epoch, place| maker(seed).image(shape, &images, epoch, place);
        assert_eq!(image(1, 2, 3), image(1, 2, 3));
        let different: HashSet<_> = [
            image(1, 2, 3),
            image(2, 2, 3),
            image(1, 3, 3),
            image(1, 2, 4),
        ]
        .into_iter()
        .collect();
        assert_eq!(different.len(), 4);
    }

    #[test]
    fn images_of_every_size_have_outliers() {
        for shape in [[1, 1, 1], [3, 1, 5], [1, 28, 28], [3, 17, 9], [3, 64, 64]] {
            let images = images(shape);
            let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
            for place in 0..200 {
                let image = maker(1).image(shape, &images, 0, place);
                assert_eq!(image.len(), shape.iter().product::<usize>(), "{shape:?}");
            }
        }
    }

    #[test]
    fn outlier_kinds_have_expected_frequencies() {
        let total: usize = KINDS.iter().map(|(_, weight)| weight).sum();
        let mut generator = Generator::new(1, Purpose::Outlier, [0, 0]);
        let draws: Vec<_> = (0..total * 500).map(|_| kind(&mut generator)).collect();
        for (kind, weight) in KINDS {
            let found = draws.iter().filter(|draw| **draw == kind).count();
            let expected = 500 * weight;
            assert!(
                found.abs_diff(expected) < expected / 5,
                "{kind:?}: {found}, not {expected}"
            );
        }
    }

    #[test]
    fn most_outliers_are_not_plain() {
        let shape = [1, 28, 28];
        let images = images(shape);
        let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
        let spread = |image: &[u8]| {
            let (low, high) = (image.iter().min(), image.iter().max());
            high.unwrap() - low.unwrap()
        };
        let varied = (0..1000)
            .filter(|&place| spread(&maker(3).image(shape, &images, 0, place)) > 30)
            .count();
        assert!(varied > 900, "{varied} of 1000");
    }

    #[test]
    fn outlier_count_is_between_one_and_batch_size() {
        let of = |share, length| Outliers { share, weight: 1.0 }.count(length);
        assert_eq!(
            [of(0.2, 128), of(0.01, 8), of(1.0, 7), of(0.5, 1)],
            [26, 1, 7, 1]
        );
    }

    #[test]
    fn settings_are_checked() {
        let valid = |share, weight| Outliers { share, weight }.validate().is_ok();
        assert!(valid(0.2, 0.5) && valid(1.0, 10.0));
        for (share, weight) in [
            (0.0, 0.5),
            (1.1, 0.5),
            (f64::NAN, 0.5),
            (0.2, 0.0),
            (0.2, 11.0),
        ] {
            assert!(!valid(share, weight), "{share}, {weight}");
        }
    }
}
