//! Optimizer steps in one pass over the parameter, its gradient and the optimizer's state.
//!
//! The operations and their order are PyTorch's.

use super::pointer::{Destination, Source};
use super::rows::{Access, Rows, Step};
use super::simd::{Simd, SimdLevel};

/// Momentum buffer and settings of stochastic gradient descent.
pub(crate) struct Momentum<'a> {
    pub(crate) buffer: &'a mut [f32],
    pub(crate) momentum: f64,
    pub(crate) dampening: f64,
    pub(crate) nesterov: bool,
}

/// Takes a step of stochastic gradient descent. The first step ignores the contents of the momentum
/// buffer.
///
/// # Panics
///
/// Panics if the slices differ in length.
pub(crate) fn sgd_step(
    level: SimdLevel,
    parameter: &mut [f32],
    gradient: &[f32],
    momentum: Option<Momentum<'_>>,
    weight_decay: f64,
    rate: f64,
    first_step: bool,
) {
    assert_eq!(parameter.len(), gradient.len());
    let length = parameter.len();
    let rows = Rows::flat(level, length);
    let parameter = Destination::from(parameter);
    macro_rules! run {
        ($momentum:literal, $nesterov:literal, $first:literal, $buffer:expr, $factors:expr) => {
            // SAFETY: all slices have the same length; every value is written by one task, which
            // has read it before.
            unsafe {
                let step = Sgd::<$momentum, $nesterov, $first> {
                    parameter,
                    gradient: gradient.into(),
                    buffer: $buffer,
                    factors: $factors,
                };
                rows.run(level, step)
            }
        };
    }
    let factors = |momentum: f64, dampening: f64| {
        [
            weight_decay as f32,
            momentum as f32,
            (1.0 - dampening) as f32,
            -rate as f32,
        ]
    };
    match momentum {
        None => run!(false, false, false, parameter, factors(0.0, 0.0)),
        Some(Momentum {
            buffer,
            momentum,
            dampening,
            nesterov,
        }) => {
            assert_eq!(buffer.len(), length);
            let buffer = Destination::from(buffer);
            let factors = factors(momentum, dampening);
            match (nesterov, first_step) {
                (false, false) => run!(true, false, false, buffer, factors),
                (false, true) => run!(true, false, true, buffer, factors),
                (true, false) => run!(true, true, false, buffer, factors),
                (true, true) => run!(true, true, true, buffer, factors),
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Sgd<'a, const MOMENTUM: bool, const NESTEROV: bool, const FIRST: bool> {
    parameter: Destination<'a>,
    gradient: Source<'a>,
    buffer: Destination<'a>,
    factors: [f32; 4],
}

impl<const MOMENTUM: bool, const NESTEROV: bool, const FIRST: bool> Step
    for Sgd<'_, MOMENTUM, NESTEROV, FIRST>
{
    type Held<S: Simd> = ();

    #[inline(always)]
    unsafe fn hold<S: Simd, A: Access>(self, _: A, _: usize) {}

    #[inline(always)]
    unsafe fn step<S: Simd, A: Access>(self, access: A, (): &mut (), index: usize) {
        // SAFETY: the caller's index is within all slices.
        unsafe {
            let [weight_decay, momentum, undampened, rate] = self.factors;
            let parameter = access.load::<S>(self.parameter.into(), index);
            let mut gradient = access.load::<S>(self.gradient, index);
            gradient = S::mul_add(parameter, S::splat(weight_decay), gradient);
            if MOMENTUM {
                let momentum = S::splat(momentum);
                let buffer = if FIRST {
                    gradient
                } else {
                    let kept = S::mul(access.load::<S>(self.buffer.into(), index), momentum);
                    S::mul_add(gradient, S::splat(undampened), kept)
                };
                access.store::<S>(self.buffer, index, buffer);
                gradient = if NESTEROV {
                    S::mul_add(buffer, momentum, gradient)
                } else {
                    buffer
                };
            }
            let result = S::mul_add(gradient, S::splat(rate), parameter);
            access.store::<S>(self.parameter, index, result);
        }
    }
}

/// Settings of Adam, or of AdamW if weight decay is decoupled from the gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adam {
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) epsilon: f64,
    pub(crate) weight_decay: f64,
    pub(crate) decoupled: bool,
}

/// Takes a step of Adam or AdamW. `step` counts from one, and the moments start as zeros.
///
/// # Panics
///
/// Panics if the slices differ in length or `step` is zero.
#[allow(clippy::too_many_arguments)]
pub(crate) fn adam_step(
    level: SimdLevel,
    parameter: &mut [f32],
    gradient: &[f32],
    first_moment: &mut [f32],
    second_moment: &mut [f32],
    settings: &Adam,
    step: usize,
    rate: f64,
) {
    assert!(step > 0 && gradient.len() == parameter.len());
    assert!(first_moment.len() == parameter.len() && second_moment.len() == parameter.len());
    let exponent = i32::try_from(step).unwrap_or(i32::MAX);
    let first_correction = 1.0 - settings.beta1.powi(exponent);
    let second_correction = 1.0 - settings.beta2.powi(exponent);
    let (decay, shrink) = if settings.decoupled {
        (0.0, 1.0 - rate * settings.weight_decay)
    } else {
        (settings.weight_decay, 1.0)
    };
    let rows = Rows::flat(level, parameter.len());
    let step = AdamStep {
        parameter: parameter.into(),
        gradient: gradient.into(),
        first_moment: first_moment.into(),
        second_moment: second_moment.into(),
        decay: decay as f32,
        shrink: shrink as f32,
        beta2: settings.beta2 as f32,
        rest1: (1.0 - settings.beta1) as f32,
        rest2: (1.0 - settings.beta2) as f32,
        correction: second_correction.sqrt() as f32,
        epsilon: settings.epsilon as f32,
        rate: (-rate / first_correction) as f32,
    };
    // SAFETY: all slices have the same length; every value is written by one task, which has read
    // it before.
    unsafe { rows.run(level, step) };
}

#[derive(Clone, Copy)]
struct AdamStep<'a> {
    parameter: Destination<'a>,
    gradient: Source<'a>,
    first_moment: Destination<'a>,
    second_moment: Destination<'a>,
    decay: f32,
    shrink: f32,
    beta2: f32,
    rest1: f32,
    rest2: f32,
    correction: f32,
    epsilon: f32,
    rate: f32,
}

