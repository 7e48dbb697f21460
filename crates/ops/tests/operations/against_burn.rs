//! Every operation, forward and backward, against the same composed of Burn's own.

use crate::support::{Train, assert_close, inputs, run};
use burn::tensor::activation::relu;
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Tensor};
use ops::ConvolutionOptions;

const TOLERANCE: f64 = 2e-5;

fn compare<const D: usize>(
    what: &str,
    lengths: &[usize],
    ours: impl Fn(&[Tensor<Train, 1>]) -> Tensor<Train, D>,
    burns: impl Fn(&[Tensor<Train, 1>]) -> Tensor<Train, D>,
) {
    let inputs = inputs(lengths);
    let (output, gradients) = run(&inputs, DType::F32, ours);
    let (expected_output, expected_gradients) = run(&inputs, DType::F32, burns);
    assert_close(&output, &expected_output, TOLERANCE, what);
    for (position, (found, expected)) in gradients.iter().zip(&expected_gradients).enumerate() {
        let what = format!("{what}, gradient {position}");
        assert_close(found, expected, TOLERANCE, &what);
    }
}

/// `[channels]` as they are broadcast over images.
fn per_channel(values: &Tensor<Train, 1>) -> Tensor<Train, 4> {
    let [channels] = values.dims();
    values.clone().reshape([1, channels, 1, 1])
}

/// Batch normalization as its definition reads.
fn normalize(
    input: Tensor<Train, 4>,
    gamma: &Tensor<Train, 1>,
    beta: &Tensor<Train, 1>,
) -> Tensor<Train, 4> {
    let mean = |tensor: Tensor<Train, 4>| tensor.mean_dim(0).mean_dim(2).mean_dim(3);
    let centerd = input.clone() - mean(input);
    let variance = mean(centerd.clone().powi_scalar(2));
    centerd / (variance + 1e-5).sqrt() * per_channel(gamma) + per_channel(beta)
}

#[test]
fn convolution() {
    for size in [[2, 3, 8, 7], [1, 2, 5, 5], [3, 1, 1, 1]] {
        for (kernel, padding) in [(1, 0), (3, 0), (3, 1), (5, 2), (7, 3)] {
            if size[2] + 2 * padding < kernel {
                continue;
            }
            for stride in [1, 2] {
                for bias in [false, true] {
                    let weight = [4, size[1], kernel, kernel];
                    let mut lengths = vec![size.iter().product(), weight.iter().product()];
                    if bias {
                        lengths.push(4);
                    }
                    let what = format!("{size:?}, kernel {kernel}, stride {stride}, bias {bias}");
                    let options = ConvolutionOptions::default()
                        .with_stride([stride; 2])
                        .with_padding([padding; 2]);
                    let split = |inputs: &[Tensor<Train, 1>]| {
                        let input = inputs[0].clone().reshape(size);
                        (
                            input,
                            inputs[1].clone().reshape(weight),
                            inputs.get(2).cloned(),
                        )
                    };
                    let burns = |inputs: &[Tensor<Train, 1>]| {
                        let (input, weight, bias) = split(inputs);
                        let options = ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1);
                        conv2d(input, weight, bias, options)
                    };
                    compare(
                        &what,
                        &lengths,
                        |inputs| {
                            let (input, weight, bias) = split(inputs);
                            ops::convolution(input, weight, bias, options)
                        },
                        burns,
                    );
                    compare(
                        &format!("{what}, prepared"),
                        &lengths,
                        |inputs| {
                            let (input, weight, bias) = split(inputs);
                            let prepared = ops::prepare_convolution(weight, bias, options);
                            ops::prepared_convolution(input, &prepared, None, true)
                        },
                        |inputs| relu(burns(inputs)),
                    );
                }
            }
        }
    }
}

