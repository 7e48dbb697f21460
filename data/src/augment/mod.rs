//! How pictures are changed at random while a network is trained on them.

mod augmenter;
mod shift;

pub(crate) use augmenter::{Augmenter, Canvas, Draw};

use serde::{Deserialize, Serialize};

use crate::preprocessing::MAX_SIDE;

/// How training pictures are changed at random; nothing by default.
///
/// What happens to a picture depends on a seed, the epoch and the picture's index alone, and for
/// each kind of change by itself: it is the same for any number of threads, after a resume in the
/// middle of an epoch, and whatever else is turned on.
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
    /// Pixels that are added on each side, of the mean colour (which normalises to about 0),
    /// before a picture of the original size is cropped anywhere; at most [`MAX_SIDE`].
    pub pad_crop: usize,
    /// Whether every other picture is mirrored, left to right.
    pub flip: bool,
}

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
        Ok(())
    }

    /// Whether pictures stay as they are.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Why pictures cannot be changed as asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AugmentationError {
    /// Too much padding.
    #[error("pictures are padded by {found} pixels: expected at most {MAX_SIDE}")]
    PadCrop {
        /// The number given.
        found: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_the_default() {
        let read: Augmentation = serde_json::from_str("{}").unwrap();
        assert!(read.is_none());
        assert!(serde_json::from_str::<Augmentation>(r#"{"flop": true}"#).is_err());
    }

    #[test]
    fn ranges_are_checked() {
        let padded = |pad_crop| Augmentation {
            pad_crop,
            flip: true,
        };
        assert_eq!(padded(MAX_SIDE).validate(), Ok(()));
        let error = padded(MAX_SIDE + 1).validate().unwrap_err();
        assert!(error.to_string().contains("4097"), "{error}");
    }
}
