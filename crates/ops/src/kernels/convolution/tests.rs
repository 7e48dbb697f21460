//! Compares every pass on every level with sums in `f64`.

use super::blocks::Blocks;
use super::forward::walk;
use super::pack::{Panels, WeightView};
use super::sweep::{Finish, Residual};
use super::winograd::{WinogradWeight, winograd};
use super::*;
use crate::kernels::parallel::Shared;
use crate::kernels::simd::SimdLevel;
use crate::kernels::testing::{assert_same_on_threads, poisoned, random};

/// Calls `visit(input index, weight index [height, width, in / groups, out], output index)` for every
/// product of the convolution.
fn products(shape: &ConvolutionShape, mut visit: impl FnMut(usize, usize, usize)) {
    let [out_height, out_width] = shape.output_size();
    for image in 0..shape.batch {
        for (oy, ox) in (0..out_height).flat_map(|y| (0..out_width).map(move |x| (y, x))) {
            for (ky, kx) in
                (0..shape.kernel[0]).flat_map(|y| (0..shape.kernel[1]).map(move |x| (y, x)))
            {
                let y = (oy * shape.stride[0] + ky).wrapping_sub(shape.padding[0]);
                let x = (ox * shape.stride[1] + kx).wrapping_sub(shape.padding[1]);
                if y >= shape.height || x >= shape.width {
                    continue;
                }
                let [inner, outer] = shape.channels_per_group();
                for output in 0..shape.out_channels {
                    let first = output / outer * inner;
                    for input in first..first + inner {
                        visit(
                            ((image * shape.height + y) * shape.width + x) * shape.in_channels
                                + input,
                            ((ky * shape.kernel[1] + kx) * inner + input - first)
                                * shape.out_channels
                                + output,
                            ((image * out_height + oy) * out_width + ox) * shape.out_channels
                                + output,
                        );
                    }
                }
            }
        }
    }
}

fn assert_close(name: &str, shape: &ConvolutionShape, actual: &[f32], expected: &[f64]) {
    // Also bounds the error of Winograd's algorithm where it is chosen, for this few channels.
    assert_within(1e-5, name, shape, actual, expected);
}

fn assert_within(
    tolerance: f64,
    name: &str,
    shape: &ConvolutionShape,
    actual: &[f32],
    expected: &[f64],
) {
    let largest = expected
        .iter()
        .fold(1e-3, |max: f64, value| max.max(value.abs()));
    for (index, (&actual, &expected)) in actual.iter().zip(expected).enumerate() {
        let error = (f64::from(actual) - expected).abs() / largest;
        // Not `>`, which would let NaN pass.
        assert!(
            error <= tolerance,
            "{name} of {shape:?}: {actual} at {index}, not {expected}"
        );
    }
}

const SHAPE: ConvolutionShape = ConvolutionShape {
    batch: 1,
    height: 4,
    width: 4,
    in_channels: 1,
    out_channels: 1,
    groups: 1,
    kernel: [3, 3],
    stride: [1, 1],
    padding: [1, 1],
};

fn shapes() -> Vec<ConvolutionShape> {
    let mut shapes = Vec::new();
    let channels = [
        (1, 20, 1),
        (3, 16, 1),
        (16, 16, 1),
        (20, 30, 1),
        (15, 7, 1),
        (33, 64, 1),
        (8, 70, 1),
        (12, 24, 3),
        (64, 32, 16),
        (40, 36, 2),
        (18, 18, 18),
    ];
    for (index, &(in_channels, out_channels, groups)) in channels.iter().enumerate() {
        for &(size, kernel, stride, padding) in &[
            ([9, 8], [3, 3], [1, 1], [1, 1]),
            ([7, 7], [3, 3], [2, 2], [1, 1]),
            ([1, 1], [3, 3], [1, 1], [1, 1]),
            ([5, 17], [1, 1], [1, 1], [0, 0]),
            ([6, 5], [1, 1], [2, 2], [0, 0]),
            ([12, 12], [5, 5], [1, 1], [0, 0]),
            ([8, 9], [5, 5], [1, 1], [2, 2]),
            ([15, 14], [7, 7], [2, 2], [3, 3]),
            ([4, 4], [2, 3], [3, 1], [0, 2]),
            ([2, 30], [3, 3], [1, 1], [1, 1]),
        ] {
            shapes.push(ConvolutionShape {
                batch: [1, 2, 3][index % 3],
                height: size[0],
                width: size[1],
                in_channels,
                out_channels,
                groups,
                kernel,
                stride,
                padding,
            });
        }
    }
    // Rows of every length, because each is split into tiles of its own.
    shapes.extend((1..40).map(|width| ConvolutionShape {
        height: 1,
        width,
        in_channels: 7,
        out_channels: 20,
        kernel: [1, 1],
        padding: [0, 0],
        ..SHAPE
    }));
    shapes
}

