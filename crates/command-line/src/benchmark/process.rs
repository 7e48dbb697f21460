//! Start time and memory of the process, as reported by the system.

use std::time::{Duration, Instant};

/// The start of the process if the system reports it, otherwise of `main`.
#[derive(Clone, Copy, Debug)]
pub struct ProgramStart {
    main: Instant,
    before_main: Option<Duration>,
}

impl ProgramStart {
    /// Records the start. Call this first in `main`.
    pub fn here() -> Self {
        Self {
            main: Instant::now(),
            before_main: process_age(),
        }
    }

    /// Returns the time since the start.
    pub fn elapsed(&self) -> Duration {
        self.main.elapsed() + self.before_main.unwrap_or_default()
    }

    /// Describes the start that [`elapsed`](Self::elapsed) counts from, for a sentence.
    pub fn what(&self) -> &'static str {
        match self.before_main {
            Some(_) => "process",
            None => "main function",
        }
    }
}

/// Returns the time since the process started, accurate to the kernel's clock tick of a hundredth
/// of a second.
#[cfg(target_os = "linux")]
fn process_age() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};

    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let ticks = start_ticks(&stat)?;
    let started = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
    let now = clock_gettime(ClockId::Boottime);
    let now = now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9;
    Duration::try_from_secs_f64(now - started).ok()
}

#[cfg(not(target_os = "linux"))]
fn process_age() -> Option<Duration> {
    None
}

/// Returns the 22nd field of `/proc/self/stat`. The second field is the program's name in brackets,
/// which may itself contain brackets and spaces.
#[cfg(target_os = "linux")]
fn start_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

/// Returns the peak memory of the process in bytes, if the system reports it.
#[cfg(target_os = "linux")]
pub(super) fn peak_memory() -> Option<u64> {
    memory_line(
        &std::fs::read_to_string("/proc/self/status").ok()?,
        "VmHWM:",
    )
}

#[cfg(not(target_os = "linux"))]
pub(super) fn peak_memory() -> Option<u64> {
    None
}

/// Returns the current memory of the process in bytes, if the system reports it.
#[cfg(target_os = "linux")]
pub fn memory_now() -> Option<u64> {
    memory_line(
        &std::fs::read_to_string("/proc/self/status").ok()?,
        "VmRSS:",
    )
}

/// Returns the current memory of the process in bytes, if the system reports it.
#[cfg(not(target_os = "linux"))]
pub fn memory_now() -> Option<u64> {
    None
}

/// Parses a line such as `VmHWM: 1940 kB`.
#[cfg(target_os = "linux")]
fn memory_line(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kibibytes)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_an_age_and_a_size() {
        assert!(process_age().is_some());
        // In this order because memory may grow in between.
        let now = memory_now().unwrap();
        assert!(peak_memory().unwrap() >= now);
        assert_eq!(ProgramStart::here().what(), "process");
    }

    #[test]
    fn name_with_brackets_does_not_shift_fields() {
        let stat = "14059 (a (b) c) R 14056 14056 10162 0 -1 4194304 99 0 1 0 0 0 0 0 20 0 1 0 1600051 3133440";
        assert_eq!(start_ticks(stat), Some(1_600_051));
        assert_eq!(start_ticks("damaged"), None);
        assert_eq!(
            memory_line("VmPeak:\t 3 kB\nVmHWM:\t    1940 kB\n", "VmHWM:"),
            Some(1_986_560)
        );
    }
}
