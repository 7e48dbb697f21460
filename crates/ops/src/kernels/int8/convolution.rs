//! Tiles over a whole batch.

use std::cell::RefCell;
use std::ops::Range;

use super::finish::{Finish, Residual, Target};
use super::images::{Codes, Int8Images, Values};
use super::layer::{Int8Layer, Int8Output};
use super::simd::{Int8Level, STEP};
use super::tile::Rows;
use super::weight::{Panels, vectors};
use crate::kernels::buffer::Buffer;
use crate::kernels::convolution::ConvolutionShape;
use crate::kernels::convolution::blocks::Blocks;
use crate::kernels::convolution::forward::walk;
use crate::kernels::convolution::plan::{Plan, part};
use crate::kernels::convolution::scratch::copy_band;
use crate::kernels::convolution::shape::Walk;
use crate::kernels::parallel::{Shared, for_each};
use crate::kernels::shape::Shape;
use crate::profile;
use crate::values::ConvolutionOptions;

/// Largest input of a band with more than one row, in bytes: it stays in the first-level cache while
/// the panels pass.
const BAND_BYTES: usize = 24 << 10;
/// Largest weights of a task, in bytes, that stay in the second-level cache while the bands pass.
const KEPT_BYTES: usize = 256 << 10;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// An [`Int8Layer`] with its weight in the layout of the kernels.
#[derive(Debug)]
pub struct Int8Convolution {
    level: Int8Level,
    weight_shape: [usize; 4],
    options: ConvolutionOptions,
    outside: Vec<u8>,
    residual_scale: f32,
    output: Int8Output,
    blocks: Vec<Block>,
}

/// A block of channels; see [`Blocks`].
#[derive(Debug)]
struct Block {
    panels: Panels,
    /// One value for each channel of every panel.
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Int8Convolution {
    /// Packs a layer for the best instructions of this CPU.
    ///
    /// # Panics
    ///
    /// Panics if the lengths of the layer's vectors do not match its shape.
    pub fn new(layer: &Int8Layer) -> Self {
        Self::at(Int8Level::best(), layer)
    }

    /// Packs a layer for the given instructions.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    pub fn at(level: Int8Level, layer: &Int8Layer) -> Self {
        let split;
        let layer = match layer.reads_images && !level.has_wide_codes() {
            true => {
                split = layer.split();
                &split
            }
            false => layer,
        };
        let [out_channels, inner, ..] = layer.weight_shape;
        assert_eq!(layer.outside.len(), inner * layer.options.groups);
        assert_eq!([layer.scale.len(), layer.shift.len()], [out_channels; 2]);
        let shape = shape(&Shape::default(), layer.weight_shape, layer.options);
        let blocks = Blocks::new(&shape);
        let pack = |block| {
            let panels = Panels::pack(level, &shape, &blocks, block, &layer.weight);
            let padded = |values: &[f32]| {
                let mut values = values[blocks.out_range(block)].to_vec();
                values.resize(panels.count * panels.width, 0.0);
                values
            };
            Block {
                scale: padded(&layer.scale),
                shift: padded(&layer.shift),
                panels,
            }
        };
        Self {
            level,
            weight_shape: layer.weight_shape,
            options: layer.options,
            outside: layer.outside.clone(),
            residual_scale: layer.residual_scale,
            output: layer.output,
            blocks: (0..blocks.count).map(pack).collect(),
        }
    }

    /// Computes the convolution of codes.
    ///
    /// # Panics
    ///
    /// Panics if `input` holds floats or has other channels than the weight, or if `residual` does not
    /// have the shape of the output.
    pub fn forward(&self, input: &Int8Images, residual: Option<&Int8Images>) -> Int8Images {
        let Values::Codes(codes) = &input.values else {
            // `model` makes floats only of what norms and additions read.
            panic!("a convolution of 8 bits takes codes");
        };
        let shape = shape(&input.shape, self.weight_shape, self.options);
        assert_eq!(input.shape.channels, shape.in_channels);
        let _running = record(&shape);
        let [height, width] = shape.output_size();
        let output_shape = Shape {
            batch: shape.batch,
            height,
            width,
            channels: shape.out_channels,
        };
        if let Some(residual) = residual {
            assert_eq!(residual.shape, output_shape);
        }
        let residual = residual.map(|residual| &residual.values);
        let values = match self.output {
            Int8Output::Codes { most } => {
                let mut values = Codes::new(output_shape.values());
                let output = Output::Codes(Shared::new(&mut values[..]), f32::from(most));
                self.sweep(&shape, codes, residual, &output);
                Values::Codes(values)
            }
            Int8Output::Floats { relu } => {
                let mut values = Buffer::new(output_shape.values());
                let least = if relu { 0.0 } else { f32::NEG_INFINITY };
                let output = Output::Floats(Shared::new(&mut values), least);
                self.sweep(&shape, codes, residual, &output);
                Values::Floats(values)
            }
        };
        Int8Images {
            shape: output_shape,
            values,
        }
    }

