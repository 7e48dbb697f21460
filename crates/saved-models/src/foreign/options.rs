//! Options for interpreting a weights file.

use derive_setters::Setters;
use model::NetworkChanges;

use crate::description::Activation;
use crate::named::NamedNetwork;

/// What a user specifies about a weights file. Anything unset is read from the file or assumed to
/// be the usual, which [`Import::notes`](super::Import::notes) reports.
#[derive(Clone, Debug, Default, PartialEq, Setters)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct ImportOptions {
    /// The state dict or module that contains the network, with dots between keys:
    /// `state_dict.teacher`.
    pub key: Option<String>,
    /// The network in the file, apart from its channels and classes, which come from the file. If
    /// `None`, it is recognized from names and shapes.
    pub model: Option<NamedNetwork>,
    /// Details of the network that names and shapes do not show.
    pub changes: NetworkChanges,
    /// How logits become probabilities.
    pub activation: Option<Activation>,
    /// Height and width of the network's images in pixels.
    pub image_size: Option<usize>,
    /// Length in pixels of an image's shorter side before the crop. By default 232 for files named
    /// like torchvision's newer weights, else 256 for a crop of 224.
    pub resize: Option<usize>,
    /// Mean of each channel, or one for all, with 1 as full brightness.
    pub mean: Option<Vec<f32>>,
    /// Standard deviation of each channel, or one for all.
    pub std: Option<Vec<f32>>,
    /// Whether a network without a head is accepted, because it gets a new one.
    pub accepts_backbone: bool,
}
