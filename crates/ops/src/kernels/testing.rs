//! Helpers for the tests of all kernels.

use rayon::ThreadPoolBuilder;

pub(crate) const CHANNELS: [usize; 9] = [1, 3, 8, 15, 16, 20, 30, 64, 70];
pub(crate) const PIXELS: [usize; 5] = [1, 2, 7, 49, 1000];

/// Returns reproducible values for a seed, uniformly distributed between -1 and 1.
pub(crate) fn random(seed: u64, length: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ length as u64;
    let mut value = || {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..length).map(|_| value()).collect()
}

/// Returns an output buffer of NaN, which reveals results that are not written.
pub(crate) fn poisoned(length: usize) -> Vec<f32> {
    vec![f32::NAN; length]
}

/// Asserts that every value is within 1e-5 of the expected one, relative to the larger of it and
/// one.
#[track_caller]
pub(crate) fn assert_close(values: &[f32], expected: &[f64]) {
    assert_close_to(values, expected, 1.0);
}

/// Like [`assert_close`], for results whose terms have the given size.
#[track_caller]
pub(crate) fn assert_close_to(values: &[f32], expected: &[f64], size: f64) {
    assert_eq!(values.len(), expected.len());
    for (index, (&value, &expected)) in values.iter().zip(expected).enumerate() {
        let error = (f64::from(value) - expected).abs() / expected.abs().max(size);
        assert!(
            error < 1e-5,
            "{value} at {index}, not {expected}: off by {error:e}"
        );
    }
}

/// Asserts that `compute` returns bitwise identical results on one, two and three threads.
#[track_caller]
pub(crate) fn assert_same_on_threads(compute: impl Fn() -> Vec<f32> + Send + Sync) {
    let bits = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let values = pool.expect("threads").install(&compute);
        values.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let one = bits(1);
    assert!(one == bits(2) && one == bits(3));
}
