//! Devices on this machine, for `--list-devices`.

use std::fmt;

use crate::{DeviceKind, probe, resolve::reason_of};

/// One kind of device and its devices on this machine.
///
/// Displayed as one line per device: its name, then its description or the reason why it is
/// missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Kind of device.
    pub kind: DeviceKind,
    /// Whether this program was built with it.
    pub compiled_in: bool,
    /// Devices found; the position in the list is the device index.
    pub devices: Vec<ListedDevice>,
    /// Reason why no device was found; `None` if one was.
    pub problem: Option<String>,
}

/// One device found on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDevice {
    /// Description that the device reports, for example `NVIDIA H100`.
    pub description: String,
    /// Whether it is a GPU emulated on the CPU, which `auto` never selects.
    pub software: bool,
}

/// Searches for every kind of device, in the order in which `auto` tries them.
///
/// Finds hardware and drivers; unlike [`resolve`](crate::resolve()), it computes nothing on them.
pub fn list_devices() -> Vec<Listing> {
    DeviceKind::ALL.into_iter().map(list_one).collect()
}

fn list_one(kind: DeviceKind) -> Listing {
    let (devices, problem) = match probe::probe(kind) {
        Ok(found) => {
            let devices = found.into_iter().map(|one| ListedDevice {
                description: one.description,
                software: one.software,
            });
            (devices.collect(), None)
        }
        Err(error) => (Vec::new(), Some(reason_of(&error))),
    };
    Listing {
        kind,
        compiled_in: kind.is_compiled_in(),
        devices,
        problem,
    }
}

/// Formats the listings as a human-readable table: one line per device, without a final newline.
///
/// ```text
/// cuda     no NVIDIA driver was found
/// rocm     not compiled in
/// wgpu:0   llvmpipe, software Vulkan
/// flex     CPU, 2 threads
/// ```
pub fn table(listings: &[Listing]) -> String {
    let lines = listings.iter().map(Listing::to_string);
    lines.collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Listing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind;
        if let Some(problem) = &self.problem {
            let problem = match self.compiled_in {
                true => problem,
                false => "not compiled in",
            };
            return write!(formatter, "{kind:<NAME_WIDTH$} {problem}");
        }
        for (index, device) in self.devices.iter().enumerate() {
            let name = match kind.is_cpu() {
                true => kind.to_string(),
                false => format!("{kind}:{index}"),
            };
            let line_break = if index == 0 { "" } else { "\n" };
            let description = &device.description;
            write!(formatter, "{line_break}{name:<NAME_WIDTH$} {description}")?;
        }
        Ok(())
    }
}

/// Width of `vulkan:0` or `ndarray`.
const NAME_WIDTH: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_with_devices_or_a_reason() {
        let listings = list_devices();
        assert_eq!(listings.len(), DeviceKind::ALL.len());
        for listing in listings {
            assert_ne!(listing.devices.is_empty(), listing.problem.is_none());
            assert!(listing.compiled_in || listing.problem.is_some());
        }
    }

    #[test]
    fn table_has_a_row_per_device() {
        let named = |description: &str| ListedDevice {
            description: description.to_owned(),
            software: false,
        };
        let listings = [
            Listing {
                kind: DeviceKind::Cuda,
                compiled_in: true,
                devices: vec![named("NVIDIA H100"), named("NVIDIA T4")],
                problem: None,
            },
            Listing {
                kind: DeviceKind::Rocm,
                compiled_in: false,
                devices: Vec::new(),
                problem: Some("device `rocm` is not compiled into this program".to_owned()),
            },
            Listing {
                kind: DeviceKind::Flex,
                compiled_in: true,
                devices: vec![named("CPU, 2 threads")],
                problem: None,
            },
        ];
        assert_eq!(
            table(&listings),
            "cuda:0   NVIDIA H100\n\
             cuda:1   NVIDIA T4\n\
             rocm     not compiled in\n\
             flex     CPU, 2 threads"
        );
    }
}