#[test]
fn forward_matches_naive_sum() {
    for shape in shapes() {
        let input = random(1, shape.input_len());
        let weight = random(2, shape.weight_len());
        let bias = random(3, shape.out_channels);
        let residual = random(4, shape.output_len());
        let mut sums = vec![0.0; shape.output_len()];
        products(&shape, |i, w, o| {
            sums[o] += f64::from(input[i]) * f64::from(weight[w]);
        });
        let finished: Vec<f64> = sums
            .iter()
            .enumerate()
            .map(|(index, sum)| {
                let bias = f64::from(bias[index % shape.out_channels]);
                (sum + bias + f64::from(residual[index])).max(0.0)
            })
            .collect();
        for level in SimdLevel::available() {
            let packed = PackedWeight::new(level, &weight, WeightOrder::InOut, &shape);
            let mut output = poisoned(shape.output_len());
            forward(&shape, &input, &packed, Epilogue::default(), &mut output);
            assert_close("sums", &shape, &output, &sums);

            output.fill(f32::NAN);
            let epilogue = Epilogue {
                bias: Some(&bias),
                residual: Some(&residual),
                relu: true,
            };
            forward(&shape, &input, &packed, epilogue, &mut output);
            assert_close("finished", &shape, &output, &finished);
        }
    }
}

/// Uses Winograd's algorithm wherever it is possible, whether or not it is faster.
#[test]
fn winograd_matches_naive_sum() {
    let fits = |shape: &ConvolutionShape| {
        shape.kernel == [3, 3] && shape.stride == [1, 1] && shape.groups == 1
    };
    for shape in shapes().into_iter().filter(fits) {
        for padding in 0..3 {
            let shape = ConvolutionShape {
                padding: [padding, 1],
                height: shape.height + 2,
                ..shape
            };
            let input = random(1, shape.input_len());
            let weight = random(2, shape.weight_len());
            let bias = random(3, shape.out_channels);
            let before = random(4, shape.output_len());
            let mut sums: Vec<f64> = before
                .iter()
                .enumerate()
                .map(|(index, &before)| {
                    f64::from(before) + f64::from(bias[index % shape.out_channels])
                })
                .collect();
            products(&shape, |i, w, o| {
                sums[o] += f64::from(input[i]) * f64::from(weight[w]);
            });
            for level in SimdLevel::available() {
                let order = WeightOrder::InOut;
                let [inner, outer] = [shape.in_channels, shape.out_channels];
                let view = WeightView::new(&weight, order, shape.kernel, inner, outer);
                let panels = Panels::pack(level, view);
                let transformed = WinogradWeight::new(level, &panels);
                let finish = Finish {
                    bias: Some(&bias),
                    residual: Residual::Output,
                    relu: false,
                };
                let mut output = before.clone();
                let walk = walk(&shape, &Blocks::new(&shape), 0);
                let shared = Shared::new(&mut output);
                winograd(level, &walk, &input, &panels, &transformed, finish, shared);
                assert_within(1e-4, "Winograd", &shape, &output, &sums);
            }
        }
    }
}

#[test]
fn both_weight_layouts_give_same_result() {
    let shape = ConvolutionShape {
        width: 5,
        in_channels: 3,
        out_channels: 18,
        kernel: [2, 3],
        padding: [1, 0],
        ..SHAPE
    };
    let input = random(1, shape.input_len());
    let in_out = random(2, shape.weight_len());
    let mut out_in = vec![0.0; in_out.len()];
    for (index, &value) in in_out.iter().enumerate() {
        let (tap, channels) = (index / 54, index % 54);
        out_in[channels % 18 * 18 + channels / 18 * 6 + tap] = value;
    }
    let run = |weight: &[f32], order| {
        let packed = PackedWeight::new(SimdLevel::best(), weight, order, &shape);
        let mut output = poisoned(shape.output_len());
        forward(&shape, &input, &packed, Epilogue::default(), &mut output);
        let mut gradient = poisoned(shape.input_len());
        let level = SimdLevel::best();
        input_gradient(level, &shape, &output, weight, order, false, &mut gradient);
        (output, gradient)
    };
    assert_eq!(
        run(&in_out, WeightOrder::InOut),
        run(&out_in, WeightOrder::OutIn)
    );
}

