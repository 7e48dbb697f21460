//! Size of the CPU thread pool.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use rayon::{ThreadBuilder, ThreadPoolBuilder};
use thiserror::Error;

/// Error when starting the CPU threads.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ThreadsError {
    /// The requested number of threads is zero.
    #[error("the number of threads must be at least 1")]
    Zero,
    /// The pool is already running: its size can be set only once, before its first use.
    #[error("the CPU thread pool is already running with {running} threads and cannot be resized")]
    AlreadySet {
        /// Number of threads in the pool.
        running: usize,
    },
    /// The system does not allow any threads to start.
    #[error("cannot start a CPU thread: {reason}")]
    Refused {
        /// Message of the system.
        reason: String,
    },
}

/// Hint for a system that refuses to start more threads.
pub const MORE_THREADS: &str =
    "raise the limit of processes (`ulimit -u`) or of memory (`ulimit -v`)";

impl ThreadsError {
    /// Returns the usual fix, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { .. } => Some(MORE_THREADS.into()),
            _ => None,
        }
    }
}

/// Starts the threads that the devices `flex` and `ndarray` use, at least 1. Returns the number of
/// started threads, which is lower if the system does not allow more.
///
/// Call this once, before [`resolve`](crate::resolve()), [`list_devices`](crate::list_devices) and
/// any tensor, because they all need the pool. Without this call, rayon starts `RAYON_NUM_THREADS`
/// threads, or one per core, and panics if the system does not allow them.
///
/// This sets the size of rayon's global pool, which serves everything in the process that uses
/// rayon. It does not affect matrix products on `ndarray`, which run on their own threads:
/// `MATMUL_NUM_THREADS` in the environment at program start, or the number of physical cores, and
/// at most 4.
///
/// # Errors
///
/// [`ThreadsError::Zero`] for 0, [`ThreadsError::AlreadySet`] if the pool is already running, even
/// with the same size, and [`ThreadsError::Refused`] if not a single thread can be started.
pub fn start_threads(threads: usize) -> Result<usize, ThreadsError> {
    if threads == 0 {
        return Err(ThreadsError::Zero);
    }
    // rayon builds its global pool only once and fails if any thread fails, so the threads are
    // started first.
    let mut seats = Vec::new();
    for _ in 0..threads.min(rayon::max_num_threads()) {
        match seat() {
            Ok(seat) => seats.push(seat),
            Err(error) if seats.is_empty() => {
                return Err(ThreadsError::Refused {
                    reason: error.to_string(),
                });
            }
            Err(_) => break,
        }
    }
    ThreadPoolBuilder::new()
        .num_threads(seats.len())
        .spawn_handler(|thread| {
            let seat = &seats[thread.index()];
            seat.send(thread)
                .map_err(|_| io::ErrorKind::BrokenPipe.into())
        })
        .build_global()
        .map_err(|_| ThreadsError::AlreadySet {
            running: rayon::current_num_threads(),
        })?;
    Ok(seats.len())
}

/// Starts a thread that waits to become part of rayon's pool, or exits if it is not needed.
fn seat() -> io::Result<Sender<ThreadBuilder>> {
    let (sender, receiver) = channel::<ThreadBuilder>();
    thread::Builder::new().spawn(move || {
        if let Ok(thread) = receiver.recv() {
            thread.run();
        }
    })?;
    Ok(sender)
}

/// Returns the number of threads that the devices `flex` and `ndarray` use; see [`start_threads`].
/// Starts the pool if it is not running yet.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_threads_are_rejected() {
        assert_eq!(start_threads(0), Err(ThreadsError::Zero));
    }

    #[test]
    fn running_thread_pool_is_not_resized() {
        let running = rayon::current_num_threads();
        let result = start_threads(running + 1);
        assert_eq!(result, Err(ThreadsError::AlreadySet { running }));
    }
}
