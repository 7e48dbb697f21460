//! NVIDIA GPUs: the driver, the run-time compiler and its headers, all loaded at run time.

use burn_cuda::CudaDevice;
use cudarc::{
    driver::{result::device, safe::CudaContext, sys::CUresult},
    nvrtc,
};

use super::Found;
use crate::{DeviceError, DeviceKind, quiet::Quiet, selected::Handle};

/// The header that every kernel of Burn's CUDA runtime includes.
const HEADER: &str = "cuda_runtime.h";

/// Smallest program that proves that the run-time compiler is present and working.
const EMPTY_KERNEL: &str = "extern \"C\" __global__ void nothing() {}";

/// Panic message of cudarc when it cannot find a library.
const LIBRARY_IS_MISSING: &str = "Unable to dynamically load";

/// Returns all NVIDIA GPUs if the driver, NVRTC and the CUDA headers are present. Burn's CUDA
/// runtime panics if any of them is missing; without NVRTC or the headers, it panics only at its
/// first kernel.
///
/// # Errors
///
/// [`DeviceError::Unavailable`].
pub(super) fn probe() -> Result<Vec<Found>, DeviceError> {
    let quiet = Quiet::begin();
    let count = count_devices(&quiet)?;
    check_compiler(&quiet)?;
    check_headers()?;
    let found = (0..count).map(|index| Found {
        description: name_of(&quiet, index).unwrap_or_else(|| format!("NVIDIA GPU {index}")),
        software: false,
        handle: Handle::Cuda(CudaDevice::new(index)),
    });
    Ok(found.collect())
}

fn count_devices(quiet: &Quiet) -> Result<usize, DeviceError> {
    const INSTALL: &str = "install the NVIDIA driver";
    let reason = match quiet.catch(CudaContext::device_count) {
        Ok(Ok(count)) if count > 0 => return Ok(count.unsigned_abs() as usize),
        Ok(Ok(_)) => "the NVIDIA driver found no GPU".to_owned(),
        Ok(Err(error)) if error.0 == CUresult::CUDA_ERROR_NO_DEVICE => {
            "the NVIDIA driver found no GPU".to_owned()
        }
        Ok(Err(error)) => format!("the NVIDIA driver reports {:?}", error.0),
        Err(message) if message.contains(LIBRARY_IS_MISSING) => {
            return Err(unavailable("no NVIDIA driver was found", INSTALL));
        }
        Err(message) => format!("the NVIDIA driver cannot be used: {message}"),
    };
    Err(unavailable(
        reason,
        "check with `nvidia-smi` that the driver sees a GPU and supports it",
    ))
}

fn check_compiler(quiet: &Quiet) -> Result<(), DeviceError> {
    let reason = match quiet.catch(|| nvrtc::compile_ptx(EMPTY_KERNEL)) {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => format!("the CUDA run-time compiler (NVRTC) failed: {error}"),
        Err(message) if message.contains(LIBRARY_IS_MISSING) => {
            "the CUDA run-time compiler (NVRTC) was not found".to_owned()
        }
        Err(message) => format!("the CUDA run-time compiler (NVRTC) cannot be used: {message}"),
    };
    Err(unavailable(
        reason,
        "install the CUDA toolkit (NVRTC is part of it) and put its libraries on `LD_LIBRARY_PATH`",
    ))
}

fn check_headers() -> Result<(), DeviceError> {
    // The runtime's own search: `CUDA_PATH`, then the usual locations.
    let header = cubecl_cuda::install::cuda_path().map(|path| path.join("include").join(HEADER));
    let reason = match header {
        Some(header) if header.is_file() => return Ok(()),
        Some(header) => format!("the CUDA headers were not found: no {}", header.display()),
        None => "the CUDA headers were not found".to_owned(),
    };
    Err(unavailable(
        reason,
        "install the CUDA toolkit and set `CUDA_PATH` to the folder that holds its `include`",
    ))
}

fn name_of(quiet: &Quiet, index: usize) -> Option<String> {
    let ordinal = i32::try_from(index).ok()?;
    quiet
        .catch(|| device::get(ordinal).and_then(device::get_name))
        .ok()?
        .ok()
}

fn unavailable(reason: impl Into<String>, remedy: &str) -> DeviceError {
    DeviceError::Unavailable {
        kind: DeviceKind::Cuda,
        reason: reason.into(),
        remedy: remedy.to_owned(),
    }
}
