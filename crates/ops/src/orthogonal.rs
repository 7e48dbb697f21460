//! Orthogonalization of momentum, for Muon.

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};

/// Coefficients of the polynomial `ax + bx^3 + cx^5`. A few applications move singular values
/// between 0 and 1 close to 1 (Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>).
pub(super) const COEFFICIENTS: [f64; 3] = [3.4445, -4.7750, 2.0315];
pub(super) const ITERATIONS: usize = 5;
/// Smallest divisor of a matrix before the first iteration.
pub(super) const EPSILON: f64 = 1e-7;

/// See [`ResidualBackend::orthogonalize`](super::ResidualBackend::orthogonalize).
pub fn orthogonalize<B: Backend>(matrix: FloatTensor<B>, length: f64) -> FloatTensor<B> {
    let matrix = Tensor::<B, 2>::from_primitive(TensorPrimitive::Float(matrix));
    let [rows, columns] = matrix.dims();
    let mut wide = if rows > columns {
        matrix.transpose()
    } else {
        matrix
    };
    let norm = wide.clone().powi_scalar(2).sum().sqrt();
    wide = wide / norm.clamp_min(EPSILON).reshape([1, 1]);
    let [a, b, c] = COEFFICIENTS;
    for _ in 0..ITERATIONS {
        let gram = wide.clone().matmul(wide.clone().transpose());
        let square = gram.clone().matmul(gram.clone());
        wide = (gram * b + square * c).matmul(wide.clone()) + wide * a;
    }
    let result = wide * length;
    let result = if rows > columns {
        result.transpose()
    } else {
        result
    };
    result.into_primitive().tensor()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};
    use burn_flex::Flex;

    #[test]
    fn singular_values_approach_target() {
        let device = Default::default();
        for [rows, columns] in [[8, 8], [6, 30], [30, 6], [1, 9]] {
            let normal = Distribution::Normal(0.0, 3.0);
            let matrix = Tensor::<Flex, 2>::random([rows, columns], normal, &device);
            let result = crate::orthogonalize(matrix, -2.0) / -2.0;
            assert_eq!(result.dims(), [rows, columns]);
            let squares: f32 = result.powi_scalar(2).sum().into_scalar();
            // Mean of the squared singular values.
            let mean = squares / rows.min(columns) as f32;
            assert!((0.4..1.5).contains(&mean), "{rows}x{columns}: {mean}");
        }
        let zero = crate::orthogonalize(Tensor::<Flex, 2>::zeros([3, 4], &device), 1.0);
        assert_eq!(zero.abs().sum().into_scalar(), 0.0);
    }

    #[test]
    fn kernels_match_default_implementation() {
        let device = Default::default();
        for [rows, columns] in [[6, 30], [30, 6], [64, 288], [24, 24]] {
            let normal = Distribution::Normal(0.0, 1.0);
            let random = Tensor::<Flex, 2>::random([rows, columns], normal, &device);
            // Gradients are far from orthogonal: their singular values span five powers of ten and
            // include zeros.
            let factors: Vec<f32> = (0..columns)
                .map(|column| 10f32.powf(-5.0 * column as f32 / columns as f32))
                .collect();
            let factors = Tensor::<Flex, 1>::from_floats(&factors[..], &device);
            let uneven = random.clone() * factors.unsqueeze();
            let twice = Tensor::cat(vec![random.clone().narrow(0, 0, rows / 2); 2], 0);
            for matrix in [random, uneven, twice] {
                let primitive = matrix.clone().into_primitive().tensor();
                let expected = orthogonalize::<Flex>(primitive, 2.0);
                let expected = Tensor::<Flex, 2>::from_primitive(TensorPrimitive::Float(expected));
                let result = crate::orthogonalize(matrix, 2.0).into_data();
                let tolerance = Tolerance::absolute(4e-3);
                result.assert_approx_eq::<f32>(&expected.into_data(), tolerance);
            }
        }
    }
}
