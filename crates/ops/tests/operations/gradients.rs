//! Gradients of every operation against central differences in double precision.

use crate::support::{self, Train, assert_close, inputs, run, weighted_sum};
use burn::tensor::{DType, Tensor};
use ops::ConvolutionOptions;

const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-7;

fn check<const D: usize>(
    what: &str,
    lengths: &[usize],
    operation: impl Fn(&[Tensor<Train, 1>]) -> Tensor<Train, D>,
) {
    let inputs = inputs(lengths);
    let (_, gradients) = run(&inputs, DType::F64, &operation);
    let loss = |inputs: &[Vec<f64>]| -> f64 {
        let leaves: Vec<_> = inputs
            .iter()
            .map(|input| support::tensor(input, [input.len()], DType::F64))
            .collect();
        let loss = weighted_sum(operation(&leaves), DType::F64).into_data();
        loss.iter::<f64>().sum()
    };
    for (position, gradient) in gradients.iter().enumerate() {
        let differences: Vec<f64> = (0..lengths[position])
            .map(|index| {
                let moved = |step: f64| {
                    let mut inputs = inputs.clone();
                    inputs[position][index] += step;
                    loss(&inputs)
                };
                (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
            })
            .collect();
        assert_close(
            gradient,
            &differences,
            TOLERANCE,
            &format!("{what}, input {position}"),
        );
    }
}

fn check_convolution(
    what: &str,
    size: [usize; 4],
    weight: [usize; 4],
    options: ConvolutionOptions,
) {
    let lengths = [size.iter().product(), weight.iter().product(), weight[0]];
    check(what, &lengths, |inputs| {
        let [input, kernels] = [(0, size), (1, weight)]
            .map(|(index, shape): (usize, _)| inputs[index].clone().reshape(shape));
        ops::convolution(input, kernels, Some(inputs[2].clone()), options)
    });
}

#[test]
fn convolution() {
    for (size, kernel, stride, padding) in [
        ([2, 2, 4, 5], [3, 3], [1, 1], [1, 1]),
        ([1, 2, 5, 4], [3, 3], [2, 2], [1, 1]),
        ([1, 1, 6, 7], [5, 3], [2, 1], [2, 0]),
        ([2, 3, 4, 4], [1, 1], [2, 2], [0, 0]),
        ([1, 2, 1, 1], [7, 7], [2, 2], [3, 3]),
    ] {
        let weight = [2, size[1], kernel[0], kernel[1]];
        let options = ConvolutionOptions::default()
            .with_stride(stride)
            .with_padding(padding);
        check_convolution(&format!("{size:?} {kernel:?}"), size, weight, options);
    }
}

#[test]
fn convolution_in_groups() {
    for (size, out_channels, kernel, stride, groups) in [
        ([2, 4, 4, 5], 4, 3, 1, 2),
        ([1, 4, 5, 4], 8, 3, 2, 4),
        ([1, 6, 3, 3], 3, 1, 2, 3),
    ] {
        let weight = [out_channels, size[1] / groups, kernel, kernel];
        let options = ConvolutionOptions::default()
            .with_stride([stride; 2])
            .with_padding([kernel / 2; 2])
            .with_groups(groups);
        check_convolution(&format!("{size:?} in {groups}"), size, weight, options);
    }
}

#[test]
fn batch_norm() {
    for size in [[2, 2, 3, 2], [1, 3, 2, 2], [4, 2, 1, 1], [1, 2, 5, 1]] {
        let length = size.iter().product();
        let channels = size[1];
        for (residual, relu) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut lengths = vec![length, channels, channels];
            if residual {
                lengths.push(length);
            }
            let what = format!("{size:?}, residual {residual}, ReLU {relu}");
            check(&what, &lengths, |inputs| {
                let residual = inputs.get(3).map(|input| input.clone().reshape(size));
                let (output, _, _) = ops::batch_norm(
                    inputs[0].clone().reshape(size),
                    inputs[1].clone(),
                    inputs[2].clone(),
                    residual,
                    relu,
                    1e-3,
                );
                output
            });
        }
    }
}

#[test]
fn affine() {
    let size = [2, 3, 2, 2];
    check("affine", &[24, 3, 3, 24], |inputs| {
        ops::affine(
            inputs[0].clone().reshape(size),
            inputs[1].clone(),
            inputs[2].clone(),
            Some(inputs[3].clone().reshape(size)),
            true,
        )
    });
}

