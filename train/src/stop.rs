//! Requests to stop a run or to save a checkpoint.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Handle to end a run, shared between the run and whatever may end it: the user, or a part of the run that failed. The
/// run ends after the current step.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<State>);

#[derive(Debug, Default)]
struct State {
    requested: AtomicBool,
    after_epoch: AtomicBool,
    checkpoint: AtomicBool,
}

impl Stop {
    /// Asks the run to end, with everything saved.
    pub fn request(&self) {
        self.0.requested.store(true, Ordering::SeqCst);
    }

    /// Returns whether the run should end.
    pub fn requested(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }

    /// Like [`requested`](Self::requested), for callers that continue or break.
    pub(crate) fn go_on(&self) -> ControlFlow<()> {
        match self.requested() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Asks the run to end after the current epoch.
    pub fn request_after_epoch(&self) {
        self.0.after_epoch.store(true, Ordering::SeqCst);
    }

    /// Returns whether the run should end after the current epoch or earlier.
    pub fn requested_after_epoch(&self) -> bool {
        self.0.after_epoch.load(Ordering::SeqCst) || self.requested()
    }

    /// Asks the run to save a checkpoint after the current step and to continue.
    pub fn request_checkpoint(&self) {
        self.0.checkpoint.store(true, Ordering::SeqCst);
    }

    /// Returns whether a checkpoint was requested since the last call.
    pub(crate) fn take_checkpoint_request(&self) -> bool {
        self.0.checkpoint.swap(false, Ordering::SeqCst)
    }
}
