//! 3x3 convolutions with stride 1 by Winograd's F(4x4, 3x3): every tile of 4x4 results takes 36
//! products per pair of channels instead of 144 (Lavin and Gray 2015,
//! <https://arxiv.org/abs/1509.09308>).
//!
//! The tiles of a task are transformed together, which turns the products into 36 small matrix
//! products: tiles by input channels, times input channels by output channels.

use std::ops::Range;

use super::pack::Panels;
use super::plan::part;
use super::scratch::with_scratch;
use super::shape::Walk;
use super::sweep::{Finish, Residual};
use super::tile::{RowOfTiles, vectors};
use super::winograd_transform::{InputTiles, OutputTiles, WeightTransform};
use crate::kernels::buffer::Buffer;
use crate::kernels::parallel::{Shared, for_each};
use crate::kernels::pointer::Source;
use crate::kernels::simd::{Kernel, Simd, SimdLevel};

/// Edge of a tile of results, and of the input under it.
pub(super) const OUT: usize = 4;
pub(super) const IN: usize = 6;
/// Number of products per pair of channels.
pub(super) const PRODUCTS: usize = IN * IN;
/// Most tiles in a task: two of the widest rows of the innermost loop. More tiles read the weights
/// less often; fewer tiles stay in the second-level cache.
const TASK_TILES: usize = 28;
const TASKS_PER_THREAD: usize = 4;
/// Fewest tasks per thread, so that threads finish at about the same time.
const LEAST_TASKS_PER_THREAD: usize = 2;
/// Gap between the matrices of the products, which keeps them off the same cache lines.
const GAP: usize = 16;

/// A 3x3 weight in the Winograd domain: panels `[in_channels, width]` for each product.
#[derive(Debug)]
pub(super) struct WinogradWeight {
    values: Buffer,
    /// Number of values in one product's panel.
    stride: usize,
}

impl WinogradWeight {
    /// Transforms a packed 3x3 weight.
    pub(super) fn new(level: SimdLevel, panels: &Panels) -> Self {
        let inner = panels.stride / (9 * panels.width);
        let stride = inner * panels.width;
        let mut values = Buffer::new(PRODUCTS * panels.count * stride);
        let shared = Shared::new(&mut values);
        for_each(panels.count, |panel| {
            let weight = &panels.values[panel * panels.stride..][..panels.stride];
            level.run(WeightTransform {
                weight,
                // The products of each panel are disjoint, and no other task has this panel.
                output: shared.pointer(panel * PRODUCTS * stride),
                stride,
            });
        });
        Self { values, stride }
    }
}

/// Returns the number of tiles that cover the results, down and across.
fn tiles(walk: &Walk) -> [usize; 2] {
    [walk.rows.div_ceil(OUT), walk.columns.div_ceil(OUT)]
}

/// Returns whether F(4x4, 3x3) is faster than direct sums, including the transform of the weight if
/// it is missing.
///
/// The estimate counts cycles of two cores that share a memory; its constants are fitted to
/// measurements. It depends on the width of vectors, because narrow ones gain more from fewer
/// products, so results may differ in rounding between vector widths. It must not depend on the
/// number of threads, or the results would too.
pub(super) fn pays(level: SimdLevel, walk: &Walk, is_transformed: bool) -> bool {
    if walk.taps != [3, 3] || walk.step != [1, 1] || walk.pixel != walk.in_channels {
        return false;
    }
    let [down, across] = tiles(walk);
    let tiles = (walk.batch * down * across) as f64;
    let pixels = (walk.batch * walk.rows * walk.columns) as f64;
    let [inner, outer] = [walk.in_channels, walk.out_channels].map(|channels| channels as f64);
    let lanes = level.lanes() as f64;
    let products_per_cycle = 2.0 * 2.0 * lanes;
    let direct = pixels * 9.0 * inner * outer / products_per_cycle;

    let products = 1.1 * tiles * 36.0 * inner * outer / products_per_cycle;
    let transforms = tiles * (inner + outer) * 304.0 / lanes;
    let weight_bytes = 36.0 * 4.0 * inner * outer;
    let tasks = (tiles / TASK_TILES as f64).max(1.0);
    let (weight_transform, first_read) = if is_transformed {
        (0.0, weight_bytes / 8.0)
    } else {
        (weight_bytes / 6.0, weight_bytes / 16.0)
    };
    let reads = first_read + (tasks - 1.0) * weight_bytes / 32.0;
    products + transforms + reads + weight_transform < 0.9 * direct
}

/// Computes `walk`, for which [`pays`] holds, over `input` into `output`. The caller has checked
/// all sizes.
pub(super) fn winograd(
    level: SimdLevel,
    walk: &Walk,
    input: &[f32],
    panels: &Panels,
    weight: &WinogradWeight,
    finish: Finish<'_>,
    output: Shared<'_>,
) {
    let [down, across] = tiles(walk);
    let total = walk.batch * down * across;
    let wanted = TASKS_PER_THREAD * rayon::current_num_threads();
    let tile_groups = total
        .div_ceil(TASK_TILES)
        .max(wanted.min(total / (TASK_TILES / 2)))
        .max(1);
    // A small image has too few tiles for all threads; each task then computes some of the output
    // channels, and transforms all of its input.
    let least = LEAST_TASKS_PER_THREAD * rayon::current_num_threads();
    let panel_groups = least.div_ceil(tile_groups).clamp(1, panels.count);
    let zeros = vec![0.0; walk.in_channels];
    for_each(tile_groups * panel_groups, |task| {
        let tiles = part(total, tile_groups, task / panel_groups);
        let own_panels = part(panels.count, panel_groups, task % panel_groups);
        Task {
            walk,
            input,
            zeros: &zeros,
            panels,
            weight,
            finish: &finish,
            output,
            tiles,
            own_panels,
        }
        .run(level);
    });
}

