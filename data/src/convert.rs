//! Conversion of a decoded image to packed planes of a model's input size.

use std::borrow::Cow;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use image::DynamicImage;

use crate::preprocessing::{Filter, Resampling};

/// Target size of an image.
pub(crate) struct Target {
    /// 1 (gray) or 3 (RGB).
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// Shorter side before the crop, at least `height` and `width`.
    pub resize: usize,
    pub resampling: Resampling,
}

type ResampleError = Box<dyn std::error::Error + Send + Sync>;

/// Resizes the shorter side, crops the center, and packs `[channels, height, width]`.
///
/// Only the pixels inside the crop are resampled, so a very long image costs no more than a square
/// one. The image must not be empty.
pub(crate) fn planes(image: &DynamicImage, target: &Target) -> Result<Vec<u8>, ResampleError> {
    let region = crop(image.width(), image.height(), target);
    let shape = [target.channels, target.height, target.width];
    filtered_planes(image, &region, shape, target.resampling.filter)
}

/// Resizes a region of an image bilinearly to `shape`, `[channels, height, width]`, and packs it.
///
/// The region must be within the image and not be empty.
pub(crate) fn planes_of_region(
    image: &DynamicImage,
    region: &Region,
    shape: [usize; 3],
) -> Result<Vec<u8>, ResampleError> {
    filtered_planes(image, region, shape, Filter::Bilinear)
}

fn filtered_planes(
    image: &DynamicImage,
    region: &Region,
    shape: [usize; 3],
    filter: Filter,
) -> Result<Vec<u8>, ResampleError> {
    let [channels, height, width] = shape;
    let from = [image.height() as usize, image.width() as usize];
    let size = [height, width];
    let mut resampled = vec![0; channels * height * width];
    match channels {
        1 => resample::<U8>(&gray(image), from, region, size, filter, &mut resampled)?,
        _ => {
            resample::<U8x3>(&rgb(image), from, region, size, filter, &mut resampled)?;
            resampled = planar(&resampled);
        }
    }
    Ok(resampled)
}

/// Resizes a region of packed planes of `shape`, `[channels, height, width]`, to the same shape.
///
/// The region must be within the planes and not be empty.
pub(crate) fn region_of_planes(
    planes: &[u8],
    region: &Region,
    [_, height, width]: [usize; 3],
) -> Result<Vec<u8>, ResampleError> {
    let size = [height, width];
    let mut resampled = vec![0; planes.len()];
    let pairs = planes.chunks_exact(height * width);
    for (from, to) in pairs.zip(resampled.chunks_exact_mut(height * width)) {
        resample::<U8>(from, size, region, size, Filter::Bilinear, to)?;
    }
    Ok(resampled)
}

/// Resizes a region of the packed `pixels` of an image of `from`, `[height, width]`, to `to`.
///
/// Generic over the pixel type: a dynamically typed image would compile this for a dozen types.
fn resample<P: PixelTrait>(
    pixels: &[u8],
    from: [usize; 2],
    Region { columns, rows }: &Region,
    to: [usize; 2],
    filter: Filter,
    resampled: &mut [u8],
) -> Result<(), ResampleError> {
    let source = TypedImageRef::<P>::from_buffer(from[1] as u32, from[0] as u32, pixels)?;
    let mut resized = TypedImage::<P>::from_buffer(to[1] as u32, to[0] as u32, resampled)?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter.kernel()))
        .crop(columns.start, rows.start, columns.length, rows.length);
    Resizer::new().resize_typed(&source, &mut resized, &options)?;
    Ok(())
}

/// A rectangle of an image, in original pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Region {
    pub columns: Stretch,
    pub rows: Stretch,
}

/// An interval of one side of an image, in original pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stretch {
    pub start: f64,
    pub length: f64,
}

/// Returns the region that the center crop of the resized image covers.
///
/// Sizes are rounded like in torchvision's `Resize`.
fn crop(width: u32, height: u32, target: &Target) -> Region {
    let shorter = u64::from(width.min(height));
    let resize = target.resize as u64;
    let Resampling { stretch, crop, .. } = target.resampling;
    let [rows, columns] = match stretch {
        Some(sides) => sides.map(|side| side as u64),
        None => [height, width].map(|side| resize * u64::from(side) / shorter),
    };
    let stretch = |side: u32, resized: u64, kept: usize| {
        let resized = resized as f64;
        let scale = f64::from(side) / resized;
        let start = crop.round((resized - kept as f64) / 2.0) * scale;
        // Rounding must not move the crop over the edge.
        let length = (kept as f64 * scale).min(f64::from(side) - start);
        Stretch { start, length }
    };
    Region {
        columns: stretch(width, columns, target.width),
        rows: stretch(height, rows, target.height),
    }
}

/// Returns the `[height, width]` brightness: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), as in
/// Pillow's `L`.
pub(crate) fn gray(image: &DynamicImage) -> Cow<'_, [u8]> {
    match image {
        DynamicImage::ImageLuma8(image) => Cow::Borrowed(image.as_raw()),
        DynamicImage::ImageLumaA8(_)
        | DynamicImage::ImageLuma16(_)
        | DynamicImage::ImageLumaA16(_) => Cow::Owned(image.to_luma8().into_raw()),
        _ => {
            // Pillow's fixed-point weights; they add up to 65536.
            let luma = |pixel: &[u8]| {
                let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
                ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16) as u8
            };
            Cow::Owned(rgb(image).chunks_exact(3).map(luma).collect())
        }
    }
}

/// Returns `[height, width, 3]`; an alpha channel is dropped.
fn rgb(image: &DynamicImage) -> Cow<'_, [u8]> {
    match image {
        DynamicImage::ImageRgb8(image) => Cow::Borrowed(image.as_raw()),
        _ => Cow::Owned(image.to_rgb8().into_raw()),
    }
}

/// Converts `[height, width, 3]` to `[3, height, width]`.
fn planar(interleaved: &[u8]) -> Vec<u8> {
    let pixels = interleaved.as_chunks::<3>().0;
    let mut planes = Vec::with_capacity(interleaved.len());
    for channel in 0..3 {
        planes.extend(pixels.iter().map(|pixel| pixel[channel]));
    }
    planes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crop_is_centered_and_inside() {
        let target = Target {
            channels: 3,
            height: 224,
            width: 224,
            resize: 256,
            resampling: Resampling::default(),
        };
        // 640x480 becomes 341x256; the crop starts at column 58 (58.5 to even) and row 16.
        let Region { columns, rows } = crop(640, 480, &target);
        assert!((columns.start - 58.0 * 640.0 / 341.0).abs() < 1e-9);
        assert!((columns.length - 224.0 * 640.0 / 341.0).abs() < 1e-9);
        assert!((rows.start - 16.0 * 480.0 / 256.0).abs() < 1e-9);
        for (width, height) in [(1, 1), (1, 10_000), (10_000, 1), (7, 13), (u32::MAX, 3)] {
            let Region { columns, rows } = crop(width, height, &target);
            for (stretch, side) in [(columns, width), (rows, height)] {
                assert!(stretch.start >= 0.0 && stretch.length > 0.0);
                assert!(
                    stretch.start + stretch.length <= f64::from(side),
                    "{width}x{height}"
                );
            }
        }
    }

    #[test]
    fn channels_become_planes() {
        assert_eq!(planar(&[1, 2, 3, 4, 5, 6]), [1, 4, 2, 5, 3, 6]);
    }
}
