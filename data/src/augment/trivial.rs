//! TrivialAugment: one operation of random strength per image.

use super::tone;
use super::warp::Warp;
use crate::random::Generator;

/// Number of strengths; the first one changes nothing.
const STRENGTHS: usize = 31;

/// An operation of TrivialAugment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Saturation,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    Autocontrast,
    Equalize,
}

const OPERATIONS: [Operation; 14] = [
    Operation::Identity,
    Operation::ShearX,
    Operation::ShearY,
    Operation::TranslateX,
    Operation::TranslateY,
    Operation::Rotate,
    Operation::Brightness,
    Operation::Saturation,
    Operation::Contrast,
    Operation::Sharpness,
    Operation::Posterize,
    Operation::Solarize,
    Operation::Autocontrast,
    Operation::Equalize,
];

// Ends of the ranges of the wide space.
const MOST_SHEAR: f64 = 0.99;
const MOST_PIXELS: f64 = 32.0;
const MOST_DEGREES: f64 = 135.0;
const MOST_TONE: f64 = 0.99;
const LEAST_BITS: f64 = 2.0;

/// Applies TrivialAugment with its wide space of strengths (Müller and Hutter 2021,
/// <https://arxiv.org/abs/2103.10158>) to an image, `[channels, height, width]`.
///
/// Pixels from outside the image get `mean`, with one value per channel, where the paper's code
/// uses black. Rotation and shear are bilinear.
pub(crate) fn trivial_augment(
    pixels: &mut Vec<u8>,
    shape: [usize; 3],
    mean: &[u8],
    generator: &mut Generator,
) {
    let (operation, strength, sign) = draw(generator);
    let strength = strength as f64 / (STRENGTHS - 1) as f64;
    apply(operation, strength, sign, pixels, shape, mean);
}

/// Draws an operation, the index of its strength, and its sign.
fn draw(generator: &mut Generator) -> (Operation, usize, f64) {
    let operation = OPERATIONS[generator.below(OPERATIONS.len())];
    let strength = generator.below(STRENGTHS);
    (
        operation,
        strength,
        if generator.coin() { 1.0 } else { -1.0 },
    )
}

/// Applies an operation with a strength of 0 to 1, in the direction of `sign` if it has two.
fn apply(
    operation: Operation,
    strength: f64,
    sign: f64,
    pixels: &mut Vec<u8>,
    shape: [usize; 3],
    mean: &[u8],
) {
    let channels = shape[0];
    let signed = sign * strength;
    let factor = (1.0 + signed * MOST_TONE) as f32;
    let mut warp = |warp: Warp| *pixels = warp.apply(pixels, shape, mean);
    match operation {
        Operation::Identity => {}
        Operation::ShearX => warp(Warp::shear([signed * MOST_SHEAR, 0.0])),
        Operation::ShearY => warp(Warp::shear([0.0, signed * MOST_SHEAR])),
        Operation::TranslateX => warp(Warp::translation([(signed * MOST_PIXELS).trunc(), 0.0])),
        Operation::TranslateY => warp(Warp::translation([0.0, (signed * MOST_PIXELS).trunc()])),
        Operation::Rotate => warp(Warp::rotation(signed * MOST_DEGREES)),
        Operation::Brightness => tone::brightness(pixels, factor),
        Operation::Saturation => tone::saturation(pixels, channels, factor),
        Operation::Contrast => tone::contrast(pixels, channels, factor),
        Operation::Sharpness => tone::sharpness(pixels, shape, factor),
        Operation::Posterize => {
            let bits = 8.0 - (strength * (8.0 - LEAST_BITS)).round();
            tone::posterize(pixels, bits as u32);
        }
        Operation::Solarize => tone::solarize(pixels, (255.0 * (1.0 - strength)).round() as u16),
        Operation::Autocontrast => tone::autocontrast(pixels, channels),
        Operation::Equalize => tone::equalize(pixels, channels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;
    use std::collections::HashSet;

    fn image([channels, height, width]: [usize; 3]) -> Vec<u8> {
        (0..channels * height * width)
            .map(|place| (place * 7 % 251) as u8)
            .collect()
    }

    #[test]
    fn all_operations_accept_all_sizes_and_strengths() {
        for shape in [
            [1, 1, 1],
            [3, 1, 1],
            [1, 2, 1],
            [3, 1, 5],
            [3, 9, 4],
            [1, 28, 28],
        ] {
            for operation in OPERATIONS {
                for strength in 0..STRENGTHS {
                    for sign in [1.0, -1.0] {
                        let strength = strength as f64 / 30.0;
                        let mut pixels = image(shape);
                        apply(operation, strength, sign, &mut pixels, shape, &[9, 9, 9]);
                        assert_eq!(pixels.len(), shape.iter().product::<usize>());
                    }
                }
            }
        }
    }

    #[test]
    fn zero_strength_changes_nothing() {
        let shape = [3, 8, 8];
        for operation in OPERATIONS {
            let mut pixels = image(shape);
            apply(operation, 0.0, -1.0, &mut pixels, shape, &[9, 9, 9]);
            match operation {
                // These operations have no strength.
                Operation::Autocontrast | Operation::Equalize => {}
                // The threshold is the maximum value, which is still inverted.
                Operation::Solarize => {}
                _ => assert_eq!(pixels, image(shape), "{operation:?}"),
            }
        }
    }

    #[test]
    fn all_operations_strengths_and_signs_are_drawn() {
        let drawn: HashSet<String> = (0..20_000)
            .map(|number| {
                let mut generator = Generator::new(1, Purpose::Trivial, [number, 0]);
                format!("{:?}", draw(&mut generator))
            })
            .collect();
        assert_eq!(drawn.len(), OPERATIONS.len() * STRENGTHS * 2);
    }
}
