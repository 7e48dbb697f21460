//! Random brightness, contrast and saturation.

use derive_setters::Setters;
use serde::{Deserialize, Serialize};

use super::AugmentationError;
use super::range::Range;
use super::tone;
use crate::order::shuffle;
use crate::random::Generator;

/// Changes brightness, contrast and saturation in random order, each by a factor between 1 minus
/// the setting (but at least 0) and 1 plus the setting.
///
/// Saturation does not affect gray images. By default nothing changes, and a setting missing from a
/// file changes nothing; but `color = {}` is [`ColorJitter::usual`].
#[derive(Clone, Debug, Default, PartialEq, Setters, Serialize, Deserialize)]
#[serde(from = "Written")]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct ColorJitter {
    /// Strength of the brightness change, 0 to 10.
    pub brightness: f64,
    /// Strength of the contrast change, 0 to 10.
    pub contrast: f64,
    /// Strength of the saturation change, 0 to 10.
    pub saturation: f64,
}

/// Serialized form.
#[derive(Deserialize, Default, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Written {
    brightness: Option<f64>,
    contrast: Option<f64>,
    saturation: Option<f64>,
}

impl From<Written> for ColorJitter {
    fn from(written: Written) -> Self {
        if written == Written::default() {
            return Self::usual();
        }
        Self {
            brightness: written.brightness.unwrap_or_default(),
            contrast: written.contrast.unwrap_or_default(),
            saturation: written.saturation.unwrap_or_default(),
        }
    }
}

#[derive(Clone, Copy)]
enum Change {
    Brightness,
    Contrast,
    Saturation,
}

impl ColorJitter {
    /// Returns 0.4 for each setting, as in Facebook's fb.resnet.torch for residual networks on
    /// ImageNet.
    pub fn usual() -> Self {
        Self {
            brightness: 0.4,
            contrast: 0.4,
            saturation: 0.4,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), AugmentationError> {
        let range = Range::new(0.0, 10.0);
        range.check("color.brightness", self.brightness)?;
        range.check("color.contrast", self.contrast)?;
        range.check("color.saturation", self.saturation)
    }

    /// Augments an image, `[channels, height, width]`.
    pub(crate) fn apply(&self, pixels: &mut [u8], channels: usize, generator: &mut Generator) {
        let mut changes = [Change::Brightness, Change::Contrast, Change::Saturation];
        shuffle(&mut changes, generator);
        for change in changes {
            let setting = match change {
                Change::Brightness => self.brightness,
                Change::Contrast => self.contrast,
                Change::Saturation => self.saturation,
            };
            let factor = generator.between([(1.0 - setting).max(0.0), 1.0 + setting]) as f32;
            match change {
                _ if setting == 0.0 => {}
                Change::Brightness => tone::brightness(pixels, factor),
                Change::Contrast => tone::contrast(pixels, channels, factor),
                Change::Saturation => tone::saturation(pixels, channels, factor),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn unset_jitter_changes_nothing() {
        let mut generator = Generator::new(1, Purpose::Color, [0, 0]);
        let image: [u8; 6] = [10, 200, 30, 60, 250, 90];
        let mut pixels = image;
        ColorJitter::default().apply(&mut pixels, 3, &mut generator);
        assert_eq!(pixels, image);
        let colored = ColorJitter {
            saturation: 1.0,
            ..ColorJitter::default()
        };
        colored.apply(&mut pixels, 1, &mut generator);
        assert_eq!(pixels, image, "gray images have no color");
        colored.apply(&mut pixels, 3, &mut generator);
        assert_ne!(pixels, image);
    }

    #[test]
    fn empty_table_means_defaults_and_keys_are_optional() {
        let read = |text: &str| serde_json::from_str::<ColorJitter>(text);
        assert_eq!(read("{}").unwrap(), ColorJitter::usual());
        let contrast = ColorJitter {
            contrast: 0.2,
            ..ColorJitter::default()
        };
        assert_eq!(read(r#"{"contrast": 0.2}"#).unwrap(), contrast);
        for jitter in [ColorJitter::default(), ColorJitter::usual(), contrast] {
            let written = serde_json::to_string(&jitter).unwrap();
            assert_eq!(read(&written).unwrap(), jitter);
        }
        assert!(read(r#"{"hue": 0.2}"#).is_err());
    }

    #[test]
    fn ranges_are_checked() {
        let jitter = ColorJitter {
            contrast: 10.5,
            ..ColorJitter::default()
        };
        let error = jitter.validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`color.contrast` is 10.5, but must be 0 to 10"
        );
    }
}
