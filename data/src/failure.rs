//! Failure of a batch loader.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::DataError;

/// The reason why batches of a [`BatchLoader`](crate::BatchLoader) ended before their epoch, if
/// they did.
///
/// Burn's iterators cannot return an error, so an epoch ends at the first batch that cannot be
/// made, and the reason is stored here. Check it after the iteration. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct LoadFailure(Arc<Mutex<Option<DataError>>>);

impl LoadFailure {
    /// Takes the reason; later calls return `None`.
    pub fn take(&self) -> Option<DataError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Stores a reason, unless there is an earlier one that was not taken.
    pub(crate) fn set(&self, error: DataError) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        place.get_or_insert(error);
    }
}
