//! Checking that all values of a network are finite.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// Returns whether all parameters and statistics are finite.
pub(crate) fn is_finite<B: Backend, M: Module<B>>(module: &M) -> bool {
    let mut sums = Sums::<B>(None);
    module.visit(&mut sums);
    let sum = sums.0.map(Tensor::into_data);
    sum.is_none_or(|sum| sum.iter::<f64>().all(f64::is_finite))
}

/// Sum of all values times zero, on the device: not a number if any value is not finite.
struct Sums<B: Backend>(Option<Tensor<B, 1>>);

impl<B: Backend> ModuleVisitor<B> for Sums<B> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<B, D>>) {
        let sum = parameter.val().mul_scalar(0.0).sum();
        self.0 = Some(match self.0.take() {
            Some(before) => before + sum,
            None => sum,
        });
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use burn_flex::Flex;

    use super::*;

    #[test]
    fn single_nan_weight_is_found() {
        let device = Default::default();
        let parameter = |values: [f32; 3]| {
            let values = TensorData::from(values);
            Param::from_tensor(Tensor::<Flex, 1>::from_data(values, &device))
        };
        assert!(is_finite::<Flex, _>(&parameter([1.0, f32::MAX, f32::MIN])));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!is_finite::<Flex, _>(&vec![
                parameter([0.0; 3]),
                parameter([1.0, bad, 2.0]),
            ]));
        }
    }
}
