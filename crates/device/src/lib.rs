//! The one place where a device name becomes a Burn backend.
//!
//! ```
//! use burn::tensor::Tensor;
//! use device::{DeviceRequest, Task, resolve};
//! use ops::ResidualBackend;
//!
//! struct SumOfOnes;
//!
//! impl Task for SumOfOnes {
//!     type Output = f32;
//!
//!     fn run<B: ResidualBackend>(self, device: B::Device) -> f32 {
//!         Tensor::<B, 1>::ones([3], &device).into_data().iter::<f32>().sum()
//!     }
//! }
//!
//! let resolution = resolve(&DeviceRequest::Auto)?;
//! assert_eq!(resolution.device.run(SumOfOnes), 3.0);
//! # Ok::<(), device::DeviceError>(())
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | `kind` | the devices by name, and which are compiled in |
//! | `request` | what a user asked for, parsed |
//! | `resolve` | from a request to a device that works |
//! | `selected` | that device, and how a generic task runs on it |
//! | `listing` | what this machine has, for `--list-devices` |
//! | `probe` | looks for hardware without touching Burn |
//! | `kernels` | has a GPU's runtime keep what it compiles |
//! | `trial` | one tiny computation before a device is handed out |
//! | `quiet` | keeps panics of drivers off the terminal meanwhile |
//! | `threads` | the size of the CPU thread pool |
//! | `error` | everything that can go wrong, with a way out |

#[cfg(not(any(
    feature = "flex",
    feature = "ndarray",
    feature = "wgpu",
    feature = "cuda",
    feature = "rocm"
)))]
compile_error!(
    "crate `device` needs at least one device: enable one of the features `flex` (CPU), `ndarray`, `wgpu`, `vulkan`, `metal`, `cuda`, `rocm`"
);

mod error;
#[cfg(feature = "kept-kernels")]
mod kernels;
mod kind;
mod listing;
mod probe;
mod quiet;
mod request;
mod resolve;
mod selected;
mod threads;
mod trial;

pub use error::DeviceError;
pub use kind::DeviceKind;
pub use listing::{ListedDevice, Listing, list_devices, table};
pub use request::{DeviceRequest, names};
pub use resolve::{Resolution, Skipped, resolve};
pub use selected::{SelectedDevice, Task};
pub use threads::{MORE_THREADS, ThreadsError, start_threads, threads};
