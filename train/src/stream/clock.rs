//! Total time of a run, across resumptions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A clock that continues from the time of earlier sessions. Clones share the same time.
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
    /// Starts a session, given the seconds that earlier ones took.
    pub(crate) fn start(&self, before: f64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Reading {
            before,
            since: Instant::now(),
        };
    }

    /// Returns the seconds so far, rounded to milliseconds.
    pub(crate) fn seconds(&self) -> f64 {
        let reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = reading.before + reading.since.elapsed().as_secs_f64();
        (seconds * 1000.0).round() / 1000.0
    }
}
