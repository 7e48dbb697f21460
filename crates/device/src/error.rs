//! Errors from parsing a device name to having a working device.

use std::fmt;

use thiserror::Error;

use crate::DeviceKind;
use crate::kind::{AUTO, names};

/// Error that prevents a device name from becoming a working device.
///
/// The message is one sentence; [`DeviceError::hint`] returns the fix, if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// This project does not know a device with this name.
    #[error(
        "unknown device `{name}`{}, known devices are {}",
        suggestion(*nearest),
        list(names())
    )]
    Unknown {
        /// Name as typed, without its index.
        name: String,
        /// Most similar known name, if one is similar enough.
        nearest: Option<&'static str>,
    },

    /// The part after the colon is not an index.
    #[error("`{index}` is not a valid index of device `{device}`")]
    BadIndex {
        /// Name before the colon.
        device: String,
        /// Text after the colon.
        index: String,
    },

    /// The device is known, but the program was built without it.
    #[error("device `{kind}` is not compiled into this program")]
    NotCompiledIn {
        /// Requested device.
        kind: DeviceKind,
    },

    /// The device is compiled in, but this machine lacks the hardware or software it needs.
    #[error("device `{kind}` cannot be used: {reason}")]
    Unavailable {
        /// Requested device.
        kind: DeviceKind,
        /// Missing hardware or software.
        reason: String,
        /// Software to install or variable to set.
        remedy: String,
    },

    /// Devices of this kind exist, but the index is too high.
    #[error("device `{kind}:{index}` does not exist, {}", how_many(*kind, *count))]
    IndexTooHigh {
        /// Requested kind.
        kind: DeviceKind,
        /// Requested index, from 0.
        index: usize,
        /// Number of devices of this kind, at least 1.
        count: usize,
    },

    /// The device was found, but the trial computation on it failed.
    #[error("device `{kind}:{index}` was found but does not work: {reason}")]
    TrialFailed {
        /// Kind of the device.
        kind: DeviceKind,
        /// Index of the device.
        index: usize,
        /// Message of the device or its driver.
        reason: String,
    },

    /// The device was found, but the trial computation on it did not finish.
    #[error("device `{kind}:{index}` was found but did not answer within {seconds} seconds")]
    TrialTimedOut {
        /// Kind of the device.
        kind: DeviceKind,
        /// Index of the device.
        index: usize,
        /// Time limit in seconds.
        seconds: u64,
    },

    /// `auto` found no working device.
    #[error(
        "no device that is compiled into this program works on this machine: {}",
        reasons(skipped)
    )]
    NothingWorks {
        /// Every device that was tried, with the reason for skipping it.
        skipped: Vec<Skipped>,
    },
}

/// A device that `auto` skipped. Displayed as `cuda: the reason`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Kind of the device.
    pub kind: DeviceKind,
    /// Reason for skipping it, as a sentence without a period.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.reason)
    }
}

impl DeviceError {
    /// Returns the fix: what to install, how to rebuild, or which other device to name. `None` if
    /// the message already says it.
    pub fn hint(&self) -> Option<String> {
        match self {
            // The message contains the suggestion, because argument parsers show only the message.
            Self::Unknown { .. } => None,
            Self::BadIndex { device, .. } if device == AUTO => Some(
                "`auto` takes no index, name a kind of device to choose one by index".to_owned(),
            ),
            Self::BadIndex { device, .. } => Some(format!(
                "an index is a whole number from 0, as in `{device}:0`"
            )),
            Self::NotCompiledIn { kind } => Some(with_alternative(
                &format!("rebuild with `--features {kind}`"),
                *kind,
            )),
            Self::Unavailable { kind, remedy, .. } => Some(with_alternative(remedy, *kind)),
            Self::IndexTooHigh { kind, count: 1, .. } => Some(format!("use `{kind}`")),
            Self::IndexTooHigh { kind, count, .. } => Some(format!(
                "use an index from 0 to {}, as in `{kind}:0`",
                count - 1
            )),
            Self::TrialFailed { kind, .. } | Self::TrialTimedOut { kind, .. } => {
                Some(with_alternative(
                    "check the driver of this device and that it is not busy",
                    *kind,
                ))
            }
            Self::NothingWorks { .. } => {
                Some("rebuild with `--features flex`, which runs on every CPU".to_owned())
            }
        }
    }
}

/// Adds to a remedy the compiled-in devices that need no driver.
fn with_alternative(remedy: &str, kind: DeviceKind) -> String {
    let mut others = DeviceKind::compiled_in()
        .filter(|other| other.is_cpu() && *other != kind)
        .map(|other| format!("`{other}`"))
        .collect::<Vec<_>>();
    // The faster of the two comes first.
    others.reverse();
    if others.is_empty() {
        remedy.to_owned()
    } else {
        format!("{remedy}, or use the CPU: {}", others.join(" or "))
    }
}

fn suggestion(nearest: Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}

fn list(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn how_many(kind: DeviceKind, count: usize) -> String {
    match count {
        1 => format!("there is only one `{kind}` device here"),
        _ => format!("there are {count} `{kind}` devices here"),
    }
}

fn reasons(skipped: &[Skipped]) -> String {
    let reasons = skipped.iter().map(Skipped::to_string);
    reasons.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_sentence_without_period() {
        let kind = DeviceKind::Cuda;
        let errors = [
            DeviceError::BadIndex {
                device: "auto".into(),
                index: "1".into(),
            },
            DeviceError::NotCompiledIn { kind },
            DeviceError::IndexTooHigh {
                kind,
                index: 2,
                count: 1,
            },
            DeviceError::IndexTooHigh {
                kind,
                index: 2,
                count: 2,
            },
            DeviceError::TrialTimedOut {
                kind,
                index: 0,
                seconds: 1,
            },
        ];
        for error in errors {
            let message = error.to_string();
            assert!(
                !message.ends_with('.') && !message.contains('\n'),
                "{message}"
            );
            assert!(error.hint().is_some(), "{message}");
        }
    }

    #[test]
    fn unknown_name_error_lists_known_names() {
        let error = DeviceError::Unknown {
            name: "cdua".into(),
            nearest: Some("cuda"),
        };
        assert_eq!(
            error.to_string(),
            "unknown device `cdua` (did you mean `cuda`?), known devices are auto, cuda, rocm, \
             metal, vulkan, wgpu, ndarray, flex"
        );
    }

    #[test]
    fn index_error_states_device_count() {
        let error = DeviceError::IndexTooHigh {
            kind: DeviceKind::Cuda,
            index: 7,
            count: 2,
        };
        assert_eq!(
            error.to_string(),
            "device `cuda:7` does not exist, there are 2 `cuda` devices here"
        );
        assert_eq!(
            error.hint().as_deref(),
            Some("use an index from 0 to 1, as in `cuda:0`")
        );
    }
}