#[test]
fn max_pool() {
    for (size, kernel, stride, padding) in [
        ([2, 2, 5, 6], [3, 3], [2, 2], [1, 1]),
        ([1, 3, 4, 5], [2, 2], [2, 2], [0, 0]),
        ([1, 1, 4, 4], [3, 2], [1, 1], [1, 0]),
        ([2, 1, 1, 1], [3, 3], [2, 2], [1, 1]),
    ] {
        check(
            &format!("{size:?} {kernel:?}"),
            &[size.iter().product()],
            |inputs| ops::max_pool(inputs[0].clone().reshape(size), kernel, stride, padding),
        );
    }
}

#[test]
fn average_pool() {
    for (size, edge) in [
        ([2, 2, 4, 6], 2),
        ([1, 3, 5, 3], 2),
        ([1, 1, 1, 2], 2),
        ([1, 1, 7, 4], 3),
    ] {
        check(&format!("{size:?}"), &[size.iter().product()], |inputs| {
            ops::average_pool(inputs[0].clone().reshape(size), edge)
        });
    }
}

#[test]
fn global_average_pool() {
    for size in [[2, 3, 3, 2], [1, 1, 1, 1]] {
        check(&format!("{size:?}"), &[size.iter().product()], |inputs| {
            ops::global_average_pool(inputs[0].clone().reshape(size))
        });
    }
}

#[test]
fn zero_pad_shortcut() {
    for (size, stride, padding) in [
        ([2, 2, 5, 4], 2, [1, 1]),
        ([1, 1, 3, 3], 2, [1, 2]),
        ([1, 2, 2, 3], 1, [0, 1]),
        ([2, 1, 4, 5], 2, [0, 0]),
        ([1, 2, 1, 1], 2, [2, 0]),
        ([1, 1, 2, 2], 1, [0, 0]),
    ] {
        check(
            &format!("{size:?} {stride} {padding:?}"),
            &[size.iter().product()],
            |inputs| ops::zero_pad_shortcut(inputs[0].clone().reshape(size), stride, padding),
        );
    }
}

#[test]
fn add_relu() {
    let size = [2, 2, 2, 3];
    let both = |inputs: &[Tensor<Train, 1>]| {
        [0, 1].map(|index: usize| inputs[index].clone().reshape(size))
    };
    check("add_relu", &[24, 24], |inputs| {
        let [left, right] = both(inputs);
        ops::add_relu(left, right)
    });
    check("add", &[24, 24], |inputs| {
        let [left, right] = both(inputs);
        ops::add(left, right)
    });
    check("twice the same", &[24], |inputs| {
        let input = inputs[0].clone().reshape(size);
        ops::add(input.clone(), input)
    });
    check("relu", &[24], |inputs| {
        ops::relu(inputs[0].clone().reshape(size))
    });
    check("the same on both sides", &[24], |inputs| {
        let input = inputs[0].clone().reshape(size);
        ops::add_relu(input.clone(), input)
    });
}

/// One tensor is the input of a norm, of a pool and of additions, as around pre-activation blocks.
#[test]
fn forks_before_a_norm() {
    let size = [2, 2, 4, 4];
    check("fork", &[64, 2, 2, 4], |inputs| {
        let features = inputs[0].clone().reshape(size) * 2.0;
        let (gamma, beta) = (inputs[1].clone(), inputs[2].clone());
        let (normed, ..) = ops::batch_norm(features.clone(), gamma, beta, None, true, 1e-3);
        let sum = ops::add(normed, features.clone());
        let pooled = ops::average_pool(features.clone(), 2);
        let subsampled = ops::zero_pad_shortcut(features, 2, [0, 0]);
        let narrow = inputs[3].clone().reshape([2, 2, 1, 1]);
        let options = ConvolutionOptions::default().with_stride([2, 2]);
        let branch = ops::convolution(sum, narrow, None, options);
        ops::add(ops::add(branch, pooled), subsampled)
    });
}

/// One tensor is the input of a convolution, of a projection and of a norm's residual.
#[test]
fn forks() {
    let size = [2, 2, 3, 3];
    let options = |padding| ConvolutionOptions::default().with_padding([padding, padding]);
    check("fork", &[36, 36, 4, 2, 2], |inputs| {
        let features = inputs[0].clone().reshape(size) * 2.0;
        let wide = inputs[1].clone().reshape([2, 2, 3, 3]);
        let branch = ops::convolution(features.clone(), wide, None, options(1));
        let narrow = inputs[2].clone().reshape([2, 2, 1, 1]);
        let projection = ops::convolution(features.clone(), narrow, None, options(0));
        let (gamma, beta) = (inputs[3].clone(), inputs[4].clone());
        let (output, ..) = ops::batch_norm(branch, gamma, beta, Some(features), true, 1e-3);
        ops::add_relu(output, projection)
    });
}
