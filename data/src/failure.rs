//! Why an epoch ended too early.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::DataError;

/// Why batches of a [`BatchLoader`](crate::BatchLoader) ended before their epoch, if they did.
///
/// Burn's iterators have no place for an error, so an epoch ends with the first batch that cannot
/// be made, and the reason lies here. Clones share it. Whoever iterates looks here afterwards.
#[derive(Clone, Debug, Default)]
pub struct LoadFailure(Arc<Mutex<Option<DataError>>>);

impl LoadFailure {
    /// The reason, the first time it is asked for.
    pub fn take(&self) -> Option<DataError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps the first reason that was not taken.
    pub(crate) fn set(&self, error: DataError) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        place.get_or_insert(error);
    }
}
