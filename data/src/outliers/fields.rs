//! Outliers defined by a value at every pixel: noise, gradients, gratings.

use std::f32::consts::TAU;

use super::{Image, color, two_colors};
use crate::random::Generator;

/// Maximum number of octaves of fractal noise.
const OCTAVES: usize = 7;

/// Draws unstructured noise, of any brightness or of two colors.
pub(super) fn white(image: &mut Image, generator: &mut Generator) {
    let [channels, height, width] = image.shape;
    if generator.coin() {
        let [low, high] = [generator.between([0.0, 0.5]), generator.between([0.5, 1.0])];
        let values = image.values.iter_mut();
        values.for_each(|value| *value = generator.between([low, high]) as f32);
        return;
    }
    let bright = generator.between([0.05, 0.95]);
    let field: Vec<f32> = (0..height * width)
        .map(|_| f32::from(u8::from(generator.unit() < bright)))
        .collect();
    image.put_field(&field, two_colors(channels, generator));
}

/// Draws smooth noise at several scales, similar to clouds, fur and landscapes.
pub(super) fn fractal(image: &mut Image, generator: &mut Generator) {
    let [channels, height, width] = image.shape;
    let side = height.max(width);
    let persistence = generator.between([0.3, 0.9]) as f32;
    let mut cells = 1 + generator.below(4);
    let mut amplitude = 1.0;
    let mut field = vec![0.0; height * width];
    for _ in 0..OCTAVES {
        add_noise(&mut field, width, side, cells, amplitude, generator);
        cells *= 2;
        amplitude *= persistence;
        if cells >= side {
            break;
        }
    }
    stretch(&mut field);
    image.put_field(&field, two_colors(channels, generator));
}

/// Adds a smoothly interpolated grid of random values, with `cells` along the longer side.
fn add_noise(
    field: &mut [f32],
    width: usize,
    side: usize,
    cells: usize,
    amplitude: f32,
    generator: &mut Generator,
) {
    let columns = cells + 2;
    let grid: Vec<f32> = (0..columns * columns)
        .map(|_| generator.unit() as f32)
        .collect();
    let place = |pixel: usize| {
        let at = (pixel as f32 + 0.5) / side as f32 * cells as f32;
        let share = at.fract();
        (at as usize, share * share * (3.0 - 2.0 * share))
    };
    for (row, values) in field.chunks_exact_mut(width).enumerate() {
        let (top, down) = place(row);
        for (column, value) in values.iter_mut().enumerate() {
            let (left, right) = place(column);
            let at = |row, column| grid[(top + row) * columns + left + column];
            let upper = at(0, 0) + (at(0, 1) - at(0, 0)) * right;
            let lower = at(1, 0) + (at(1, 1) - at(1, 0)) * right;
            *value += amplitude * (upper + (lower - upper) * down);
        }
    }
}

/// Draws a gradient between two colors, linear or radial; sometimes nearly plain.
pub(super) fn gradient(image: &mut Image, generator: &mut Generator) {
    let [channels, height, width] = image.shape;
    let center = [generator.unit() as f32, generator.unit() as f32];
    let [sine, cosine] = direction(generator);
    let round = generator.coin();
    let mut field = field(height, width, |[y, x]| {
        let [y, x] = [y - center[0], x - center[1]];
        match round {
            true => y.hypot(x),
            false => y * sine + x * cosine,
        }
    });
    stretch(&mut field);
    let colors = match generator.below(3) {
        0 => {
            let color = color(channels, generator);
            [color.clone(), color]
        }
        _ => two_colors(channels, generator),
    };
    image.put_field(&field, colors);
}

/// Draws waves or stripes in one direction, or two crossed ones.
pub(super) fn grating(image: &mut Image, generator: &mut Generator) {
    let [channels, height, width] = image.shape;
    let highest = (height.max(width) as f64 / 3.0).max(2.0);
    let mut wave = || {
        let frequency = generator.between([1.0, highest]) as f32;
        (
            direction(generator),
            frequency,
            TAU * generator.unit() as f32,
        )
    };
    let waves = [wave(), wave()];
    let (crossed, sharp) = (generator.coin(), generator.coin());
    let field = field(height, width, |[y, x]| {
        let [first, second] = waves.map(|([sine, cosine], frequency, phase)| {
            (TAU * frequency * (y * sine + x * cosine) + phase).sin()
        });
        let value = if crossed { first * second } else { first };
        match sharp {
            true => f32::from(u8::from(value > 0.0)),
            false => 0.5 + 0.5 * value,
        }
    });
    image.put_field(&field, two_colors(channels, generator));
}

/// Returns the sine and cosine of a random angle.
pub(super) fn direction(generator: &mut Generator) -> [f32; 2] {
    let (sine, cosine) = (TAU * generator.unit() as f32).sin_cos();
    [sine, cosine]
}

/// Evaluates a function at every pixel center, with coordinates of 0 to 1 along the longer side.
fn field(height: usize, width: usize, value: impl Fn([f32; 2]) -> f32) -> Vec<f32> {
    let side = height.max(width) as f32;
    let center = |pixel: usize| (pixel as f32 + 0.5) / side;
    (0..height * width)
        .map(|pixel| value([center(pixel / width), center(pixel % width)]))
        .collect()
}

/// Rescales the values linearly to 0 to 1.
fn stretch(field: &mut [f32]) {
    let low = field.iter().copied().fold(f32::INFINITY, f32::min);
    let high = field.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let range = (high - low).max(f32::EPSILON);
    field
        .iter_mut()
        .for_each(|value| *value = (*value - low) / range);
}
