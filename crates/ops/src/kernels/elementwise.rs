//! Passes that treat all values alike.

use super::pointer::{Destination, Source};
use super::rows::{Access, Rows, Step};
use super::simd::{Simd, SimdLevel};

/// Computes the maximum of zero and `input`.
///
/// # Panics
///
/// Panics if the slices differ in length, like all functions in this module.
pub(crate) fn relu(level: SimdLevel, input: &[f32], output: &mut [f32]) {
    assert_eq!(input.len(), output.len());
    let (length, input) = (output.len(), input.into());
    let output = output.into();
    run(level, Relu { input, output }, length);
}

pub(crate) fn relu_in_place(level: SimdLevel, data: &mut [f32]) {
    let length = data.len();
    let output = Destination::from(data);
    let input = output.into();
    run(level, Relu { input, output }, length);
}

/// Computes the maximum of zero and `a + b`.
pub(crate) fn add_relu(level: SimdLevel, a: &[f32], b: &[f32], output: &mut [f32]) {
    assert!(a.len() == output.len() && b.len() == output.len());
    let length = output.len();
    let (a, b, output) = (a.into(), b.into(), output.into());
    run(level, AddRelu { a, b, output }, length);
}

/// Like [`add_relu`], but overwrites `a` with the result.
pub(crate) fn add_relu_in_place(level: SimdLevel, a: &mut [f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    let length = a.len();
    let output = Destination::from(a);
    let (a, b) = (output.into(), b.into());
    run(level, AddRelu { a, b, output }, length);
}

/// Replaces the gradient with zero wherever ReLU's `output` is not above zero.
pub(crate) fn mask_gradient(level: SimdLevel, output: &[f32], gradient: &mut [f32]) {
    assert_eq!(output.len(), gradient.len());
    let length = output.len();
    let (output, gradient) = (output.into(), gradient.into());
    run(level, Mask { output, gradient }, length);
}

/// Runs `step`, which reads and writes slices of the given length.
fn run<T: Step + Send + Sync>(level: SimdLevel, step: T, length: usize) {
    // SAFETY: all slices are as long as all rows together; every value is written by one task,
    // which has read it before.
    unsafe { Rows::flat(level, length).run(level, step) };
}

#[derive(Clone, Copy)]
struct Relu<'a> {
    input: Source<'a>,
    output: Destination<'a>,
}

impl Step for Relu<'_> {
    type Held<S: Simd> = ();

    #[inline(always)]
    unsafe fn hold<S: Simd, A: Access>(self, _: A, _: usize) {}

    #[inline(always)]
    unsafe fn step<S: Simd, A: Access>(self, access: A, (): &mut (), index: usize) {
        // SAFETY: the caller's index is within all slices.
        unsafe {
            // This argument order propagates NaN.
            let value = S::max(S::splat(0.0), access.load::<S>(self.input, index));
            access.store::<S>(self.output, index, value);
        }
    }
}

#[derive(Clone, Copy)]
struct AddRelu<'a> {
    a: Source<'a>,
    b: Source<'a>,
    output: Destination<'a>,
}

impl Step for AddRelu<'_> {
    type Held<S: Simd> = ();

    #[inline(always)]
    unsafe fn hold<S: Simd, A: Access>(self, _: A, _: usize) {}

    #[inline(always)]
    unsafe fn step<S: Simd, A: Access>(self, access: A, (): &mut (), index: usize) {
        // SAFETY: the caller's index is within all slices.
        unsafe {
            let a = access.load::<S>(self.a, index);
            let sum = S::add(a, access.load::<S>(self.b, index));
            access.store::<S>(self.output, index, S::max(S::splat(0.0), sum));
        }
    }
}

#[derive(Clone, Copy)]
struct Mask<'a> {
    output: Source<'a>,
    gradient: Destination<'a>,
}

impl Step for Mask<'_> {
    type Held<S: Simd> = ();

    #[inline(always)]
    unsafe fn hold<S: Simd, A: Access>(self, _: A, _: usize) {}

    #[inline(always)]
    unsafe fn step<S: Simd, A: Access>(self, access: A, (): &mut (), index: usize) {
        // SAFETY: the caller's index is within all slices.
        unsafe {
            let gradient = access.load::<S>(self.gradient.into(), index);
            let masked = S::where_positive(gradient, access.load::<S>(self.output, index));
            access.store::<S>(self.gradient, index, masked);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{poisoned, random};

    #[test]
    fn values_match_formula() {
        for level in SimdLevel::available() {
            for length in [0, 1, 2, 7, 15, 16, 64, 1000, 100_003] {
                let (a, b) = (random(1, length), random(2, length));
                let zip = |operation: fn(f32, f32) -> f32| -> Vec<f32> {
                    a.iter().zip(&b).map(|(&a, &b)| operation(a, b)).collect()
                };
                let mut output = poisoned(length);
                relu(level, &a, &mut output);
                assert_eq!(output, zip(|a, _| a.max(0.0)));
                let mut data = a.clone();
                relu_in_place(level, &mut data);
                assert_eq!(data, output);

                let mut output = poisoned(length);
                add_relu(level, &a, &b, &mut output);
                assert_eq!(output, zip(|a, b| (a + b).max(0.0)));
                let mut data = a.clone();
                add_relu_in_place(level, &mut data, &b);
                assert_eq!(data, output);

                let mut data = a.clone();
                mask_gradient(level, &b, &mut data);
                assert_eq!(data, zip(|a, b| if b > 0.0 { a } else { 0.0 }));
            }
        }
    }

    #[cfg(debug_assertions)]
    #[test]
    #[should_panic(expected = "of a slice of length 99")]
    fn mismatched_lengths_panic() {
        let (input, mut output) = (random(1, 99), poisoned(100));
        let (input, output) = (input[..].into(), (&mut output[..]).into());
        run(SimdLevel::best(), Relu { input, output }, 100);
    }

    #[test]
    fn nan_propagates() {
        for level in SimdLevel::available() {
            let mut data = poisoned(20);
            relu_in_place(level, &mut data);
            add_relu_in_place(level, &mut data, &[1.0; 20]);
            assert!(data.iter().all(|value| value.is_nan()));
        }
    }
}
