//! Compares an image with the training images of a model, and converts it to match them.
//!
//! Small gray data sets show one object per image on a plain background, with the same polarity,
//! size and position. Photos and scans of the same objects differ in all of these. [`ImageLook`]
//! holds what the training images have in common, and [`fit`] converts an image accordingly if the
//! conversion is unambiguous.

mod inspect;
mod look;

use std::fmt;

use image::{DynamicImage, GrayImage};
use serde::Serialize;

use crate::convert::{Region, gray, planes_of_region};
use crate::preprocessing::{Preprocessing, PreprocessingError};
use crate::resize::Stretch;
use inspect::{Border, Content, Sheet, chroma, tolerance};
pub use look::{Background, Centering, ImageLook};

/// Chroma (largest channel minus smallest, 0 to 255) that a twentieth of the pixels of nearly gray
/// content may exceed; JPEG artifacts and tinted paper stay below it.
const MOST_CHROMA: u8 = 32;
/// Fraction of the content that is on one side of the background in a clear image.
const ONE_SIDED: f32 = 0.8;
/// Difference from the background, 0 to 255, that a twentieth of the content reaches in a clear
/// image.
const LEAST_CONTRAST: f32 = 40.0;
/// Background levels that count as light, and as dark, if the content agrees.
const LIGHT_FROM: u8 = 96;
const DARK_TO: u8 = 159;
/// Minimum level of white.
const WHITE_FROM: u8 = 250;
/// Maximum distance of the content from the center, as a fraction of the side.
const OFF_CENTER: f32 = 0.08;

/// A step that made an image more like the training images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conversion {
    /// Transparent parts were filled.
    Filled,
    /// Light and dark were inverted.
    Inverted,
    /// The background was set to the training images' level.
    Leveled,
    /// The margin was cropped, and the content was scaled and centered.
    Centered,
}

/// A difference between an image and the training images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mismatch {
    /// The image has colors.
    Colors,
    /// The image has no plain background.
    NoPlainBackground,
    /// The image has next to no contrast.
    Blank,
}

impl fmt::Display for Conversion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Filled => "transparent parts filled",
            Self::Inverted => "light and dark inverted",
            Self::Leveled => "background leveled",
            Self::Centered => "margin cropped, content scaled and centered",
        })
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Colors => "it has colors",
            Self::NoPlainBackground => "it does not have a plain background",
            Self::Blank => "it is blank",
        })
    }
}

/// Result of comparing an image with the training images.
#[derive(Clone, Debug, Default)]
pub struct Fitted {
    /// The converted image; `None` means that the original is used.
    pub image: Option<DynamicImage>,
    /// The conversions, in order.
    pub conversions: Vec<Conversion>,
    /// Differences from the training images; empty if the image matches.
    pub mismatches: Vec<Mismatch>,
}

/// Compares an image with the training images, and converts it if the conversion is unambiguous.
///
/// An image with the size and polarity of the training images is returned unchanged.
///
/// # Errors
/// [`PreprocessingError`] if the image has no pixels or cannot be resized.
pub fn fit(
    image: &DynamicImage,
    look: &ImageLook,
    preprocessing: &Preprocessing,
) -> Result<Fitted, PreprocessingError> {
    if image.width() == 0 || image.height() == 0 {
        return Err(PreprocessingError::EmptyImage);
    }
    let mut fitted = Fitted::default();
    let filled = inspect::filled(image);
    if filled.is_some() {
        fitted.conversions.push(Conversion::Filled);
    }
    let image = filled.as_ref().unwrap_or(image);
    let side = [image.height(), image.width()].map(|side| side as usize);
    let mut sheet = Sheet::new(gray(image).into_owned(), side);
    // From here on, the training images have a dark background.
    if look.background == Background::Light {
        sheet.invert();
    }
    let is_exact = side == [preprocessing.height(), preprocessing.width()];
    let plan = plan(&sheet, look, is_exact);
    let content = plan.as_ref().ok().map(|plan| &plan.content);
    if chroma(image, content) > MOST_CHROMA {
        fitted.mismatches.push(Mismatch::Colors);
    }
    let plan = match plan {
        Ok(plan) => plan,
        Err(mismatch) => {
            fitted.mismatches.push(mismatch);
            fitted.image = filled;
            return Ok(fitted);
        }
    };
    fitted.conversions.extend(plan.conversions());
    if fitted.conversions.is_empty() {
        return Ok(fitted);
    }
    sheet.map(&plan.levels());
    if plan.places {
        sheet = placed(&sheet, &plan.content, look, preprocessing)?;
    }
    if look.background == Background::Light {
        sheet.invert();
    }
    let Sheet { pixels, side } = sheet;
    fitted.image = match fitted.conversions.as_slice() {
        [Conversion::Filled] => filled,
        _ => GrayImage::from_raw(side[1] as u32, side[0] as u32, pixels).map(Into::into),
    };
    Ok(fitted)
}