#[test]
fn input_gradient_matches_naive_sum() {
    for shape in shapes() {
        let weight = random(1, shape.weight_len());
        let output_gradient = random(2, shape.output_len());
        let before = random(3, shape.input_len());
        let mut sums = vec![0.0; shape.input_len()];
        products(&shape, |i, w, o| {
            sums[i] += f64::from(output_gradient[o]) * f64::from(weight[w]);
        });
        let added: Vec<f64> = sums
            .iter()
            .zip(&before)
            .map(|(sum, &before)| sum + f64::from(before))
            .collect();
        for level in SimdLevel::available() {
            let run = |accumulate, mut gradient: Vec<f32>| {
                let (order, sums) = (WeightOrder::InOut, &mut gradient);
                input_gradient(
                    level,
                    &shape,
                    &output_gradient,
                    &weight,
                    order,
                    accumulate,
                    sums,
                );
                gradient
            };
            let sums_alone = run(false, poisoned(shape.input_len()));
            assert_close("input gradient", &shape, &sums_alone, &sums);
            assert_close("accumulated", &shape, &run(true, before.clone()), &added);
        }
    }
}

#[test]
fn weight_gradient_matches_naive_sum() {
    for shape in shapes() {
        let input = random(1, shape.input_len());
        let output_gradient = random(2, shape.output_len());
        let mut sums = vec![0.0; shape.weight_len()];
        products(&shape, |i, w, o| {
            sums[w] += f64::from(output_gradient[o]) * f64::from(input[i]);
        });
        for level in SimdLevel::available() {
            let mut gradient = poisoned(shape.weight_len());
            weight_gradient(level, &shape, &input, &output_gradient, &mut gradient);
            assert_close("weight gradient", &shape, &gradient, &sums);
        }
    }
}

#[test]
fn nan_propagates() {
    let shape = ConvolutionShape {
        in_channels: 32,
        out_channels: 32,
        ..SHAPE
    };
    let weight = random(1, shape.weight_len());
    let input = poisoned(shape.input_len());
    let epilogue = Epilogue {
        relu: true,
        ..Epilogue::default()
    };
    for level in SimdLevel::available() {
        let packed = PackedWeight::new(level, &weight, WeightOrder::InOut, &shape);
        let mut output = vec![0.0; shape.output_len()];
        forward(&shape, &input, &packed, epilogue, &mut output);
        assert!(output.iter().all(|value| value.is_nan()));
    }
}

#[test]
fn results_are_independent_of_thread_count() {
    let shape = ConvolutionShape {
        batch: 5,
        height: 23,
        width: 19,
        in_channels: 24,
        out_channels: 72,
        stride: [2, 1],
        ..SHAPE
    };
    let input = random(1, shape.input_len());
    let weight = random(2, shape.weight_len());
    let output_gradient = random(3, shape.output_len());
    let (level, order) = (SimdLevel::best(), WeightOrder::InOut);
    assert_same_on_threads(|| {
        let packed = PackedWeight::new(level, &weight, order, &shape);
        let lengths = [shape.output_len(), shape.input_len(), shape.weight_len()];
        let mut results = lengths.map(poisoned);
        let [output, input_sums, weight_sums] = &mut results;
        forward(&shape, &input, &packed, Epilogue::default(), output);
        let gradient = &output_gradient;
        input_gradient(level, &shape, gradient, &weight, order, false, input_sums);
        weight_gradient(level, &shape, &input, gradient, weight_sums);
        results.concat()
    });
}

/// With few tiles, the number of tasks that share the output channels depends on it.
#[test]
fn winograd_is_independent_of_thread_count() {
    let shape = ConvolutionShape {
        height: 9,
        width: 10,
        in_channels: 24,
        out_channels: 150,
        ..SHAPE
    };
    let input = random(1, shape.input_len());
    let weight = random(2, shape.weight_len());
    let bias = random(3, shape.out_channels);
    let level = SimdLevel::best();
    let view = WeightView::new(&weight, WeightOrder::InOut, shape.kernel, 24, 150);
    let panels = Panels::pack(level, view);
    let transformed = WinogradWeight::new(level, &panels);
    let walk = walk(&shape, &Blocks::new(&shape), 0);
    assert_same_on_threads(|| {
        let finish = Finish {
            bias: Some(&bias),
            ..Finish::default()
        };
        let mut output = poisoned(shape.output_len());
        let shared = Shared::new(&mut output);
        winograd(level, &walk, &input, &panels, &transformed, finish, shared);
        output
    });
}
