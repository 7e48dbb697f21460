//! Batch normalization.

use burn::module::{Initializer, Module, Param, RunningState};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use ops::ResidualBackend;

/// Weight of the current batch in the running statistics, as in PyTorch.
const MOMENTUM: f64 = 0.1;

/// Purpose of a forward pass, if the backend records gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The backward pass follows, and running statistics are updated.
    Learning,
    /// Same output, but computed again later: nothing is recorded or updated.
    Ahead,
}

impl Pass {
    /// Returns the value of a parameter for this pass.
    pub(crate) fn parameter<B: Backend, const D: usize>(
        self,
        parameter: &Param<Tensor<B, D>>,
    ) -> Tensor<B, D> {
        match self {
            Self::Learning => parameter.val(),
            Self::Ahead => parameter.val().set_require_grad(false),
        }
    }
}

/// Batch normalization over the channels of images (Ioffe and Szegedy 2015,
/// <https://arxiv.org/abs/1502.03167>): `(x - mean) / sqrt(variance + epsilon) * gamma + beta`.
///
/// It differs from Burn's own norm in two ways. The running variance is the unbiased one, as in
/// PyTorch, and the following addition and ReLU are part of the same operation.
#[derive(Module, Debug)]
pub struct BatchNorm<B: Backend> {
    /// Scale `[channels]`.
    pub gamma: Param<Tensor<B, 1>>,
    /// Shift `[channels]`.
    pub beta: Param<Tensor<B, 1>>,
    /// Running mean over batches `[channels]`.
    pub running_mean: RunningState<Tensor<B, 1>>,
    /// Running unbiased variance over batches `[channels]`.
    pub running_var: RunningState<Tensor<B, 1>>,
    /// Part of the config, not of records.
    #[module(skip)]
    pub(crate) epsilon: f64,
}

impl<B: ResidualBackend> BatchNorm<B> {
    pub(crate) fn new(
        channels: usize,
        gamma: Initializer,
        epsilon: f64,
        device: &B::Device,
    ) -> Self {
        Self {
            gamma: gamma.init([channels], device),
            beta: Initializer::Zeros.init([channels], device),
            running_mean: RunningState::new(Tensor::zeros([channels], device)),
            running_var: RunningState::new(Tensor::ones([channels], device)),
            epsilon,
        }
    }

    /// Builds a norm with a scale of one.
    pub(crate) fn from_one(channels: usize, epsilon: f64, device: &B::Device) -> Self {
        Self::new(channels, Initializer::Ones, epsilon, device)
    }

