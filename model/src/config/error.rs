//! Errors in a config.

use thiserror::Error;

use super::DIGIT_SIZE;

/// A config that does not describe a network, or whose network does not accept these images.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value is outside its range.
    #[error("`{key}` is {value}, but must be {range}")]
    OutOfRange {
        /// Key in the config.
        key: &'static str,
        /// Value found.
        value: String,
        /// Values allowed.
        range: &'static str,
    },
    /// A detail of residual networks is changed in a network that lacks it.
    #[error("this network has no stem, stages or norms to change")]
    NoStages,
    /// The bottleneck stride is changed in a network without bottlenecks.
    #[error("this network has no bottlenecks whose stride could change")]
    NoBottlenecks,
    /// The network accepts only one image size.
    #[error("this network takes images of {DIGIT_SIZE}x{DIGIT_SIZE} pixels, not {height}x{width}")]
    InputSize {
        /// Image height in pixels.
        height: usize,
        /// Image width in pixels.
        width: usize,
    },
}

pub(super) fn check_ends(input_channels: usize, classes: usize) -> Result<(), ConfigError> {
    check("input_channels", input_channels, 1..=1024, "1 to 1024")?;
    check("classes", classes, 1..=1_000_000, "1 to 1000000")
}

pub(crate) fn check(
    key: &'static str,
    value: usize,
    range: std::ops::RangeInclusive<usize>,
    text: &'static str,
) -> Result<(), ConfigError> {
    require(range.contains(&value), key, value, text)
}

pub(super) fn require(
    is_met: bool,
    key: &'static str,
    value: impl ToString,
    range: &'static str,
) -> Result<(), ConfigError> {
    if is_met {
        return Ok(());
    }
    Err(ConfigError::OutOfRange {
        key,
        value: value.to_string(),
        range,
    })
}
