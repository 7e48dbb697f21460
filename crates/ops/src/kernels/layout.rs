//! Conversion from channels-first order, the order of input images and Burn's tensors, to
//! channels-last order.

use std::ops::Range;

use super::parallel::{self, Shared};
use super::shape::Shape;

/// Number of rows to move together: one cache line of the output.
const ROWS: usize = 16;
/// Number of input columns to move before the next rows; keeps the lines of both sides in the
/// cache.
const COLUMNS: usize = 64;
/// Number of rows and columns to move in registers.
const SQUARE: usize = 8;

/// Converts `[batch, channels, height, width]` to `[batch, height, width, channels]`.
///
/// # Panics
///
/// Panics if the lengths of the slices do not match the shape.
pub(crate) fn to_channels_last(input: &[f32], shape: Shape, output: &mut [f32]) {
    assert!(input.len() == shape.values() && output.len() == shape.values());
    if shape.image() == 0 {
        return;
    }
    let output = Shared::new(output);
    parallel::for_each(shape.batch, |image| {
        let values = image * shape.image()..(image + 1) * shape.image();
        let image = Transpose {
            // SAFETY: each image is within the output and taken once.
            output: unsafe { output.part(values.clone()) },
            input: &input[values],
            channels: shape.channels,
        };
        image.run();
    });
}

/// Transposition of one image.
struct Transpose<'a> {
    input: &'a [f32],
    channels: usize,
    output: &'a mut [f32],
}

impl Transpose<'_> {
    fn run(self) {
        match self.channels {
            1 => self.output.copy_from_slice(self.input),
            // The compiler can interleave a fixed number of channels efficiently.
            2 => self.weave::<2>(),
            3 => self.weave::<3>(),
            4 => self.weave::<4>(),
            _ => self.blocks(),
        }
    }

    fn weave<const COUNT: usize>(self) {
        let pixels = self.input.len() / COUNT;
        let mut planes = [&self.input[..pixels]; COUNT];
        for (channel, plane) in planes.iter_mut().enumerate() {
            *plane = &self.input[channel * pixels..(channel + 1) * pixels];
        }
        let outputs = self.output.as_chunks_mut::<COUNT>().0;
        for (pixel, values) in outputs.iter_mut().enumerate() {
            for channel in 0..COUNT {
                values[channel] = planes[channel][pixel];
            }
        }
    }

    fn blocks(self) {
        let pixels = self.input.len() / self.channels;
        let [rows, columns] = [self.channels, pixels];
        for left in (0..columns).step_by(COLUMNS) {
            let right = (left + COLUMNS).min(columns);
            for top in (0..rows).step_by(ROWS) {
                let bottom = (top + ROWS).min(rows);
                transpose(
                    self.input,
                    self.output,
                    [rows, columns],
                    top..bottom,
                    left..right,
                );
            }
        }
    }
}

/// Moves this part of the input `[rows, columns]` to its position in the output `[columns, rows]`.
fn transpose(
    input: &[f32],
    output: &mut [f32],
    [rows, columns]: [usize; 2],
    down: Range<usize>,
    across: Range<usize>,
) {
    let mut left = across.start;
    while left < across.end {
        let width = SQUARE.min(across.end - left);
        let mut top = down.start;
        while top < down.end {
            let height = SQUARE.min(down.end - top);
            if width == SQUARE && height == SQUARE {
                let mut square = [[0.0; SQUARE]; SQUARE];
                for (row, values) in square.iter_mut().enumerate() {
                    let start = (top + row) * columns + left;
                    values.copy_from_slice(&input[start..start + SQUARE]);
                }
                for column in 0..SQUARE {
                    let values = square.map(|row| row[column]);
                    let start = (left + column) * rows + top;
                    output[start..start + SQUARE].copy_from_slice(&values);
                }
            } else {
                for column in left..left + width {
                    for row in top..top + height {
                        output[column * rows + row] = input[row * columns + column];
                    }
                }
            }
            top += height;
        }
        left += width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{CHANNELS, poisoned, random};

    #[test]
    fn layout_conversion_moves_every_value() {
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
                to_channels_last(&input, shape, &mut last);
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
            }
        }
    }
}
