//! Measurements of one image: its border, its content, its colors.

use image::imageops::overlay;
use image::{DynamicImage, Rgba, RgbaImage};

/// Maximum side of an image for measurements; larger images are reduced, which also averages their
/// noise.
const MEASURED_SIDE: usize = 256;
/// Approximate number of pixels to sample for colors.
const COLOR_SAMPLES: usize = 1 << 16;
/// Maximum difference between two levels, 0 to 255, of the same background.
const SAME_LEVEL: u8 = 24;
/// Minimum difference from the background that counts as content, 0 to 255.
const LEAST_DIFFERENCE: f32 = 6.0;
/// Number of standard deviations that background noise does not exceed.
const DEVIATIONS: f32 = 4.0;
/// Ratio of the standard deviation of normal noise to its median absolute deviation.
const DEVIATION_OF_MEDIAN: f32 = 1.4826;

/// A gray image.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sheet {
    /// `[height, width]`.
    pub pixels: Vec<u8>,
    /// `[height, width]`.
    pub side: [usize; 2],
}

/// Statistics of the outermost pixels of an image.
#[derive(Clone, Debug)]
pub(super) struct Border {
    /// Median.
    pub level: u8,
    /// Standard deviation of the pixels near the median.
    pub noise: f32,
    /// Fraction of pixels near the median.
    pub share: f32,
    /// Fraction of dark pixels.
    pub dark: f32,
    /// Fraction of light pixels.
    pub light: f32,
    /// Number of corners of the image near the median, 0 to 4.
    pub corners: usize,
}

/// The part of an image that differs from the background.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content {
    /// First row and end row.
    pub rows: [f32; 2],
    /// First column and end column.
    pub columns: [f32; 2],
    /// Fraction of the content that is darker than the background.
    pub darker: f32,
    /// Difference from the background that a twentieth of the content reaches.
    pub contrast: f32,
}

impl Sheet {
    pub(super) fn new(pixels: Vec<u8>, side: [usize; 2]) -> Self {
        Self { pixels, side }
    }

    pub(super) fn invert(&mut self) {
        self.pixels.iter_mut().for_each(|pixel| *pixel = !*pixel);
    }

    pub(super) fn map(&mut self, levels: &[u8; 256]) {
        let pixels = self.pixels.iter_mut();
        pixels.for_each(|pixel| *pixel = levels[usize::from(*pixel)]);
    }

    /// Returns a reduced version that is fast to measure, and the reduction factor.
    pub(super) fn reduced(&self) -> (Self, f32) {
        let [height, width] = self.side;
        let longest = height.max(width);
        if longest <= MEASURED_SIDE {
            return (self.clone(), 1.0);
        }
        let scale = longest as f32 / MEASURED_SIDE as f32;
        let side = self
            .side
            .map(|side| ((side as f32 / scale).round() as usize).max(1));
        // Means of whole blocks: first row and column of each block.
        let starts = [0, 1].map(|axis| {
            let from = |place: usize| place * self.side[axis] / side[axis];
            (0..=side[axis]).map(from).collect::<Vec<_>>()
        });
        let mut pixels = Vec::with_capacity(side[0] * side[1]);
        for rows in starts[0].windows(2) {
            for columns in starts[1].windows(2) {
                let row = |row: usize| &self.pixels[row * width..][columns[0]..columns[1]];
                let sum: u64 = (rows[0]..rows[1])
                    .flat_map(row)
                    .map(|&pixel| u64::from(pixel))
                    .sum();
                let count = (rows[1] - rows[0]) * (columns[1] - columns[0]);
                pixels.push((sum as f64 / count.max(1) as f64).round() as u8);
            }
        }
        (Self::new(pixels, side), scale)
    }

    /// Returns the outermost pixels.
    pub(super) fn border(&self) -> Vec<u8> {
        let [height, width] = self.side;
        let rows = [0, height.saturating_sub(1)].map(|row| row * width..(row + 1) * width);
        let [first, last] = rows;
        let between =
            (1..height.saturating_sub(1)).flat_map(|row| [row * width, (row + 1) * width - 1]);
        let places = first.chain(between).chain(last);
        places.map(|place| self.pixels[place]).collect()
    }

