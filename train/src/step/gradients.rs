//! Clipping the gradients of all parameters by their joint norm.

use std::marker::PhantomData;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};

/// Added to the norm that divides the gradients, as in PyTorch's `clip_grad_norm_`.
const EPSILON: f64 = 1e-6;

/// Scales gradients so that their joint norm over all parameters is at most `longest` (Pascanu et al. 2013,
/// <https://arxiv.org/abs/1211.5063>).
pub(crate) fn clip<B: AutodiffBackend, M: Module<B>>(
    module: &M,
    mut gradients: GradientsParams,
    longest: f64,
) -> GradientsParams {
    let mut squares = Squares::<B> {
        gradients: &gradients,
        sum: None,
    };
    module.visit(&mut squares);
    let Some(sum) = squares.sum else {
        return gradients;
    };
    let norm: f64 = sum.sqrt().into_data().iter().next().unwrap_or(f64::NAN);
    // A NaN norm leaves the gradients unchanged; the check of the loss reports it.
    if norm > longest {
        let mut scaled = Scaled::<B> {
            gradients: &mut gradients,
            factor: longest / (norm + EPSILON),
            backend: PhantomData,
        };
        module.visit(&mut scaled);
    }
    gradients
}

/// Sum of the squares of all gradients, on the device.
struct Squares<'a, B: AutodiffBackend> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<B::InnerBackend, 1>>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Squares<'_, B> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<B, D>>) {
        let Some(gradient) = self.gradients.get::<B::InnerBackend, D>(parameter.id) else {
            return;
        };
        let square = (gradient.clone() * gradient).sum();
        self.sum = Some(match self.sum.take() {
            Some(sum) => sum + square,
            None => square,
        });
    }
}

struct Scaled<'a, B: Backend> {
    gradients: &'a mut GradientsParams,
    factor: f64,
    backend: PhantomData<B>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Scaled<'_, B> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<B, D>>) {
        if let Some(gradient) = self.gradients.remove::<B::InnerBackend, D>(parameter.id) {
            let scaled = gradient.mul_scalar(self.factor);
            self.gradients.register(parameter.id, scaled);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Autodiff;
    use burn::nn::{Linear, LinearConfig};
    use burn_flex::Flex;

    type Train = Autodiff<Flex>;

    /// Returns the gradients of weight and bias in one list.
    fn values(linear: &Linear<Train>, gradients: &GradientsParams) -> Vec<f32> {
        let weight = gradients.get::<Flex, 2>(linear.weight.id).unwrap();
        let bias = linear.bias.as_ref().unwrap();
        let bias = gradients.get::<Flex, 1>(bias.id).unwrap();
        let mut values: Vec<f32> = weight.into_data().iter().collect();
        values.extend(bias.into_data().iter::<f32>());
        values
    }

    fn norm(values: &[f32]) -> f32 {
        values.iter().map(|value| value * value).sum::<f32>().sqrt()
    }

    #[test]
    fn clipping_keeps_direction_and_short_gradients() {
        let device = Default::default();
        let linear: Linear<Train> = LinearConfig::new(3, 2).init(&device);
        let gradients = || {
            let input = Tensor::<Train, 2>::from_floats([[1.0, 2.0, -3.0]], &device);
            let loss = linear.forward(input).sum();
            GradientsParams::from_grads(loss.backward(), &linear)
        };
        // The weight's gradients are two rows of 1, 2 and -3; the bias's are two ones.
        let whole = values(&linear, &gradients());
        assert!((norm(&whole) - 30.0_f32.sqrt()).abs() < 1e-5, "{whole:?}");

        let clipped = values(&linear, &clip(&linear, gradients(), 1.0));
        assert!((norm(&clipped) - 1.0).abs() < 1e-5, "{clipped:?}");
        for (clipped, whole) in clipped.iter().zip(&whole) {
            assert!((clipped * 30.0_f32.sqrt() - whole).abs() < 1e-4);
        }
        assert_eq!(values(&linear, &clip(&linear, gradients(), 6.0)), whole);
    }
}
