//! What the machine could do at best: multiply-adds that wait for nothing.

use std::hint::black_box;
use std::time::Instant;

use super::simd::{Kernel, SimdLevel, Simd, unroll};

/// Rounds of the loop in one try: some ten milliseconds, so that the start of threads is lost in
/// it.
const ROUNDS: usize = 1 << 22;
/// The best of several, as others use the machine too.
const TRIES: usize = 20;
/// Sums at most, as many as [`unroll`] counts to; any CPU so far is busy with that many.
const SUMS: usize = 16;

/// The most floating-point operations per second that this many threads reach with vectors of
/// this width, in 10^9: a measurement of independent multiply-adds on registers, two operations for
/// each value. What kernels reach can be judged by it.
///
/// Takes a fraction of a second.
pub fn peak_gflops(level: SimdLevel, threads: usize) -> f64 {
    (0..TRIES)
        .map(|_| attempt(level, threads))
        .fold(0.0, f64::max)
}

fn attempt(level: SimdLevel, threads: usize) -> f64 {
    let begin = Instant::now();
    let operations: usize = std::thread::scope(|scope| {
        let spawned: Vec<_> = (1..threads)
            .filter_map(|_| {
                let thread = std::thread::Builder::new();
                thread
                    .spawn_scoped(scope, move || level.run(MultiplyAdds))
                    .ok()
            })
            .collect();
        let own = level.run(MultiplyAdds);
        // Those of a thread that failed or did not start count for nothing.
        let others = spawned.into_iter().filter_map(|thread| thread.join().ok());
        own + others.sum::<usize>()
    });
    operations as f64 / begin.elapsed().as_secs_f64() / 1e9
}

/// Gives back how many floating-point operations it did.
struct MultiplyAdds;

impl Kernel for MultiplyAdds {
    type Output = usize;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> usize {
        // SAFETY: the caller has the instructions.
        unsafe {
            // As many sums as registers are left beside the two factors. They approach 2, so
            // that no value becomes so small that the CPU slows down.
            let factor = S::splat(black_box(0.5));
            let addend = S::splat(black_box(1.0));
            // From where the compiler cannot see that they are all the same.
            let mut sums = black_box([S::splat(0.0); SUMS]);
            for _ in 0..ROUNDS {
                unroll!(SUM, S::REGISTERS - 2, {
                    // The sum is a factor, as the compiler would compute the product of two
                    // constants once.
                    sums[SUM] = S::mul_add(sums[SUM], factor, addend);
                });
            }
            black_box(sums);
            2 * S::LANES * SUMS.min(S::REGISTERS - 2) * ROUNDS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_a_peak() {
        for level in SimdLevel::available() {
            let peak = peak_gflops(level, 1);
            // Between a slow core of long ago and one that does not exist yet.
            assert!(peak > 0.1 && peak < 100_000.0, "{level}: {peak} GFLOP/s");
        }
    }
}
