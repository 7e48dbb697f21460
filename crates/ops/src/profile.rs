//! Profiling: how long each operation takes, and how often it is called.
//!
//! ```
//! use burn::tensor::Tensor;
//! use burn_flex::Flex;
//! use ops::{ConvolutionOptions, profile};
//!
//! let device = Default::default();
//! let input = Tensor::<Flex, 4>::zeros([1, 3, 32, 32], &device);
//! let weight = Tensor::zeros([16, 3, 3, 3], &device);
//! let options = ConvolutionOptions::default().with_padding([1, 1]);
//! profile::start();
//! ops::convolution(input, weight, None, options);
//! let table = profile::stop().table();
//! assert!(table.contains("convolution 3x3 stride 1"));
//! ```
//!
//! Only the operations of [`ResidualBackend`](crate::ResidualBackend) on Flex are recorded: those
//! that run with this crate's kernels, and average pools, which Burn computes. Other backends queue
//! their work, so the duration of a call says nothing about its cost. Operations that Burn computes
//! itself, such as the linear layer, the loss and additions of gradients, have no row.
//!
//! No time is counted twice. An operation that runs inside another one has its own row, and its
//! time is subtracted from the outer one's. Examples are `pack weights`, which converts a
//! convolution's weight to the kernel's layout, and `channel order`, which copies images whose
//! layout the kernels do not support.
//!
//! There is one profile per process. If several threads call operations at once, their times add up
//! to more than the wall time.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Time per operation between [`start`] and [`stop`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Profile {
    /// One row per operation, slowest first.
    pub rows: Vec<Row>,
    /// Wall time in seconds.
    pub seconds: f64,
}

/// All calls of one operation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Name, such as `convolution 3x3 stride 1, input gradient`.
    pub operation: String,
    /// Number of calls.
    pub calls: u64,
    /// Total time of all calls in seconds, excluding nested operations.
    pub seconds: f64,
    /// Total over all calls. A multiply-add counts as two, including those with the border's zeros.
    /// Counted for convolutions only; zero for all other operations, which are bound by memory.
    pub floating_point_operations: u64,
}

impl Profile {
    /// Formats one line per operation: seconds, calls, GFLOP/s and share of the wall time. The last
    /// line is the time outside of operations.
    pub fn table(&self) -> String {
        let recorded: f64 = self.rows.iter().map(|row| row.seconds).sum();
        let names = self.rows.iter().map(|row| row.operation.len());
        let width = names.chain(["operation".len()]).max().unwrap_or(0);
        let share = |seconds: f64| match self.seconds {
            0.0 => 0.0,
            wall => 100.0 * seconds / wall,
        };
        let mut table = format!(
            "{:width$}  {:>9}  {:>7}  {:>8}  {:>6}\n",
            "operation", "seconds", "calls", "GFLOP/s", "share"
        );
        let mut line = |name: &str, seconds: f64, calls: &str, speed: &str| {
            // Writing to a string never fails.
            let _ = writeln!(
                table,
                "{name:width$}  {seconds:>9.4}  {calls:>7}  {speed:>8}  {:>4.1} %",
                share(seconds)
            );
        };
        for row in &self.rows {
            let speed = match row.floating_point_operations {
                0 => String::new(),
                operations => format!("{:.1}", operations as f64 / row.seconds / 1e9),
            };
            line(&row.operation, row.seconds, &row.calls.to_string(), &speed);
        }
        line("other", (self.seconds - recorded).max(0.0), "", "");
        table
    }
}

/// Starts a profile and discards a running one.
pub fn start() {
    *recorder() = Some(Recorder {
        started: Instant::now(),
        operations: HashMap::new(),
    });
    ENABLED.store(true, Ordering::Relaxed);
}

/// Stops the profile that [`start`] began and returns it, or an empty one if none is running.
pub fn stop() -> Profile {
    ENABLED.store(false, Ordering::Relaxed);
    let Some(recorder) = recorder().take() else {
        return Profile::default();
    };
    let seconds = recorder.started.elapsed().as_secs_f64();
    let mut rows: Vec<Row> = recorder
        .operations
        .into_iter()
        .map(|(operation, total)| Row {
            operation: operation.into_owned(),
            calls: total.calls,
            seconds: total.time.as_secs_f64(),
            floating_point_operations: total.floating_point_operations,
        })
        .collect();
    rows.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    Profile { rows, seconds }
}

/// Read once per operation, so that operations cost nothing while no profile is running.
static ENABLED: AtomicBool = AtomicBool::new(false);
static RECORDER: Mutex<Option<Recorder>> = Mutex::new(None);

struct Recorder {
    started: Instant,
    operations: HashMap<Cow<'static, str>, Total>,
}

#[derive(Default)]
struct Total {
    calls: u64,
    time: Duration,
    floating_point_operations: u64,
}

fn recorder() -> MutexGuard<'static, Option<Recorder>> {
    // No code panics halfway through a change.
    RECORDER.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// Time of the operations nested in this thread's current one.
    static WITHIN: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// An operation that is recorded until this value is dropped.
#[must_use]
pub(crate) struct Running {
    operation: Cow<'static, str>,
    floating_point_operations: u64,
    began: Instant,
    /// Time of the outer operation's nested operations before this one.
    before: Duration,
}

/// Records an operation until the returned value is dropped.
pub(crate) fn operation(name: &'static str) -> Option<Running> {
    operation_with(|| (name.into(), 0))
}

/// Like [`operation`], for a name and floating-point operations that must be computed.
pub(crate) fn operation_with(
    describe: impl FnOnce() -> (Cow<'static, str>, u64),
) -> Option<Running> {
    ENABLED.load(Ordering::Relaxed).then(|| {
        let (operation, floating_point_operations) = describe();
        Running {
            operation,
            floating_point_operations,
            before: WITHIN.replace(Duration::ZERO),
            began: Instant::now(),
        }
    })
}

impl Drop for Running {
    fn drop(&mut self) {
        let time = self.began.elapsed();
        let within = WITHIN.replace(self.before + time);
        let mut recorder = recorder();
        // An operation that began before the profile does not belong to it.
        let Some(recorder) = recorder.as_mut().filter(|own| own.started <= self.began) else {
            return;
        };
        let operation = std::mem::take(&mut self.operation);
        let total = recorder.operations.entry(operation).or_default();
        total.calls += 1;
        total.time += time.saturating_sub(within);
        total.floating_point_operations += self.floating_point_operations;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_a_row_per_operation_and_rest() {
        let row = |operation: &str, seconds, floating_point_operations| Row {
            operation: operation.to_owned(),
            calls: 12,
            seconds,
            floating_point_operations,
        };
        let profile = Profile {
            rows: vec![
                row("convolution 3x3 stride 1", 0.5, 50_000_000_000),
                row("max pool", 0.3, 0),
            ],
            seconds: 1.0,
        };
        let lines = [
            "operation                   seconds    calls   GFLOP/s   share",
            "convolution 3x3 stride 1     0.5000       12     100.0  50.0 %",
            "max pool                     0.3000       12            30.0 %",
            "other                        0.2000                     20.0 %",
            "",
        ];
        assert_eq!(profile.table(), lines.join("\n"));
        assert!(Profile::default().table().contains("other"));
    }
}