    /// Returns the median of each corner, with a fourteenth of each side.
    fn corners(&self) -> [u8; 4] {
        let [height, width] = self.side;
        let patch = [height, width].map(|side| side.div_ceil(14));
        [
            [0, 0],
            [0, width - patch[1]],
            [height - patch[0], 0],
            [height - patch[0], width - patch[1]],
        ]
        .map(|[top, left]| {
            let row = |row: usize| &self.pixels[row * width + left..][..patch[1]];
            let mut pixels: Vec<u8> = (top..top + patch[0]).flat_map(row).copied().collect();
            median(&mut pixels)
        })
    }

    /// Finds the pixels that differ from the background `level` by more than `tolerance`; returns
    /// `None` if there are none.
    ///
    /// In a noisy image, rows and columns with few such pixels are ignored.
    pub(super) fn content(&self, level: u8, tolerance: f32) -> Option<Content> {
        let [height, width] = self.side;
        let (mut rows, mut columns) = (vec![0_usize; height], vec![0_usize; width]);
        let mut differences = [0_usize; 256];
        let mut darker = 0;
        for (place, &pixel) in self.pixels.iter().enumerate() {
            let difference = pixel.abs_diff(level);
            if f32::from(difference) > tolerance {
                rows[place / width] += 1;
                columns[place % width] += 1;
                differences[usize::from(difference)] += 1;
                darker += usize::from(pixel < level);
            }
        }
        let least = match tolerance > LEAST_DIFFERENCE {
            true => 2 + height.max(width) / 100,
            false => 1,
        };
        let range = |counts: &[usize]| {
            let first = counts.iter().position(|&count| count >= least)?;
            let last = counts.iter().rposition(|&count| count >= least)?;
            Some([first as f32, (last + 1) as f32])
        };
        let total: usize = differences.iter().sum();
        let mut above = 0;
        let contrast = differences.iter().rposition(|&count| {
            above += count;
            above * 20 >= total
        });
        Some(Content {
            rows: range(&rows)?,
            columns: range(&columns)?,
            darker: darker as f32 / total.max(1) as f32,
            contrast: contrast.unwrap_or(0) as f32,
        })
    }

    /// Returns row and column of the brightness-weighted mean of all pixels.
    pub(super) fn center_of_mass(&self) -> [f32; 2] {
        let [height, width] = self.side;
        let (mut sum, mut rows, mut columns) = (0.0, 0.0, 0.0);
        for (place, &pixel) in self.pixels.iter().enumerate() {
            let weight = f64::from(pixel);
            sum += weight;
            rows += weight * ((place / width) as f64 + 0.5);
            columns += weight * ((place % width) as f64 + 0.5);
        }
        match sum > 0.0 {
            true => [(rows / sum) as f32, (columns / sum) as f32],
            false => [height, width].map(|side| side as f32 / 2.0),
        }
    }
}

impl Border {
    /// Maximum brightness of a dark pixel.
    pub(super) const DARK: u8 = 32;

    pub(super) fn of(sheet: &Sheet) -> Self {
        let mut border = sheet.border();
        let level = median(&mut border);
        let share = |is: &dyn Fn(u8) -> bool| {
            let count = border.iter().filter(|&&pixel| is(pixel)).count();
            count as f32 / border.len().max(1) as f32
        };
        let is_level = |pixel: u8| pixel.abs_diff(level) <= SAME_LEVEL;
        let mut differences: Vec<u8> = border
            .iter()
            .filter(|&&pixel| is_level(pixel))
            .map(|pixel| pixel.abs_diff(level))
            .collect();
        let corners = sheet.corners().into_iter();
        Self {
            level,
            noise: DEVIATION_OF_MEDIAN * f32::from(median(&mut differences)),
            share: share(&is_level),
            dark: share(&|pixel| pixel <= Self::DARK),
            light: share(&|pixel| pixel >= 255 - Self::DARK),
            corners: corners.filter(|&corner| is_level(corner)).count(),
        }
    }

