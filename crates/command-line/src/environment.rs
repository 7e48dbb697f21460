//! What the programs take from their environment before anything else.

use std::env;
use std::num::NonZeroUsize;
use std::thread;

use thiserror::Error;

/// An environment variable has a value that it cannot have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// One that forces how the kernels compute.
    #[error(transparent)]
    Kernels(#[from] ops::EnvironmentError),
    /// The number of threads.
    #[error("the environment variable {THREADS} is `{value}`, but must be a whole number")]
    Threads {
        /// Its value.
        value: String,
    },
}

impl EnvironmentError {
    /// The way out.
    pub fn hint(&self) -> String {
        let variable = match self {
            Self::Kernels(error) => error.variable,
            Self::Threads { .. } => THREADS,
        };
        format!("unset {variable} to use the default")
    }
}

/// rayon's variable for the number of threads.
const THREADS: &str = "RAYON_NUM_THREADS";

/// Checks the environment variables, and has the system report a file that may not grow instead of ending
/// the program.
///
/// # Errors
///
/// If a variable has an unknown value.
pub fn prepare() -> Result<(), EnvironmentError> {
    ops::check_environment()?;
    threads()?;
    report_large_files();
    Ok(())
}

/// Starts the threads that CPUs compute with: so many, or as many as the environment asks for, or as the
/// machine has cores. Returns a warning if the system does not allow so many.
///
/// # Errors
///
/// If the environment's number is none, or not even one thread can be started.
pub fn start_threads(threads: Option<usize>) -> anyhow::Result<Option<String>> {
    let wanted = match (threads, self::threads()?) {
        (Some(wanted), _) | (None, Some(wanted)) => wanted,
        (None, None) => thread::available_parallelism().map_or(1, NonZeroUsize::get),
    };
    let started = device::start_threads(wanted)?;
    Ok((started < wanted)
        .then(|| format!("warning: the system allows only {started} of {wanted} CPU threads")))
}

/// How many threads the environment asks for, if it does.
fn threads() -> Result<Option<usize>, EnvironmentError> {
    match env::var_os(THREADS) {
        Some(value) => count(&value.to_string_lossy()),
        None => Ok(None),
    }
}

/// Neither nothing nor 0 is a number of threads, as for rayon.
fn count(value: &str) -> Result<Option<usize>, EnvironmentError> {
    match (value.is_empty(), value.parse()) {
        (true, _) | (_, Ok(0)) => Ok(None),
        (_, Ok(threads)) => Ok(Some(threads)),
        (_, Err(_)) => Err(EnvironmentError::Threads {
            value: value.to_owned(),
        }),
    }
}

/// Where a limit such as `ulimit -f` is exceeded, a signal ends the program unless it has a handler; with one,
/// the write fails and its error names the file.
#[cfg(unix)]
fn report_large_files() {
    use signal_hook::consts::SIGXFSZ;
    // Without it, the signal ends the program as before.
    let _ = signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default());
}

#[cfg(not(unix))]
fn report_large_files() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_are_numbers_of_threads() {
        for (value, threads) in [("", None), ("0", None), ("3", Some(3))] {
            assert_eq!(count(value).unwrap(), threads, "{value}");
        }
        for value in ["-1", "two", "1.5", "99999999999999999999999"] {
            assert!(count(value).is_err(), "{value}");
        }
    }
}
