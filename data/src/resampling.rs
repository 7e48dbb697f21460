//! Options for resizing and cropping.

use fast_image_resize::FilterType;
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
    pub(crate) fn kernel(self) -> FilterType {
        match self {
            Self::Bilinear => FilterType::Bilinear,
            Self::Bicubic => FilterType::CatmullRom,
            Self::Lanczos => FilterType::Lanczos3,
            Self::Box => FilterType::Box,
            Self::Hamming => FilterType::Hamming,
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
