//! The size of the CPU thread pool.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use rayon::{ThreadBuilder, ThreadPoolBuilder};
use thiserror::Error;

/// Why the CPU threads could not be started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
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
    /// The system starts no thread at all.
    #[error("cannot start a CPU thread: {reason}")]
    Refused {
        /// What the system said.
        reason: String,
    },
}

/// The way out where the system starts no other thread.
pub const MORE_THREADS: &str =
    "raise the limit of processes (`ulimit -u`) or of memory (`ulimit -v`)";

impl ThreadsError {
    /// The way out, if there is a usual one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { .. } => Some(MORE_THREADS.into()),
            _ => None,
        }
    }
}

/// Starts the threads that the devices `flex` and `ndarray` compute with, at least 1, and returns how many the
/// system started: fewer if it does not allow more.
///
/// Call it once, before [`resolve`](crate::resolve()), [`list_devices`](crate::list_devices) and
/// any tensor: all of them need the pool. Without it rayon starts as many threads as
/// `RAYON_NUM_THREADS` says, or as many as the machine has cores, and panics where it may not.
///
/// It sizes rayon's global pool, which serves everything in the process that uses rayon. It does
/// not reach matrix products on `ndarray`, which run on threads of their own: as many as
/// `MATMUL_NUM_THREADS` says in the environment when the program starts, or the number of
/// physical cores, and never more than 4.
///
/// # Errors
///
/// [`ThreadsError::Zero`] for 0, [`ThreadsError::AlreadySet`] when the pool already runs, even
/// with the same size, and [`ThreadsError::Refused`] if not even one thread can be started.
pub fn start_threads(threads: usize) -> Result<usize, ThreadsError> {
    if threads == 0 {
        return Err(ThreadsError::Zero);
    }
    // rayon builds its global pool once, and whole or not at all; so the threads come first.
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

/// A thread that waits for the part of rayon's pool that it is to be, or for nothing if there is none.
fn seat() -> io::Result<Sender<ThreadBuilder>> {
    let (sender, receiver) = channel::<ThreadBuilder>();
    thread::Builder::new().spawn(move || {
        if let Ok(thread) = receiver.recv() {
            thread.run();
        }
    })?;
    Ok(sender)
}

/// How many threads the devices `flex` and `ndarray` compute with, as [`start_threads`] says it.
/// Starts the pool if it does not run yet.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_threads_are_refused() {
        assert_eq!(start_threads(0), Err(ThreadsError::Zero));
    }

    #[test]
    fn a_running_pool_is_not_resized() {
        let running = rayon::current_num_threads();
        let result = start_threads(running + 1);
        assert_eq!(result, Err(ThreadsError::AlreadySet { running }));
    }
}
