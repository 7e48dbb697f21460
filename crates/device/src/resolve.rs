//! Resolves a request to a working device.

use crate::{
    DeviceError, DeviceKind, DeviceRequest, SelectedDevice, Skipped,
    probe::{self, Found},
    trial,
};

/// The resolved device and the devices skipped before it.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// Device to use.
    pub device: SelectedDevice,
    /// Compiled-in devices that `auto` tried first and could not use, in that order. Empty if the
    /// user named a device.
    pub skipped: Vec<Skipped>,
}

/// Finds the device for `request` and verifies that it works.
///
/// A named device must be present on this machine and, if it is a GPU, complete one tiny
/// computation; the first one may take seconds while kernels compile. `auto` selects the first kind
/// in [`DeviceKind::ALL`] that is compiled in and works. It never selects a software adapter (a GPU
/// emulated on the CPU, such as llvmpipe), which has to be named.
///
/// While this runs, panics of any thread in the process print nothing: GPU drivers and runtimes
/// panic in their own threads, and here a panic is an expected result.
///
/// # Errors
///
/// Every variant of [`DeviceError`] except the two for parsing. Each has a
/// [hint](DeviceError::hint).
pub fn resolve(request: &DeviceRequest) -> Result<Resolution, DeviceError> {
    match *request {
        DeviceRequest::Named { kind, index } => {
            let found = probe::probe(kind)?;
            let device = select(kind, index, found)?;
            Ok(Resolution {
                device,
                skipped: Vec::new(),
            })
        }
        DeviceRequest::Auto => resolve_auto(),
    }
}

fn resolve_auto() -> Result<Resolution, DeviceError> {
    let mut skipped = Vec::new();
    for kind in DeviceKind::compiled_in() {
        let attempt = probe::probe(kind)
            .map_err(|error| reason_of(&error))
            .and_then(without_software)
            .and_then(|found| select(kind, 0, found).map_err(|error| reason_of(&error)));
        match attempt {
            Ok(device) => return Ok(Resolution { device, skipped }),
            Err(reason) => skipped.push(Skipped { kind, reason }),
        }
    }
    Err(DeviceError::NothingWorks { skipped })
}

/// Returns the reason of an error without its kind, which is shown elsewhere.
pub(crate) fn reason_of(error: &DeviceError) -> String {
    match error {
        DeviceError::Unavailable { reason, .. } => reason.clone(),
        DeviceError::TrialFailed { reason, .. } => {
            format!("it was found but does not work: {reason}")
        }
        other => other.to_string(),
    }
}

fn without_software(found: Vec<Found>) -> Result<Vec<Found>, String> {
    let (software, real): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| one.software);
    match software.first() {
        Some(imitation) if real.is_empty() => Err(format!(
            "only a software adapter was found, which is used only when named: {}",
            imitation.description
        )),
        _ => Ok(real),
    }
}

fn select(
    kind: DeviceKind,
    index: usize,
    mut found: Vec<Found>,
) -> Result<SelectedDevice, DeviceError> {
    let count = found.len();
    if index >= count {
        return Err(DeviceError::IndexTooHigh { kind, index, count });
    }
    let Found {
        description,
        handle,
        ..
    } = found.swap_remove(index);
    #[cfg(feature = "kept-kernels")]
    let new_kernels = match kind.is_cpu() {
        true => None,
        false => crate::kernels::keep(kind, &description),
    };
    #[cfg(not(feature = "kept-kernels"))]
    let new_kernels = None;
    if !kind.is_cpu() {
        probe::prepare(kind, index, &handle)?;
        trial::try_out(kind, index, &handle)?;
    }
    Ok(SelectedDevice {
        kind,
        index,
        description,
        handle,
        new_kernels,
    })
}
