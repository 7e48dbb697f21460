//! Layers and cost of a network, derived from its config alone.

mod digit;
mod memory;
mod resnet;
mod walk;

use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, NetworkConfig, check};
pub use memory::TrainingMemory;
use walk::Walk;

/// Maximum height and width for a summary, in pixels.
const MAX_SIZE: usize = 65_535;

/// The layers of a network and their totals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Shape of one image: `[channels, height, width]`.
    pub input: [usize; 3],
    /// Layers in order of computation: around a block's addition, the shortcut precedes the last
    /// convolution of the branch.
    pub layers: Vec<Layer>,
    /// Number of trained values, as [`parameter_count`](crate::parameter_count) counts them.
    pub parameters: u64,
    /// Number of running means and variances in batch norms.
    pub running_statistics: u64,
    /// Multiply-adds for one image; see [`Layer::multiply_adds`].
    pub multiply_adds: u64,
}

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Path of its parameters in the network, such as `stages.0.blocks.1.branch.0.conv`; layers
    /// without parameters are named in the same style.
    pub name: String,
    /// Operation that the layer computes.
    #[serde(flatten)]
    pub kind: LayerKind,
    /// Shape for one image: `[channels, height, width]`, or `[channels]` for a linear layer.
    pub input: Vec<usize>,
    /// Shape for one image, like `input`.
    pub output: Vec<usize>,
    /// Number of trained values.
    pub parameters: u64,
    /// Multiply-adds for one image. As usual, only convolutions (including zero padding) and linear
    /// layers count; biases, norms, ReLUs, additions and pools do not.
    pub multiply_adds: u64,
    /// Whether training keeps the output until the backward pass.
    pub kept: bool,
}

/// Operation of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LayerKind {
    /// Convolution with a square window.
    Convolution {
        /// Edge length of the window in pixels.
        kernel: usize,
        /// Stride in pixels.
        stride: usize,
        /// Number of channel groups that do not mix.
        groups: usize,
    },
    /// Batch norm.
    BatchNorm {
        /// Whether the shortcut is added after it.
        adds: bool,
        /// Whether a ReLU follows at the end.
        relu: bool,
    },
    /// Addition of a shortcut after a convolution without norm.
    Addition {
        /// Whether a ReLU follows it.
        relu: bool,
    },
    /// A separate ReLU.
    Relu,
    /// Maximum of every square window.
    MaxPool {
        /// Edge length of the window in pixels.
        kernel: usize,
        /// Stride in pixels.
        stride: usize,
    },
    /// Mean of every square window, without overlap.
    AveragePool {
        /// Edge length of the window in pixels.
        kernel: usize,
    },
    /// Every `stride`-th pixel, padded with zero channels.
    ZeroPad {
        /// Stride in pixels.
        stride: usize,
    },
    /// Mean of each channel.
    GlobalAveragePool,
    /// Matrix multiplication with a bias.
    Linear,
}

/// Returns the summary of a network for images of `[height, width]` pixels, 1 to 65,535 each. Reads
/// only the config and allocates no tensors.
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
/// If the config does not describe a network, or its network does not accept images of this size.
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
