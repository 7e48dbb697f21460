//! Resampling with antialiasing, to the bit as `Image.resize` of Pillow 13.0 does it.
//!
//! Pillow resamples one direction after the other and rounds in between. The weights of a pixel are
//! integers with 22 fractional bits. Source: `Resample.c` of Pillow.

use std::ops::Range;

use wide::{i16x8, i32x4};

use crate::resampling::Filter;

/// An interval of one side of an image, in original pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stretch {
    pub start: f64,
    pub length: f64,
}

/// How the pixels of one side are made: `from` becomes `pixels` pixels, of which `kept` are computed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    pub from: Stretch,
    pub pixels: usize,
    pub kept: Range<usize>,
}

impl Axis {
    /// Returns an axis that keeps all of its pixels.
    pub(crate) fn whole(from: Stretch, pixels: usize) -> Self {
        let kept = 0..pixels;
        Self { from, pixels, kept }
    }
}

/// Resamples packed `pixels`, `[height, width, CHANNELS]`, where `size` is `[height, width]`.
///
/// `axes` are those of the rows and the columns, within the image and not empty. Returns
/// `[rows, columns, CHANNELS]`.
pub(crate) fn resize<const CHANNELS: usize>(
    pixels: &[u8],
    size: [usize; 2],
    axes: &[Axis; 2],
    filter: Filter,
) -> Vec<u8> {
    let [rows, columns] = [0, 1].map(|side| Taps::new(&axes[side], size[side], filter));
    let shrink = [0, 1].map(|side| size[side] as isize - axes[side].pixels as isize);
    let is_tall = shrink[0] > 0 && shrink[0] > 2 * shrink[1];
    let source = columns.source();
    let used = columns.first.len() * CHANNELS;
    let mut samples = line(source.len() * CHANNELS);
    let mut resized = line(used);
    let width = if is_tall {
        samples.len()
    } else {
        resized.len()
    };
    let mut sums = rows
        .sums
        .iter()
        .flat_map(|&sum| vec![i32x4::splat(sum); width])
        .collect::<Vec<_>>();
    let mut outputs = 0..0;
    for row in rows.source() {
        let from = (row * size[1] + source.start) * CHANNELS;
        let values = &pixels[from..][..source.len() * CHANNELS];
        for (sample, &value) in samples.as_flattened_mut().iter_mut().zip(values) {
            *sample = centered(value);
        }
        let line = if is_tall {
            &samples
        } else {
            columns.resize_line::<CHANNELS>(&samples, &mut resized);
            &resized
        };
        outputs = rows.outputs_of(row, outputs);
        for output in outputs.clone() {
            let weight = rows.weights_of(output)[row - rows.first[output]];
            let sums = &mut sums[output * width..][..width];
            for (sum, samples) in sums.iter_mut().zip(line) {
                *sum += product(samples, weight);
            }
        }
    }
    let mut result = Vec::with_capacity(rows.first.len() * used);
    for sums in sums.chunks_exact(width) {
        let line = if is_tall {
            for (samples, &sum) in samples.iter_mut().zip(sums) {
                *samples = rounded(sum);
            }
            columns.resize_line::<CHANNELS>(&samples, &mut resized);
            &resized
        } else {
            for (samples, &sum) in resized.iter_mut().zip(sums) {
                *samples = rounded(sum);
            }
            &resized
        };
        let values = line.as_flattened()[..used].iter();
        result.extend(values.map(|sample| ((sample >> 16) + 128) as u8));
    }
    result
}

/// Samples of a row, [`LANES`] at a time.
type Line = Vec<[Sample; LANES]>;

/// Returns a line for `samples` samples, which may be read and written [`LANES`] at a time.
fn line(samples: usize) -> Line {
    vec![[0; LANES]; (samples + LANES - 1).div_ceil(LANES)]
}

/// Number of fractional bits of a weight.
const BITS: u32 = 22;

/// Number of samples that are summed at once.
const LANES: usize = 4;

/// A sample minus 128: times 256 in the lower 16 bits, as it is in the upper ones.
///
/// The sum of both products with a [`Weight`] is that of 8 and 24 bits, although a CPU multiplies 16
/// bits at once.
type Sample = i32;

/// A weight divided by 256 in the lower 16 bits, the remainder in the upper ones.
type Weight = i32;

fn pair(lower: i32, upper: i32) -> i32 {
    lower & 0xffff | upper << 16
}

fn centered(value: u8) -> Sample {
    let value = i32::from(value) - 128;
    pair(value << 8, value)
}

fn product(samples: &[Sample; LANES], weight: Weight) -> i32x4 {
    let samples: i16x8 = bytemuck::cast(i32x4::new(*samples));
    samples.dot(bytemuck::cast(i32x4::splat(weight)))
}

/// Rounds sums with [`BITS`] fractional bits and half a unit added.
fn rounded(sum: i32x4) -> [Sample; LANES] {
    let whole: i32x4 = sum >> BITS as i32;
    let value = whole.max(i32x4::ZERO).min(i32x4::splat(255)) - i32x4::splat(128);
    let (lower, upper): (i32x4, i32x4) = (value << 8, value << 16);
    (lower & i32x4::splat(0xffff) | upper).to_array()
}

/// The original pixels that each pixel of one side is the weighted sum of.
struct Taps {
    /// The first original pixel of each.
    first: Vec<usize>,
    /// What each sum starts with: half a unit, and what [`centered`] takes off.
    sums: Vec<i32>,
    /// `count` weights of each, zero from the last pixel on.
    weights: Vec<Weight>,
    count: usize,
    side: usize,
}

