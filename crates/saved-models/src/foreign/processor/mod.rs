//! Preprocessing that a folder of the Hugging Face Hub specifies.

use std::path::{Path, PathBuf};

use data::{CropStart, Filter, MAX_SIDE, Preprocessing, Resampling};
use serde_json::Value;

use super::document::{Document, wrong};
use super::error::ForeignError;

/// From this size on, ConvNeXt's processor does not crop.
const LARGE: usize = 384;
/// Default crop fraction of ConvNeXt and timm.
const CROP_SHARE: f64 = 0.875;
const RESCALE: f64 = 1.0 / 255.0;
const NUMBERS: &str = "a list of numbers";
const SIZE: &str = "a whole number of pixels, {\"shortest_edge\"} or {\"height\", \"width\"}";

/// Preprocessing as a folder specifies it, and notes on where it deviates.
#[derive(Debug)]
pub(super) struct Prepared {
    pub preprocessing: Preprocessing,
    pub notes: Vec<String>,
}

/// The relevant part of a `preprocessor_config.json`, or of timm's `config.json`.
#[derive(Debug, Default)]
pub(super) struct Processor {
    path: PathBuf,
    sizes: Sizes,
    filter: Option<Result<Filter, String>>,
    crop: CropStart,
    /// Divisor of mean and deviation, which refer to brightness from 0 to 1 here.
    scale: f32,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
    notes: Vec<String>,
}

/// The sizes that an image is resized and cropped to.
#[derive(Debug, Default)]
enum Sizes {
    /// Not specified.
    #[default]
    Usual,
    /// Images keep their own size.
    Own,
    /// Length of the shorter side, then `[height, width]` of the crop.
    Shorter(usize, [usize; 2]),
    /// `[height, width]` regardless of the aspect ratio, then those of the crop.
    Stretched([usize; 2], [usize; 2]),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    Edge(usize),
    Sides([usize; 2]),
}

impl Size {
    /// Reads a number, a pair, or an object.
    fn read(value: Value) -> Option<Self> {
        let pixels = |value: &Value| {
            let whole = value.as_f64().filter(|number| number.fract() == 0.0)?;
            (1.0..=MAX_SIDE as f64)
                .contains(&whole)
                .then_some(whole as usize)
        };
        match &value {
            Value::Array(sides) => match &sides[..] {
                [height, width] => Some(Self::Sides([pixels(height)?, pixels(width)?])),
                _ => None,
            },
            Value::Object(sides) => match (sides.get("height"), sides.get("width")) {
                (Some(height), Some(width)) => Some(Self::Sides([pixels(height)?, pixels(width)?])),
                _ => pixels(sides.get("shortest_edge")?).map(Self::Edge),
            },
            number => pixels(number).map(Self::Edge),
        }
    }

    fn sides(self) -> [usize; 2] {
        match self {
            Self::Edge(edge) => [edge; 2],
            Self::Sides(sides) => sides,
        }
    }
}

