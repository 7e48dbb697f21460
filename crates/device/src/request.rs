//! Device requested by the user: `auto`, or a kind of device and an index.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::kind::{AUTO, names};
use crate::{DeviceError, DeviceKind};

/// Minimum similarity to a known name for a suggestion (0: nothing in common, 1: equal).
const LEAST_LIKENESS: f64 = 0.7;
/// Longer texts are not compared with known names.
const MAX_COMPARED_BYTES: usize = 64;

/// A parsed device name: `auto`, or `KIND` or `KIND:INDEX` such as `flex` or `cuda:1`.
///
/// Parsing does not check this machine or this program: [`resolve`](crate::resolve()) determines
/// whether the device is compiled in and present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceRequest {
    /// The first working device in the order of preference.
    #[default]
    Auto,
    /// One specific device, by kind and index.
    Named {
        /// Kind of device.
        kind: DeviceKind,
        /// Index among the devices of that kind, from 0, in the order of
        /// [`list_devices`](crate::list_devices).
        index: usize,
    },
}

impl FromStr for DeviceRequest {
    type Err = DeviceError;

    /// Parses `auto`, `KIND` (index 0) or `KIND:INDEX`, ignoring case.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Unknown`] for an unknown device name, [`DeviceError::BadIndex`] for an index
    /// that is not a whole number or that follows `auto`.
    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let (name, index_text) = match text.trim().split_once(':') {
            Some((name, index)) => (name, Some(index)),
            None => (text.trim(), None),
        };
        let name = name.to_ascii_lowercase();
        let bad_index = |index: &str| DeviceError::BadIndex {
            device: name.clone(),
            index: index.to_owned(),
        };
        if name == AUTO {
            return match index_text {
                None => Ok(Self::Auto),
                Some(index) => Err(bad_index(index)),
            };
        }
        let kind = DeviceKind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| unknown(&name))?;
        let index = match index_text {
            None => 0,
            Some(index) => index.parse().map_err(|_| bad_index(index))?,
        };
        Ok(Self::Named { kind, index })
    }
}

fn unknown(name: &str) -> DeviceError {
    let nearest = names()
        .filter(|_| name.len() <= MAX_COMPARED_BYTES)
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness >= LEAST_LIKENESS)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| known);
    DeviceError::Unknown {
        name: name.to_owned(),
        nearest,
    }
}

impl fmt::Display for DeviceRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.pad(AUTO),
            Self::Named { kind, index: 0 } => formatter.pad(kind.name()),
            Self::Named { kind, index } => formatter.pad(&format!("{kind}:{index}")),
        }
    }
}

impl TryFrom<String> for DeviceRequest {
    type Error = DeviceError;

    fn try_from(text: String) -> Result<Self, DeviceError> {
        text.parse()
    }
}

impl From<DeviceRequest> for String {
    fn from(request: DeviceRequest) -> Self {
        request.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DeviceRequest, DeviceError> {
        text.parse()
    }

    #[test]
    fn name_without_index_means_index_zero() {
        let flex = DeviceRequest::Named {
            kind: DeviceKind::Flex,
            index: 0,
        };
        assert_eq!(parse("flex"), Ok(flex));
        assert_eq!(parse(" FLEX:0 "), Ok(flex));
        assert_eq!(parse("auto"), Ok(DeviceRequest::default()));
    }

    #[test]
    fn device_kinds_round_trip_through_text() {
        for kind in DeviceKind::ALL {
            for index in [0, 3] {
                let request = DeviceRequest::Named { kind, index };
                assert_eq!(parse(&request.to_string()), Ok(request));
            }
        }
    }

    #[test]
    fn unknown_name_error_suggests_nearest() {
        let nearest = |text: &str| match parse(text) {
            Err(DeviceError::Unknown { nearest, .. }) => nearest,
            other => panic!("expected an unknown name, got {other:?}"),
        };
        assert_eq!(nearest("cdua"), Some("cuda"));
        assert_eq!(nearest("vulcan:1"), Some("vulkan"));
        assert_eq!(nearest("toaster"), None);
        assert_eq!(nearest(""), None);
    }

    #[test]
    fn index_must_be_a_small_whole_number() {
        for text in [
            "cuda:x",
            "cuda:",
            "cuda:-1",
            "cuda:99999999999999999999",
            "cuda:0:1",
            "auto:0",
        ] {
            let error = parse(text);
            assert!(
                matches!(error, Err(DeviceError::BadIndex { .. })),
                "{text}: {error:?}"
            );
        }
    }

    #[test]
    fn request_serializes_as_string() -> Result<(), serde_json::Error> {
        let request: DeviceRequest = serde_json::from_str("\"cuda:1\"")?;
        assert_eq!(serde_json::to_string(&request)?, "\"cuda:1\"");
        let error = serde_json::from_str::<DeviceRequest>("\"gpu9000\"").map(|_| ());
        assert!(error.is_err_and(|error| error.to_string().contains("known devices")));
        Ok(())
    }
}
