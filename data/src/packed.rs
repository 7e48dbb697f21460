//! Images of one size, packed.

use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};

use crate::error::DataError;
use crate::preprocessing::PreprocessingError;

/// Images of one size with their labels, stored as packed bytes.
///
/// Pixels are in `[image, channels, height, width]` order, one byte (0 to 255) each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedImages {
    shape: [usize; 3],
    pixels: Vec<u8>,
    labels: Vec<u32>,
    /// File of each image; empty if the images do not have their own files.
    paths: Vec<PathBuf>,
}

impl PackedImages {
    /// Packs images of `shape`, `[channels, height, width]`, one per label.
    ///
    /// # Errors
    /// [`PreprocessingError::Channels`] if there are not 1 (gray) or 3 (RGB) channels, and
    /// [`DataError::PixelCount`] if a side is 0, or `pixels` does not have `labels.len() * channels
    /// * height * width` bytes.
    ///
    /// ```
    /// use data::PackedImages;
    ///
    /// let images = PackedImages::new([1, 2, 2], vec![0, 1, 2, 3, 4, 5, 6, 7], vec![3, 0])?;
    /// assert_eq!(images.planes(1), [4, 5, 6, 7]);
    /// assert_eq!(images.label(0), 3);
    /// # Ok::<(), data::DataError>(())
    /// ```
    pub fn new(shape: [usize; 3], pixels: Vec<u8>, labels: Vec<u32>) -> Result<Self, DataError> {
        if !matches!(shape[0], 1 | 3) {
            return Err(PreprocessingError::Channels { found: shape[0] }.into());
        }
        let expected = shape
            .into_iter()
            .try_fold(labels.len(), usize::checked_mul)
            .filter(|_| !shape.contains(&0));
        if expected != Some(pixels.len()) {
            return Err(DataError::PixelCount {
                shape,
                labels: labels.len(),
                pixels: pixels.len(),
            });
        }
        Ok(Self {
            shape,
            pixels,
            labels,
            paths: Vec::new(),
        })
    }

    /// Sets the file that each image was read from; `paths` has one entry per image.
    pub(crate) fn with_paths(self, paths: Vec<PathBuf>) -> Self {
        debug_assert_eq!(paths.len(), self.len());
        Self { paths, ..self }
    }

    /// Returns the file that an image was read from, if it has its own file.
    pub fn path(&self, index: usize) -> Option<&Path> {
        self.paths.get(index).map(PathBuf::as_path)
    }

    /// Returns the `[channels, height, width]` of every image.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Returns the number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Returns whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Returns the pixels of one image, `[channels, height, width]`, each 0 to 255.
    ///
    /// # Panics
    /// If `index` is not below [`PackedImages::len`].
    pub fn planes(&self, index: usize) -> &[u8] {
        let size = self.image_bytes();
        &self.pixels[index * size..][..size]
    }

    /// Returns the class of one image, an index into the data set's class names.
    ///
    /// # Panics
    /// If `index` is not below [`PackedImages::len`].
    pub fn label(&self, index: usize) -> usize {
        self.labels[index] as usize
    }

    /// Returns the class of every image.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Returns all pixels, `[image, channels, height, width]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Returns one image, gray or RGB.
    ///
    /// # Panics
    /// If `index` is not below [`PackedImages::len`].
    pub fn image(&self, index: usize) -> DynamicImage {
        let [channels, height, width] = self.shape;
        let pixels = self.planes(index);
        let at = |channel: usize, x: u32, y: u32| {
            pixels[(channel * height + y as usize) * width + x as usize]
        };
        let (columns, rows) = (width as u32, height as u32);
        if channels == 1 {
            GrayImage::from_fn(columns, rows, |x, y| Luma([at(0, x, y)])).into()
        } else {
            RgbImage::from_fn(columns, rows, |x, y| Rgb([0, 1, 2].map(|c| at(c, x, y)))).into()
        }
    }

