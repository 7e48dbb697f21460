//! What a network consists of and costs, from its config alone.

mod digit;
mod memory;
mod resnet;
mod walk;

use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, NetworkConfig, check};
pub use memory::TrainingMemory;
use walk::Walk;

/// Largest height and width that a summary is made for, in pixels.
const MAX_SIZE: usize = 65_535;

/// The layers of a network and what they add up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Of one image: `[channels, height, width]`.
    pub input: [usize; 3],
    /// In the order in which they are computed: around a block's addition, the shortcut stands
    /// before the last convolution of the branch.
    pub layers: Vec<Layer>,
    /// Trained values, as [`parameter_count`](crate::parameter_count) counts them.
    pub parameters: u64,
    /// Running means and variances of the batch norms.
    pub running_statistics: u64,
    /// For one image; see [`Layer::multiply_adds`].
    pub multiply_adds: u64,
}

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Where its parameters stand in the network, such as `stages.0.blocks.1.branch.0.conv`; layers
    /// without parameters are named alike.
    pub name: String,
    /// What it computes.
    #[serde(flatten)]
    pub kind: LayerKind,
    /// Of one image: `[channels, height, width]`, or `[channels]` for a linear layer.
    pub input: Vec<usize>,
    /// Likewise.
    pub output: Vec<usize>,
    /// Trained values.
    pub parameters: u64,
    /// For one image. As usual, those of convolutions and linear layers are counted, zeros of
    /// the border included, and nothing else: neither biases nor norms, ReLUs, additions and
    /// pools.
    pub multiply_adds: u64,
    /// Whether training keeps the output until the backward pass.
    pub kept: bool,
}

/// What a layer computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LayerKind {
    /// With a square window.
    Convolution {
        /// Edge of the window in pixels.
        kernel: usize,
        /// In pixels.
        stride: usize,
        /// Parts of the channels that do not mix.
        groups: usize,
    },
    /// Batch norm.
    BatchNorm {
        /// Whether the shortcut is added behind it.
        adds: bool,
        /// Whether a ReLU stands at the end.
        relu: bool,
    },
    /// The addition of a shortcut behind a convolution without norm.
    Addition {
        /// Whether a ReLU stands behind it.
        relu: bool,
    },
    /// A ReLU by itself.
    Relu,
    /// The largest value of every square window.
    MaxPool {
        /// Edge of the window in pixels.
        kernel: usize,
        /// In pixels.
        stride: usize,
    },
    /// The mean of every square window, side by side.
    AveragePool {
        /// Edge of the window in pixels.
        kernel: usize,
    },
    /// Every `stride`-th pixel, with channels of zeros.
    ZeroPad {
        /// In pixels.
        stride: usize,
    },
    /// The mean of each channel.
    GlobalAveragePool,
    /// A matrix and a bias.
    Linear,
}

/// The summary of a network for images of `[height, width]` pixels, 1 to 65,535 each. It reads the
/// config alone and makes no tensors.
///
/// ```
/// let resnet50 = model::NetworkConfig::named("resnet50")?;
/// let summary = model::summary(&resnet50, [224, 224])?;
/// assert_eq!(summary.parameters, 25_557_032);
/// assert_eq!(summary.multiply_adds, 4_089_184_256);
///
/// let last = summary.layers.last().unwrap();
/// assert_eq!((last.name.as_str(), &last.output[..]), ("head.linear", &[1000][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the config describes no network, or not one for images of this size.
pub fn summary(
    config: &NetworkConfig,
    [height, width]: [usize; 2],
) -> Result<Summary, ConfigError> {
    config.validate()?;
    for (key, pixels) in [("height", height), ("width", width)] {
        check(key, pixels, 1..=MAX_SIZE, "1 to 65535 pixels")?;
    }
    config.check_input(height, width)?;
    let input = [config.input_channels(), height, width];
    let mut walk = Walk::new(input);
    match config {
        NetworkConfig::Resnet(config) => resnet::walk(config, &mut walk),
        NetworkConfig::Digit(config) => digit::walk(config, &mut walk),
    }
    Ok(walk.finish(input))
}
