//! Muon: momentum with an orthogonalized direction.

use burn::optim::LearningRate;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::state::{OptimizerState, next};
use crate::{ResidualBackend, SgdStep, orthogonalize, sgd_step};

/// Scale that makes steps as long as those of Adam (Liu et al. 2025,
/// <https://arxiv.org/abs/2502.16982>), so that one learning rate works for both.
const SCALE: f64 = 0.2;

/// Settings of Muon (Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>).
///
/// Muon treats a convolution's weight `[out, in, height, width]` as a matrix with `out` rows. It
/// replaces the momentum's direction with an approximation of the nearest matrix with orthogonal
/// rows or columns, and scales the entries to the length of Adam's. All other parameters take AdamW
/// steps with the same learning rate and weight decay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Muon {
    /// Fraction of the previous direction to keep, 0 to 1.
    pub momentum: f64,
    /// Whether to use Nesterov momentum.
    pub nesterov: bool,
    /// Fraction of a parameter to subtract from it, times the learning rate.
    pub weight_decay: f64,
    /// Whether weight decay applies to vectors too: biases, and the scale and shift of norms.
    pub vectors_decay: bool,
}

impl Default for Muon {
    fn default() -> Self {
        Self {
            momentum: 0.95,
            nesterov: true,
            weight_decay: 0.0,
            vectors_decay: true,
        }
    }
}

impl Muon {
    pub(super) fn step<B: ResidualBackend, const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<B, D>,
        gradient: Tensor<B, D>,
        state: Option<OptimizerState<B, D>>,
    ) -> (Tensor<B, D>, Option<OptimizerState<B, D>>) {
        if D < 4 {
            return self.others().step(rate, parameter, gradient, state);
        }
        let steps = next(&state);
        // SGD's buffer, and the result of a step from zero with a learning rate of one.
        let zero = gradient.zeros_like();
        let momentum = SgdStep {
            rate: 1.0,
            momentum: self.momentum,
            dampening: 0.0,
            nesterov: self.nesterov,
            weight_decay: 0.0,
        };
        let buffer = state.map(|state| state.first);
        let (negative, buffer) = sgd_step(zero, gradient, buffer, momentum);

        // The memory layout of convolution gradients: `[height, width, in, out]`.
        let last_first: [isize; D] = std::array::from_fn(|axis| match axis {
            axis if axis + 2 < D => axis as isize + 2,
            axis if axis + 2 == D => 1,
            _ => 0,
        });
        let negative = negative.permute(last_first);
        let shape = negative.dims();
        let (rows, columns) = (shape[..D - 1].iter().product::<usize>(), shape[D - 1]);
        let length = SCALE * (rows.max(columns) as f64).sqrt();
        let direction = orthogonalize(negative.reshape([rows, columns]), -length).reshape(shape);
        let first_last: [isize; D] = std::array::from_fn(|axis| match axis {
            0 => D as isize - 1,
            1 => D as isize - 2,
            axis => axis as isize - 2,
        });
        let descent = SgdStep {
            rate,
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
            weight_decay: self.weight_decay,
        };
        let (parameter, _) = sgd_step(parameter, direction.permute(first_last), None, descent);
        let state = buffer.map(|first| OptimizerState {
            first,
            second: None,
            steps,
        });
        (parameter, state)
    }

    /// Returns the optimizer for all parameters except the weights of convolutions.
    fn others(&self) -> Adam {
        Adam {
            weight_decay: self.weight_decay,
            decoupled: true,
            vectors_decay: self.vectors_decay,
            ..Adam::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{TensorData, Tolerance};
    use burn_flex::Flex;

    use crate::optimizer::Optimizer;
    use burn::optim::SimpleOptimizer as _;

    #[test]
    fn muon_steps_match_reference() {
        let device = Default::default();
        let values: Vec<f32> = (0..24)
            .map(|index| ((index * 7) % 11) as f32 - 5.0)
            .collect();
        let mut weight =
            Tensor::<Flex, 1>::from_floats(&values[..], &device).reshape([4, 3, 2, 1]) / 10.0;
        let muon = Optimizer::Muon(Muon {
            weight_decay: 0.1,
            ..Muon::default()
        });
        let mut state = None;
        for factor in [0.5, -1.0, 0.25] {
            // If gradients and weights were collinear, momentum would have no effect.
            let gradient = weight.clone().powi_scalar(2) * factor + weight.clone();
            (weight, state) = muon.step(0.1, weight, gradient, state);
        }
        weight
            .reshape([24])
            .into_data()
            .assert_approx_eq::<f32>(&TensorData::from(REFERENCE), Tolerance::absolute(1e-4));
    }

    /// Computed by PyTorch in double precision; `torch.optim.Muon` with
    /// `adjust_lr_fn="match_rms_adamw"` agrees to the precision of its bfloat16.
    const REFERENCE: [f32; 24] = [
        -0.381486, 0.171590, -0.186594, 0.377968, 0.102674, -0.255788, 0.293043, 0.013162,
        -0.330116, 0.233880, -0.060780, -0.404319, 0.145875, -0.187825, 0.394693, 0.022124,
        -0.256661, 0.324300, 0.031279, -0.302934, 0.268784, -0.075467, -0.379905, 0.193694,
    ];

    #[test]
    fn other_parameters_use_adamw_steps() {
        let device = Default::default();
        let vector = || Tensor::<Flex, 1>::from_floats([1.0, -2.0], &device);
        let muon = Optimizer::Muon(Muon {
            weight_decay: 0.1,
            ..Muon::default()
        });
        let adam = Optimizer::Adam(Adam {
            weight_decay: 0.1,
            decoupled: true,
            ..Adam::default()
        });
        let step = |optimizer: Optimizer| optimizer.step(0.1, vector(), vector() * 0.5, None).0;
        step(muon)
            .into_data()
            .assert_eq(&step(adam).into_data(), true);
    }
}
