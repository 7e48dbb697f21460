//! Measures one cold run, then warm ones.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use super::ProgramStart;

/// Duration of the warm runs if their number is not given.
const ENOUGH: Duration = Duration::from_secs(3);
/// Minimum number of warm runs in that case.
const FEWEST: usize = 5;

/// The result of a measurement.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Time from the program's start to the end of the first run.
    pub cold: Duration,
    /// Start of the cold time: the process or its main function.
    pub cold_from: &'static str,
    /// Bytes that the process held before the network was built, if the system reports it.
    pub memory_before: Option<u64>,
    /// Times of the later runs in ascending order; at least one.
    warm: Vec<Duration>,
}

impl Measurement {
    /// Returns the number of warm runs.
    pub fn repeats(&self) -> usize {
        self.warm.len()
    }

    /// Returns the given percentile of the warm runs, interpolated between the two nearest ones.
    pub fn percentile(&self, percent: f64) -> Duration {
        let Some(last) = self.warm.len().checked_sub(1) else {
            return Duration::ZERO;
        };
        let place = (percent / 100.0).clamp(0.0, 1.0) * last as f64;
        let (below, above) = (place.floor() as usize, place.ceil() as usize);
        let (below, above) = (self.warm[below], self.warm[above]);
        below + (above - below).mul_f64(place.fract())
    }
}

/// Runs `run` once cold, then `repeats` times, or for about three seconds and at least five times.
/// The return value of each run is passed to the next. `memory_before` is
/// [`memory_now`](super::memory_now) from before the network was built. Between the runs,
/// `progress` receives the fraction that is done, 0 to 1.
///
/// # Errors
///
/// The first error of `run`.
pub fn measure<S, E>(
    start: &ProgramStart,
    memory_before: Option<u64>,
    repeats: Option<NonZeroUsize>,
    progress: &mut dyn FnMut(f64),
    state: S,
    mut run: impl FnMut(S) -> Result<S, E>,
) -> Result<Measurement, E> {
    let mut state = run(state)?;
    let cold = start.elapsed();
    let mut warm = Vec::new();
    let warm_started = Instant::now();
    loop {
        let done = part_done(warm.len(), warm_started.elapsed(), repeats);
        progress(done);
        if done >= 1.0 {
            break;
        }
        let run_started = Instant::now();
        state = run(state)?;
        warm.push(run_started.elapsed());
    }
    warm.sort_unstable();
    Ok(Measurement {
        cold,
        cold_from: start.what(),
        memory_before,
        warm,
    })
}

fn part_done(runs: usize, time: Duration, repeats: Option<NonZeroUsize>) -> f64 {
    match repeats {
        Some(repeats) => runs as f64 / repeats.get() as f64,
        None => (runs as f64 / FEWEST as f64).min(time.as_secs_f64() / ENOUGH.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(milliseconds: &[u64]) -> Measurement {
        Measurement {
            cold: Duration::ZERO,
            cold_from: "process",
            memory_before: None,
            warm: milliseconds
                .iter()
                .copied()
                .map(Duration::from_millis)
                .collect(),
        }
    }

    #[test]
    fn percentiles_lie_between_the_nearest_runs() {
        let eleven = measurement(&[0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        assert_eq!(eleven.percentile(10.0), Duration::from_millis(10));
        assert_eq!(eleven.percentile(50.0), Duration::from_millis(50));
        let two = measurement(&[100, 200]);
        assert_eq!(two.percentile(50.0), Duration::from_millis(150));
        assert_eq!(two.percentile(90.0), Duration::from_millis(190));
        assert_eq!(measurement(&[7]).percentile(90.0), Duration::from_millis(7));
    }

    #[test]
    fn first_run_does_not_count_as_warm() {
        let start = ProgramStart::here();
        let mut parts = Vec::new();
        let mut runs = 0;
        let count = |state: usize| {
            runs += 1;
            Ok::<_, ()>(state + 1)
        };
        let measurement = measure(
            &start,
            None,
            NonZeroUsize::new(4),
            &mut |part| parts.push(part),
            0,
            count,
        )
        .unwrap();
        assert_eq!((measurement.repeats(), runs), (4, 5));
        assert_eq!(parts, [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert!(measure(&start, None, None, &mut |_| {}, (), |()| Err(())).is_err());
    }

    #[test]
    fn benchmark_without_count_needs_runs_and_time() {
        assert!(part_done(4, Duration::from_secs(60), None) < 1.0);
        assert!(part_done(1000, Duration::from_secs(1), None) < 1.0);
        assert!(part_done(5, Duration::from_secs(3), None) >= 1.0);
    }
}
