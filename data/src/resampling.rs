//! Options for resizing and cropping.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// How images are resized and cropped; defaults to torchvision's `Resize` and `CenterCrop`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resampling {
    /// Filter, with antialiasing.
    pub filter: Filter,
    /// `[height, width]` that the whole image is resized to before the crop, regardless of its
    /// aspect ratio; `None` keeps the aspect ratio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stretch: Option<[usize; 2]>,
    /// Start of a crop with an odd number of pixels around it.
    pub crop: CropStart,
}

impl Resampling {
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// A filter of Pillow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// `BILINEAR`.
    #[default]
    Bilinear,
    /// `BICUBIC`, with a = -0.5.
    Bicubic,
    /// `LANCZOS`, with three lobes.
    Lanczos,
    /// `BOX`.
    Box,
    /// `HAMMING`.
    Hamming,
}

impl Filter {
    /// Returns how far from the center weights are not zero, in pixels.
    pub(crate) fn support(self) -> f64 {
        match self {
            Self::Box => 0.5,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    /// Returns the weight of a pixel at a distance from the center.
    pub(crate) fn weight(self, distance: f64) -> f64 {
        let sinc = |x: f64| {
            if x == 0.0 {
                1.0
            } else {
                (x * PI).sin() / (x * PI)
            }
        };
        let x = distance.abs();
        match self {
            // Of two pixels at equal distances, the left one counts.
            Self::Box if distance > -0.5 && distance <= 0.5 => 1.0,
            Self::Bilinear if x < 1.0 => 1.0 - x,
            Self::Hamming if x < 1.0 => sinc(x) * (0.54 + 0.46 * (x * PI).cos()),
            Self::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => -0.5 * (((x - 5.0) * x + 8.0) * x - 4.0),
            Self::Lanczos if x < 3.0 => sinc(x) * sinc(x / 3.0),
            _ => 0.0,
        }
    }
}

/// Rounding of half a pixel before a crop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CropStart {
    /// To an even number, as in torchvision.
    #[default]
    Even,
    /// Down, as in transformers.
    Down,
}

impl CropStart {
    pub(crate) fn round(self, start: f64) -> f64 {
        match self {
            Self::Even => start.round_ties_even(),
            Self::Down => start.floor(),
        }
    }
}
