//! Small random rotations, translations, scalings and shears.

use derive_setters::Setters;
use serde::{Deserialize, Serialize};

use super::AugmentationError;
use super::range::Range;
use super::warp::Warp;
use crate::random::Generator;

/// Rotates, translates, scales and shears an image slightly, like the natural variation of
/// handwritten digits.
///
/// Each value is drawn uniformly from its range, all are applied in one bilinear step, and pixels
/// from outside the image have the mean color. By default nothing changes, and a setting missing
/// from a file changes nothing; but `affine = {}` is [`Affine::usual`].
#[derive(Clone, Debug, PartialEq, Setters, Serialize, Deserialize)]
#[serde(from = "Written")]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct Affine {
    /// Maximum rotation in either direction, in degrees, 0 to 180.
    pub rotation: f64,
    /// Maximum translation in each direction, as a fraction of the image's side, 0 to 1.
    pub shift: f64,
    /// Minimum and maximum scale of the image's sides, 0.1 to 10.
    pub scale: [f64; 2],
    /// Maximum shear angle in either direction, in degrees, 0 to 80.
    pub shear: f64,
}

impl Default for Affine {
    fn default() -> Self {
        Self {
            rotation: 0.0,
            shift: 0.0,
            scale: [1.0, 1.0],
            shear: 0.0,
        }
    }
}

/// Serialized form.
#[derive(Deserialize, Default, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Written {
    rotation: Option<f64>,
    shift: Option<f64>,
    scale: Option<[f64; 2]>,
    shear: Option<f64>,
}

impl From<Written> for Affine {
    fn from(written: Written) -> Self {
        if written == Written::default() {
            return Self::usual();
        }
        let nothing = Self::default();
        Self {
            rotation: written.rotation.unwrap_or(nothing.rotation),
            shift: written.shift.unwrap_or(nothing.shift),
            scale: written.scale.unwrap_or(nothing.scale),
            shear: written.shear.unwrap_or(nothing.shear),
        }
    }
}

impl Affine {
    /// Returns the settings of the recipe `mnist`: 15 degrees of rotation, a tenth of the side, a
    /// scale of 0.8 to 1.2 and 12 degrees of shear.
    pub fn usual() -> Self {
        Self {
            rotation: 15.0,
            shift: 0.1,
            scale: [0.8, 1.2],
            shear: 12.0,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), AugmentationError> {
        Range::new(0.0, 180.0).check("affine.rotation", self.rotation)?;
        Range::new(0.0, 1.0).check("affine.shift", self.shift)?;
        Range::new(0.1, 10.0).check_pair("affine.scale", self.scale)?;
        Range::new(0.0, 80.0).check("affine.shear", self.shear)
    }

    /// Draws the transformation of an image of `[height, width]`.
    pub(crate) fn warp(&self, [height, width]: [usize; 2], generator: &mut Generator) -> Warp {
        let turn = Warp::rotation(generator.around_zero(self.rotation));
        let slant = generator.around_zero(self.shear).to_radians().tan();
        let scaling = Warp::scaling(generator.between(self.scale));
        let shift = [width, height].map(|side| generator.around_zero(self.shift * side as f64));
        let linear = turn.after(Warp::shear([slant, 0.0])).after(scaling);
        Warp::translation(shift).after(linear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn default_changes_nothing() {
        let mut generator = Generator::new(1, Purpose::Affine, [0, 0]);
        let image: Vec<u8> = (0..30).collect();
        let warp = Affine::default().warp([5, 6], &mut generator);
        assert_eq!(warp.apply(&image, [1, 5, 6], &[0]), image);
    }

    #[test]
    fn empty_table_means_defaults_and_keys_are_optional() {
        let read = |text: &str| serde_json::from_str::<Affine>(text);
        assert_eq!(read("{}").unwrap(), Affine::usual());
        assert!(Affine::usual().validate().is_ok());
        let turned = Affine {
            rotation: 10.0,
            ..Affine::default()
        };
        assert_eq!(read(r#"{"rotation": 10}"#).unwrap(), turned);
        for affine in [Affine::default(), Affine::usual(), turned] {
            let written = serde_json::to_string(&affine).unwrap();
            assert_eq!(read(&written).unwrap(), affine);
        }
        assert!(read(r#"{"turn": 10}"#).is_err());
    }

    #[test]
    fn ranges_are_checked() {
        let good = Affine::default();
        assert!(good.validate().is_ok());
        for bad in [
            Affine {
                rotation: 181.0,
                ..good.clone()
            },
            Affine {
                shift: -0.1,
                ..good.clone()
            },
            Affine {
                scale: [0.0, 1.0],
                ..good.clone()
            },
            Affine {
                scale: [1.2, 0.9],
                ..good.clone()
            },
            Affine {
                shear: 90.0,
                ..good.clone()
            },
        ] {
            assert!(bad.validate().is_err(), "{bad:?}");
        }
    }
}
