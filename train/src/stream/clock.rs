//! The time that a run takes, over all its sittings.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Counts on from where the last sitting ended. Clones show the same time.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<Mutex<Reading>>);

#[derive(Debug)]
struct Reading {
    before: f64,
    since: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Reading {
            before: 0.0,
            since: Instant::now(),
        })))
    }
}

impl Clock {
    /// Begins a sitting after so many seconds of earlier ones.
    pub(crate) fn start(&self, before: f64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Reading {
            before,
            since: Instant::now(),
        };
    }

    /// Seconds so far, to the millisecond.
    pub(crate) fn seconds(&self) -> f64 {
        let reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = reading.before + reading.since.elapsed().as_secs_f64();
        (seconds * 1000.0).round() / 1000.0
    }
}
