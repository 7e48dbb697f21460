//! Conversion of images to model input; stored with the model.

use image::DynamicImage;
use serde::{Deserialize, Serialize};

use crate::convert::{Target, planes};
use crate::resampling::Resampling;

/// Maximum side of prepared images in pixels.
pub const MAX_SIDE: usize = 4096;

/// Conversion of an image to model input: the same steps for training and for prediction.
///
/// 1. Convert to gray (1 channel, ITU-R BT.601 weights) or RGB (3 channels). An alpha channel is
///    dropped, not blended, as Pillow's `convert` does; 16-bit values are rounded to 8 bits.
/// 2. Resize so that the shorter side has `resize` pixels (bilinear with antialiasing, as Pillow
///    and torchvision resize images), or as its [`Resampling`] says.
/// 3. Crop `[height, width]` from the center.
/// 4. Divide by 255, subtract `mean`, divide by `std`, per channel.
///
/// An image that already has the right size is not resampled. Deserialization validates the values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Preprocessing {
    channels: usize,
    height: usize,
    width: usize,
    resize: usize,
    mean: Vec<f32>,
    std: Vec<f32>,
    #[serde(skip_serializing_if = "Resampling::is_usual")]
    resampling: Resampling,
}

impl Preprocessing {
    /// Creates preprocessing to `shape`, `[channels, height, width]`, from images resized to
    /// `resize` pixels on the shorter side, with one mean and one standard deviation per channel in
    /// units of full brightness (0 to 1).
    ///
    /// # Errors
    /// [`PreprocessingError`] if `channels` is not 1 or 3, a side is not 1 to [`MAX_SIDE`],
    /// `resize` is smaller than a side, the number of statistics differs from the number of
    /// channels, a value is not finite, or a value of `std` is not above 0.
    ///
    /// ```
    /// use data::Preprocessing;
    ///
    /// let imagenet = Preprocessing::new(
    ///     [3, 224, 224],
    ///     256,
    ///     vec![0.485, 0.456, 0.406],
    ///     vec![0.229, 0.224, 0.225],
    /// )?;
    /// assert_eq!(imagenet.shape(), [3, 224, 224]);
    /// # Ok::<(), data::PreprocessingError>(())
    /// ```
    pub fn new(
        shape: [usize; 3],
        resize: usize,
        mean: Vec<f32>,
        std: Vec<f32>,
    ) -> Result<Self, PreprocessingError> {
        let [channels, height, width] = shape;
        if channels != 1 && channels != 3 {
            return Err(PreprocessingError::Channels { found: channels });
        }
        for side in [height, width, resize] {
            if !(1..=MAX_SIDE).contains(&side) {
                return Err(PreprocessingError::Side { found: side });
            }
        }
        if resize < height.max(width) {
            return Err(PreprocessingError::Resize {
                resize,
                height,
                width,
            });
        }
        for (name, values) in [("mean", &mean), ("std", &std)] {
            if values.len() != channels {
                return Err(PreprocessingError::StatisticsLength {
                    name,
                    found: values.len(),
                    channels,
                });
            }
        }
        let usable = mean.iter().all(|mean| mean.is_finite())
            && std.iter().all(|std| std.is_finite() && *std > 0.0);
        if !usable {
            return Err(PreprocessingError::Statistics { mean, std });
        }
        Ok(Self {
            channels,
            height,
            width,
            resize,
            mean,
            std,
            resampling: Resampling::default(),
        })
    }

    /// Sets how images are resized.
    ///
    /// # Errors
    /// [`PreprocessingError`] if a side of `stretch` is smaller than the crop or larger than
    /// [`MAX_SIDE`].
    pub fn with_resampling(mut self, resampling: Resampling) -> Result<Self, PreprocessingError> {
        let sides = resampling.stretch.into_iter().flatten();
        for (resize, side) in sides.zip([self.height, self.width]) {
            if resize > MAX_SIDE {
                return Err(PreprocessingError::Side { found: resize });
            }
            if resize < side {
                return Err(PreprocessingError::Resize {
                    resize,
                    height: self.height,
                    width: self.width,
                });
            }
        }
        self.resampling = resampling;
        Ok(self)
    }

    /// Returns how images are resized.
    pub fn resampling(&self) -> Resampling {
        self.resampling
    }

    /// Returns the `[channels, height, width]` of a prepared image.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// Returns the number of channels of a prepared image: 1 (gray) or 3 (RGB).
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Returns the height of a prepared image in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the width of a prepared image in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the length of the shorter side before the crop, in pixels.
    pub fn resize(&self) -> usize {
        self.resize
    }

    /// Returns the mean of each channel, in units of full brightness (0 to 1).
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// Returns the standard deviation of each channel, in units of full brightness (0 to 1).
    pub fn std(&self) -> &[f32] {
        &self.std
    }

    /// Sets mean 0 and standard deviation 1, so that step 4 returns values from 0 to 1.
    #[must_use]
    pub fn without_statistics(mut self) -> Self {
        self.mean.fill(0.0);
        self.std.fill(1.0);
        self
    }

