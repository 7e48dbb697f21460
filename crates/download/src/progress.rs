//! Progress of a download.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::DownloadError;

/// Maximum time between two calls of the callback while waiting.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// Current state of [`fetch`](crate::fetch), reported at least about ten times a second, even if
/// nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Waiting for another process or thread that is downloading the same file.
    Waiting,

    /// Checking bytes on disk, of the file or of the rest of an earlier attempt.
    Checking {
        /// Number of bytes checked so far.
        checked: u64,
        /// Total number of bytes to check.
        total: u64,
    },

    /// Receiving from a mirror.
    Receiving {
        /// Number of bytes on disk, including those of an earlier attempt. Drops back to 0 if those
        /// turn out to be unusable.
        received: u64,
        /// Size of the whole file in bytes, if the mirror reported it.
        total: Option<u64>,
    },
}

/// The caller's callback; its request to stop becomes an error.
pub(crate) struct Watch<'a> {
    callback: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(callback: &'a mut dyn FnMut(Progress) -> ControlFlow<()>) -> Self {
        Self { callback }
    }

    /// Reports the progress of the download.
    pub(crate) fn say(&mut self, progress: Progress) -> Result<(), DownloadError> {
        match (self.callback)(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(DownloadError::Interrupted),
        }
    }

    /// Waits while reporting progress.
    pub(crate) fn pause(
        &mut self,
        duration: Duration,
        progress: Progress,
    ) -> Result<(), DownloadError> {
        let start = Instant::now();
        loop {
            self.say(progress)?;
            let left = duration.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(TICK));
        }
    }
}
