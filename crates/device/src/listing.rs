//! What this machine has, for `--list-devices`.

use std::fmt;

use crate::{DeviceKind, probe, resolve::reason_of};

/// One kind of device and what was found of it on this machine.
///
/// Shown as one line for each device: its name, then what it is or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The kind of device.
    pub kind: DeviceKind,
    /// Whether this program was built with it.
    pub compiled_in: bool,
    /// What was found; the place in the list is the index to name.
    pub devices: Vec<ListedDevice>,
    /// Why nothing was found; none when something was.
    pub problem: Option<String>,
}

/// One device found on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDevice {
    /// What it calls itself, for example `NVIDIA H100`.
    pub description: String,
    /// Whether it is a GPU imitated on the CPU, which `auto` never takes.
    pub software: bool,
}

/// Looks for every kind of device, in the order in which `auto` tries them.
///
/// Finds hardware and drivers; unlike [`resolve`](crate::resolve()) it computes nothing on them.
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

/// The listings as a table for people: one line for each device, without a final newline.
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

/// As wide as `vulkan:0` or `ndarray`.
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
    fn the_table_has_a_line_for_each_device() {
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
