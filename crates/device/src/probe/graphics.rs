//! GPUs behind a graphics API (`wgpu`, `vulkan`, `metal`), enumerated with the library that Burn's
//! runtime uses.

use std::sync::{Mutex, PoisonError};

use burn_wgpu::{
    RuntimeOptions, WgpuDevice,
    graphics::{AutoGraphicsApi, GraphicsApi, Metal, Vulkan},
    init_setup,
};
use wgpu::{Backend, DeviceType, Instance, InstanceDescriptor};

use super::Found;
use crate::{DeviceError, DeviceKind, quiet::Quiet, selected::Handle};

/// Returns the adapters that `kind` can use: discrete GPUs first, then integrated and virtual ones,
/// software last.
///
/// # Errors
///
/// [`DeviceError::Unavailable`].
pub(super) fn probe(kind: DeviceKind) -> Result<Vec<Found>, DeviceError> {
    let backend = graphics_api(kind);
    if backend == Backend::Metal && !cfg!(target_vendor = "apple") {
        return Err(DeviceError::Unavailable {
            kind,
            reason: "Metal exists only on Apple systems".to_owned(),
            remedy: "use `vulkan` or `wgpu` here".to_owned(),
        });
    }
    let quiet = Quiet::begin();
    let adapters =
        quiet
            .catch(|| enumerate(backend))
            .map_err(|message| DeviceError::Unavailable {
                kind,
                reason: format!("looking for {backend} adapters failed: {message}"),
                remedy: format!("update the {backend} driver"),
            })?;
    let found = number(adapters)
        .into_iter()
        .map(|adapter| found(adapter, backend))
        .collect::<Vec<_>>();
    if found.is_empty() {
        return Err(DeviceError::Unavailable {
            kind,
            reason: format!("no {backend} adapter was found"),
            remedy: remedy(backend).to_owned(),
        });
    }
    Ok(found)
}

fn graphics_api(kind: DeviceKind) -> Backend {
    match kind {
        DeviceKind::Vulkan => Vulkan::backend(),
        DeviceKind::Metal => Metal::backend(),
        _ => AutoGraphicsApi::backend(),
    }
}

fn remedy(backend: Backend) -> &'static str {
    match backend {
        Backend::Vulkan if cfg!(target_os = "linux") => {
            "install the GPU's Vulkan driver and the Vulkan loader (`libvulkan1`); \
             `mesa-vulkan-drivers` supports most GPUs and has a software adapter"
        }
        Backend::Vulkan => "install the GPU's Vulkan driver",
        _ => "check that the system sees a GPU",
    }
}

/// Properties that an adapter reports.
#[derive(Debug, Clone, PartialEq)]
struct Adapter {
    kind: DeviceType,
    name: String,
}

fn enumerate(backend: Backend) -> Vec<Adapter> {
    let instance = Instance::new(InstanceDescriptor {
        backends: backend.into(),
        ..InstanceDescriptor::new_without_display_handle()
    });
    pollster::block_on(instance.enumerate_adapters(backend.into()))
        .iter()
        .map(|adapter| {
            let info = adapter.get_info();
            Adapter {
                kind: info.device_type,
                name: info.name,
            }
        })
        .collect()
}

/// Assigns each adapter the name that the runtime uses to find it again. The runtime counts each
/// adapter type separately, in enumeration order. It has one slot for software adapters and none
/// for adapters of type `Other`, so the remaining ones are left out.
fn number(adapters: Vec<Adapter>) -> Vec<(Adapter, WgpuDevice)> {
    let of_type = |wanted: DeviceType| {
        let same_type = adapters
            .iter()
            .filter(move |adapter| adapter.kind == wanted);
        same_type.cloned().enumerate()
    };
    let discrete = of_type(DeviceType::DiscreteGpu)
        .map(|(index, adapter)| (adapter, WgpuDevice::DiscreteGpu(index)));
    let integrated = of_type(DeviceType::IntegratedGpu)
        .map(|(index, adapter)| (adapter, WgpuDevice::IntegratedGpu(index)));
    let virtual_ones = of_type(DeviceType::VirtualGpu)
        .map(|(index, adapter)| (adapter, WgpuDevice::VirtualGpu(index)));
    let software = of_type(DeviceType::Cpu)
        .take(1)
        .map(|(_, adapter)| (adapter, WgpuDevice::Cpu));
    discrete
        .chain(integrated)
        .chain(virtual_ones)
        .chain(software)
        .collect()
}

