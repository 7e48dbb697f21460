//! The size of the CPU thread pool.

use thiserror::Error;

/// Why the number of CPU threads could not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ThreadsError {
    /// Zero threads were asked for.
    #[error("the number of threads must be at least 1")]
    Zero,
    /// The pool already runs: its size can be set only once, before its first use.
    #[error("the CPU thread pool is already running with {running} threads and cannot be resized")]
    AlreadySet {
        /// How many threads the pool has.
        running: usize,
    },
}

/// Sets how many threads the devices `flex` and `ndarray` compute with; at least 1.
///
/// Call it once, before [`resolve`](crate::resolve()), [`list_devices`](crate::list_devices) and
/// any tensor: all of them start the pool. Without it the pool has as many threads as
/// `RAYON_NUM_THREADS` says, or as many as the machine has cores.
///
/// It sizes rayon's global pool, which serves everything in the process that uses rayon. It does
/// not reach matrix products on `ndarray`, which run on threads of their own: as many as
/// `MATMUL_NUM_THREADS` says in the environment when the program starts, or the number of
/// physical cores, and never more than 4.
///
/// # Errors
///
/// [`ThreadsError::Zero`] for 0, [`ThreadsError::AlreadySet`] when the pool already runs, even
/// with the same size.
pub fn set_threads(threads: usize) -> Result<(), ThreadsError> {
    if threads == 0 {
        return Err(ThreadsError::Zero);
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|_| ThreadsError::AlreadySet {
            running: rayon::current_num_threads(),
        })
}

/// How many threads the devices `flex` and `ndarray` compute with, as [`set_threads`] says it.
/// Starts the pool if it does not run yet.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_threads_are_refused() {
        assert_eq!(set_threads(0), Err(ThreadsError::Zero));
    }

    #[test]
    fn a_running_pool_is_not_resized() {
        let running = rayon::current_num_threads();
        let result = set_threads(running + 1);
        assert_eq!(result, Err(ThreadsError::AlreadySet { running }));
    }
}
