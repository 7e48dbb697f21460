//! The gradient of the weight: for every row of taps, the product of the input under it with the
//! output's gradient, summed over all pixels.

use std::ops::Range;

use super::blocks::Blocks;
use super::forward::walk;
use super::pack::panel_width;
use super::plan::part;
use super::scratch::{copy_band, with_scratch};
use super::shape::{ConvolutionShape, Walk};
use super::tile::vectors;
use super::weight_tile::{GradientPanel, SLACK, WeightTiles, reads_beyond};
use crate::kernels::buffer::Buffer;
use crate::kernels::parallel::{Shared, for_each};
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::simd::SimdLevel;

/// Number of pixels to sum in registers before adding to the gradient: enough to make that addition
/// cheap, few enough to keep a panel of their gradients in the first-level cache.
const PIXELS: usize = 256;
/// Number of tasks. Independent of the number of threads, so that the result is too.
const TASKS: usize = 32;
/// Largest total size of the partial gradients, in values; beyond it, all images share one
/// gradient.
const PARTIAL_LEN: usize = 2 << 20;

/// Computes the gradient of the weight `[height, width, in_channels, out_channels]` from the
/// gradient of the output. Images are channels-last.
///
/// # Panics
///
/// Panics if the length of a slice does not match `shape`.
pub(crate) fn weight_gradient(
    level: SimdLevel,
    shape: &ConvolutionShape,
    input: &[f32],
    output_gradient: &[f32],
    weight_gradient: &mut [f32],
) {
    assert_eq!(input.len(), shape.input_len());
    assert_eq!(output_gradient.len(), shape.output_len());
    assert_eq!(weight_gradient.len(), shape.weight_len());
    if shape.output_len() == 0 || shape.weight_len() == 0 {
        weight_gradient.fill(0.0);
        return;
    }
    let blocks = Blocks::new(shape);
    if shape.groups == 1 {
        let walk = walk(shape, &blocks, 0);
        of_walk(level, walk, input, output_gradient, weight_gradient);
        return;
    }
    let mut dense = Buffer::new(shape.taps() * blocks.in_channels * blocks.out_channels);
    for block in 0..blocks.count {
        let walk = walk(shape, &blocks, block);
        of_walk(level, walk, input, output_gradient, &mut dense);
        blocks.take_gradient(block, &dense, shape, weight_gradient);
    }
}

/// Computes the gradient of a walk's weight `[height, width, in_channels, out_channels]`.
fn of_walk(
    level: SimdLevel,
    walk: Walk,
    input: &[f32],
    output_gradient: &[f32],
    weight_gradient: &mut [f32],
) {
    let plan = Plan::new(level, walk);
    let pass = Pass {
        level,
        plan: &plan,
        input,
        output_gradient,
        weight_len: weight_gradient.len(),
    };
    if plan.image_groups == 1 {
        pass.run(weight_gradient);
    } else {
        let mut partial = Buffer::new(plan.image_groups * weight_gradient.len());
        pass.run(&mut partial);
        add_up(&partial, weight_gradient);
    }
}

/// Adds up the parts of `partial` in order; each part is as long as `sum`.
fn add_up(partial: &[f32], sum: &mut [f32]) {
    const CHUNK: usize = 4096;
    let length = sum.len();
    let shared = Shared::new(sum);
    for_each(length.div_ceil(CHUNK), |chunk| {
        let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(length);
        // SAFETY: each task has its own range.
        let sum = unsafe { shared.part(range.clone()) };
        sum.copy_from_slice(&partial[range.clone()]);
        for part in partial.chunks_exact(length).skip(1) {
            for (sum, value) in sum.iter_mut().zip(&part[range.clone()]) {
                *sum += value;
            }
        }
    });
}

/// Split of the work into tasks; depends only on the shape.
struct Plan {
    walk: Walk,
    /// Whether the input must be copied, to add its zero border or room to read beyond its end.
    copied: bool,
    /// Number of output rows, and of images, whose products are summed in registers.
    band_rows: usize,
    band_images: usize,
    /// Number of values of a band in scratch memory, for one image.
    band_len: usize,
    panel_width: usize,
    panels: usize,
    image_groups: usize,
    panel_groups: usize,
}

impl Plan {
    fn new(level: SimdLevel, walk: Walk) -> Self {
        let [rows, columns] = [walk.rows, walk.columns];
        let lanes = level.lanes();
        let vectors = vectors(lanes, walk.out_channels);
        let weight_len = walk.taps[0] * walk.run() * walk.out_channels;
        let band_rows = (PIXELS / columns).clamp(1, rows);
        let band_rows = rows.div_ceil(rows.div_ceil(band_rows));
        let band_images = if band_rows < rows {
            1
        } else {
            (PIXELS / (rows * columns)).clamp(1, walk.batch)
        };
        let panel_width = panel_width(level, walk.out_channels);
        let panels = walk.out_channels.div_ceil(panel_width);
        let image_groups = (PARTIAL_LEN / weight_len)
            .clamp(1, TASKS)
            .min(walk.batch.div_ceil(band_images));
        Self {
            copied: !walk.is_inside() || reads_beyond(lanes, vectors, walk.run()),
            band_rows,
            band_images,
            band_len: walk.rows_under(band_rows) * walk.columns_under() * walk.in_channels,
            panel_width,
            panels,
            image_groups,
            panel_groups: TASKS.div_ceil(image_groups).clamp(1, panels),
            walk,
        }
    }
}

