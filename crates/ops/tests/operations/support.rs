//! Operations under test, with inputs that are the same in every run.

use burn::backend::Autodiff;
use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::Flex;

pub(crate) type Train = Autodiff<Flex>;

/// Spread over -1 to 1 without a pattern, so that neither ReLUs nor pools meet ties.
pub(crate) fn values(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    std::iter::repeat_with(next).skip(8).take(count).collect()
}

pub(crate) fn tensor<const D: usize>(
    values: &[f64],
    shape: [usize; D],
    dtype: DType,
) -> Tensor<Train, D> {
    let data = TensorData::new(values.to_vec(), shape).convert_dtype(dtype);
    Tensor::from_data(data, (&Default::default(), dtype))
}

/// Inputs of these lengths.
pub(crate) fn inputs(lengths: &[usize]) -> Vec<Vec<f64>> {
    let seeded = lengths.iter().zip(1..);
    seeded.map(|(&length, seed)| values(length, seed)).collect()
}

/// What an operation makes of flat inputs, and the gradient of each of them where the output's is
/// `values(_, 99)`.
pub(crate) fn run<const D: usize>(
    inputs: &[Vec<f64>],
    dtype: DType,
    operation: impl Fn(&[Tensor<Train, 1>]) -> Tensor<Train, D>,
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let leaves: Vec<_> = inputs
        .iter()
        .map(|input| tensor(input, [input.len()], dtype).require_grad())
        .collect();
    let output = operation(&leaves);
    let gradients = weighted_sum(output.clone(), dtype).backward();
    let gradients = leaves.iter().map(|leaf| {
        let gradient = leaf.grad(&gradients).expect("every input has a gradient");
        gradient.into_data().iter::<f64>().collect()
    });
    (
        output.into_data().iter::<f64>().collect(),
        gradients.collect(),
    )
}

pub(crate) fn weighted_sum<const D: usize>(
    output: Tensor<Train, D>,
    dtype: DType,
) -> Tensor<Train, 1> {
    let shape = output.dims();
    let weights = tensor(&values(shape.iter().product(), 99), shape, dtype);
    (output * weights).sum()
}

pub(crate) fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * (1.0 + expected.abs()),
            "{what} [{index}]: {found} instead of {expected}"
        );
    }
}
