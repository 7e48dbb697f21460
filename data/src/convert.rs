//! Conversion of a decoded image to packed planes of a model's input size.

use std::borrow::Cow;

use image::DynamicImage;

use crate::resampling::{Filter, Resampling};
use crate::resize::{Axis, Stretch, resize};

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

/// Resizes the shorter side, crops the center, and packs `[channels, height, width]`.
///
/// Only the pixels inside the crop are resampled, so a very long image costs no more than a square
/// one. The image must not be empty.
pub(crate) fn planes(image: &DynamicImage, target: &Target) -> Vec<u8> {
    let axes = crop(image.width(), image.height(), target);
    resized(image, &axes, target.channels, target.resampling.filter)
}

/// Resizes a region of an image bilinearly to `shape`, `[channels, height, width]`, and packs it.
///
/// The region must be within the image and not be empty.
pub(crate) fn planes_of_region(
    image: &DynamicImage,
    region: &Region,
    [channels, height, width]: [usize; 3],
) -> Vec<u8> {
    resized(
        image,
        &region.axes([height, width]),
        channels,
        Filter::Bilinear,
    )
}

/// Resizes a region of packed planes of `shape`, `[channels, height, width]`, to the same shape.
///
/// The region must be within the planes and not be empty.
pub(crate) fn region_of_planes(
    planes: &[u8],
    region: &Region,
    [_, height, width]: [usize; 3],
) -> Vec<u8> {
    let axes = region.axes([height, width]);
    let planes = planes.chunks_exact(height * width);
    let resized =
        planes.flat_map(|plane| resize::<1>(plane, [height, width], &axes, Filter::Bilinear));
    resized.collect()
}

fn resized(image: &DynamicImage, axes: &[Axis; 2], channels: usize, filter: Filter) -> Vec<u8> {
    let size = [image.height() as usize, image.width() as usize];
    match channels {
        1 => resize::<1>(&gray(image), size, axes, filter),
        _ => planar(&resize::<3>(&rgb(image), size, axes, filter)),
    }
}

/// A rectangle of an image, in original pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Region {
    pub columns: Stretch,
    pub rows: Stretch,
}

impl Region {
    /// Returns how the rows and columns of `[height, width]` pixels are made.
    fn axes(&self, [height, width]: [usize; 2]) -> [Axis; 2] {
        [
            Axis::whole(self.rows, height),
            Axis::whole(self.columns, width),
        ]
    }
}

/// Returns how the rows and columns of the center crop of the resized image are made.
///
/// Sizes are rounded like in torchvision's `Resize`.
fn crop(width: u32, height: u32, target: &Target) -> [Axis; 2] {
    let shorter = u64::from(width.min(height));
    let resize = target.resize as u64;
    let Resampling { stretch, crop, .. } = target.resampling;
    let resized = match stretch {
        Some(sides) => sides,
        None => [height, width].map(|side| (resize * u64::from(side) / shorter) as usize),
    };
    let axis = |side: u32, pixels: usize, kept: usize| {
        let start = crop.round((pixels - kept) as f64 / 2.0) as usize;
        Axis {
            from: Stretch {
                start: 0.0,
                length: f64::from(side),
            },
            pixels,
            kept: start..start + kept,
        }
    };
    [
        axis(height, resized[0], target.height),
        axis(width, resized[1], target.width),
    ]
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
        let [rows, columns] = crop(640, 480, &target);
        assert_eq!([rows.pixels, columns.pixels], [256, 341]);
        assert_eq!([rows.kept, columns.kept], [16..240, 58..282]);
        for (width, height) in [(1, 1), (1, 10_000), (10_000, 1), (7, 13), (u32::MAX, 3)] {
            for axis in crop(width, height, &target) {
                assert_eq!(axis.kept.len(), 224);
                assert!(axis.kept.end <= axis.pixels, "{width}x{height}");
            }
        }
    }

    #[test]
    fn channels_become_planes() {
        assert_eq!(planar(&[1, 2, 3, 4, 5, 6]), [1, 4, 2, 5, 3, 6]);
    }
}
