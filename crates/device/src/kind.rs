//! The devices by name, and which of them are compiled in.

use std::fmt;

/// A kind of device, named as on the command line and as the Cargo feature that compiles it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// NVIDIA GPUs over CUDA.
    Cuda,
    /// AMD GPUs over ROCm (HIP).
    Rocm,
    /// Apple GPUs over Metal.
    Metal,
    /// Any GPU with a Vulkan driver.
    Vulkan,
    /// Any GPU over the system's own graphics API: Metal on macOS, Vulkan elsewhere.
    Wgpu,
    /// The CPU, with Burn's `ndarray` backend.
    Ndarray,
    /// The CPU, with Burn's `flex` backend.
    Flex,
}

impl DeviceKind {
    /// Every kind, compiled in or not, in the order in which `auto` tries them.
    pub const ALL: [Self; 7] = [
        Self::Cuda,
        Self::Rocm,
        Self::Metal,
        Self::Vulkan,
        Self::Wgpu,
        Self::Ndarray,
        Self::Flex,
    ];

    /// The name that users type, for example `cuda`.
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

    /// Whether this program was built with the Cargo feature of this kind.
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

    /// The kinds that are compiled in, in the order of [`DeviceKind::ALL`].
    pub fn compiled_in() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.is_compiled_in())
    }

    /// Whether this kind computes on the CPU by design. A software Vulkan adapter is not meant.
    pub const fn is_cpu(self) -> bool {
        matches!(self, Self::Ndarray | Self::Flex)
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
