//! Which tensors have gradients, and which need none.

use crate::support::{Train, tensor, values};
use burn::tensor::{DType, Tensor, Tolerance};
use ops::ConvolutionOptions;

const SIZE: [usize; 4] = [2, 3, 4, 4];

fn same() -> ConvolutionOptions {
    ConvolutionOptions::default().with_padding([1, 1])
}

fn image(seed: u64) -> Tensor<Train, 4> {
    tensor(&values(96, seed), SIZE, DType::F32)
}

fn weight() -> Tensor<Train, 4> {
    tensor(&values(81, 7), [3, 3, 3, 3], DType::F32)
}

fn channels(seed: u64) -> Tensor<Train, 1> {
    tensor(&values(3, seed), [3], DType::F32)
}

#[test]
fn untracked_inputs_get_no_gradient() {
    // Every way to track some of input, weight and bias.
    for tracked in 0..8 {
        let [input, weight] = [(image(1), 1), (weight(), 2)]
            .map(|(tensor, bit)| tensor.set_require_grad(tracked & bit != 0));
        let bias = channels(2).set_require_grad(tracked & 4 != 0);
        let output =
            ops::convolution(input.clone(), weight.clone(), Some(bias.clone()), same()).sum();
        if tracked == 0 {
            continue;
        }
        let gradients = output.backward();
        assert_eq!(input.grad(&gradients).is_some(), tracked & 1 != 0);
        assert_eq!(weight.grad(&gradients).is_some(), tracked & 2 != 0);
        assert_eq!(bias.grad(&gradients).is_some(), tracked & 4 != 0);
    }
    // And of input, gamma, beta and residual.
    for tracked in 1..16 {
        let [input, residual] = [(image(1), 1), (image(2), 8)]
            .map(|(tensor, bit)| tensor.set_require_grad(tracked & bit != 0));
        let [gamma, beta] = [(channels(3), 2), (channels(4), 4)]
            .map(|(tensor, bit)| tensor.set_require_grad(tracked & bit != 0));
        let (output, ..) = ops::batch_norm(
            input.clone(),
            gamma.clone(),
            beta.clone(),
            Some(residual.clone()),
            true,
            1e-5,
        );
        let gradients = output.sum().backward();
        assert_eq!(input.grad(&gradients).is_some(), tracked & 1 != 0);
        assert_eq!(gamma.grad(&gradients).is_some(), tracked & 2 != 0);
        assert_eq!(beta.grad(&gradients).is_some(), tracked & 4 != 0);
        assert_eq!(residual.grad(&gradients).is_some(), tracked & 8 != 0);
    }
    let [left, right] = [image(1).require_grad(), image(2)];
    let gradients = ops::add_relu(left.clone(), right.clone()).sum().backward();
    assert!(left.grad(&gradients).is_some() && right.grad(&gradients).is_none());
}

#[test]
fn statistics_receive_no_gradient() {
    let input = image(1).require_grad();
    let (output, mean, variance) =
        ops::batch_norm(input.clone(), channels(2), channels(3), None, false, 1e-5);
    let alone = input.grad(&output.clone().powi_scalar(2).sum().backward());

    let (output, ..) = ops::batch_norm(input.clone(), channels(2), channels(3), None, false, 1e-5);
    let loss = output.powi_scalar(2).sum() + mean.clone().sum() + variance.clone().sum();
    let together = input.grad(&loss.backward());

    let (alone, together) = (alone.unwrap().into_data(), together.unwrap().into_data());
    together.assert_eq(&alone, true);
    let rows = input.swap_dims(0, 1).reshape([3, 32]);
    let (expected_variance, expected_mean) = rows.var_mean_bias(1);
    let tolerance = Tolerance::<f32>::absolute(1e-5);
    let flat = |tensor: Tensor<Train, 2>| tensor.reshape([3]).into_data();
    mean.into_data()
        .assert_approx_eq(&flat(expected_mean), tolerance);
    variance
        .into_data()
        .assert_approx_eq(&flat(expected_variance), tolerance);
}

/// The convolution takes the residual's gradient over: it is added once, whether the fork is a leaf
/// or not.
#[test]
fn fork_gradient_is_the_sum() {
    let gradient = |through_convolution: bool, through_residual: bool, leaf: bool| {
        let input = image(1).require_grad();
        let fork = if leaf {
            input.clone()
        } else {
            input.clone() * 1.0
        };
        let convolved = match through_convolution {
            true => fork.clone(),
            false => fork.clone().detach(),
        };
        let residual = if through_residual {
            fork
        } else {
            fork.detach()
        };
        let output = ops::convolution(convolved, weight().require_grad(), None, same());
        let output = output + residual;
        let gradients = (output * image(5)).sum().backward();
        input.grad(&gradients).unwrap()
    };
    for leaf in [true, false] {
        let sum = gradient(true, false, leaf) + gradient(false, true, leaf);
        gradient(true, true, leaf)
            .into_data()
            .assert_approx_eq(&sum.into_data(), Tolerance::<f32>::absolute(1e-5));
    }
}
