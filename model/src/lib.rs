//! Residual networks, generic over Burn's backends through [`ResidualBackend`].
//!
//! Networks are described as data: a [`NetworkConfig`] specifies the stem, the kind of block, the
//! depth and width of every stage and the shortcut. [`NetworkConfig::init`] builds a [`Network`]
//! from it on a device. Well-known networks are available by name ([`NetworkConfig::named`]).
//!
//! ```
//! use burn::tensor::Tensor;
//! use burn_flex::Flex;
//!
//! let device = Default::default();
//! let config = model::NetworkConfig::named("resnet20")?.with_classes(10).with_input_channels(1);
//! let resnet20 = config.init::<Flex>(&device)?;
//!
//! let images = Tensor::zeros([2, 1, 28, 28], &device); // [batch, channels, height, width]
//! let logits = resnet20.forward(images); // [batch, classes]
//! assert_eq!(logits.dims(), [2, 10]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! For prediction, [`Network::fold`] returns a faster [`FoldedNetwork`]. For training, wrap the
//! backend in Burn's `Autodiff`.
//!
//! The features `flex`, `ndarray` and `cubecl` (wgpu, vulkan, metal, cuda, rocm) implement the
//! trait for the backends.

mod block;
mod config;
mod convolution;
mod digit;
mod floats;
mod folded;
mod freeze;
mod graph;
mod head;
pub mod int8;
mod layout;
mod network;
mod norm;
mod parameters;
mod recompute;
mod registry;
mod resnet;
mod shortcut;
mod stem;
mod summary;
mod tensors;
mod transfer;

pub use block::Block;
pub use config::{
    ActivationOrder, BlockKind, BottleneckStride, ConfigError, DigitConfig, NetworkChanges,
    NetworkConfig, ResNetConfig, ShortcutKind, StemKind, StemPool,
};
pub use convolution::Convolution;
pub use digit::{DigitBlock, DigitResNet};
pub use folded::FoldedNetwork;
pub use freeze::{NetworkPart, UnknownPart};
pub use head::Head;
pub use network::Network;
pub use norm::BatchNorm;
pub use ops::ResidualBackend;
pub use parameters::parameter_count;
pub use registry::{PATTERNS, UnknownNetwork, names};
pub use resnet::{ResNet, Stage};
pub use shortcut::Shortcut;
pub use stem::Stem;
pub use summary::{Layer, LayerKind, Summary, TrainingMemory, summary};
pub use tensors::{TensorShape, tensors};

/// Compiles and runs the examples in the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../docs/library.md")]
#[doc = include_str!("../../docs/speed.md")]
struct Documentation;
