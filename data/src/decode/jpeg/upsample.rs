//! Upsampling of color components to the image's resolution.
//!
//! A component of half the resolution is interpolated: a new sample is 3/4 of the nearest sample
//! plus 1/4 of the next nearest, along each side. Halves are rounded up and down alternately. For
//! other ratios, samples are repeated.

use super::frame::{Component, Frame};

/// Upsampling method of a component.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stretch {
    /// Already at full resolution.
    None,
    /// Interpolated to twice the width.
    Wider,
    /// Interpolated to twice the height.
    Taller,
    /// Interpolated to twice the width and height.
    Both,
    /// Samples repeated along `[height, width]`.
    Repeat([usize; 2]),
}

/// Returns a component's rows at the image's resolution.
pub(super) struct Upsampler<'a> {
    component: &'a Component,
    stretch: Stretch,
    row: Vec<u8>,
    sums: Vec<u16>,
}

impl<'a> Upsampler<'a> {
    pub(super) fn new(frame: &Frame, component: &'a Component) -> Self {
        let ratio = [0, 1].map(|axis| frame.sampling[axis] / component.sampling[axis]);
        // Too narrow to have a sample between two others.
        let is_narrow = component.size[1] <= 2;
        let stretch = match ratio {
            [1, 1] => Stretch::None,
            [2, 1] => Stretch::Taller,
            [1, 2] if !is_narrow => Stretch::Wider,
            [2, 2] if !is_narrow => Stretch::Both,
            ratio => Stretch::Repeat(ratio),
        };
        let (row, sums) = match stretch {
            Stretch::None => (0, 0),
            Stretch::Both => (2 * component.size[1], component.size[1]),
            _ => (ratio[1] * component.size[1], 0),
        };
        Self {
            component,
            stretch,
            row: vec![0; row],
            sums: vec![0; sums],
        }
    }

    /// Returns a row of the image, possibly with extra samples at the end.
    pub(super) fn row(&mut self, row: usize) -> &[u8] {
        let component = self.component;
        // At half resolution: the nearest row and the next nearest one.
        let nearest = (row / 2) as isize;
        let next = if row.is_multiple_of(2) {
            nearest - 1
        } else {
            nearest + 1
        };
        match self.stretch {
            Stretch::None => return component.row(row as isize),
            Stretch::Wider => widen(component.row(row as isize), &mut self.row),
            Stretch::Taller => {
                let rows = component.row(nearest).iter().zip(component.row(next));
                let half = if row.is_multiple_of(2) { 1 } else { 2 };
                for (to, (&nearest, &next)) in self.row.iter_mut().zip(rows) {
                    *to = ((3 * u16::from(nearest) + u16::from(next) + half) >> 2) as u8;
                }
            }
            Stretch::Both => {
                let rows = component.row(nearest).iter().zip(component.row(next));
                for (sum, (&nearest, &next)) in self.sums.iter_mut().zip(rows) {
                    *sum = 3 * u16::from(nearest) + u16::from(next);
                }
                widen_sums(&self.sums, &mut self.row);
            }
            Stretch::Repeat([height, width]) => {
                let samples = component.row((row / height) as isize);
                for (to, &sample) in self.row.chunks_exact_mut(width).zip(samples) {
                    to.fill(sample);
                }
            }
        }
        &self.row
    }
}

/// Interpolates to twice the width; needs at least 2 samples.
fn widen(from: &[u8], to: &mut [u8]) {
    let last = from.len() - 1;
    let (to, _) = to.as_chunks_mut::<2>();
    let triples = from[..last - 1].iter().zip(&from[1..last]).zip(&from[2..]);
    for (to, ((&before, &sample), &after)) in to[1..last].iter_mut().zip(triples) {
        let sample = 3 * u16::from(sample);
        *to = [
            ((sample + u16::from(before) + 1) >> 2) as u8,
            ((sample + u16::from(after) + 2) >> 2) as u8,
        ];
    }
    let edge =
        |sample: u8, next: u8, half| ((3 * u16::from(sample) + u16::from(next) + half) >> 2) as u8;
    to[0] = [from[0], edge(from[0], from[1], 2)];
    to[last] = [edge(from[last], from[last - 1], 1), from[last]];
}

/// Interpolates to twice the width, from sums of four samples; needs at least 2 of them.
fn widen_sums(from: &[u16], to: &mut [u8]) {
    let last = from.len() - 1;
    let (to, _) = to.as_chunks_mut::<2>();
    let triples = from[..last - 1].iter().zip(&from[1..last]).zip(&from[2..]);
    for (to, ((&before, &sum), &after)) in to[1..last].iter_mut().zip(triples) {
        *to = [
            ((3 * sum + before + 8) >> 4) as u8,
            ((3 * sum + after + 7) >> 4) as u8,
        ];
    }
    let edge = |sum: u16, next: u16, half| ((3 * sum + next + half) >> 4) as u8;
    to[0] = [edge(from[0], from[0], 8), edge(from[0], from[1], 7)];
    to[last] = [
        edge(from[last], from[last - 1], 8),
        edge(from[last], from[last], 7),
    ];
}