    /// Returns the mean and standard deviation of each channel, in units of full brightness (0 to
    /// 1).
    ///
    /// A constant channel gets a standard deviation of half a brightness step, so that it is always
    /// a valid divisor. Both are exact up to the last rounding, because they are computed from
    /// counts of the 256 values. Without images, the mean is 0.
    pub fn statistics(&self) -> (Vec<f32>, Vec<f32>) {
        let [channels, height, width] = self.shape;
        let mut brightness = Brightness::new(channels);
        brightness.add(&self.pixels, height * width);
        brightness.statistics()
    }

    fn image_bytes(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Histogram of the brightness in each channel.
pub(crate) struct Brightness {
    counts: Vec<[u64; 256]>,
}

impl Brightness {
    pub(crate) fn new(channels: usize) -> Self {
        Self {
            counts: vec![[0; 256]; channels],
        }
    }

    /// Adds whole images with planes of `plane` pixels.
    pub(crate) fn add(&mut self, pixels: &[u8], plane: usize) {
        let channels = self.counts.len();
        for (number, pixels) in pixels.chunks_exact(plane).enumerate() {
            for &pixel in pixels {
                self.counts[number % channels][usize::from(pixel)] += 1;
            }
        }
    }

    /// Returns the sum of both histograms.
    pub(crate) fn plus(mut self, other: &Self) -> Self {
        for (count, other) in self
            .counts
            .iter_mut()
            .flatten()
            .zip(other.counts.iter().flatten())
        {
            *count += other;
        }
        self
    }

    /// Like [`PackedImages::statistics`].
    pub(crate) fn statistics(&self) -> (Vec<f32>, Vec<f32>) {
        self.counts.iter().map(channel_statistics).unzip()
    }
}

/// Returns the mean and standard deviation of one channel from the count of each value.
fn channel_statistics(counts: &[u64; 256]) -> (f32, f32) {
    const SMALLEST_STD: f64 = 0.5 / 255.0;
    let total = counts.iter().sum::<u64>().max(1) as f64;
    let values = || {
        (0_u8..=255)
            .zip(counts)
            .map(|(value, &count)| (f64::from(value) / 255.0, count as f64))
    };
    let mean = values().map(|(value, count)| value * count).sum::<f64>() / total;
    let variance = values()
        .map(|(value, count)| (value - mean).powi(2) * count)
        .sum::<f64>()
        / total;
    (mean as f32, variance.sqrt().max(SMALLEST_STD) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_per_channel() {
        // Two images of two pixels: the first channel 0 and 255, the second 51, the third 0.
        let pixels = vec![0, 255, 51, 51, 0, 0, 255, 0, 51, 51, 0, 0];
        let images = PackedImages::new([3, 1, 2], pixels, vec![0, 1]).unwrap();
        let (mean, std) = images.statistics();
        for (found, expected) in mean.iter().zip([0.5, 0.2, 0.0]) {
            assert!((found - expected).abs() < 1e-6, "{mean:?}");
        }
        assert!((std[0] - 0.5).abs() < 1e-6);
        assert_eq!(std[1], (0.5 / 255.0_f64) as f32);
    }

    #[test]
    fn wrong_byte_count_is_rejected() {
        for (shape, bytes, labels) in [
            ([1, 2, 2], 7, 2),
            ([1, 2, 2], 9, 2),
            ([1, 0, 2], 0, 2),
            ([1, 2, 2], 4, 0),
            ([1, usize::MAX, 2], 8, 2),
        ] {
            let result = PackedImages::new(shape, vec![0; bytes], vec![0; labels]);
            assert!(
                matches!(result, Err(DataError::PixelCount { .. })),
                "{shape:?}"
            );
        }
    }

    #[test]
    fn other_channel_counts_are_rejected() {
        for channels in [0, 2, 4] {
            let result = PackedImages::new([channels, 1, 1], vec![0; channels], vec![0]);
            assert!(
                matches!(result, Err(DataError::Preprocessing(_))),
                "{channels}"
            );
        }
    }

    #[test]
    fn images_index_packed_pixels() {
        let pixels = (0..12).collect();
        let images = PackedImages::new([3, 1, 4], pixels, vec![0]).unwrap();
        let image = images.image(0).to_rgb8();
        assert_eq!(image.dimensions(), (4, 1));
        assert_eq!(image.get_pixel(1, 0).0, [1, 5, 9]);
    }
}
