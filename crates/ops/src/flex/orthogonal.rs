//! Orthogonalization with fewer operations.
//!
//! Each iteration multiplies the matrix by a polynomial of its product with its own transpose. The
//! iterations therefore run on that product, which is small if the matrix is long, and the matrix
//! is multiplied once by the product of all factors. This requires full single precision: the
//! product contains the squares of the singular values, rounding may make some of them negative,
//! and negative ones grow.

use burn::tensor::{Tensor, TensorPrimitive};
use burn_flex::{Flex, FlexTensor};

use super::product::matrix_product;
use crate::orthogonal::{COEFFICIENTS, EPSILON, ITERATIONS};
use crate::profile;

type Matrix = Tensor<Flex, 2>;

pub(super) fn orthogonalize(matrix: FlexTensor, length: f64) -> FlexTensor {
    let _running = profile::operation("orthogonal matrix");
    let matrix = Matrix::from_primitive(TensorPrimitive::Float(matrix));
    let [rows, columns] = matrix.dims();
    let is_tall = rows > columns;
    let gram = if is_tall {
        product(matrix.clone().transpose(), matrix.clone())
    } else {
        product(matrix.clone(), matrix.clone().transpose())
    };
    let identity = Matrix::eye(rows.min(columns), &matrix.device());
    let norm = (gram.clone() * identity.clone()).sum().sqrt();
    let norm = norm.clamp_min(EPSILON).reshape([1, 1]);
    let mut gram = gram / norm.clone().powi_scalar(2);
    let mut factors = identity.clone() * length / norm;
    let [a, b, c] = COEFFICIENTS;
    for iteration in 1..=ITERATIONS {
        let square = product(gram.clone(), gram.clone());
        let factor = identity.clone() * a + gram.clone() * b + square * c;
        factors = product(factors, factor.clone());
        if iteration < ITERATIONS {
            gram = product(product(factor.clone(), gram), factor);
        }
    }
    let result = if is_tall {
        product(matrix, factors)
    } else {
        product(factors, matrix)
    };
    result.into_primitive().tensor()
}

fn product(left: Matrix, right: Matrix) -> Matrix {
    let [left, right] = [left, right].map(|matrix| matrix.into_primitive().tensor());
    Matrix::from_primitive(TensorPrimitive::Float(matrix_product(left, right)))
}
