//! Gradients of batch normalization in training.

use crate::kernels::parallel;
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::rows::{Access, Rows, Step, Totals};
use crate::kernels::simd::{Simd, SimdLevel};

/// Computes the gradients of `gamma` and `beta`. If a ReLU followed the normalization, `output` is
/// its result, and the gradient counts only where that is above zero.
///
/// # Panics
///
/// Panics if `input`, `output` and `output_gradient` differ in length or are not whole pixels, or
/// if the other slices do not have one value per channel.
#[allow(clippy::too_many_arguments)]
pub(crate) fn backward_sums(
    level: SimdLevel,
    input: &[f32],
    mean: &[f32],
    inverse_deviation: &[f32],
    output: Option<&[f32]>,
    output_gradient: &[f32],
    channels: usize,
    gamma_gradient: &mut [f32],
    beta_gradient: &mut [f32],
) {
    assert!(output_gradient.len() == input.len());
    assert!(output.is_none_or(|output| output.len() == input.len()));
    assert!(mean.len() == channels && inverse_deviation.len() == channels);
    assert!(gamma_gradient.len() == channels && beta_gradient.len() == channels);
    let rows = Rows::new(level, input.len(), channels);
    let mean = rows.repeat(mean);
    let chunks = parallel::map(rows.chunks(), |index| {
        let mut gammas = vec![0.0; rows.width()];
        let mut betas = vec![0.0; rows.width()];
        macro_rules! run {
            ($masked:literal) => {
                // SAFETY: the slices are as long as all rows together; mean and totals as long as
                // one row.
                unsafe {
                    let step = Sums::<$masked> {
                        input: input.into(),
                        mean: mean[..].into(),
                        output: output.unwrap_or_default().into(),
                        output_gradient: output_gradient.into(),
                        gammas: Totals::new(&mut gammas),
                        betas: Totals::new(&mut betas),
                    };
                    rows.run_chunk(level, step, rows.chunk(index))
                }
            };
        }
        if output.is_some() {
            run!(true)
        } else {
            run!(false)
        }
        (rows.fold(&gammas), rows.fold(&betas))
    });
    for channel in 0..channels {
        let gamma: f64 = chunks.iter().map(|(gammas, _)| gammas[channel]).sum();
        let beta: f64 = chunks.iter().map(|(_, betas)| betas[channel]).sum();
        gamma_gradient[channel] = (gamma * f64::from(inverse_deviation[channel])) as f32;
        beta_gradient[channel] = beta as f32;
    }
}

/// Coefficients of the input's gradient as a function of the output's,
/// `a * gradient + b * input + c`, with one `a`, `b` and `c` per channel.
pub(crate) struct InputGradient {
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

impl InputGradient {
    /// Creates the coefficients for normalization with the statistics of these `pixels` themselves.
    /// If both gradients are zeros, they describe normalization with fixed statistics.
    ///
    /// # Panics
    ///
    /// Panics if a slice does not have one value per channel.
    pub(crate) fn new(
        pixels: usize,
        mean: &[f32],
        inverse_deviation: &[f32],
        gamma: &[f32],
        gamma_gradient: &[f32],
        beta_gradient: &[f32],
    ) -> Self {
        let channels = mean.len();
        assert!(inverse_deviation.len() == channels && gamma.len() == channels);
        assert!(gamma_gradient.len() == channels && beta_gradient.len() == channels);
        let count = pixels.max(1) as f64;
        let mut result = Self {
            a: Vec::with_capacity(channels),
            b: Vec::with_capacity(channels),
            c: Vec::with_capacity(channels),
        };
        for channel in 0..channels {
            let inverse = f64::from(inverse_deviation[channel]);
            let a = f64::from(gamma[channel]) * inverse;
            let b = -a * inverse * f64::from(gamma_gradient[channel]) / count;
            let c = -a * f64::from(beta_gradient[channel]) / count - b * f64::from(mean[channel]);
            result.a.push(a as f32);
            result.b.push(b as f32);
            result.c.push(c as f32);
        }
        result
    }
}

/// Sources and targets of the gradients. If a residual was added after the normalization, its
/// gradient is the output's gradient where the output is above zero.
pub(crate) enum Gradients<'a> {
    /// The output's gradient, overwritten with the input's.
    InPlace(&'a mut [f32]),
    /// The output's gradient, overwritten with the residual's; the input's gradient has its own
    /// memory.
    Residual {
        output: &'a mut [f32],
        input: &'a mut [f32],
    },
    /// The output's gradient stays unchanged.
    Apart {
        output: &'a [f32],
        input: &'a mut [f32],
        residual: Option<&'a mut [f32]>,
    },
}

/// Computes the gradient of the input and of the residual.
///
/// # Panics
///
/// Panics if the slices differ in length or are not whole pixels with the channels of
/// `coefficients`.
pub(crate) fn backward_apply(
    level: SimdLevel,
    input: &[f32],
    output: Option<&[f32]>,
    coefficients: &InputGradient,
    gradients: Gradients<'_>,
) {
    match gradients {
        Gradients::InPlace(gradient) => {
            assert_eq!(gradient.len(), input.len());
            let to = Destination::from(gradient);
            apply(level, input, output, coefficients, to.into(), to, None);
        }
        Gradients::Residual {
            output: gradient,
            input: to,
        } => {
            assert!(gradient.len() == input.len() && to.len() == input.len());
            let residual = Destination::from(gradient);
            let (from, to) = (residual.into(), to.into());
            apply(level, input, output, coefficients, from, to, Some(residual));
        }
        Gradients::Apart {
            output: gradient,
            input: to,
            residual,
        } => {
            assert!(gradient.len() == input.len() && to.len() == input.len());
            let same = |residual: &&mut [f32]| residual.len() == input.len();
            assert!(residual.as_ref().is_none_or(same));
            let (from, to) = (gradient.into(), to.into());
            let residual = residual.map(Destination::from);
            apply(level, input, output, coefficients, from, to, residual);
        }
    }
}

/// The gradients are as long as the input.
fn apply(
    level: SimdLevel,
    input: &[f32],
    output: Option<&[f32]>,
    coefficients: &InputGradient,
    output_gradient: Source<'_>,
    input_gradient: Destination<'_>,
    residual_gradient: Option<Destination<'_>>,
) {
    assert!(output.is_none_or(|output| output.len() == input.len()));
    let rows = Rows::new(level, input.len(), coefficients.a.len());
    let [a, b, c] = [&coefficients.a, &coefficients.b, &coefficients.c].map(|of| rows.repeat(of));
    macro_rules! run {
        ($masked:literal, $residual:literal) => {
            // SAFETY: all slices are as long as all rows together, and the coefficients as long as
            // one row; each value is read before it is written, by one task only.
            unsafe {
                let step = Apply::<$masked, $residual> {
                    input: input.into(),
                    output: output.unwrap_or_default().into(),
                    output_gradient,
                    coefficients: [&a[..], &b, &c].map(Source::from),
                    input_gradient,
                    residual_gradient: residual_gradient.unwrap_or(input_gradient),
                };
                rows.run(level, step)
            }
        };
    }
    match (output.is_some(), residual_gradient.is_some()) {
        (false, false) => run!(false, false),
        (false, true) => run!(false, true),
        (true, false) => run!(true, false),
        (true, true) => run!(true, true),
    }
}

#[derive(Clone, Copy)]
struct Sums<'a, const MASKED: bool> {
    input: Source<'a>,
    mean: Source<'a>,
    output: Source<'a>,
    output_gradient: Source<'a>,
    gammas: Totals<'a>,
    betas: Totals<'a>,
}

