//! AMD GPUs: the HIP libraries of ROCm, loaded at run time.

use burn_rocm::RocmDevice;
use cubecl::{Runtime, hip::HipRuntime};

use super::Found;
use crate::{DeviceError, DeviceKind, quiet::Quiet, selected::Handle};

/// Returns all AMD GPUs if ROCm's libraries are present; Burn's ROCm runtime panics without them.
///
/// # Errors
///
/// [`DeviceError::Unavailable`].
pub(super) fn probe() -> Result<Vec<Found>, DeviceError> {
    let quiet = Quiet::begin();
    let available = quiet.catch(cubecl_hip_sys::is_available);
    if available != Ok(true) {
        return Err(unavailable(
            "the libraries of ROCm (amdhip64, hiprtc) were not found",
            "install ROCm and set `ROCM_PATH` to its folder",
        ));
    }
    let count = quiet
        .catch(|| HipRuntime::enumerate_devices(0, &()).len())
        .map_err(|message| {
            unavailable(
                format!("the libraries of ROCm cannot be used: {message}"),
                "install a ROCm version that matches the driver",
            )
        })?;
    if count == 0 {
        return Err(unavailable(
            "ROCm found no AMD GPU",
            "check with `rocminfo` that ROCm sees a GPU and that this user may use it",
        ));
    }
    let found = (0..count).map(|index| Found {
        description: format!("AMD GPU {index}"),
        software: false,
        handle: Handle::Rocm(RocmDevice::new(index)),
    });
    Ok(found.collect())
}

fn unavailable(reason: impl Into<String>, remedy: &str) -> DeviceError {
    DeviceError::Unavailable {
        kind: DeviceKind::Rocm,
        reason: reason.into(),
        remedy: remedy.to_owned(),
    }
}
