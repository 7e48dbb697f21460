//! Device kinds by name, and which of them are compiled in.

use std::fmt;

/// Name of the request that leaves the choice to the program.
pub(crate) const AUTO: &str = "auto";

/// A kind of device, with the same name as on the command line and as its Cargo feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// NVIDIA GPUs, using CUDA.
    Cuda,
    /// AMD GPUs, using ROCm (HIP).
    Rocm,
    /// Apple GPUs, using Metal.
    Metal,
    /// Any GPU with a Vulkan driver.
    Vulkan,
    /// Any GPU, using the system's own graphics API: Metal on macOS, Vulkan elsewhere.
    Wgpu,
    /// The CPU, using Burn's `ndarray` backend.
    Ndarray,
    /// The CPU, using Burn's `flex` backend.
    Flex,
}

impl DeviceKind {
    /// All kinds, compiled in or not, in the order in which `auto` tries them.
    pub const ALL: [Self; 7] = [
        Self::Cuda,
        Self::Rocm,
        Self::Metal,
        Self::Vulkan,
        Self::Wgpu,
        Self::Ndarray,
        Self::Flex,
    ];

    /// Returns the name as typed by users, for example `cuda`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
            Self::Metal => "metal",
            Self::Vulkan => "vulkan",
            Self::Wgpu => "wgpu",
            Self::Ndarray => "ndarray",
            Self::Flex => "flex",
        }
    }

    /// Returns whether this program was built with the Cargo feature of this kind.
    pub const fn is_compiled_in(self) -> bool {
        match self {
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Rocm => cfg!(feature = "rocm"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Ndarray => cfg!(feature = "ndarray"),
            Self::Flex => cfg!(feature = "flex"),
        }
    }

    /// Returns the compiled-in kinds, in the order of [`DeviceKind::ALL`].
    pub fn compiled_in() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.is_compiled_in())
    }

    /// Returns whether this kind computes on the CPU by design. This excludes software Vulkan
    /// adapters.
    pub const fn is_cpu(self) -> bool {
        matches!(self, Self::Ndarray | Self::Flex)
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// Returns all names that a request can have, without an index.
pub fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once(AUTO).chain(DeviceKind::ALL.into_iter().map(DeviceKind::name))
}