/// Each group by itself, with our own convolution; images in both orders of memory.
#[test]
fn grouped_convolution_matches_separate_ones() {
    for (size, out_channels, kernel, stride, groups) in [
        ([2, 8, 6, 5], 8, 3, 1, 4),
        ([2, 6, 7, 6], 12, 3, 2, 3),
        ([1, 4, 5, 5], 4, 3, 1, 4),
        ([3, 8, 4, 4], 4, 1, 2, 2),
    ] {
        for channels_last in [false, true] {
            let [batch, channels, height, width] = size;
            let weight = [out_channels, channels / groups, kernel, kernel];
            let lengths = [size.iter().product(), weight.iter().product(), out_channels];
            let options = |groups| {
                ConvolutionOptions::default()
                    .with_stride([stride; 2])
                    .with_padding([kernel / 2; 2])
                    .with_groups(groups)
            };
            let split = |inputs: &[Tensor<Train, 1>]| {
                let input = inputs[0].clone();
                let input = match channels_last {
                    true => input
                        .reshape([batch, height, width, channels])
                        .permute([0, 3, 1, 2]),
                    false => input.reshape(size),
                };
                (input, inputs[1].clone().reshape(weight), inputs[2].clone())
            };
            let apart = |inputs: &[Tensor<Train, 1>]| {
                let (input, weight, bias) = split(inputs);
                let parts = (0..groups).map(|group| {
                    let input = input.clone().chunk(groups, 1).swap_remove(group);
                    let weight = weight.clone().chunk(groups, 0).swap_remove(group);
                    let bias = bias.clone().chunk(groups, 0).swap_remove(group);
                    ops::convolution(input, weight, Some(bias), options(1))
                });
                Tensor::cat(parts.collect(), 1)
            };
            let what = format!("{size:?} in {groups}, channels last {channels_last}");
            compare(
                &what,
                &lengths,
                |inputs| {
                    let (input, weight, bias) = split(inputs);
                    ops::convolution(input, weight, Some(bias), options(groups))
                },
                apart,
            );
            compare(
                &format!("{what}, prepared"),
                &lengths,
                |inputs| {
                    let (input, weight, bias) = split(inputs);
                    let prepared = ops::prepare_convolution(weight, Some(bias), options(groups));
                    ops::prepared_convolution(input, &prepared, None, true)
                },
                |inputs| relu(apart(inputs)),
            );
        }
    }
}

#[test]
fn batch_norm_and_affine() {
    for size in [[4, 3, 5, 6], [1, 2, 7, 3], [8, 2, 1, 1], [2, 4, 1, 2]] {
        let length = size.iter().product();
        let channels = size[1];
        for relu_after in [false, true] {
            let lengths = [length, channels, channels, length];
            let finish = |output: Tensor<Train, 4>, inputs: &[Tensor<Train, 1>]| {
                let output = output + inputs[3].clone().reshape(size);
                if relu_after { relu(output) } else { output }
            };
            compare(
                &format!("batch norm, {size:?}, ReLU {relu_after}"),
                &lengths,
                |inputs| {
                    let input = inputs[0].clone().reshape(size);
                    let residual = inputs[3].clone().reshape(size);
                    let (gamma, beta) = (inputs[1].clone(), inputs[2].clone());
                    ops::batch_norm(input, gamma, beta, Some(residual), relu_after, 1e-5).0
                },
                |inputs| {
                    let input = inputs[0].clone().reshape(size);
                    finish(normalize(input, &inputs[1], &inputs[2]), inputs)
                },
            );
            compare(
                &format!("affine, {size:?}, ReLU {relu_after}"),
                &lengths,
                |inputs| {
                    let input = inputs[0].clone().reshape(size);
                    let residual = inputs[3].clone().reshape(size);
                    let (scale, shift) = (inputs[1].clone(), inputs[2].clone());
                    ops::affine(input, scale, shift, Some(residual), relu_after)
                },
                |inputs| {
                    let input = inputs[0].clone().reshape(size);
                    let output = input * per_channel(&inputs[1]) + per_channel(&inputs[2]);
                    finish(output, inputs)
                },
            );
        }
    }
}

#[test]
fn max_pool() {
    for (size, kernel, stride, padding) in [
        ([2, 3, 8, 7], 3, 2, 1),
        ([1, 2, 6, 6], 2, 2, 0),
        ([2, 1, 5, 4], 3, 1, 1),
        ([1, 4, 1, 1], 3, 2, 1),
    ] {
        compare(
            &format!("{size:?}, kernel {kernel}"),
            &[size.iter().product()],
            |inputs| {
                let input = inputs[0].clone().reshape(size);
                ops::max_pool(input, [kernel; 2], [stride; 2], [padding; 2])
            },
            |inputs| {
                let input = inputs[0].clone().reshape(size);
                let (kernel, stride, padding) = ([kernel; 2], [stride; 2], [padding; 2]);
                max_pool2d(input, kernel, stride, padding, [1, 1], false)
            },
        );
    }
}

type Sum = fn([Tensor<Train, 4>; 2]) -> Tensor<Train, 4>;

