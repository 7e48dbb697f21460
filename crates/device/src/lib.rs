//! Maps device names to Burn backends.
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
//! | Module | Contents |
//! |---|---|
//! | `kind` | device kinds by name, and which are compiled in |
//! | `request` | the user's request, parsed |
//! | `resolve` | resolves a request to a working device |
//! | `selected` | the selected device, and running generic tasks on it |
//! | `listing` | devices on this machine, for `--list-devices` |
//! | `probe` | searches for hardware without touching Burn |
//! | `kernels` | caches the kernels that a GPU's runtime compiles |
//! | `trial` | a trial computation before a device is returned |
//! | `quiet` | suppresses panic messages of drivers during a trial |
//! | `threads` | size of the CPU thread pool |
//! | `error` | errors, with hints for fixing them |

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

pub use error::{DeviceError, Skipped};
pub use kind::{DeviceKind, names};
pub use listing::{ListedDevice, Listing, list_devices, table};
pub use request::DeviceRequest;
pub use resolve::{Resolution, resolve};
pub use selected::{SelectedDevice, Task};
pub use threads::{MORE_THREADS, ThreadsError, start_threads, threads};