    fn sweep(
        &self,
        shape: &ConvolutionShape,
        input: &Codes,
        residual: Option<&Values>,
        output: &Output<'_>,
    ) {
        if shape.output_len() == 0 {
            return;
        }
        let blocks = Blocks::new(shape);
        let walks: Vec<_> = (0..self.blocks.len())
            .map(|block| walk(shape, &blocks, block).flattened())
            .collect();
        let block = &self.blocks[0].panels;
        let weights = block.values.len();
        let plan = Plan::with_bands::<i8>(&walks[0], block.count, weights, BAND_BYTES);
        let tasks = plan.unit_groups * plan.panel_groups;
        for_each(walks.len() * tasks, |task| {
            let (block, task) = (task / tasks, task % tasks);
            let task = Task {
                convolution: self,
                walk: &walks[block],
                block: &self.blocks[block],
                plan: &plan,
                input: input.with_slack(),
                residual,
                output,
                unit_group: task / plan.panel_groups,
                panel_group: task % plan.panel_groups,
            };
            task.run();
        });
    }
}

enum Output<'a> {
    Codes(Shared<'a, u8>, f32),
    Floats(Shared<'a>, f32),
}

/// Some bands of images for some panels.
struct Task<'a> {
    convolution: &'a Int8Convolution,
    walk: &'a Walk,
    block: &'a Block,
    plan: &'a Plan,
    /// All codes, with bytes after the last one.
    input: &'a [u8],
    residual: Option<&'a Values>,
    output: &'a Output<'a>,
    unit_group: usize,
    panel_group: usize,
}

