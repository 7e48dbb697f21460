//! The gradients of batch normalization in training.

use crate::kernels::parallel;
use crate::kernels::pointer::{Destination, Source};
use crate::kernels::rows::{Access, Rows, Step, Totals};
use crate::kernels::simd::{SimdLevel, Simd};

/// The gradients of `gamma` and `beta`. If ReLU came after the normalization, `output` is its
/// result, and the gradient counts where that is above zero.
///
/// # Panics
///
/// If `input`, `output` and `output_gradient` are not of one length and whole pixels, or the
/// others not one per channel.
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
                // SAFETY: the slices are as long as the rows in all; mean and totals as one row.
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

/// How the input's gradient follows from the output's: `a * gradient + b * input + c`, with one
/// `a`, `b` and `c` for each channel.
pub(crate) struct InputGradient {
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

impl InputGradient {
    /// For normalization with the statistics of these `pixels` themselves. Zeros for both gradients
    /// make it that of normalization with fixed statistics.
    ///
    /// # Panics
    ///
    /// If there is not one of each for every channel.
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

/// Where the gradients come from and go to. That of the residual, if one was added after the
/// normalization, is the output's where the output is above zero.
pub(crate) enum Gradients<'a> {
    /// The output's, replaced by the input's.
    InPlace(&'a mut [f32]),
    /// The output's, replaced by the residual's; the input's goes to a place of its own.
    Residual {
        output: &'a mut [f32],
        input: &'a mut [f32],
    },
    /// The output's stays as it is.
    Apart {
        output: &'a [f32],
        input: &'a mut [f32],
        residual: Option<&'a mut [f32]>,
    },
}

/// The gradient of the input, and of the residual.
///
/// # Panics
///
/// If the slices are not of one length and whole pixels of `coefficients`' channels.
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
            // SAFETY: all slices are as long as the rows in all, the coefficients as one of them;
            // each value is read before it is written, by one task only.
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