    /// Returns brightness and noise of a dark background, even if an object covers most of the
    /// border.
    pub(super) fn dark_background(&self) -> (u8, f32) {
        match self.level > Self::DARK {
            true => (0, 0.0),
            false => (self.level, self.noise),
        }
    }
}

impl Content {
    /// Returns height and width.
    pub(super) fn size(&self) -> [f32; 2] {
        [self.rows, self.columns].map(|[start, end]| end - start)
    }

    /// Returns row and column of the center.
    pub(super) fn center(&self) -> [f32; 2] {
        [self.rows, self.columns].map(|[start, end]| (start + end) / 2.0)
    }

    /// Scales the content to an image of `side`, `[height, width]`, that is larger by a factor.
    pub(super) fn scaled(mut self, factor: f32, side: [usize; 2]) -> Self {
        for (range, side) in [&mut self.rows, &mut self.columns].into_iter().zip(side) {
            *range = range.map(|place| (place * factor).min(side as f32));
        }
        self
    }
}

/// Returns the maximum difference from a background with the given standard deviation that still
/// counts as background.
pub(super) fn tolerance(noise: f32) -> f32 {
    LEAST_DIFFERENCE + DEVIATIONS * noise
}

/// Returns the lower median; 0 if there are no values.
fn median(values: &mut [u8]) -> u8 {
    let middle = values.len().saturating_sub(1) / 2;
    match values.is_empty() {
        true => 0,
        false => *values.select_nth_unstable(middle).1,
    }
}

/// Returns the chroma (largest channel minus smallest) that a twentieth of the pixels exceed, of
/// the content or of the whole image.
pub(super) fn chroma(image: &DynamicImage, content: Option<&Content>) -> u8 {
    if !image.color().has_color() {
        return 0;
    }
    let rgb = match image {
        DynamicImage::ImageRgb8(image) => std::borrow::Cow::Borrowed(image),
        _ => std::borrow::Cow::Owned(image.to_rgb8()),
    };
    let range = |range: Option<[f32; 2]>, side: u32| match range {
        Some([start, end]) => start as u32..(end.ceil() as u32).min(side),
        None => 0..side,
    };
    let rows = range(content.map(|content| content.rows), rgb.height());
    let columns = range(content.map(|content| content.columns), rgb.width());
    let step = (rows.len() * columns.len() / COLOR_SAMPLES).max(1);
    let mut chromas: Vec<u8> = rows
        .flat_map(|row| columns.clone().map(move |column| (column, row)))
        .step_by(step)
        .map(|(column, row)| rgb.get_pixel(column, row))
        .map(|pixel| {
            let [red, green, blue] = pixel.0;
            red.max(green).max(blue) - red.min(green).min(blue)
        })
        .collect();
    let place = chromas.len().saturating_sub(1) * 19 / 20;
    match chromas.is_empty() {
        true => 0,
        false => *chromas.select_nth_unstable(place).1,
    }
}

/// Fills transparent parts with a background that contrasts with the opaque part: white behind
/// dark, black behind light. Returns `None` if there are no transparent parts.
pub(super) fn filled(image: &DynamicImage) -> Option<DynamicImage> {
    if !image.color().has_alpha() {
        return None;
    }
    let image = image.to_rgba8();
    let (mut opaque, mut sum, mut is_transparent) = (0_u64, 0_u64, false);
    for pixel in image.pixels() {
        let [red, green, blue, alpha] = pixel.0.map(u64::from);
        is_transparent |= alpha < 255;
        opaque += alpha;
        sum += alpha * (red + green + blue) / 3;
    }
    if !is_transparent {
        return None;
    }
    let ground = match sum * 2 > opaque * 255 {
        true => 0,
        false => 255,
    };
    let color = Rgba([ground, ground, ground, 255]);
    let mut filled = RgbaImage::from_pixel(image.width(), image.height(), color);
    overlay(&mut filled, &image, 0, 0);
    Some(DynamicImage::ImageRgba8(filled).to_rgb8().into())
}
