//! Tiles over a whole batch.

use std::ops::Range;
use std::sync::OnceLock;

use super::pack::Panels;
use super::plan::{Plan, part};
use super::scratch::{copy_band, with_scratch};
use super::shape::Walk;
use super::tile::{RowOfTiles, vectors};
use super::winograd::{self, WinogradWeight};
use crate::kernels::parallel::{Shared, for_each};
use crate::kernels::pointer::Source;
use crate::kernels::simd::{Kernel, Simd, SimdLevel};

/// Operations on the sums before they are written.
#[derive(Clone, Copy, Default)]
pub(super) struct Finish<'a> {
    /// One value per channel to add.
    pub bias: Option<&'a [f32]>,
    pub residual: Residual<'a>,
    pub relu: bool,
}

/// Values to add to the sums.
#[derive(Clone, Copy, Default)]
pub(super) enum Residual<'a> {
    #[default]
    None,
    /// A slice in the layout of the output.
    Other(&'a [f32]),
    /// The current contents of the output.
    Output,
}

/// Computes `walk` over `input` into `output`. `transformed` caches the weight in Winograd form if
/// that is worth keeping. Every result is summed in the same order regardless of the number of
/// threads.
pub(super) fn sweep(
    level: SimdLevel,
    walk: &Walk,
    input: &[f32],
    weight: &Panels,
    transformed: Option<&OnceLock<WinogradWeight>>,
    finish: Finish<'_>,
    output: &mut [f32],
) {
    if walk.batch * walk.rows * walk.columns * walk.out_channels == 0 {
        return;
    }
    let walk = &walk.flattened();
    check(walk, input, weight, &finish, output);
    let output = Shared::new(output);
    if winograd::pays(level, walk, transformed.is_some()) {
        let once = OnceLock::new();
        let transformed = transformed
            .unwrap_or(&once)
            .get_or_init(|| WinogradWeight::new(level, weight));
        winograd::winograd(level, walk, input, weight, transformed, finish, output);
    } else {
        direct(level, walk, input, weight, finish, output);
    }
}

/// Sums every product directly; the caller has checked all sizes.
pub(super) fn direct(
    level: SimdLevel,
    walk: &Walk,
    input: &[f32],
    weight: &Panels,
    finish: Finish<'_>,
    output: Shared<'_>,
) {
    let plan = Plan::new::<f32>(walk, weight.count, weight.values.len());
    for_each(plan.unit_groups * plan.panel_groups, |task| {
        let units = part(plan.units, plan.unit_groups, task / plan.panel_groups);
        let panels = part(weight.count, plan.panel_groups, task % plan.panel_groups);
        let task = Task {
            walk,
            plan: &plan,
            weight,
            finish: &finish,
            input,
            output,
        };
        if walk.is_inside() {
            // SAFETY: no other task has these units and panels.
            unsafe { task.run(level, units, panels, None) };
        } else {
            with_scratch(units.len() * plan.band_len, |scratch| {
                for (band, unit) in scratch.chunks_exact_mut(plan.band_len).zip(units.clone()) {
                    let (image, rows) = plan.unit(walk, unit);
                    let image = &input[image * walk.image_len()..][..walk.image_len()];
                    copy_band(
                        walk,
                        image,
                        rows.start,
                        rows.len(),
                        |pixels| pixels.fill(0.0),
                        band,
                    );
                }
                // SAFETY: as above.
                unsafe { task.run(level, units, panels, Some(scratch)) };
            });
        }
    });
}

/// Checks everything that the tiles rely on when they use pointers.
fn check(walk: &Walk, input: &[f32], weight: &Panels, finish: &Finish<'_>, output: &[f32]) {
    assert_eq!(input.len(), walk.batch * walk.image_len());
    assert!(walk.first_channel + walk.in_channels <= walk.pixel);
    assert_eq!(weight.stride, walk.taps[0] * walk.run() * weight.width);
    assert_eq!(weight.count, walk.out_channels.div_ceil(weight.width));
    assert_eq!(weight.values.len(), weight.count * weight.stride);
    let target = &walk.target;
    let last = target.start
        + (walk.batch - 1) * target.image
        + (walk.rows - 1) * target.row
        + (walk.columns - 1) * target.pixel;
    assert!(last + walk.out_channels <= output.len());
    if let Some(bias) = finish.bias {
        assert_eq!(bias.len(), walk.out_channels);
    }
    if let Residual::Other(residual) = finish.residual {
        assert_eq!(residual.len(), output.len());
    }
}