/// Planned conversion of an image with a known polarity.
struct Plan {
    /// Brightness of the background.
    level: u8,
    /// Maximum difference from the background that counts as noise.
    noise: f32,
    inverts: bool,
    levels: bool,
    content: Content,
    /// Whether to scale and center the content.
    places: bool,
}

impl Plan {
    fn conversions(&self) -> impl Iterator<Item = Conversion> {
        [
            (self.inverts, Conversion::Inverted),
            (self.levels, Conversion::Leveled),
            (self.places, Conversion::Centered),
        ]
        .into_iter()
        .filter_map(|(is_done, conversion)| is_done.then_some(conversion))
    }

    /// Returns the new value for each brightness; the background becomes black.
    fn levels(&self) -> [u8; 256] {
        let level = f32::from(self.level);
        std::array::from_fn(|value| {
            let value = value as f32;
            let moved = match (self.inverts, self.levels || self.places) {
                (true, _) => (level - value) * 255.0 / level.max(1.0),
                (false, true) => (value - level) * 255.0 / (255.0 - level).max(1.0),
                (false, false) => return value as u8,
            };
            match (value - level).abs() <= self.noise {
                true => 0,
                false => moved.round().clamp(0.0, 255.0) as u8,
            }
        })
    }
}

/// Plans the conversion of a sheet for training images on a dark background.
fn plan(sheet: &Sheet, look: &ImageLook, is_exact: bool) -> Result<Plan, Mismatch> {
    let (reduced, scale) = sheet.reduced();
    let border = Border::of(&reduced);
    // Images of another size may be photos, some of which have dark edges.
    let is_dark = border.dark
        >= match is_exact {
            true => look.least_background(),
            false => look.certain_background(),
        };
    let (level, noise) = match is_dark {
        true => border.dark_background(),
        false => (border.level, border.noise),
    };
    let tolerance = tolerance(noise);
    let content = reduced.content(level, tolerance);
    let Some(content) = content.filter(|content| content.contrast >= LEAST_CONTRAST) else {
        return Err(Mismatch::Blank);
    };
    let is_plain = border.share >= look.certain_background() && border.corners >= 3;
    let is_light = is_plain && level >= LIGHT_FROM && content.darker >= ONE_SIDED;
    let is_gray = is_plain && level <= DARK_TO && content.darker <= 1.0 - ONE_SIDED;
    if !(is_dark || is_light || is_gray) {
        return Err(Mismatch::NoPlainBackground);
    }
    let is_placed = look.is_placed(&content, reduced.side, is_exact);
    Ok(Plan {
        level,
        noise: match noise > 0.0 {
            true => tolerance,
            false => 0.0,
        },
        inverts: !is_dark && is_light,
        levels: !is_dark && (!is_light || level < WHITE_FROM),
        content: content.scaled(scale, sheet.side),
        places: !is_placed,
    })
}

/// Returns the content of a sheet with the size and position of content in the training images.
fn placed(
    sheet: &Sheet,
    content: &Content,
    look: &ImageLook,
    preprocessing: &Preprocessing,
) -> Result<Sheet, PreprocessingError> {
    let side = [preprocessing.height(), preprocessing.width()];
    let [height, width] = content.size();
    let longest = look.typical_content * side[0] as f32;
    let factor = longest / height.max(width);
    let target = [height, width].map(|length| ((length * factor).round() as usize).max(1));
    let target = [target[0].min(side[0]), target[1].min(side[1])];
    let stretch = |[start, end]: [f32; 2]| Stretch {
        start: f64::from(start),
        length: f64::from(end - start),
    };
    let region = Region {
        rows: stretch(content.rows),
        columns: stretch(content.columns),
    };
    let image = GrayImage::from_raw(
        sheet.side[1] as u32,
        sheet.side[0] as u32,
        sheet.pixels.clone(),
    )
    .ok_or(PreprocessingError::EmptyImage)?;
    let shape = [1, target[0], target[1]];
    let scaled = planes_of_region(&image.into(), &region, shape);
    let scaled = Sheet::new(scaled, target);
    let center = match look.centered_by {
        Centering::Box => target.map(|length| length as f32 / 2.0),
        Centering::Mass => scaled.center_of_mass(),
    };
    let mut placed = Sheet::new(vec![0; side[0] * side[1]], side);
    let offset = [0, 1].map(|axis| {
        let wanted = side[axis] as f32 / 2.0 - center[axis];
        (wanted.max(0.0) as usize).min(side[axis] - target[axis])
    });
    for row in 0..target[0] {
        let to = (offset[0] + row) * side[1] + offset[1];
        let from = row * target[1];
        placed.pixels[to..to + target[1]].copy_from_slice(&scaled.pixels[from..from + target[1]]);
    }
    Ok(placed)
}

#[cfg(test)]
mod tests;