struct Task<'a> {
    walk: &'a Walk,
    input: &'a [f32],
    /// One pixel of zeros, for positions outside the image.
    zeros: &'a [f32],
    panels: &'a Panels,
    weight: &'a WinogradWeight,
    finish: &'a Finish<'a>,
    output: Shared<'a>,
    tiles: Range<usize>,
    /// The panels of output channels that this task computes.
    own_panels: Range<usize>,
}

impl Task<'_> {
    /// Returns the output channels that this task computes.
    fn channels(&self) -> Range<usize> {
        let Range { start, end } = self.own_panels;
        start * self.panels.width..(end * self.panels.width).min(self.walk.out_channels)
    }

    fn run(&self, level: SimdLevel) {
        let count = self.tiles.len();
        let in_stride = count * self.walk.in_channels + GAP;
        let channels = self.channels().len();
        let out_stride = count * channels + GAP;
        with_scratch(PRODUCTS * (in_stride + out_stride), |scratch| {
            let (transformed, products) = scratch.split_at_mut(PRODUCTS * in_stride);
            for (index, tile) in self.tiles.clone().enumerate() {
                level.run(InputTiles {
                    pixels: self.pixels_under(tile),
                    channels: self.walk.in_channels,
                    output: &mut transformed[index * self.walk.in_channels..],
                    stride: in_stride,
                });
            }
            level.run(Products {
                task: self,
                transformed,
                in_stride,
                products,
                out_stride,
            });
            for (index, tile) in self.tiles.clone().enumerate() {
                self.write(level, tile, &products[index * channels..], out_stride);
            }
        });
    }

    /// Returns the image, and the row and column of a tile's first result.
    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let [down, across] = tiles(self.walk);
        let in_image = tile % (down * across);
        (
            tile / (down * across),
            in_image / across * OUT,
            in_image % across * OUT,
        )
    }

    /// Returns the input under a tile, pixel by pixel.
    fn pixels_under(&self, tile: usize) -> [[Source<'_>; IN]; IN] {
        let walk = self.walk;
        let (image, row, column) = self.place(tile);
        std::array::from_fn(|y| {
            let y = row as isize + walk.origin[0] + y as isize;
            std::array::from_fn(|x| {
                let x = column as isize + walk.origin[1] + x as isize;
                let inside =
                    (0..walk.height as isize).contains(&y) && (0..walk.width as isize).contains(&x);
                if !inside {
                    return self.zeros.into();
                }
                let pixel = (image * walk.height + y as usize) * walk.width + x as usize;
                self.input[pixel * walk.in_channels..][..walk.in_channels].into()
            })
        })
    }

    fn write(&self, level: SimdLevel, tile: usize, products: &[f32], stride: usize) {
        let walk = self.walk;
        let (image, row, column) = self.place(tile);
        let target = &walk.target;
        let channels = self.channels();
        let first = target.start
            + image * target.image
            + row * target.row
            + column * target.pixel
            + channels.start;
        let output = self.output.pointer(first);
        level.run(OutputTiles {
            products,
            stride,
            channels: channels.len(),
            rows: OUT.min(walk.rows - row),
            columns: OUT.min(walk.columns - column),
            output,
            row_stride: target.row,
            pixel_stride: target.pixel,
            bias: self.finish.bias.map(|bias| &bias[channels]),
            residual: match self.finish.residual {
                Residual::None => None,
                Residual::Other(residual) => Some(Source::from(residual).add(first)),
                Residual::Output => Some(output.into()),
            },
            relu: self.finish.relu,
        });
    }
}

/// The 36 matrix products of a task.
struct Products<'a, 'b> {
    task: &'a Task<'b>,
    transformed: &'a [f32],
    in_stride: usize,
    products: &'a mut [f32],
    out_stride: usize,
}

impl Kernel for Products<'_, '_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Task {
            walk,
            panels,
            weight,
            tiles,
            own_panels,
            ..
        } = self.task;
        let channels = self.task.channels();
        let weight_at = |panel: usize, product: usize| (panel * PRODUCTS + product) * weight.stride;
        for product in 0..PRODUCTS {
            let input = &self.transformed[product * self.in_stride..][..self.in_stride];
            let output = &mut self.products[product * self.out_stride..][..self.out_stride];
            for panel in own_panels.clone() {
                let channel = panel * panels.width - channels.start;
                let start = weight_at(panel, product);
                let next = match panel + 1 == own_panels.end {
                    true => weight_at(own_panels.start, product + 1),
                    false => weight_at(panel + 1, product),
                };
                let tiles = RowOfTiles {
                    input: input.into(),
                    tap_row_stride: 0,
                    input_pixel_stride: walk.in_channels,
                    tap_rows: 1,
                    run: walk.in_channels,
                    weight: weight.values[start..][..weight.stride].into(),
                    ahead: Source::from(&weight.values[..]).add(next),
                    ahead_per_pixel: weight.stride as f32 / tiles.len() as f32,
                    vectors: vectors(S::LANES, walk.out_channels),
                    channels: panels.width.min(channels.len() - channel),
                    pixels: tiles.len(),
                    output: (&mut output[channel..]).into(),
                    output_pixel_stride: channels.len(),
                    bias: None,
                    residual: None,
                    relu: false,
                };
                // SAFETY: for every tile, a row of `in_channels` and one of `channels` are
                // within the strides.
                unsafe { tiles.run::<S>() };
            }
        }
    }
}