impl Taps {
    fn new(axis: &Axis, side: usize, filter: Filter) -> Self {
        let scale = axis.from.length / axis.pixels as f64;
        let filter_scale = scale.max(1.0);
        let support = filter.support() * filter_scale;
        let windows = axis.kept.clone().map(|pixel| {
            let center = axis.from.start + (pixel as f64 + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(side);
            (center, first..end)
        });
        let windows: Vec<_> = windows.collect();
        let count = windows.iter().map(|(_, window)| window.len()).max();
        let count = count.unwrap_or_default();
        let mut sums = Vec::with_capacity(windows.len());
        let mut weights = vec![0; windows.len() * count];
        let mut values = Vec::with_capacity(count);
        for ((center, window), weights) in windows.iter().zip(weights.chunks_exact_mut(count)) {
            let inverse = 1.0 / filter_scale;
            values.clear();
            values.extend(
                window
                    .clone()
                    .map(|pixel| filter.weight((pixel as f64 - center + 0.5) * inverse)),
            );
            let total: f64 = values.iter().sum();
            let mut sum = 0;
            for (weight, value) in weights.iter_mut().zip(&values) {
                let fixed = (value / total * f64::from(1 << BITS)).round() as i32;
                sum += fixed;
                *weight = pair(fixed >> 8, fixed & 255);
            }
            sums.push((1 << (BITS - 1)) + 128 * sum);
        }
        Self {
            first: windows
                .into_iter()
                .map(|(_, window)| window.start)
                .collect(),
            sums,
            weights,
            count,
            side,
        }
    }

    /// Resamples a row of original pixels, of which the first is the first of [`Taps::source`].
    fn resize_line<const CHANNELS: usize>(&self, samples: &Line, resized: &mut Line) {
        let start = self.source().start;
        let samples = samples.as_flattened();
        let resized = resized.as_flattened_mut();
        for (output, (&first, &sum)) in self.first.iter().zip(&self.sums).enumerate() {
            let taps = samples[(first - start) * CHANNELS..].windows(LANES);
            let taps = taps.step_by(CHANNELS).filter_map(<[_]>::first_chunk);
            let mut sum = i32x4::splat(sum);
            for (samples, &weight) in taps.zip(self.weights_of(output)) {
                sum += product(samples, weight);
            }
            // The lanes beyond the channels are overwritten by the next pixel.
            resized[output * CHANNELS..][..LANES].copy_from_slice(&rounded(sum));
        }
    }

    /// Returns the original pixels that any of the pixels needs.
    fn source(&self) -> Range<usize> {
        let first = self.first.first().copied().unwrap_or_default();
        let last = self.first.last().copied().unwrap_or_default();
        first..(last + self.count).min(self.side)
    }

    fn weights_of(&self, output: usize) -> &[Weight] {
        &self.weights[output * self.count..][..self.count]
    }

    /// Returns the pixels that need the original pixel `from`, given those of the one before it.
    fn outputs_of(&self, from: usize, before: Range<usize>) -> Range<usize> {
        let Range { mut start, mut end } = before;
        while self.first.get(end).is_some_and(|&first| first <= from) {
            end += 1;
        }
        while start < end && self.first[start] + self.count <= from {
            start += 1;
        }
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One row of pixels as a plain sum of products.
    fn plain(pixels: &[u8], axis: &Axis, filter: Filter) -> Vec<u8> {
        let taps = Taps::new(axis, pixels.len(), filter);
        let value = |output: usize| {
            let weights = taps.weights_of(output).iter();
            let products = weights.zip(&pixels[taps.first[output]..]);
            let weight = |pair: Weight| 256 * i64::from(pair as i16) + i64::from(pair >> 16);
            let sum: i64 = products.map(|(&w, &v)| weight(w) * i64::from(v)).sum();
            ((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
        };
        (0..taps.first.len()).map(value).collect()
    }

    fn filters() -> impl Strategy<Value = Filter> {
        prop::sample::select(vec![
            Filter::Bilinear,
            Filter::Bicubic,
            Filter::Lanczos,
            Filter::Box,
            Filter::Hamming,
        ])
    }

    proptest! {
        #[test]
        fn sums_are_exact(
            pixels in prop::collection::vec(any::<u8>(), 1..60),
            wanted in 1_usize..60,
            cut in 0.0..0.9,
            filter in filters(),
        ) {
            let side = pixels.len();
            let length = side as f64 * (1.0 - cut);
            let start = (side as f64 - length) / 2.0;
            let mut axis = Axis::whole(Stretch { start, length }, wanted);
            axis.kept = wanted / 3..wanted;
            let alone = Axis::whole(Stretch { start: 0.0, length: 1.0 }, 1);
            let expected = plain(&pixels, &axis, filter);
            let across = [alone.clone(), axis.clone()];
            let along = [axis, alone];
            prop_assert_eq!(&resize::<1>(&pixels, [1, side], &across, filter), &expected);
            prop_assert_eq!(&resize::<1>(&pixels, [side, 1], &along, filter), &expected);
            // Three equal channels.
            let gray: Vec<u8> = pixels.iter().flat_map(|&pixel| [pixel; 3]).collect();
            let tripled: Vec<u8> = expected.iter().flat_map(|&pixel| [pixel; 3]).collect();
            prop_assert_eq!(&resize::<3>(&gray, [1, side], &across, filter), &tripled);
            prop_assert_eq!(&resize::<3>(&gray, [side, 1], &along, filter), &tripled);
        }

        #[test]
        fn the_same_size_is_a_copy(
            pixels in prop::collection::vec(any::<u8>(), 12..13),
            filter in filters(),
        ) {
            let axes = [2_usize, 6].map(|side| {
                let length = side as f64;
                Axis::whole(Stretch { start: 0.0, length }, side)
            });
            let copy = resize::<1>(&pixels, [2, 6], &axes, filter);
            prop_assert_eq!(copy, pixels);
        }
    }
}