impl<const MASKED: bool> Step for Sums<'_, MASKED> {
    type Held<S: Simd> = [S::Vector; 3];
    const SUMS: bool = true;

    #[inline(always)]
    unsafe fn hold<S: Simd, A: Access>(self, access: A, column: usize) -> Self::Held<S> {
        // SAFETY: the caller's column is within the row.
        unsafe {
            let zero = S::splat(0.0);
            [access.load::<S>(self.mean, column), zero, zero]
        }
    }

    #[inline(always)]
    unsafe fn step<S: Simd, A: Access>(self, access: A, held: &mut Self::Held<S>, index: usize) {
        // SAFETY: the caller's index is within all slices.
        unsafe {
            let [mean, gamma, beta] = *held;
            let mut gradient = access.load::<S>(self.output_gradient, index);
            if MASKED {
                gradient = S::where_positive(gradient, access.load::<S>(self.output, index));
            }
            let deviation = S::sub(access.load::<S>(self.input, index), mean);
            held[1] = S::mul_add(gradient, deviation, gamma);
            held[2] = S::add(beta, gradient);
        }
    }

    #[inline(always)]
    unsafe fn release<S: Simd, A: Access>(self, access: A, held: Self::Held<S>, column: usize) {
        // SAFETY: the caller's column is within the row.
        unsafe {
            self.gammas.add::<S, A>(access, column, held[1]);
            self.betas.add::<S, A>(access, column, held[2]);
        }
    }
}

#[derive(Clone, Copy)]
struct Apply<'a, const MASKED: bool, const RESIDUAL: bool> {
    input: Source<'a>,
    output: Source<'a>,
    output_gradient: Source<'a>,
    coefficients: [Source<'a>; 3],
    input_gradient: Destination<'a>,
    residual_gradient: Destination<'a>,
}

impl<const MASKED: bool, const RESIDUAL: bool> Step for Apply<'_, MASKED, RESIDUAL> {
    type Held<S: Simd> = [S::Vector; 3];

    #[inline(always)]
    unsafe fn hold<S: Simd, A: Access>(self, access: A, column: usize) -> Self::Held<S> {
        let [a, b, c] = self.coefficients;
        // SAFETY: the caller's column is within the row.
        unsafe {
            [
                access.load::<S>(a, column),
                access.load::<S>(b, column),
                access.load::<S>(c, column),
            ]
        }
    }

    #[inline(always)]
    unsafe fn step<S: Simd, A: Access>(self, access: A, held: &mut Self::Held<S>, index: usize) {
        // SAFETY: the caller's index is within all slices.
        unsafe {
            let [a, b, c] = *held;
            let mut gradient = access.load::<S>(self.output_gradient, index);
            if MASKED {
                gradient = S::where_positive(gradient, access.load::<S>(self.output, index));
            }
            let input = access.load::<S>(self.input, index);
            if RESIDUAL {
                access.store::<S>(self.residual_gradient, index, gradient);
            }
            let result = S::mul_add(a, gradient, S::mul_add(b, input, c));
            access.store::<S>(self.input_gradient, index, result);
        }
    }
}

#[cfg(test)]
mod tests;
