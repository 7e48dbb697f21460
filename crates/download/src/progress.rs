//! How far a download is.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::DownloadError;

/// Longest time between two calls of the callback while there is nothing to do but wait.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// What [`fetch`](crate::fetch) is doing; it says so about ten times a second or more often,
/// whether anything has changed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Another process, or another thread, is loading the same file: this one waits for it.
    Waiting,

    /// Bytes on the disk, of the file or of what an earlier try left of it, are being checked.
    Checking {
        /// Bytes read so far.
        checked: u64,
        /// All of them.
        total: u64,
    },

    /// A mirror has been asked.
    Receiving {
        /// Bytes on the disk, with what an earlier try left. Falls back to 0 if that turns out not
        /// to be of use.
        received: u64,
        /// Bytes of the whole file, if the mirror has said so.
        total: Option<u64>,
    },
}

/// The caller's callback, whose wish to stop becomes an error.
pub(crate) struct Watch<'a> {
    callback: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(callback: &'a mut dyn FnMut(Progress) -> ControlFlow<()>) -> Self {
        Self { callback }
    }

    /// Says how far the download is.
    pub(crate) fn say(&mut self, progress: Progress) -> Result<(), DownloadError> {
        match (self.callback)(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(DownloadError::Interrupted),
        }
    }

    /// Waits, and says so meanwhile.
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