impl Processor {
    /// Reads a configuration of transformers.
    pub(super) fn of_transformers(
        path: &Path,
        mut document: Document,
    ) -> Result<Self, ForeignError> {
        let size_of = |document: &mut Document, key: &str| {
            let expected = format!("{SIZE}, from 1 to {MAX_SIDE}");
            document.read_as(key, &expected, Size::read)
        };
        let flag = |document: &mut Document, key: &str| document.take(key, "true or false");
        let size = size_of(&mut document, "size")?;
        let crop_size = size_of(&mut document, "crop_size")?;
        let share = share(&mut document, path)?;
        let crops = flag(&mut document, "do_center_crop")?;
        let resizes = flag(&mut document, "do_resize")?.unwrap_or(true);
        let mut kind = String::new();
        for key in ["feature_extractor_type", "image_processor_type"] {
            kind = document.take(key, "text")?.unwrap_or(kind);
        }
        let mut notes = Vec::new();
        let sizes = match size {
            _ if !resizes => Sizes::Own,
            None => Sizes::Usual,
            Some(Size::Edge(edge)) if share.is_some() || kind.starts_with("ConvNext") => {
                match edge < LARGE || !kind.starts_with("ConvNext") {
                    true => Sizes::Shorter(cut(edge, share), [edge; 2]),
                    false => Sizes::Stretched([edge; 2], [edge; 2]),
                }
            }
            Some(Size::Edge(edge)) if kind.starts_with("ViT") => {
                Sizes::Stretched([edge; 2], [edge; 2])
            }
            Some(Size::Edge(edge)) => {
                let crop = crop_size.filter(|_| crops != Some(false));
                if crop.is_none() && crops != Some(true) {
                    notes.push(format!(
                        "images are cropped to {edge}x{edge}, although the folder does not crop \
                         them"
                    ));
                }
                Sizes::Shorter(edge, crop.map_or([edge; 2], Size::sides))
            }
            Some(Size::Sides(sides)) => {
                let crop = crop_size.filter(|_| crops == Some(true));
                Sizes::Stretched(sides, crop.map_or(sides, Size::sides))
            }
        };
        let (resized, crop) = match sizes {
            Sizes::Shorter(edge, crop) => ([edge; 2], crop),
            Sizes::Stretched(sides, crop) => (sides, crop),
            Sizes::Usual | Sizes::Own => ([1; 2], [1; 2]),
        };
        let is_cut = share.is_some() || crop_size.is_none();
        check(
            path,
            resized,
            crop,
            if is_cut { "crop_pct" } else { "crop_size" },
        )?;
        let factor = match flag(&mut document, "do_rescale")? {
            Some(false) => 1.0,
            _ => document
                .take::<f64>("rescale_factor", "a number")?
                .unwrap_or(RESCALE),
        };
        if !(factor.is_finite() && factor > 0.0) {
            return Err(wrong(
                path,
                format!("its `rescale_factor` is {factor}, but must be above 0"),
            ));
        }
        let mean = document.take("image_mean", NUMBERS)?;
        let std = document.take("image_std", NUMBERS)?;
        let (mean, std) = match flag(&mut document, "do_normalize")? {
            Some(false) => (Some(vec![0.0]), Some(vec![1.0])),
            _ => (mean, std),
        };
        let filter = document.take::<u8>("resample", "the number of a filter")?;
        Ok(Self {
            path: path.to_owned(),
            sizes,
            filter: filter.map(pillow),
            crop: CropStart::Down,
            scale: (factor / RESCALE) as f32,
            mean,
            std,
            notes,
        })
    }

    /// Reads timm's `pretrained_cfg`; returns `None` if it specifies no sizes.
    pub(super) fn of_timm(
        path: &Path,
        mut document: Document,
    ) -> Result<Option<Self>, ForeignError> {
        let share = share(&mut document, path)?;
        let mode: Option<String> = document.take("crop_mode", "text")?;
        let filter: Option<String> = document.take("interpolation", "text")?;
        let expected = format!("[channels, height, width], each from 1 to {MAX_SIDE}");
        let Some([_, height, width]) = document.read_as("input_size", &expected, |value| {
            let sizes: [usize; 3] = serde_json::from_value(value).ok()?;
            sizes[1..]
                .iter()
                .all(|side| (1..=MAX_SIDE).contains(side))
                .then_some(sizes)
        })?
        else {
            return Ok(None);
        };
        let crop = [height, width];
        let resized = crop.map(|side| cut(side, share));
        check(path, resized, crop, "crop_pct")?;
        let mut notes = Vec::new();
        let sizes = match mode.as_deref().unwrap_or("center") {
            "squash" => Sizes::Stretched(resized, crop),
            "center" if height == width => Sizes::Shorter(resized[0], crop),
            mode => {
                let mode = weights::shown(mode);
                notes.push(format!(
                    "images are cropped to {height}x{width}, although the folder has crop_mode \
                     {mode}"
                ));
                Sizes::Shorter(resized[0].max(resized[1]), crop)
            }
        };
        Ok(Some(Self {
            path: path.to_owned(),
            sizes,
            filter: Some(named(filter.as_deref().unwrap_or("bicubic"))),
            crop: CropStart::Even,
            scale: 1.0,
            mean: document.take("mean", NUMBERS)?,
            std: document.take("std", NUMBERS)?,
            notes,
        }))
    }

