//! A working device, and running backend-generic tasks on it.

use std::{fmt, path::PathBuf};

use ops::ResidualBackend;

use crate::DeviceKind;

/// A task that runs on any device. It is generic over the backend, so it is compiled once for each
/// device in the program.
///
/// For training, wrap the backend: `burn::backend::Autodiff<B>` has the same device type.
pub trait Task {
    /// Result of the task.
    type Output;

    /// Runs the task on `device`.
    fn run<B: ResidualBackend>(self, device: B::Device) -> Self::Output;
}

/// A device that is present and has passed a trial computation, as returned by
/// [`resolve`](crate::resolve()).
///
/// Displayed as its name and description: `flex (CPU, 2 threads)`, `cuda:0 (NVIDIA H100)`.
#[derive(Debug, Clone)]
pub struct SelectedDevice {
    pub(crate) kind: DeviceKind,
    pub(crate) index: usize,
    pub(crate) description: String,
    pub(crate) handle: Handle,
    /// Folder for compiled kernels, if it was just created.
    pub(crate) new_kernels: Option<PathBuf>,
}

/// Burn's own device types, one variant per backend type.
#[derive(Debug, Clone)]
pub(crate) enum Handle {
    #[cfg(feature = "flex")]
    Flex,
    #[cfg(feature = "ndarray")]
    Ndarray,
    /// For `wgpu`, `vulkan` and `metal`: one backend type serves all three.
    #[cfg(feature = "wgpu")]
    Wgpu(burn_wgpu::WgpuDevice),
    #[cfg(feature = "cuda")]
    Cuda(burn_cuda::CudaDevice),
    #[cfg(feature = "rocm")]
    Rocm(burn_rocm::RocmDevice),
}

impl Handle {
    /// Dispatches a run-time device to its backend type; no other code does this.
    pub(crate) fn run<T: Task>(&self, task: T) -> T::Output {
        // By value, so that the enum may be empty: a program without any device then gets only one
        // error, the message in `lib.rs`.
        match *self {
            #[cfg(feature = "flex")]
            Self::Flex => task.run::<burn_flex::Flex>(burn_flex::FlexDevice),
            #[cfg(feature = "ndarray")]
            Self::Ndarray => task.run::<burn_ndarray::NdArray>(burn_ndarray::NdArrayDevice::Cpu),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(ref device) => task.run::<burn_wgpu::Wgpu>(device.clone()),
            #[cfg(feature = "cuda")]
            Self::Cuda(ref device) => task.run::<burn_cuda::Cuda>(device.clone()),
            #[cfg(feature = "rocm")]
            Self::Rocm(ref device) => task.run::<burn_rocm::Rocm>(device.clone()),
        }
    }
}

impl SelectedDevice {
    /// Returns the kind of device.
    pub fn kind(&self) -> DeviceKind {
        self.kind
    }

    /// Returns the index among the devices of its kind, from 0, in the order of
    /// [`list_devices`](crate::list_devices).
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns the description that the device reports, for example `NVIDIA H100` or `CPU, 2
    /// threads`.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns a notice for users waiting for this device, as a sentence without a period: the
    /// first computations on a GPU that was never used before take a long time.
    pub fn notice(&self) -> Option<String> {
        let folder = self.new_kernels.as_ref()?;
        Some(format!(
            "kernels are compiled and tuned for this GPU, which takes minutes the first time; \
             they are cached in {}",
            folder.display()
        ))
    }

    /// Runs `task` on this device with its backend.
    pub fn run<T: Task>(&self, task: T) -> T::Output {
        self.handle.run(task)
    }
}

impl fmt::Display for SelectedDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind.is_cpu() {
            write!(formatter, "{} ({})", self.kind, self.description)
        } else {
            let Self {
                kind,
                index,
                description,
                ..
            } = self;
            write!(formatter, "{kind}:{index} ({description})")
        }
    }
}