    /// Normalizes the input; keeps the shape `[batch, channels, height, width]`.
    ///
    /// If `B` records gradients, uses the statistics of the batch and moves the running ones
    /// towards them; otherwise, or if the norm is frozen, uses the running ones.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        self.forward_fused(input, None, false)
    }

    /// Like [`forward`](Self::forward), then adds `residual`, which has the shape of the input, and
    /// applies a ReLU if `relu`.
    pub fn forward_fused(
        &self,
        input: Tensor<B, 4>,
        residual: Option<Tensor<B, 4>>,
        relu: bool,
    ) -> Tensor<B, 4> {
        self.run(input, residual, relu, Pass::Learning)
    }

    pub(crate) fn run(
        &self,
        input: Tensor<B, 4>,
        residual: Option<Tensor<B, 4>>,
        relu: bool,
        pass: Pass,
    ) -> Tensor<B, 4> {
        let learns = B::ad_enabled(&input.device()) && !self.is_frozen();
        if !learns {
            let (scale, shift) = self.scale_and_shift();
            return ops::affine(input, scale, shift, residual, relu);
        }
        let [batch, _, height, width] = input.dims();
        let (gamma, beta) = (pass.parameter(&self.gamma), pass.parameter(&self.beta));
        let (output, mean, variance) =
            ops::batch_norm(input, gamma, beta, residual, relu, self.epsilon);
        if pass == Pass::Learning {
            self.update(mean, variance, batch * height * width);
        }
        output
    }

    /// Returns whether the parameters take no gradient, as after
    /// [`freeze`](crate::Network::freeze).
    fn is_frozen(&self) -> bool {
        !self.gamma.is_require_grad()
    }

    /// Returns the norm with fixed running statistics as `x * scale + shift`, both `[channels]`.
    pub(crate) fn scale_and_shift(&self) -> (Tensor<B, 1>, Tensor<B, 1>) {
        let gamma = self.gamma.val();
        let device = gamma.device();
        let mean = self.running_mean.value().to_device(&device);
        let variance = self.running_var.value().to_device(&device);
        let scale = gamma / (variance + self.epsilon).sqrt();
        let shift = self.beta.val() - mean * scale.clone();
        (scale, shift)
    }

    /// Moves the running statistics towards those of a batch with `values` values per channel.
    /// `variance` is the biased one.
    fn update(&self, mean: Tensor<B, 1>, variance: Tensor<B, 1>, values: usize) {
        let unbiased = values as f64 / (values.max(2) - 1) as f64;
        let moved = |running: Tensor<B, 1>, batch: Tensor<B, 1>, factor: f64| {
            let running = running.to_device(&batch.device());
            (running * (1.0 - MOMENTUM) + batch * (MOMENTUM * factor)).detach()
        };
        let running_mean = moved(self.running_mean.value_sync(), mean, 1.0);
        let running_var = moved(self.running_var.value_sync(), variance, unbiased);
        self.running_mean.update(running_mean);
        self.running_var.update(running_var);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Autodiff;
    use burn::module::AutodiffModule as _;
    use burn::nn::BatchNormConfig;
    use burn::tensor::{TensorData, Tolerance};
    use burn_flex::Flex;

    type Train = Autodiff<Flex>;

    /// Returns images with mean 3 and standard deviation 2.
    fn images(seed: u64, shape: [usize; 4]) -> Tensor<Train, 4> {
        let count = shape.iter().product::<usize>() as u64;
        // The mean square of a sine is one half.
        let values = (0..count)
            .map(|index| 3.0 + 8.0_f32.sqrt() * (12.9898 * (index + 311 * seed) as f32).sin());
        Tensor::from_data(
            TensorData::new(values.collect(), shape),
            &Default::default(),
        )
    }

    #[test]
    fn agrees_with_burn_in_output_and_gradients() {
        let device = Default::default();
        for shape in [[4, 3, 5, 6], [8, 8, 1, 1], [1, 2, 7, 3]] {
            let ours = BatchNorm::<Train>::new(shape[1], Initializer::Ones, 1e-5, &device);
            let burns = BatchNormConfig::new(shape[1]).init::<Train>(&device);
            let weights = images(1, shape);
            let input = images(2, shape);
            let run = |norm: &dyn Fn(Tensor<Train, 4>) -> Tensor<Train, 4>| {
                let input = input.clone().require_grad();
                let output = norm(input.clone());
                let gradients = (output.clone() * weights.clone()).sum().backward();
                (
                    output.into_data(),
                    input.grad(&gradients).unwrap().into_data(),
                )
            };
            let (output, gradient) = run(&|input| ours.forward(input));
            let (expected_output, expected_gradient) = run(&|input| burns.forward(input));
            let tolerance = Tolerance::<f32>::absolute(2e-4);
            output.assert_approx_eq(&expected_output, tolerance);
            gradient.assert_approx_eq(&expected_gradient, tolerance);
        }
    }

    #[test]
    fn running_statistics_match_pytorch() {
        let device = Default::default();
        let norm = BatchNorm::<Train>::new(1, Initializer::Ones, 1e-5, &device);
        norm.forward(Tensor::from_data([[[[1.0, 2.0], [3.0, 6.0]]]], &device));
        // Mean 3, unbiased variance 14 / 3; a tenth of each, and nine tenths of 0 and 1.
        let mean: f32 = norm.running_mean.value_sync().into_scalar();
        let variance: f32 = norm.running_var.value_sync().into_scalar();
        assert!((mean - 0.3).abs() < 1e-6, "{mean}");
        assert!((variance - (0.9 + 1.4 / 3.0)).abs() < 1e-6, "{variance}");
    }

    #[test]
    fn prediction_uses_the_running_statistics() {
        let device = Default::default();
        let norm = BatchNorm::<Train>::new(2, Initializer::Ones, 1e-5, &device);
        for seed in 0..200 {
            norm.forward(images(seed, [16, 2, 4, 4]));
        }
        let output = norm
            .valid()
            .forward(Tensor::full([1, 2, 1, 1], 3.0, &device));
        for value in output.into_data().iter::<f32>() {
            assert!(
                value.abs() < 0.2,
                "the mean should become zero, not {value}"
            );
        }
    }

    #[test]
    fn epsilon_comes_from_config() {
        let device = Default::default();
        let norm = BatchNorm::<Flex>::new(1, Initializer::Ones, 3.0, &device);
        // The running variance of a new norm is 1: 4 / sqrt(1 + 3).
        let output = norm.forward(Tensor::full([1, 1, 1, 1], 4.0, &device));
        assert_eq!(output.into_scalar(), 2.0);
        // The batch has mean 0 and variance 1.
        let norm = BatchNorm::<Train>::new(1, Initializer::Ones, 3.0, &device);
        let output = norm.forward(Tensor::from_data([[[[-1.0, 1.0]]]], &device));
        let expected = burn::tensor::TensorData::from([[[[-0.5f32, 0.5]]]]);
        output
            .into_data()
            .assert_approx_eq(&expected, Tolerance::<f32>::absolute(1e-6));
    }
}