    /// Runs steps 1 to 3: converts, resizes and crops an image to `[channels, height, width]`
    /// bytes.
    ///
    /// # Errors
    /// [`PreprocessingError::EmptyImage`] if the image has no pixels.
    pub fn prepare_bytes(&self, image: &DynamicImage) -> Result<Vec<u8>, PreprocessingError> {
        if image.width() == 0 || image.height() == 0 {
            return Err(PreprocessingError::EmptyImage);
        }
        let target = Target {
            channels: self.channels,
            height: self.height,
            width: self.width,
            resize: self.resize,
            resampling: self.resampling,
        };
        Ok(planes(image, &target))
    }

    /// Runs step 4: normalizes `[channels, height, width]` bytes to about mean 0 and standard
    /// deviation 1.
    ///
    /// `pixels` may hold any number of whole images, one after the other.
    pub fn normalize(&self, pixels: &[u8]) -> Vec<f32> {
        let mut normalized = Vec::with_capacity(pixels.len());
        self.normalize_into(pixels, &mut normalized);
        normalized
    }

    /// Like [`Preprocessing::normalize`], but appends to `normalized`.
    pub fn normalize_into(&self, pixels: &[u8], normalized: &mut Vec<f32>) {
        for (plane, (factor, term)) in self.planes(pixels).zip(self.scaling().cycle()) {
            normalized.extend(plane.iter().map(|&pixel| f32::from(pixel) * factor + term));
        }
    }

    /// Appends the normalized, weighted sum of two images: the first times `share`, the second
    /// times `1 - share`.
    pub(crate) fn normalize_sum_into(
        &self,
        [first, second]: [&[u8]; 2],
        share: f32,
        normalized: &mut Vec<f32>,
    ) {
        let planes = self.planes(first).zip(self.planes(second));
        for ((first, second), (factor, term)) in planes.zip(self.scaling().cycle()) {
            let factors = [share * factor, (1.0 - share) * factor];
            let sum = |(&first, &second)| {
                f32::from(first) * factors[0] + f32::from(second) * factors[1] + term
            };
            normalized.extend(first.iter().zip(second).map(sum));
        }
    }

    fn planes<'a>(&self, pixels: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        pixels.chunks(self.height * self.width)
    }

    /// Returns the factor and the offset for each channel's bytes.
    fn scaling(&self) -> impl Iterator<Item = (f32, f32)> + Clone {
        let scaling = |(&mean, &std): (&f32, &f32)| {
            // Computed in double precision, so that only the result is rounded.
            let (mean, std) = (f64::from(mean), f64::from(std));
            ((1.0 / (255.0 * std)) as f32, (-mean / std) as f32)
        };
        self.mean.iter().zip(&self.std).map(scaling)
    }
}

/// Serialized form of [`Preprocessing`], not yet validated.
#[derive(Deserialize)]
#[serde(rename = "Preprocessing", deny_unknown_fields)]
struct Fields {
    channels: usize,
    height: usize,
    width: usize,
    resize: usize,
    mean: Vec<f32>,
    std: Vec<f32>,
    #[serde(default)]
    resampling: Resampling,
}

impl TryFrom<Fields> for Preprocessing {
    type Error = PreprocessingError;

    fn try_from(fields: Fields) -> Result<Self, PreprocessingError> {
        let shape = [fields.channels, fields.height, fields.width];
        Self::new(shape, fields.resize, fields.mean, fields.std)?.with_resampling(fields.resampling)
    }
}

/// The error type for invalid preprocessing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreprocessingError {
    /// The number of channels is neither 1 (gray) nor 3 (RGB).
    #[error("preprocessing has {found} channels, but must have 1 (gray) or 3 (RGB)")]
    Channels {
        /// Number of channels given.
        found: usize,
    },

    /// A side is out of range.
    #[error("the image size is {found} pixels, but must be 1 to {MAX_SIDE}")]
    Side {
        /// Side given.
        found: usize,
    },

    /// The resized image is smaller than the crop.
    #[error(
        "the shorter side is resized to {resize} pixels, but must be at least {} for a crop of \
         {height}x{width}",
        height.max(width)
    )]
    Resize {
        /// Length of the shorter side.
        resize: usize,
        /// Height of the crop.
        height: usize,
        /// Width of the crop.
        width: usize,
    },

    /// The number of means or standard deviations differs from the number of channels.
    #[error(
        "preprocessing has {found} values of `{name}`, but must have {channels}, one per channel"
    )]
    StatisticsLength {
        /// `mean` or `std`.
        name: &'static str,
        /// Number of values given.
        found: usize,
        /// Number of channels.
        channels: usize,
    },

    /// A mean is not finite, or a standard deviation is not a valid divisor.
    #[error(
        "preprocessing has mean {mean:?} and std {std:?}, but they must be finite, and std above 0"
    )]
    Statistics {
        /// Means given.
        mean: Vec<f32>,
        /// Standard deviations given.
        std: Vec<f32>,
    },

    /// The image has no pixels.
    #[error("the image has no pixels")]
    EmptyImage,
}

#[cfg(test)]
mod tests;
