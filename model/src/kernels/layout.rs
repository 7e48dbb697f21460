//! From channels-first order, in which images come and Burn's tensors lie, to channels-last order
//! and back.

use super::parallel::{self, Shared};
use super::shape::Shape;
use super::simd::{Kernel, Level, Simd};

/// Pixels that are moved before the next channels: their lines of both sides stay in the cache.
const PIXELS: usize = 64;
/// Channels that are moved together: a line of the cache.
const CHANNELS: usize = 16;

/// `[batch, channels, height, width]` to `[batch, height, width, channels]`.
///
/// # Panics
///
/// If the slices are not as long as the shape says.
pub(crate) fn to_channels_last(level: Level, input: &[f32], shape: Shape, output: &mut [f32]) {
    run::<true>(level, input, shape, output);
}

/// `[batch, height, width, channels]` to `[batch, channels, height, width]`.
///
/// # Panics
///
/// If the slices are not as long as the shape says.
pub(crate) fn to_channels_first(level: Level, input: &[f32], shape: Shape, output: &mut [f32]) {
    run::<false>(level, input, shape, output);
}

fn run<const LAST: bool>(level: Level, input: &[f32], shape: Shape, output: &mut [f32]) {
    assert!(input.len() == shape.values() && output.len() == shape.values());
    if shape.image() == 0 {
        return;
    }
    let output = Shared::new(output);
    parallel::for_each(shape.batch, |image| {
        let values = image * shape.image()..(image + 1) * shape.image();
        level.run(Transpose::<LAST> {
            // SAFETY: each image is within the output and taken once.
            output: unsafe { output.part(values.clone()) },
            input: &input[values],
            channels: shape.channels,
        });
    });
}

/// One image. `LAST` is where the channels go to.
struct Transpose<'a, const LAST: bool> {
    input: &'a [f32],
    channels: usize,
    output: &'a mut [f32],
}

impl<const LAST: bool> Kernel for Transpose<'_, LAST> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        match self.channels {
            1 => self.output.copy_from_slice(self.input),
            // The compiler knows how to weave a fixed number of channels.
            2 => self.weave::<2>(),
            3 => self.weave::<3>(),
            4 => self.weave::<4>(),
            _ => self.blocks(),
        }
    }
}

impl<const LAST: bool> Transpose<'_, LAST> {
    #[inline(always)]
    fn weave<const COUNT: usize>(self) {
        let pixels = self.input.len() / COUNT;
        if LAST {
            let mut planes = [&self.input[..pixels]; COUNT];
            for (channel, plane) in planes.iter_mut().enumerate() {
                *plane = &self.input[channel * pixels..(channel + 1) * pixels];
            }
            for (pixel, values) in self
                .output
                .as_chunks_mut::<COUNT>()
                .0
                .iter_mut()
                .enumerate()
            {
                for channel in 0..COUNT {
                    values[channel] = planes[channel][pixel];
                }
            }
        } else {
            let values = self.input.as_chunks::<COUNT>().0;
            for (channel, plane) in self.output.chunks_exact_mut(pixels).enumerate() {
                for (value, values) in plane.iter_mut().zip(values) {
                    *value = values[channel];
                }
            }
        }
    }

    #[inline(always)]
    fn blocks(self) {
        let channels = self.channels;
        let pixels = self.input.len() / channels;
        for first_pixel in (0..pixels).step_by(PIXELS) {
            let last_pixel = (first_pixel + PIXELS).min(pixels);
            for first_channel in (0..channels).step_by(CHANNELS) {
                let last_channel = (first_channel + CHANNELS).min(channels);
                // Along what is written: a line that is written in parts is moved more often.
                if LAST {
                    for pixel in first_pixel..last_pixel {
                        for channel in first_channel..last_channel {
                            self.output[pixel * channels + channel] =
                                self.input[channel * pixels + pixel];
                        }
                    }
                } else {
                    for channel in first_channel..last_channel {
                        for pixel in first_pixel..last_pixel {
                            self.output[channel * pixels + pixel] =
                                self.input[pixel * channels + channel];
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{CHANNELS, poisoned, random};

    #[test]
    fn every_value_finds_its_place_and_the_way_back() {
        for level in Level::available() {
            for channels in [2, 4].into_iter().chain(CHANNELS) {
                for (batch, height, width) in [(0, 2, 2), (1, 1, 1), (3, 7, 7), (2, 9, 30)] {
                    let shape = Shape {
                        batch,
                        height,
                        width,
                        channels,
                    };
                    let pixels = height * width;
                    let input = random(1, shape.values());
                    let mut last = poisoned(shape.values());
                    to_channels_last(level, &input, shape, &mut last);
                    for image in 0..batch {
                        for channel in 0..channels {
                            for pixel in 0..pixels {
                                assert_eq!(
                                    last[(image * pixels + pixel) * channels + channel],
                                    input[(image * channels + channel) * pixels + pixel]
                                );
                            }
                        }
                    }
                    let mut first = poisoned(shape.values());
                    to_channels_first(level, &last, shape, &mut first);
                    assert_eq!(first, input);
                }
            }
        }
    }
}