struct Task<'a> {
    walk: &'a Walk,
    plan: &'a Plan,
    weight: &'a Panels,
    finish: &'a Finish<'a>,
    input: &'a [f32],
    output: Shared<'a>,
}

impl Task<'_> {
    /// Computes some units for some panels, from their bands in `scratch` or directly from the
    /// input.
    ///
    /// # Safety
    ///
    /// No other task may work on the same units and panels.
    unsafe fn run(
        &self,
        level: SimdLevel,
        units: Range<usize>,
        panels: Range<usize>,
        scratch: Option<&[f32]>,
    ) {
        let walk = self.walk;
        let columns = scratch.map_or(walk.width, |_| walk.columns_under());
        let lanes = level.lanes();
        for panel in panels {
            let channel = panel * self.weight.width;
            let weight = &self.weight.values[panel * self.weight.stride..][..self.weight.stride];
            let bias = self.finish.bias.map(|bias| bias[channel..].into());
            // The pixels of this panel share the prefetching of the next one, which follows it.
            let unit_pixels = self.plan.band_rows * walk.columns;
            let pixels = (units.len() * unit_pixels) as f32;
            let ahead_per_pixel = weight.len() as f32 / pixels;
            for (index, unit) in units.clone().enumerate() {
                let done = (index * unit_pixels) as f32 / pixels;
                let ahead = (done * weight.len() as f32) as usize;
                let (image, rows) = self.plan.unit(walk, unit);
                let band = match scratch {
                    Some(scratch) => &scratch[index * self.plan.band_len..][..self.plan.band_len],
                    None => &self.input[self.direct_start(image, rows.start)..],
                };
                let target = &walk.target;
                let first = target.start + image * target.image + rows.start * target.row + channel;
                let output = self.output.pointer(first);
                assert!(
                    walk.taps.contains(&0)
                        || ((rows.len() - 1) * walk.step[0] + walk.taps[0] - 1)
                            * columns
                            * walk.in_channels
                            + walk.columns_under() * walk.in_channels
                            <= band.len()
                );
                level.run(Band {
                    rows: rows.len(),
                    input_row_stride: walk.step[0] * columns * walk.in_channels,
                    output_row_stride: target.row,
                    first: RowOfTiles {
                        input: band.into(),
                        tap_row_stride: columns * walk.in_channels,
                        input_pixel_stride: walk.step[1] * walk.in_channels,
                        tap_rows: walk.taps[0],
                        run: walk.run(),
                        weight: weight.into(),
                        ahead: Source::from(weight).add(weight.len() + ahead),
                        ahead_per_pixel,
                        vectors: vectors(lanes, walk.out_channels),
                        channels: self.weight.width.min(walk.out_channels - channel),
                        pixels: walk.columns,
                        output,
                        output_pixel_stride: target.pixel,
                        bias,
                        residual: match self.finish.residual {
                            Residual::None => None,
                            Residual::Other(residual) => Some(Source::from(residual).add(first)),
                            Residual::Output => Some(output.into()),
                        },
                        relu: self.finish.relu,
                    },
                });
            }
        }
    }

    /// Returns the window's position in the input at the first column of a row.
    fn direct_start(&self, image: usize, row: usize) -> usize {
        let walk = self.walk;
        if walk.taps.contains(&0) {
            return 0; // nothing is read
        }
        let y = walk.origin[0] as usize + row * walk.step[0];
        let x = walk.origin[1] as usize;
        image * walk.image_len() + (y * walk.width + x) * walk.in_channels
    }
}

/// Rows of a unit for one panel.
struct Band<'a> {
    rows: usize,
    input_row_stride: usize,
    output_row_stride: usize,
    first: RowOfTiles<'a>,
}

impl Kernel for Band<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for row in 0..self.rows {
            let mut tiles = self.first;
            let output = row * self.output_row_stride;
            tiles.input = tiles.input.add(row * self.input_row_stride);
            tiles.output = tiles.output.add(output);
            let ahead = tiles.ahead_per_pixel * (row * tiles.pixels) as f32;
            tiles.ahead = tiles.ahead.add(ahead as usize);
            tiles.residual = tiles.residual.map(|residual| residual.add(output));
            // SAFETY: `check` has compared all sizes with the slices.
            unsafe { tiles.run::<S>() };
        }
    }
}
