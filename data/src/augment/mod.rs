//! Random augmentation of training images.

mod affine;
mod augmenter;
mod color;
mod erasing;
mod mixing;
mod range;
mod resized_crop;
mod shift;
mod tone;
mod trivial;
mod warp;

pub use affine::Affine;
pub(crate) use augmenter::{Augmenter, Canvas, Draw, Original};
pub use color::ColorJitter;
pub use erasing::{ErasedFilling, RandomErasing};
pub(crate) use mixing::{Mixing, Recipe};
pub use resized_crop::ResizedCrop;

use derive_setters::Setters;
use serde::{Deserialize, Serialize};

use crate::preprocessing::MAX_SIDE;

pub(crate) use range::Range;

/// Augmentation settings for training images; off by default.
///
/// Steps are applied in this order, to bytes before normalization: `resized_crop`, `pad_crop`,
/// `flip`, `affine`, `trivial`, `color`, `erasing`, `mixup` or `cutmix`.
///
/// The changes of an image depend only on a seed, the epoch and the image's index (for mixing, on
/// the index of the batch in the epoch), and each kind of change draws its own random numbers. The
/// result is therefore the same for any number of threads, after a resume in the middle of an
/// epoch, and with any other settings.
///
/// ```
/// use data::Augmentation;
///
/// // What He et al. 2015 (<https://arxiv.org/abs/1512.03385>) train with on CIFAR-10.
/// let cifar = Augmentation::default().with_pad_crop(4).with_flip(true);
/// cifar.validate()?;
/// # Ok::<(), data::AugmentationError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Setters, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct Augmentation {
    /// Number of pixels of padding on each side, in the mean color (which normalizes to about 0;
    /// black without normalization), before a random crop of the original size; at most
    /// [`MAX_SIDE`].
    pub pad_crop: usize,
    /// Whether to mirror images horizontally with probability one half.
    pub flip: bool,
    /// Whether to apply TrivialAugment with its wide space of strengths (Müller and Hutter 2021,
    /// <https://arxiv.org/abs/2103.10158>): one of 14 operations per image.
    pub trivial: bool,
    /// Alpha of mixup (Zhang et al. 2017, <https://arxiv.org/abs/1710.09412>): the parameter of the
    /// Beta distribution of an image's share, 0 (off) to 100.
    pub mixup: f64,
    /// Alpha of CutMix (Yun et al. 2019, <https://arxiv.org/abs/1905.04899>), 0 (off) to 100. With
    /// both, each image is mixed by either method with probability one half.
    pub cutmix: f64,
    /// Random resized crop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resized_crop: Option<ResizedCrop>,
    /// Small random rotations, translations, scalings and shears.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affine: Option<Affine>,
    /// Random brightness, contrast and saturation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorJitter>,
    /// Random erasing of a rectangle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasing: Option<RandomErasing>,
}

/// Maximum alpha of mixup and CutMix; shares are close to one half long before.
const MAX_ALPHA: f64 = 100.0;

impl Augmentation {
    /// Validates every setting.
    ///
    /// # Errors
    /// [`AugmentationError`], which names the setting that is out of range.
    pub fn validate(&self) -> Result<(), AugmentationError> {
        if self.pad_crop > MAX_SIDE {
            return Err(AugmentationError::PadCrop {
                found: self.pad_crop,
            });
        }
        let alpha = Range::new(0.0, MAX_ALPHA);
        alpha.check("mixup", self.mixup)?;
        alpha.check("cutmix", self.cutmix)?;
        let Self {
            resized_crop,
            affine,
            color,
            erasing,
            ..
        } = self;
        resized_crop
            .as_ref()
            .map_or(Ok(()), ResizedCrop::validate)?;
        affine.as_ref().map_or(Ok(()), Affine::validate)?;
        color.as_ref().map_or(Ok(()), ColorJitter::validate)?;
        erasing.as_ref().map_or(Ok(()), RandomErasing::validate)
    }
}

/// The error type for augmentation settings.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AugmentationError {
    /// The padding is too large.
    #[error("the padding of images is {found} pixels, but must be at most {MAX_SIDE}")]
    PadCrop {
        /// Value given.
        found: usize,
    },

    /// A setting is out of range.
    #[error("`{setting}` is {found}, but must be {expected}")]
    Setting {
        /// Name of the setting, such as `erasing.probability`.
        setting: &'static str,
        /// Value given.
        found: f64,
        /// Allowed values.
        expected: String,
    },

    /// The lower bound of a range exceeds the upper bound.
    #[error("`{setting}` is {low} to {high}, but must have the smaller number first")]
    Bounds {
        /// Name of the setting, such as `erasing.area`.
        setting: &'static str,
        /// Lower bound given.
        low: f64,
        /// Upper bound given.
        high: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_table_is_the_default() {
        let read: Augmentation = serde_json::from_str("{}").unwrap();
        assert_eq!(read, Augmentation::default());
        assert!(serde_json::from_str::<Augmentation>(r#"{"flop": true}"#).is_err());
    }

    /// The table in docs/settings.md must list exactly the existing settings, with the values that
    /// an empty table stands for.
    #[test]
    fn settings_table_matches_code() {
        let tables = r#"{"resized_crop": {}, "affine": {}, "color": {}, "erasing": {}}"#;
        let read: Augmentation = serde_json::from_str(tables).unwrap();
        let found = serde_json::to_value(&read).unwrap();
        let mut settings = 0;
        for table in ["resized_crop", "affine", "color", "erasing"] {
            for (key, value) in found[table].as_object().unwrap() {
                let head = format!("| `{table}.{key}` | ");
                let line = include_str!("../../../docs/settings.md")
                    .lines()
                    .find(|line| line.starts_with(&head))
                    .unwrap_or_else(|| panic!("no {table}.{key}"));
                let written = line.rsplit('|').nth(1).unwrap().trim().trim_matches('`');
                let written: serde_json::Value = serde_json::from_str(written).unwrap();
                assert!(is_near(&written, value), "{line}: {value}");
                settings += 1;
            }
        }
        let lines = include_str!("../../../docs/settings.md").lines();
        let heads = ["| `resized_crop.", "| `affine.", "| `color.", "| `erasing."];
        let is_setting = |line: &&str| heads.iter().any(|head| line.starts_with(head));
        assert_eq!(lines.filter(is_setting).count(), settings);
    }

    /// Returns whether two values are equal up to the digits that are shown.
    fn is_near(one: &serde_json::Value, other: &serde_json::Value) -> bool {
        match (
            one.as_f64(),
            other.as_f64(),
            one.as_array(),
            other.as_array(),
        ) {
            (Some(one), Some(other), ..) => (one - other).abs() < 1e-3,
            (_, _, Some(one), Some(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(other)
                        .all(|(one, other)| is_near(one, other))
            }
            _ => one == other,
        }
    }

    #[test]
    fn ranges_are_checked() {
        let padded = |pad_crop| Augmentation {
            pad_crop,
            ..Augmentation::default()
        };
        assert_eq!(padded(MAX_SIDE).validate(), Ok(()));
        let error = padded(MAX_SIDE + 1).validate().unwrap_err();
        assert!(error.to_string().contains("4097"), "{error}");
    }
}
