//! Matrix products, computed as convolutions with a 1x1 kernel: the rows of the left matrix are
//! pixels, and the right matrix is the weight. If the left matrix is transposed, the product is the
//! gradient of such a weight.

use burn_flex::FlexTensor;

use super::images::{contiguous, tensor};
use crate::kernels::buffer::Buffer;
use crate::kernels::convolution::{
    ConvolutionShape, Epilogue, PackedWeight, WeightOrder, forward, weight_gradient,
};
use crate::kernels::simd::SimdLevel;

pub(super) fn matrix_product(left: FlexTensor, right: FlexTensor) -> FlexTensor {
    let [[rows, inner], [depth, columns]] =
        [&left, &right].map(|matrix| matrix.layout().shape().dims());
    assert_eq!(inner, depth, "{rows}x{inner} by {depth}x{columns}");
    if rows * inner * columns == 0 {
        return contiguous(FlexTensor::zeros([rows, columns].into(), left.dtype()));
    }
    let mut product = Buffer::new(rows * columns);
    if lies(&left, [1, rows]) {
        let right = contiguous(right);
        let shape = shape(inner, rows, columns);
        let level = SimdLevel::best();
        weight_gradient(level, &shape, left.storage(), right.storage(), &mut product);
    } else {
        let left = contiguous(left);
        let (right, order) = if lies(&right, [1, inner]) {
            (right, WeightOrder::OutIn)
        } else {
            (contiguous(right), WeightOrder::InOut)
        };
        let shape = shape(rows, inner, columns);
        let weight = PackedWeight::new(SimdLevel::best(), right.storage(), order, &shape);
        let none = Epilogue::default();
        forward(&shape, left.storage(), &weight, none, &mut product);
    }
    tensor(product, [rows, columns])
}

/// Returns a 1x1 convolution over the given number of pixels.
fn shape(pixels: usize, in_channels: usize, out_channels: usize) -> ConvolutionShape {
    let width = width(pixels);
    ConvolutionShape {
        batch: pixels / width,
        height: 1,
        width,
        in_channels,
        out_channels,
        groups: 1,
        kernel: [1, 1],
        stride: [1, 1],
        padding: [0, 0],
    }
}

/// Returns the width of images into which the pixels can be divided. Several images give several
/// threads work, and images with many pixels fill tiles.
fn width(pixels: usize) -> usize {
    const WIDTHS: std::ops::Range<usize> = 96..512;
    WIDTHS
        .into_iter()
        .find(|&width| pixels.is_multiple_of(width))
        .unwrap_or(pixels)
}

/// Returns whether a matrix fills its memory with exactly these strides.
fn lies(matrix: &FlexTensor, strides: [usize; 2]) -> bool {
    let layout = matrix.layout();
    layout.start_offset() == 0
        && layout.strides() == strides.map(|stride| stride as isize)
        && matrix.bytes().len() == layout.num_elements() * size_of::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tensor, TensorPrimitive, Tolerance};
    use burn_flex::Flex;

    type Matrix = Tensor<Flex, 2>;

    fn product(left: &Matrix, right: &Matrix) -> Matrix {
        let [left, right] = [left, right].map(|matrix| matrix.clone().into_primitive().tensor());
        Matrix::from_primitive(TensorPrimitive::Float(matrix_product(left, right)))
    }

    #[test]
    fn products_match_backend() {
        let device = Default::default();
        let random = |rows, columns| {
            Matrix::random([rows, columns], Distribution::Normal(0.0, 1.0), &device)
        };
        for [rows, inner, columns] in [
            [1, 1, 1],
            [3, 7, 5],
            [64, 27, 64],
            [16, 144, 33],
            [288, 16, 16],
            [130, 97, 200],
        ] {
            let lefts = [
                random(rows, inner),
                random(inner, rows).transpose(),
                random(rows + 2, inner).narrow(0, 0, rows),
            ];
            let rights = [
                random(inner, columns),
                random(columns, inner).transpose(),
                random(inner, columns + 2).narrow(1, 1, columns),
                random(inner + 2, columns).narrow(0, 0, inner),
            ];
            for left in &lefts {
                for right in &rights {
                    let expected = left.clone().matmul(right.clone()).into_data();
                    let product = product(left, right).into_data();
                    product.assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-4));
                }
            }
        }
        let none = product(&random(2, 0), &random(0, 3));
        assert_eq!(none.into_data().to_vec::<f32>().unwrap(), [0.0; 6]);
    }
}