impl Task<'_> {
    fn run(&self) {
        let Self { walk, plan, .. } = self;
        if walk.is_inside() {
            let columns = walk.width;
            return self.bands(columns, |image, row| {
                let y = walk.origin[0] as usize + row * walk.step[0];
                let x = walk.origin[1] as usize;
                &self.input[image * walk.image_len() + (y * columns + x) * walk.in_channels..]
            });
        }
        let units = part(plan.units, plan.unit_groups, self.unit_group);
        let first = walk.first_channel;
        let outside = &self.convolution.outside[first..first + walk.in_channels];
        let is_uniform = outside.iter().all(|&code| code == outside[0]);
        let outside = |pixels: &mut [u8]| match is_uniform {
            true => pixels.fill(outside[0]),
            false => {
                let pixels = pixels.chunks_exact_mut(outside.len());
                pixels.for_each(|pixel| pixel.copy_from_slice(outside));
            }
        };
        SCRATCH.with_borrow_mut(|scratch| {
            let length = units.len() * plan.band_len;
            if scratch.len() < length + STEP {
                // Cleared first, so that nothing is copied.
                scratch.clear();
                scratch.resize(length + STEP, 0);
            }
            let bands = scratch[..length].chunks_exact_mut(plan.band_len);
            for (band, unit) in bands.zip(units.clone()) {
                let (image, rows) = plan.unit(walk, unit);
                let image = &self.input[image * walk.image_len()..][..walk.image_len()];
                copy_band(walk, image, rows.start, rows.len(), outside, band);
            }
            self.bands(walk.columns_under(), |image, row| {
                let unit = image * plan.bands + row / plan.band_rows;
                &scratch[(unit - units.start) * plan.band_len..]
            });
        });
    }

    /// Computes all panels of all bands. `columns` is the number of columns of the codes that
    /// `input_at` returns for an image and its first row.
    fn bands<'a>(&self, columns: usize, input_at: impl Fn(usize, usize) -> &'a [u8]) {
        let plan = self.plan;
        let panels = part(self.block.panels.count, plan.panel_groups, self.panel_group);
        let units = part(plan.units, plan.unit_groups, self.unit_group);
        let pass = |panel: usize, unit: usize| {
            let (image, rows) = plan.unit(self.walk, unit);
            self.pass(
                panel,
                image,
                rows.clone(),
                columns,
                input_at(image, rows.start),
            );
        };
        if panels.len() * self.block.panels.stride <= KEPT_BYTES {
            units.for_each(|unit| panels.clone().for_each(|panel| pass(panel, unit)));
        } else {
            panels.for_each(|panel| units.clone().for_each(|unit| pass(panel, unit)));
        }
    }

    /// Computes a panel of some rows of an image.
    fn pass(&self, panel: usize, image: usize, rows: Range<usize>, columns: usize, input: &[u8]) {
        let Self {
            convolution,
            walk,
            block,
            ..
        } = self;
        let panels = &block.panels;
        let channel = panel * panels.width;
        let weight = &panels.values[panel * panels.stride..][..panels.stride];
        let target = &walk.target;
        let first = target.start + image * target.image + rows.start * target.row + channel;
        let channels = panels.width.min(walk.out_channels - channel);
        self.check(rows.len(), columns, input.len(), first + channels);
        convolution.level.run(Rows {
            input: input.into(),
            input_row_stride: walk.step[0] * columns * walk.in_channels,
            input_pixel_stride: walk.step[1] * walk.in_channels,
            tap_row_stride: columns * walk.in_channels,
            tap_rows: walk.taps[0],
            steps: panels.steps,
            weight: weight.into(),
            vectors: vectors(convolution.level, walk.out_channels),
            channels,
            rows: rows.len(),
            pixels: walk.columns,
            finish: Finish {
                scale: block.scale[channel..].into(),
                shift: block.shift[channel..].into(),
                residual: match self.residual {
                    None => Residual::None,
                    Some(Values::Codes(codes)) => Residual::Codes(codes[first..].into()),
                    Some(Values::Floats(values)) => Residual::Floats(values[first..].into()),
                },
                residual_scale: convolution.residual_scale,
                target: match self.output {
                    Output::Codes(codes, most) => Target::Codes {
                        start: codes.pointer(first),
                        most: *most,
                    },
                    Output::Floats(values, least) => Target::Floats {
                        start: values.pointer(first),
                        least: *least,
                    },
                },
                row_stride: target.row,
                pixel_stride: target.pixel,
            },
        });
    }

    /// Checks what the tiles rely on when they use pointers.
    fn check(&self, rows: usize, columns: usize, input: usize, first_end: usize) {
        let walk = self.walk;
        let panels = &self.block.panels;
        assert_eq!(
            panels.stride,
            walk.taps[0] * panels.steps * panels.width * STEP
        );
        let last_row = (rows - 1) * walk.step[0] + walk.taps[0].max(1) - 1;
        let last_pixel = last_row * columns + (walk.columns - 1) * walk.step[1];
        assert!(last_pixel * walk.in_channels + panels.steps * STEP <= input);
        let target = &walk.target;
        let end = first_end + (rows - 1) * target.row + (walk.columns - 1) * target.pixel;
        let length = match self.output {
            Output::Codes(codes, _) => codes.len(),
            Output::Floats(values, _) => values.len(),
        };
        assert!(end <= length);
    }
}

fn shape(images: &Shape, weight: [usize; 4], options: ConvolutionOptions) -> ConvolutionShape {
    let [out_channels, inner, height, width] = weight;
    ConvolutionShape {
        batch: images.batch,
        height: images.height,
        width: images.width,
        in_channels: inner * options.groups,
        out_channels,
        groups: options.groups,
        kernel: [height, width],
        stride: options.stride,
        padding: options.padding,
    }
}

fn record(shape: &ConvolutionShape) -> Option<profile::Running> {
    profile::operation_with(|| {
        let ([height, width], [stride, _]) = (shape.kernel, shape.stride);
        let name = format!("int8 convolution {height}x{width} stride {stride}");
        (name.into(), shape.floating_point_operations())
    })
}
