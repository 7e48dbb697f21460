//! How images are changed at random while a network is trained on them.

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
pub(crate) use augmenter::{Augmenter, Canvas, Draw};
pub use color::ColorJitter;
pub use erasing::{ErasedFilling, RandomErasing};
pub(crate) use mixing::{Mixing, Recipe};
pub use resized_crop::ResizedCrop;

use serde::{Deserialize, Serialize};

use crate::preprocessing::MAX_SIDE;

pub(crate) use range::Range;

/// How training images are changed at random; nothing by default.
///
/// Changes are made in this order, on bytes before they are normalized: `resized_crop`,
/// `pad_crop`, `flip`, `affine`, `trivial`, `color`, `erasing`, `mixup` or `cutmix`.
///
/// What happens to an image depends on a seed, the epoch and the image's index alone (how it is
/// mixed, on the batch's place in the epoch), and for each kind of change by itself: it is the
/// same for any number of threads, after a resume in the middle of an epoch, and whatever else is
/// turned on.
///
/// ```
/// use data::Augmentation;
///
/// // What He et al. 2015 (<https://arxiv.org/abs/1512.03385>) train with on CIFAR-10.
/// let cifar = Augmentation { pad_crop: 4, flip: true, ..Augmentation::default() };
/// cifar.validate()?;
/// # Ok::<(), data::AugmentationError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Pixels that are added on each side, of the mean color (which normalizes to about 0;
    /// black without normalization),
    /// before an image of the original size is cropped anywhere; at most [`MAX_SIDE`].
    pub pad_crop: usize,
    /// Whether every other image is mirrored, left to right.
    pub flip: bool,
    /// TrivialAugment with its wide space of strengths (Müller and Hutter 2021,
    /// <https://arxiv.org/abs/2103.10158>): one operation of 14 for each image.
    pub trivial: bool,
    /// Mixup (Zhang et al. 2017, <https://arxiv.org/abs/1710.09412>): the parameter of the Beta
    /// distribution of an image's share, 0 (off) to 100.
    pub mixup: f64,
    /// CutMix (Yun et al. 2019, <https://arxiv.org/abs/1905.04899>): likewise. With both, every
    /// other image is mixed by the one, the rest by the other.
    pub cutmix: f64,
    /// Any part of the image in the place of the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resized_crop: Option<ResizedCrop>,
    /// Small turns, shifts, scalings and shears.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affine: Option<Affine>,
    /// Other brightness, contrast and saturation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorJitter>,
    /// A rectangle that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasing: Option<RandomErasing>,
}

/// The largest parameter of mixup and cutmix; shares are all about one half long before.
const MAX_ALPHA: f64 = 100.0;

impl Augmentation {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`AugmentationError`], which names the setting that is out of its range.
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

/// Why images cannot be changed as asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AugmentationError {
    /// Too much padding.
    #[error("images are padded by {found} pixels: expected at most {MAX_SIDE}")]
    PadCrop {
        /// The number given.
        found: usize,
    },

    /// A setting outside its range.
    #[error("`{setting}` is {found}: expected {expected}")]
    Setting {
        /// The setting, such as `erasing.probability`.
        setting: &'static str,
        /// The number given.
        found: f64,
        /// What it may be.
        expected: String,
    },

    /// A range that ends before it begins.
    #[error("`{setting}` goes from {low} to {high}: expected the smaller number first")]
    Bounds {
        /// The setting, such as `erasing.area`.
        setting: &'static str,
        /// The first number given.
        low: f64,
        /// The second number given.
        high: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_the_default() {
        let read: Augmentation = serde_json::from_str("{}").unwrap();
        assert_eq!(read, Augmentation::default());
        assert!(serde_json::from_str::<Augmentation>(r#"{"flop": true}"#).is_err());
    }

    /// Every setting with what an empty table stands for is in the table of docs/settings.md, and no other.
    #[test]
    fn the_table_of_settings_is_true() {
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

    /// Whether two values are the same up to the digits that are shown.
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
