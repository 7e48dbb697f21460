//! Other brightness, contrast and saturation.

use serde::{Deserialize, Serialize};

use super::AugmentationError;
use super::range::Range;
use super::tone;
use crate::order::shuffle;
use crate::random::Generator;

/// Changes brightness, contrast and saturation, in any order, each by a factor between 1 less the
/// setting (but not below 0) and 1 plus the setting.
///
/// Saturation leaves grey pictures as they are. By default nothing changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColourJitter {
    /// How much brighter or darker, 0 to 10.
    pub brightness: f64,
    /// How much more or less contrast, 0 to 10.
    pub contrast: f64,
    /// How much more or less colour, 0 to 10.
    pub saturation: f64,
}

#[derive(Clone, Copy)]
enum Change {
    Brightness,
    Contrast,
    Saturation,
}

impl ColourJitter {
    pub(crate) fn validate(&self) -> Result<(), AugmentationError> {
        let range = Range::new(0.0, 10.0);
        range.check("colour.brightness", self.brightness)?;
        range.check("colour.contrast", self.contrast)?;
        range.check("colour.saturation", self.saturation)
    }

    /// Changes a picture, `[channels, height, width]`.
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
    fn only_what_is_set_changes() {
        let mut generator = Generator::new(1, Purpose::Colour, [0, 0]);
        let picture: [u8; 6] = [10, 200, 30, 60, 250, 90];
        let mut pixels = picture;
        ColourJitter::default().apply(&mut pixels, 3, &mut generator);
        assert_eq!(pixels, picture);
        let coloured = ColourJitter {
            saturation: 1.0,
            ..ColourJitter::default()
        };
        coloured.apply(&mut pixels, 1, &mut generator);
        assert_eq!(pixels, picture, "grey pictures have no colour");
        coloured.apply(&mut pixels, 3, &mut generator);
        assert_ne!(pixels, picture);
    }

    #[test]
    fn ranges_are_checked() {
        let jitter = ColourJitter {
            contrast: 10.5,
            ..ColourJitter::default()
        };
        let error = jitter.validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`colour.contrast` is 10.5: expected 0 to 10"
        );
    }
}
