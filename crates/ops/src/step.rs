//! Optimizer operations: one step for one parameter.

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

/// Stochastic gradient descent, with PyTorch's order of operations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Learning rate.
    pub rate: f64,
    /// Fraction of the buffer to keep, 0 to 1; without momentum there is no buffer.
    pub momentum: f64,
    /// Fraction of the gradient to leave out of the buffer, 0 to 1.
    pub dampening: f64,
    /// Whether to use Nesterov momentum (Sutskever et al. 2013).
    pub nesterov: bool,
    /// Fraction of the parameter to add to its gradient.
    pub weight_decay: f64,
}

/// Adam (Kingma and Ba 2014, <https://arxiv.org/abs/1412.6980>), with PyTorch's order of
/// operations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub rate: f64,
    /// Fraction of the first moment to keep, 0 to 1.
    pub beta1: f64,
    /// Fraction of the second moment to keep, 0 to 1.
    pub beta2: f64,
    /// Added to the square root of the second moment.
    pub epsilon: f64,
    /// Fraction of the parameter to add to its gradient, or to subtract from it if `decoupled`.
    pub weight_decay: f64,
    /// Whether weight decay bypasses the moments (AdamW, Loshchilov and Hutter 2017,
    /// <https://arxiv.org/abs/1711.05101>).
    pub decoupled: bool,
    /// Number of this step, starting at 1.
    pub number: usize,
}

/// See [`ResidualBackend::sgd_step`](super::ResidualBackend::sgd_step).
pub fn sgd_step<B: Backend>(
    parameter: FloatTensor<B>,
    gradient: FloatTensor<B>,
    buffer: Option<FloatTensor<B>>,
    step: SgdStep,
) -> (FloatTensor<B>, Option<FloatTensor<B>>) {
    let gradient = decayed::<B>(gradient, &parameter, step.weight_decay);
    if step.momentum == 0.0 {
        return (descend::<B>(parameter, gradient, step.rate), None);
    }
    let buffer = match buffer {
        Some(buffer) => B::float_add(
            scaled::<B>(buffer, step.momentum),
            scaled::<B>(gradient.clone(), 1.0 - step.dampening),
        ),
        None => gradient.clone(),
    };
    let direction = if step.nesterov {
        B::float_add(gradient, scaled::<B>(buffer.clone(), step.momentum))
    } else {
        buffer.clone()
    };
    (descend::<B>(parameter, direction, step.rate), Some(buffer))
}

/// See [`ResidualBackend::adam_step`](super::ResidualBackend::adam_step).
pub fn adam_step<B: Backend>(
    parameter: FloatTensor<B>,
    gradient: FloatTensor<B>,
    moments: Option<[FloatTensor<B>; 2]>,
    step: AdamStep,
) -> (FloatTensor<B>, [FloatTensor<B>; 2]) {
    let (parameter, gradient) = if step.decoupled {
        (
            scaled::<B>(parameter, 1.0 - step.rate * step.weight_decay),
            gradient,
        )
    } else {
        let gradient = decayed::<B>(gradient, &parameter, step.weight_decay);
        (parameter, gradient)
    };
    let square = B::float_mul(gradient.clone(), gradient.clone());
    let first = scaled::<B>(gradient, 1.0 - step.beta1);
    let second = scaled::<B>(square, 1.0 - step.beta2);
    let (first, second) = match moments {
        Some([old_first, old_second]) => (
            B::float_add(scaled::<B>(old_first, step.beta1), first),
            B::float_add(scaled::<B>(old_second, step.beta2), second),
        ),
        None => (first, second),
    };
    let exponent = i32::try_from(step.number).unwrap_or(i32::MAX);
    let first_correction = 1.0 - step.beta1.powi(exponent);
    let second_correction = 1.0 - step.beta2.powi(exponent);
    let root = B::float_sqrt(second.clone());
    let root = scaled::<B>(root, 1.0 / second_correction.sqrt());
    let denominator = B::float_add_scalar(root, step.epsilon.into());
    let direction = B::float_div(first.clone(), denominator);
    let parameter = descend::<B>(parameter, direction, step.rate / first_correction);
    (parameter, [first, second])
}

fn decayed<B: Backend>(
    gradient: FloatTensor<B>,
    parameter: &FloatTensor<B>,
    decay: f64,
) -> FloatTensor<B> {
    if decay == 0.0 {
        return gradient;
    }
    B::float_add(gradient, scaled::<B>(parameter.clone(), decay))
}

fn descend<B: Backend>(
    parameter: FloatTensor<B>,
    direction: FloatTensor<B>,
    rate: f64,
) -> FloatTensor<B> {
    B::float_sub(parameter, scaled::<B>(direction, rate))
}

fn scaled<B: Backend>(tensor: FloatTensor<B>, factor: f64) -> FloatTensor<B> {
    B::float_mul_scalar(tensor, factor.into())
}
