//! Reads and prepares the programs' environment before anything else.

use std::env;
use std::num::NonZeroUsize;
use std::thread;

use thiserror::Error;

/// An environment variable has an invalid value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// A variable that forces how the kernels compute.
    #[error(transparent)]
    Kernels(#[from] ops::EnvironmentError),
    /// The variable for the number of threads.
    #[error("the environment variable {THREADS} is `{value}`, but must be a whole number")]
    Threads {
        /// Its value.
        value: String,
    },
}

impl EnvironmentError {
    /// Returns a hint on how to fix the error.
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

/// Checks the environment variables, and makes the system report a file that may not grow as an
/// error instead of ending the program.
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

/// Starts the threads that CPUs compute with: `threads` if given, else the number in the
/// environment, else one per core. Returns a warning if the system does not allow that many.
///
/// # Errors
///
/// If the number in the environment is invalid, or if not even one thread can be started.
pub fn start_threads(threads: Option<usize>) -> anyhow::Result<Option<String>> {
    let wanted = match (threads, self::threads()?) {
        (Some(wanted), _) | (None, Some(wanted)) => wanted,
        (None, None) => thread::available_parallelism().map_or(1, NonZeroUsize::get),
    };
    let started = device::start_threads(wanted)?;
    Ok((started < wanted)
        .then(|| format!("warning: the system allows only {started} of {wanted} CPU threads")))
}

/// Returns the number of threads in the environment, if it is set.
fn threads() -> Result<Option<usize>, EnvironmentError> {
    match env::var_os(THREADS) {
        Some(value) => count(&value.to_string_lossy()),
        None => Ok(None),
    }
}

/// Parses a number of threads. As in rayon, an empty value and 0 mean that it is not set.
fn count(value: &str) -> Result<Option<usize>, EnvironmentError> {
    match (value.is_empty(), value.parse()) {
        (true, _) | (_, Ok(0)) => Ok(None),
        (_, Ok(threads)) => Ok(Some(threads)),
        (_, Err(_)) => Err(EnvironmentError::Threads {
            value: value.to_owned(),
        }),
    }
}

/// Installs a signal handler for exceeded limits such as `ulimit -f`. Without one, the signal ends
/// the program; with one, the write fails and its error names the file.
#[cfg(unix)]
fn report_large_files() {
    use signal_hook::consts::SIGXFSZ;
    // If this fails, the signal still ends the program.
    let _ = signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default());
}

#[cfg(not(unix))]
fn report_large_files() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thread_count_must_be_a_number() {
        for (value, threads) in [("", None), ("0", None), ("3", Some(3))] {
            assert_eq!(count(value).unwrap(), threads, "{value}");
        }
        for value in ["-1", "two", "1.5", "99999999999999999999999"] {
            assert!(count(value).is_err(), "{value}");
        }
    }
}