#[test]
fn pools_flatten_and_add_match_burn() {
    for size in [[2, 3, 4, 5], [1, 1, 1, 1]] {
        let length = size.iter().product();
        let [batch, channels, ..] = size;
        compare(
            &format!("global average pool, {size:?}"),
            &[length],
            |inputs| ops::global_average_pool(inputs[0].clone().reshape(size)),
            |inputs| {
                let input = inputs[0].clone().reshape(size);
                input.mean_dim(2).mean_dim(3).reshape([batch, channels])
            },
        );
        for order in [[0, 1, 2, 3], [0, 3, 1, 2]] {
            compare(
                &format!("flatten, {size:?} in {order:?}"),
                &[length],
                |inputs| ops::flatten(inputs[0].clone().reshape(size).permute(order)),
                |inputs| inputs[0].clone().reshape(size).permute(order).flatten(1, 3),
            );
        }
        compare(
            &format!("average pool of windows, {size:?}"),
            &[length],
            |inputs| {
                // Channels last.
                let [batch, channels, height, width] = size;
                let lying = inputs[0].clone().reshape([batch, height, width, channels]);
                ops::average_pool(lying.permute([0, 3, 1, 2]), 2)
            },
            |inputs| {
                let [batch, channels, height, width] = size;
                let lying = inputs[0].clone().reshape([batch, height, width, channels]);
                let rows = lying.permute([0, 3, 1, 2]).split(2, 2);
                let rows = rows.into_iter().map(|row| {
                    let windows = row.split(2, 3).into_iter();
                    Tensor::cat(windows.map(|w| w.mean_dim(2).mean_dim(3)).collect(), 3)
                });
                Tensor::cat(rows.collect(), 2)
            },
        );
        compare(
            &format!("ReLU, {size:?}"),
            &[length],
            |inputs| ops::relu(inputs[0].clone().reshape(size)),
            |inputs| relu(inputs[0].clone().reshape(size)),
        );
        let compare_sums = |what: &str, ours: Sum, burns: Sum| {
            let both = |inputs: &[Tensor<Train, 1>]| {
                [0, 1].map(|index: usize| inputs[index].clone().reshape(size))
            };
            compare(
                &format!("{what}, {size:?}"),
                &[length, length],
                |inputs| ours(both(inputs)),
                |inputs| burns(both(inputs)),
            );
        };
        compare_sums(
            "addition alone",
            |[left, right]| ops::add(left, right),
            |[left, right]| left + right,
        );
        compare_sums(
            "addition",
            |[left, right]| ops::add_relu(left, right),
            |[left, right]| relu(left + right),
        );
    }
}

#[test]
fn zero_pad_shortcut() {
    for (size, stride, [before, after]) in [
        ([2, 2, 6, 6], 2, [1, 1]),
        ([1, 3, 5, 4], 2, [1, 2]),
        ([2, 1, 3, 3], 1, [0, 1]),
        ([1, 1, 1, 1], 2, [1, 0]),
    ] {
        let [batch, _, height, width]: [usize; 4] = size;
        let (height, width) = (height.div_ceil(stride), width.div_ceil(stride));
        let zeros = |channels| Tensor::zeros([batch, channels, height, width], &Default::default());
        compare(
            &format!("{size:?}, stride {stride}"),
            &[size.iter().product()],
            |inputs| {
                let input = inputs[0].clone().reshape(size);
                ops::zero_pad_shortcut(input, stride, [before, after])
            },
            |inputs| {
                let input = inputs[0].clone().reshape(size);
                let input = max_pool2d(input, [1, 1], [stride; 2], [0, 0], [1, 1], false);
                let mut parts = vec![input];
                if before > 0 {
                    parts.insert(0, zeros(before));
                }
                if after > 0 {
                    parts.push(zeros(after));
                }
                Tensor::cat(parts, 1)
            },
        );
    }
}

/// A chain of everything, on an image that lies in memory as `[batch, height, width, channels]`.
#[test]
fn any_memory_layout_is_accepted() {
    let (size, weight) = ([2, 3, 6, 5], [3, 3, 3, 3]);
    let image = |inputs: &[Tensor<Train, 1>]| {
        let [batch, channels, height, width] = size;
        let lying = inputs[0].clone().reshape([batch, height, width, channels]);
        lying.permute([0, 3, 1, 2])
    };
    compare(
        "chain",
        &[180, 81, 3, 3],
        |inputs| {
            let options = ConvolutionOptions::default().with_padding([1, 1]);
            let weight = inputs[1].clone().reshape(weight);
            let features = ops::convolution(image(inputs), weight, None, options);
            let (gamma, beta) = (inputs[2].clone(), inputs[3].clone());
            let residual = Some(image(inputs));
            let (features, ..) = ops::batch_norm(features, gamma, beta, residual, true, 1e-5);
            let features = ops::add_relu(features, image(inputs));
            let features = ops::max_pool(features, [3, 3], [1, 1], [1, 1]);
            ops::global_average_pool(ops::zero_pad_shortcut(features, 2, [1, 1]))
        },
        |inputs| {
            let weight = inputs[1].clone().reshape(weight);
            let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
            let features = conv2d(image(inputs), weight, None, options);
            let features = relu(normalize(features, &inputs[2], &inputs[3]) + image(inputs));
            let features = relu(features + image(inputs));
            let features = max_pool2d(features, [3, 3], [1, 1], [1, 1], [1, 1], false);
            let features = max_pool2d(features, [1, 1], [2, 2], [0, 0], [1, 1], false);
            let zeros = Tensor::zeros([2, 1, 3, 3], &Default::default());
            let features = Tensor::cat(vec![zeros.clone(), features, zeros], 1);
            features.mean_dim(2).mean_dim(3).reshape([2, 5])
        },
    );
}