fn found((adapter, device): (Adapter, WgpuDevice), backend: Backend) -> Found {
    let software = adapter.kind == DeviceType::Cpu;
    let imitation = if software { "software " } else { "" };
    Found {
        description: format!("{}, {imitation}{backend}", adapter.name),
        software,
        handle: Handle::Wgpu(device),
    }
}

/// Graphics API that each device of this process was set up with. The runtime identifies a device
/// by its number alone, so one number cannot stand for two APIs in one process.
static SET_UP: Mutex<Vec<(WgpuDevice, Backend)>> = Mutex::new(Vec::new());

/// Sets up the runtime with the graphics API of `kind`, once per process and device.
///
/// Only needed if the runtime would not choose that API by default on this system, such as Vulkan
/// on macOS; otherwise the runtime sets itself up at the first tensor.
///
/// # Errors
///
/// [`DeviceError::Unavailable`] if the device already uses another API in this process,
/// [`DeviceError::TrialFailed`] if the setup fails.
pub(super) fn prepare(
    kind: DeviceKind,
    index: usize,
    device: &WgpuDevice,
) -> Result<(), DeviceError> {
    let backend = graphics_api(kind);
    let mut set_up = SET_UP.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, earlier)) = set_up.iter().find(|(known, _)| known == device) {
        return match *earlier == backend {
            true => Ok(()),
            false => Err(DeviceError::Unavailable {
                kind,
                reason: format!("this program already uses the device over {earlier}"),
                remedy: "start the program again".to_owned(),
            }),
        };
    }
    if backend != AutoGraphicsApi::backend() {
        let setup = || match backend {
            Backend::Metal => init_setup::<Metal>(device, RuntimeOptions::default()),
            _ => init_setup::<Vulkan>(device, RuntimeOptions::default()),
        };
        Quiet::begin()
            .catch(setup)
            .map_err(|reason| DeviceError::TrialFailed {
                kind,
                index,
                reason,
            })?;
    }
    set_up.push((device.clone(), backend));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(kind: DeviceType, name: &str) -> Adapter {
        Adapter {
            kind,
            name: name.to_owned(),
        }
    }

    #[test]
    fn real_gpus_come_first_and_keep_runtime_indices() {
        let numbered = number(vec![
            adapter(DeviceType::Cpu, "llvmpipe"),
            adapter(DeviceType::IntegratedGpu, "inside"),
            adapter(DeviceType::DiscreteGpu, "card 0"),
            adapter(DeviceType::Other, "odd"),
            adapter(DeviceType::Cpu, "another imitation"),
            adapter(DeviceType::DiscreteGpu, "card 1"),
        ]);
        let devices = numbered
            .iter()
            .map(|(adapter, device)| (adapter.name.as_str(), device.clone()))
            .collect::<Vec<_>>();
        assert_eq!(
            devices,
            [
                ("card 0", WgpuDevice::DiscreteGpu(0)),
                ("card 1", WgpuDevice::DiscreteGpu(1)),
                ("inside", WgpuDevice::IntegratedGpu(0)),
                ("llvmpipe", WgpuDevice::Cpu),
            ]
        );
    }

    #[test]
    fn software_adapters_are_marked() {
        let llvmpipe = adapter(DeviceType::Cpu, "llvmpipe");
        let found = found((llvmpipe, WgpuDevice::Cpu), Backend::Vulkan);
        assert!(found.software);
        assert_eq!(found.description, "llvmpipe, software Vulkan");
    }
}
