//! Searches for hardware and drivers without touching Burn, whose GPU runtimes panic if there are
//! none.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "wgpu")]
mod graphics;
#[cfg(feature = "rocm")]
mod rocm;

use crate::{DeviceError, DeviceKind, selected::Handle};

/// A device that is present but not yet tried.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Description that the device reports.
    pub(crate) description: String,
    /// Whether it is a GPU emulated on the CPU.
    pub(crate) software: bool,
    /// Burn's handle for the device.
    pub(crate) handle: Handle,
}

/// Returns the devices of one kind on this machine, at least one. The position in the list is the
/// device index.
///
/// # Errors
///
/// [`DeviceError::NotCompiledIn`] and [`DeviceError::Unavailable`].
pub(crate) fn probe(kind: DeviceKind) -> Result<Vec<Found>, DeviceError> {
    match kind {
        #[cfg(feature = "flex")]
        DeviceKind::Flex => Ok(vec![cpu(Handle::Flex)]),
        #[cfg(feature = "ndarray")]
        DeviceKind::Ndarray => Ok(vec![cpu(Handle::Ndarray)]),
        #[cfg(feature = "cuda")]
        DeviceKind::Cuda => cuda::probe(),
        #[cfg(feature = "rocm")]
        DeviceKind::Rocm => rocm::probe(),
        #[cfg(feature = "wgpu")]
        DeviceKind::Wgpu => graphics::probe(kind),
        #[cfg(feature = "vulkan")]
        DeviceKind::Vulkan => graphics::probe(kind),
        #[cfg(feature = "metal")]
        DeviceKind::Metal => graphics::probe(kind),
        #[allow(unreachable_patterns, reason = "reachable while a feature is off")]
        _ => Err(DeviceError::NotCompiledIn { kind }),
    }
}

/// Sets up everything that a device's runtime must know before its first tensor.
///
/// # Errors
///
/// [`DeviceError::Unavailable`], [`DeviceError::TrialFailed`].
pub(crate) fn prepare(kind: DeviceKind, index: usize, handle: &Handle) -> Result<(), DeviceError> {
    match handle {
        #[cfg(feature = "wgpu")]
        Handle::Wgpu(device) => graphics::prepare(kind, index, device),
        #[allow(unreachable_patterns, reason = "reachable while a feature is on")]
        _ => {
            let _ = (kind, index);
            Ok(())
        }
    }
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
fn cpu(handle: Handle) -> Found {
    let threads = rayon::current_num_threads();
    let plural = if threads == 1 { "" } else { "s" };
    Found {
        description: format!("CPU, {threads} thread{plural}"),
        software: false,
        handle,
    }
}

#[cfg(all(test, any(feature = "cuda", feature = "rocm")))]
mod tests {
    use super::*;

    /// With or without a GPU: a result, never a panic.
    #[test]
    fn probe_returns_devices_or_reason() {
        for kind in [DeviceKind::Cuda, DeviceKind::Rocm] {
            match probe(kind) {
                Ok(found) => assert!(!found.is_empty()),
                Err(DeviceError::Unavailable { reason, remedy, .. }) => {
                    assert!(!reason.contains('\n') && !remedy.is_empty(), "{reason}");
                }
                Err(DeviceError::NotCompiledIn { .. }) => {}
                Err(other) => panic!("expected `Unavailable`, got {other:?}"),
            }
        }
    }
}
