//! Conversion of a decoded frame to an image.

use image::{DynamicImage, GrayImage, RgbImage};

use super::BLOCK;
use super::SIDE;
use super::color::{ColorHints, Colors};
use super::frame::{Component, Frame};
use super::transform::inverse_transform;
use super::upsample::Upsampler;
use crate::decode::DecodeError;

/// Returns the image of a frame, gray or RGB.
pub(super) fn image(mut frame: Frame, hints: &ColorHints) -> Result<DynamicImage, DecodeError> {
    frame.components.iter_mut().for_each(transform);
    let (width, height) = (frame.width as u32, frame.height as u32);
    let colors = Colors::of(&frame, hints);
    let image = if colors == Colors::Gray {
        let component = &frame.components[0];
        let rows = (0..frame.height).map(|row| component.row(row as isize));
        GrayImage::from_raw(width, height, rows.flatten().copied().collect()).map(Into::into)
    } else {
        RgbImage::from_raw(width, height, interleave(&frame, colors)).map(Into::into)
    };
    image.ok_or(DecodeError::Damaged("its JPEG frame header is damaged"))
}

/// Converts a progressive component's coefficients to samples.
fn transform(component: &mut Component) {
    if component.coefficients.is_empty() {
        return;
    }
    let coefficients = std::mem::take(&mut component.coefficients);
    component.samples = vec![128; coefficients.len() * BLOCK];
    let Some(quantization) = component.quantization else {
        return;
    };
    let stride = component.stride();
    let rows = coefficients.chunks(component.padded[1]);
    for (samples, row) in component.samples.chunks_mut(stride * SIDE).zip(rows) {
        for (column, block) in row.iter().enumerate() {
            let mut block = *block;
            for (coefficient, factor) in block.iter_mut().zip(quantization) {
                *coefficient = coefficient.wrapping_mul(factor as i16);
            }
            inverse_transform(&block, &mut samples[column * SIDE..], stride);
        }
    }
}

fn interleave(frame: &Frame, colors: Colors) -> Vec<u8> {
    let mut pixels = vec![[0; 3]; frame.width * frame.height];
    let upsampler = |component| Upsampler::new(frame, component);
    let mut upsamplers: Vec<_> = frame.components.iter().map(upsampler).collect();
    for (row, pixels) in pixels.chunks_exact_mut(frame.width).enumerate() {
        let rows: Vec<_> = upsamplers.iter_mut().map(|one| one.row(row)).collect();
        colors.convert(&rows, pixels);
    }
    pixels.into_flattened()
}