impl Step for AdamStep<'_> {
    type Held<S: Simd> = ();

    #[inline(always)]
    unsafe fn hold<S: Simd, A: Access>(self, _: A, _: usize) {}

    #[inline(always)]
    unsafe fn step<S: Simd, A: Access>(self, access: A, (): &mut (), index: usize) {
        // SAFETY: the caller's index is within all slices.
        unsafe {
            let parameter = access.load::<S>(self.parameter.into(), index);
            let gradient = access.load::<S>(self.gradient, index);
            let gradient = S::mul_add(parameter, S::splat(self.decay), gradient);
            let parameter = S::mul(parameter, S::splat(self.shrink));

            let first = access.load::<S>(self.first_moment.into(), index);
            let difference = S::sub(gradient, first);
            let first = S::mul_add(difference, S::splat(self.rest1), first);
            access.store::<S>(self.first_moment, index, first);

            let second = access.load::<S>(self.second_moment.into(), index);
            let second = S::mul(second, S::splat(self.beta2));
            let square = S::mul(gradient, S::splat(self.rest2));
            let second = S::mul_add(square, gradient, second);
            access.store::<S>(self.second_moment, index, second);

            let deviation = S::div(S::sqrt(second), S::splat(self.correction));
            let deviation = S::add(deviation, S::splat(self.epsilon));
            let direction = S::div(first, deviation);
            let result = S::mul_add(direction, S::splat(self.rate), parameter);
            access.store::<S>(self.parameter, index, result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_close, poisoned, random};

    const LENGTHS: [usize; 6] = [0, 1, 7, 64, 1000, 70_001];

    #[test]
    fn sgd_matches_pytorch() {
        for level in SimdLevel::available() {
            for length in LENGTHS {
                for (with, nesterov, dampening) in
                    [(false, false, 0.0), (true, false, 0.1), (true, true, 0.0)]
                {
                    let (decay, factor, rate) = (0.05, 0.9, 0.1);
                    let mut parameter = random(1, length);
                    let mut buffer = poisoned(length);
                    let mut expected: Vec<f64> =
                        parameter.iter().map(|&value| f64::from(value)).collect();
                    let mut remembered = vec![0.0; length];
                    for step in 0..3 {
                        let gradient = random(2 + step, length);
                        let momentum = with.then_some(Momentum {
                            buffer: &mut buffer,
                            momentum: factor,
                            dampening,
                            nesterov,
                        });
                        let first = step == 0;
                        sgd_step(
                            level,
                            &mut parameter,
                            &gradient,
                            momentum,
                            decay,
                            rate,
                            first,
                        );
                        for index in 0..length {
                            let mut change = f64::from(gradient[index]) + decay * expected[index];
                            if with {
                                remembered[index] = if first {
                                    change
                                } else {
                                    factor * remembered[index] + (1.0 - dampening) * change
                                };
                                change = if nesterov {
                                    change + factor * remembered[index]
                                } else {
                                    remembered[index]
                                };
                            }
                            expected[index] -= rate * change;
                        }
                    }
                    assert_close(&parameter, &expected);
                    if with {
                        assert_close(&buffer, &remembered);
                    }
                }
            }
        }
    }

    #[test]
    fn adam_matches_pytorch() {
        for level in SimdLevel::available() {
            for length in LENGTHS {
                for decoupled in [false, true] {
                    let settings = Adam {
                        beta1: 0.9,
                        beta2: 0.999,
                        epsilon: 1e-3,
                        weight_decay: 0.05,
                        decoupled,
                    };
                    let rate = 0.01;
                    let mut parameter = random(1, length);
                    let (mut first, mut second) = (vec![0.0; length], vec![0.0; length]);
                    let mut expected: Vec<f64> =
                        parameter.iter().map(|&value| f64::from(value)).collect();
                    let mut moments = vec![(0.0, 0.0); length];
                    for step in 1..=3 {
                        let gradient = random(1 + step as u64, length);
                        adam_step(
                            level,
                            &mut parameter,
                            &gradient,
                            &mut first,
                            &mut second,
                            &settings,
                            step,
                            rate,
                        );
                        for index in 0..length {
                            let mut gradient = f64::from(gradient[index]);
                            if decoupled {
                                expected[index] *= 1.0 - rate * settings.weight_decay;
                            } else {
                                gradient += settings.weight_decay * expected[index];
                            }
                            let (first, second) = &mut moments[index];
                            *first = 0.9 * *first + 0.1 * gradient;
                            *second = 0.999 * *second + 0.001 * gradient * gradient;
                            let first = *first / (1.0 - 0.9f64.powi(step as i32));
                            let second = *second / (1.0 - 0.999f64.powi(step as i32));
                            expected[index] -= rate * first / (second.sqrt() + settings.epsilon);
                        }
                    }
                    assert_close(&parameter, &expected);
                    let (firsts, seconds): (Vec<_>, Vec<_>) = moments.into_iter().unzip();
                    assert_close(&first, &firsts);
                    assert_close(&second, &seconds);
                }
            }
        }
    }
}
