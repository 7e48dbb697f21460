//! Trial computation on a device before it is returned.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use burn::tensor::{Tensor, TensorData};
use ops::ResidualBackend;

use crate::{DeviceError, DeviceKind, Task, quiet::Quiet, selected::Handle};

/// Time limit: a first kernel may have to be compiled and tuned; a driver that takes longer is
/// hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// Multiplies two small matrices on the device and reads back the result, so that problems with a
/// driver or its compiler surface here as an error and not later as a crash.
///
/// Runs on a separate thread with panics silenced, because Burn's GPU runtimes panic in threads
/// that the caller does not own. A trial that never ends is abandoned together with its thread.
///
/// # Errors
///
/// [`DeviceError::TrialFailed`] and [`DeviceError::TrialTimedOut`].
pub(crate) fn try_out(kind: DeviceKind, index: usize, handle: &Handle) -> Result<(), DeviceError> {
    let handle = handle.clone();
    run_guarded(kind, index, PATIENCE, move || handle.run(SmallProduct))
}

fn run_guarded(
    kind: DeviceKind,
    index: usize,
    patience: Duration,
    work: impl FnOnce() -> Result<(), String> + Send + 'static,
) -> Result<(), DeviceError> {
    let failed = |reason| DeviceError::TrialFailed {
        kind,
        index,
        reason,
    };
    let quiet = Quiet::begin();
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new()
        .name("device-trial".to_owned())
        .spawn(move || {
            // After a timeout there is no receiver, which is fine.
            let _ = sender.send(work());
        })
        .map_err(|error| failed(error.to_string()))?;
    match receiver.recv_timeout(patience) {
        Ok(result) => result.map_err(failed),
        Err(RecvTimeoutError::Timeout) => Err(quiet.first_message().map_or(
            DeviceError::TrialTimedOut {
                kind,
                index,
                seconds: patience.as_secs(),
            },
            failed,
        )),
        // The thread panicked and dropped the sender without a message.
        Err(RecvTimeoutError::Disconnected) => {
            Err(failed(quiet.first_message().unwrap_or_else(|| {
                "it stopped without a message".to_owned()
            })))
        }
    }
}

struct SmallProduct;

impl Task for SmallProduct {
    type Output = Result<(), String>;

    fn run<B: ResidualBackend>(self, device: B::Device) -> Self::Output {
        let left = Tensor::<B, 2>::from_floats([[1.0, 2.0], [3.0, 4.0]], &device);
        let right = Tensor::<B, 2>::from_floats([[5.0, 6.0], [7.0, 8.0]], &device);
        let product = (left.matmul(right) + 1.0)
            .try_into_data()
            .map_err(|error| error.to_string())?;
        // Whole numbers this small are exact in every precision that devices use.
        let expected = TensorData::from([[20.0f32, 23.0], [44.0, 51.0]]);
        if product.iter::<f32>().eq(expected.iter::<f32>()) {
            Ok(())
        } else {
            Err(format!(
                "the product of two small matrices is {product} instead of {expected}"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: DeviceKind = DeviceKind::Wgpu;

    fn reason(result: Result<(), DeviceError>) -> String {
        match result {
            Err(DeviceError::TrialFailed { reason, .. }) => reason,
            other => panic!("expected a failed trial, got {other:?}"),
        }
    }

    fn never_end() -> Result<(), String> {
        loop {
            thread::park();
        }
    }

    #[test]
    fn trial_panic_becomes_error_with_message() {
        let result = run_guarded(KIND, 0, PATIENCE, || panic!("driver on fire"));
        assert_eq!(reason(result), "driver on fire");
    }

    #[test]
    fn panic_in_other_thread_explains_hanging_trial() {
        // Long enough for a busy machine to start two threads.
        let result = run_guarded(KIND, 0, Duration::from_secs(2), || {
            let _ = thread::spawn(|| panic!("server died")).join();
            never_end()
        });
        assert_eq!(reason(result), "server died");
    }

    #[test]
    fn hanging_trial_times_out() {
        let result = run_guarded(KIND, 0, Duration::from_millis(50), never_end);
        assert!(matches!(result, Err(DeviceError::TrialTimedOut { .. })));
    }
}
