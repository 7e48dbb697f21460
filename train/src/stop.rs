//! How a run is told to end early.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::TrainError;

/// Shared between a run and whoever may end it: the user, or a part of the run that failed. The
/// run ends after the step at hand.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<State>);

#[derive(Debug, Default)]
struct State {
    requested: AtomicBool,
    failure: Mutex<Option<TrainError>>,
}

impl Stop {
    /// Asks the run to end, with everything saved.
    pub fn request(&self) {
        self.0.requested.store(true, Ordering::SeqCst);
    }

    /// Whether the run is to end.
    pub fn requested(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }

    /// Ends the run with an error; the first one counts.
    pub(crate) fn fail(&self, error: TrainError) {
        let mut failure = self
            .0
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        drop(failure);
        self.request();
    }

    /// The error that ended the run, if one did.
    pub(crate) fn take_failure(&self) -> Option<TrainError> {
        self.0
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}
