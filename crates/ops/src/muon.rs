//! Muon: momentum whose direction is made orthogonal.

use burn::optim::LearningRate;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::optimizer::{Adam, OptimizerState, next};
use crate::{ResidualBackend, SgdStep, orthogonalize, sgd_step};

/// Steps as long as those of Adam (Liu et al. 2025, <https://arxiv.org/abs/2502.16982>): so one
/// rate serves both.
const SCALE: f64 = 0.2;

/// Settings of Muon (Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>).
///
/// A convolution's weight `[out, in, height, width]` is a matrix of `out` rows to it. The direction
/// of its momentum is brought close to the nearest matrix with orthogonal rows or columns, whose
/// entries are scaled to the length of Adam's. All other parameters take steps of AdamW with the
/// same rate and decay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Muon {
    /// Part of the last direction that is kept, 0 to 1.
    pub momentum: f64,
    /// Whether momentum looks ahead.
    pub nesterov: bool,
    /// Part of a parameter that is taken from it, times the rate.
    pub weight_decay: f64,
    /// Whether vectors decay too: biases, and the scale and shift of norms.
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
    pub(crate) fn step<B: ResidualBackend, const D: usize>(
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
        // The buffer of SGD, and where it would go from zero with a rate of one.
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

        // As the gradients of convolutions lie in memory: `[height, width, in, out]`.
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

    /// What moves everything but the weights of convolutions.
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
    fn steps_are_those_of_the_reference() {
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
            // Neither gradients nor weights may stay in line, or momentum would have no say.
            let gradient = weight.clone().powi_scalar(2) * factor + weight.clone();
            (weight, state) = muon.step(0.1, weight, gradient, state);
        }
        weight
            .reshape([24])
            .into_data()
            .assert_approx_eq::<f32>(&TensorData::from(REFERENCE), Tolerance::absolute(1e-4));
    }

    /// In double precision, by PyTorch; `torch.optim.Muon` with `adjust_lr_fn="match_rms_adamw"`
    /// gives the same to its bfloat16.
    const REFERENCE: [f32; 24] = [
        -0.381486, 0.171590, -0.186594, 0.377968, 0.102674, -0.255788, 0.293043, 0.013162,
        -0.330116, 0.233880, -0.060780, -0.404319, 0.145875, -0.187825, 0.394693, 0.022124,
        -0.256661, 0.324300, 0.031279, -0.302934, 0.268784, -0.075467, -0.379905, 0.193694,
    ];

    #[test]
    fn all_else_takes_the_steps_of_adamw() {
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