struct Pass<'a> {
    level: SimdLevel,
    plan: &'a Plan,
    input: &'a [f32],
    output_gradient: &'a [f32],
    weight_len: usize,
}

impl Pass<'_> {
    /// Computes one gradient per group of images, consecutively in `gradients`.
    fn run(&self, gradients: &mut [f32]) {
        let plan = self.plan;
        let shared = Shared::new(gradients);
        for_each(plan.image_groups * plan.panel_groups, |task| {
            let group = task / plan.panel_groups;
            let panels = part(plan.panels, plan.panel_groups, task % plan.panel_groups);
            let images = part(plan.walk.batch, plan.image_groups, group);
            let start = group * self.weight_len;
            let mut accumulate = false;
            for first in images.clone().step_by(plan.band_images) {
                let images = first..(first + plan.band_images).min(images.end);
                for row in (0..plan.walk.rows).step_by(plan.band_rows) {
                    let rows = row..(row + plan.band_rows).min(plan.walk.rows);
                    self.band(images.clone(), rows, panels.clone(), |panel, tap_row| {
                        let run = plan.walk.run() * plan.walk.out_channels;
                        let to = start + tap_row * run + panel * plan.panel_width;
                        (shared.pointer(to), accumulate)
                    });
                    accumulate = true;
                }
            }
        });
    }

    /// Adds the gradient of a band of rows of some images to the location that `target` returns for
    /// each panel and row of taps.
    fn band<'a>(
        &self,
        images: Range<usize>,
        rows: Range<usize>,
        panels: Range<usize>,
        target: impl Fn(usize, usize) -> (Destination<'a>, bool),
    ) {
        let plan = self.plan;
        let walk = &plan.walk;
        let image_len = walk.image_len();
        let panel_len = images.len() * rows.len() * walk.columns * plan.panel_width;
        if plan.copied {
            let bands_len = images.len() * plan.band_len + SLACK;
            with_scratch(bands_len + panel_len, |scratch| {
                let (bands, panel) = scratch.split_at_mut(bands_len);
                for (band, image) in bands.chunks_exact_mut(plan.band_len).zip(images.clone()) {
                    let image = &self.input[image * image_len..][..image_len];
                    copy_band(
                        walk,
                        image,
                        rows.start,
                        rows.len(),
                        |pixels| pixels.fill(0.0),
                        band,
                    );
                }
                let strides = [plan.band_len, walk.columns_under() * walk.in_channels];
                self.tiles(bands, strides, images, rows, panel, panels, target);
            });
        } else {
            let y = walk.origin[0] as usize + rows.start * walk.step[0];
            let x = walk.origin[1] as usize;
            let start = images.start * image_len + (y * walk.width + x) * walk.in_channels;
            let strides = [image_len, walk.width * walk.in_channels];
            let input = &self.input[start..];
            with_scratch(panel_len, |panel| {
                self.tiles(input, strides, images, rows, panel, panels, target);
            });
        }
    }

    /// Like [`band`](Self::band), for an input with the given strides of images and rows, and memory
    /// for a panel of the gradient.
    #[allow(clippy::too_many_arguments)]
    fn tiles<'a>(
        &self,
        input: &[f32],
        [image_stride, row_stride]: [usize; 2],
        images: Range<usize>,
        rows: Range<usize>,
        gradient: &mut [f32],
        panels: Range<usize>,
        target: impl Fn(usize, usize) -> (Destination<'a>, bool),
    ) {
        let plan = self.plan;
        let walk = &plan.walk;
        let lanes = self.level.lanes();
        assert!(
            (images.len() - 1) * image_stride
                + (walk.rows_under(rows.len()) - 1) * row_stride
                + walk.columns_under() * walk.in_channels
                <= input.len()
        );
        for panel in panels {
            let channel = panel * plan.panel_width;
            let first = walk.target.start
                + images.start * walk.target.image
                + rows.start * walk.target.row
                + channel;
            let vectors = vectors(lanes, walk.out_channels);
            let channels = plan.panel_width.min(walk.out_channels - channel);
            self.level.run(GradientPanel {
                gradient: Source::from(self.output_gradient).add(first),
                image_stride: walk.target.image,
                row_stride: walk.target.row,
                pixel_stride: walk.target.pixel,
                images: images.len(),
                rows: rows.len(),
                columns: walk.columns,
                vectors,
                channels,
                panel: (&mut *gradient).into(),
            });
            for tap_row in 0..walk.taps[0] {
                let (sums, accumulate) = target(panel, tap_row);
                self.level.run(WeightTiles {
                    input: Source::from(input).add(tap_row * row_stride),
                    input_image_stride: image_stride,
                    input_row_stride: walk.step[0] * row_stride,
                    input_pixel_stride: walk.step[1] * walk.in_channels,
                    gradient: Source::from(&*gradient),
                    images: images.len(),
                    rows: rows.len(),
                    columns: walk.columns,
                    run: walk.run(),
                    sums,
                    sums_stride: walk.out_channels,
                    vectors,
                    channels,
                    accumulate,
                });
            }
        }
    }
}
