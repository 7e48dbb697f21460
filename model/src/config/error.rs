//! What is wrong with a config.

use thiserror::Error;

use crate::digit::DIGIT_SIZE;

/// A config that describes no network, or not one for these images.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value is outside its range.
    #[error("`{key}` is {value}, but must be {range}")]
    OutOfRange {
        /// The config's key.
        key: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        range: &'static str,
    },
    /// A detail of residual networks is changed in a network without it.
    #[error("this network has no stem, stages or norms that could be others")]
    NoStages,
    /// The stride of bottlenecks is changed in a network without them.
    #[error("this network has no bottlenecks whose stride could be elsewhere")]
    NoBottlenecks,
    /// The network is made for one size of image.
    #[error("this network takes images of {DIGIT_SIZE}x{DIGIT_SIZE} pixels, not {height}x{width}")]
    InputSize {
        /// Pixels.
        height: usize,
        /// Pixels.
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
