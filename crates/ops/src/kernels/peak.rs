//! Peak performance of the machine: multiply-adds without dependencies on memory.

use std::hint::black_box;
use std::time::Instant;

use super::simd::{Kernel, Simd, SimdLevel, unroll};

/// Iterations of one attempt: about ten milliseconds, so that the start of threads is negligible.
const ROUNDS: usize = 1 << 22;
/// Number of attempts. The best one counts, because other processes use the machine too.
const TRIES: usize = 20;
/// Largest number of independent sums, the limit of [`unroll`]; enough to saturate any CPU so far.
const SUMS: usize = 16;

/// Measures the peak floating-point rate of the given number of threads with vectors of this width,
/// in 10^9 operations per second. It times independent multiply-adds on registers, each of which
/// counts as two operations per value. The result is a yardstick for the kernels.
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
        // Operations of a thread that failed or did not start do not count.
        let others = spawned.into_iter().filter_map(|thread| thread.join().ok());
        own + others.sum::<usize>()
    });
    operations as f64 / begin.elapsed().as_secs_f64() / 1e9
}

/// Kernel that returns its number of floating-point operations.
struct MultiplyAdds;

impl Kernel for MultiplyAdds {
    type Output = usize;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> usize {
        // SAFETY: the caller guarantees the instructions.
        unsafe {
            // As many sums as there are registers left besides the two factors. The sums approach
            // 2, so no value becomes small enough to slow down the CPU.
            let factor = S::splat(black_box(0.5));
            let addend = S::splat(black_box(1.0));
            // The compiler cannot see that all of these are equal.
            let mut sums = black_box([S::splat(0.0); SUMS]);
            for _ in 0..ROUNDS {
                unroll!(SUM, S::REGISTERS - 2, {
                    // The sum is a factor, because the compiler would compute a product of two
                    // constants only once.
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
    fn every_simd_level_has_a_peak() {
        for level in SimdLevel::available() {
            let peak = peak_gflops(level, 1);
            // Range from an ancient slow core to one that does not exist yet.
            assert!(peak > 0.1 && peak < 100_000.0, "{level}: {peak} GFLOP/s");
        }
    }
}