    /// Returns the preprocessing for images with the given number of channels. `usual` supplies
    /// what the folder does not specify.
    pub(super) fn prepared(
        &self,
        channels: usize,
        usual: &Preprocessing,
        is_resized: bool,
    ) -> Result<Prepared, ForeignError> {
        let mut notes = self.notes.clone();
        let usual_sizes = (usual.resize(), [usual.height(), usual.width()], None);
        let (resize, [height, width], stretch) = match self.sizes {
            Sizes::Own if is_resized => usual_sizes,
            Sizes::Own => {
                return Err(wrong(
                    &self.path,
                    "it has `do_resize`: false, but all images must have the same size; set one \
                     with --resize and --image-size"
                        .to_owned(),
                ));
            }
            Sizes::Usual => usual_sizes,
            Sizes::Shorter(edge, crop) => (edge, crop, None),
            Sizes::Stretched(sides, crop) => (crop[0].max(crop[1]), crop, Some(sides)),
        };
        let filter = match &self.filter {
            None => Filter::default(),
            Some(Ok(filter)) => *filter,
            Some(Err(name)) => {
                let name = weights::shown(name);
                notes.push(format!(
                    "images are resized bilinearly, although the folder has {name}"
                ));
                Filter::default()
            }
        };
        let fit = |values: Option<&Vec<f32>>, usual: &[f32]| match values.map(|values| &values[..])
        {
            Some(&[value]) => vec![value / self.scale; channels],
            Some(values) => values.iter().map(|value| value / self.scale).collect(),
            None => usual.iter().map(|value| value / self.scale).collect(),
        };
        let resampling = Resampling {
            filter,
            stretch,
            crop: self.crop,
        };
        let preprocessing = Preprocessing::new(
            [channels, height, width],
            resize,
            fit(self.mean.as_ref(), usual.mean()),
            fit(self.std.as_ref(), usual.std()),
        )
        .and_then(|preprocessing| preprocessing.with_resampling(resampling))
        .map_err(|error| wrong(&self.path, error.to_string()))?;
        Ok(Prepared {
            preprocessing,
            notes,
        })
    }
}

/// Returns the fraction of an image's side that a crop keeps.
fn share(document: &mut Document, path: &Path) -> Result<Option<f64>, ForeignError> {
    let share: Option<f64> = document.take("crop_pct", "a number")?;
    match share {
        Some(share) if !(share > 0.0 && share <= 1.0) => Err(wrong(
            path,
            format!("its `crop_pct` is {share}, but must be above 0, at most 1"),
        )),
        share => Ok(share),
    }
}

fn cut(side: usize, share: Option<f64>) -> usize {
    (side as f64 / share.unwrap_or(CROP_SHARE)) as usize
}

/// Checks that the resized sides fit the crop given by `key`.
fn check(
    path: &Path,
    resized: [usize; 2],
    crop: [usize; 2],
    key: &str,
) -> Result<(), ForeignError> {
    let [height, width] = resized;
    let is_small = height < crop[0] || width < crop[1];
    if is_small || height.max(width) > MAX_SIDE {
        let reason = format!(
            "its `{key}` asks for {}x{} pixels out of {height}x{width}, of which {MAX_SIDE} are \
             the most",
            crop[0], crop[1]
        );
        return Err(wrong(path, reason));
    }
    Ok(())
}

/// Returns Pillow's filter with a number.
fn pillow(number: u8) -> Result<Filter, String> {
    Ok(match number {
        1 => Filter::Lanczos,
        2 => Filter::Bilinear,
        3 => Filter::Bicubic,
        4 => Filter::Box,
        5 => Filter::Hamming,
        other => return Err(format!("resample {other}")),
    })
}

/// Returns the filter with a name in timm.
fn named(name: &str) -> Result<Filter, String> {
    Ok(match name {
        "bilinear" => Filter::Bilinear,
        "bicubic" => Filter::Bicubic,
        "lanczos" => Filter::Lanczos,
        "box" => Filter::Box,
        "hamming" => Filter::Hamming,
        other => return Err(format!("interpolation {other}")),
    })
}

#[cfg(test)]
mod tests;
