//! How a file of weights is to be understood.

use model::NetworkChanges;

use crate::description::Activation;
use crate::named::NamedNetwork;

/// What a user knows of a file of weights; what is left open is read from the file, or taken for the
/// usual, which [`Import::notes`](super::Import::notes) tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportOptions {
    /// The state dict or module with the network, with dots between keys: `state_dict.teacher`.
    pub key: Option<String>,
    /// The network that it holds, with the channels and classes of the file; recognized from names
    /// and shapes if none.
    pub model: Option<NamedNetwork>,
    /// Details of the network that names and shapes do not tell.
    pub changes: NetworkChanges,
    /// How logits become probabilities.
    pub activation: Option<Activation>,
    /// Height and width of the network's images in pixels.
    pub image_size: Option<usize>,
    /// Length in pixels of an image's shorter side before the crop, if not the usual: 232 for files
    /// with the names of torchvision's newer weights, else 256 for a crop of 224.
    pub resize: Option<usize>,
    /// Mean of each channel, or one of all, in units of full brightness.
    pub mean: Option<Vec<f32>>,
    /// Standard deviation of each channel, or one of all.
    pub std: Option<Vec<f32>>,
    /// Whether a network without a head will do, because it gets a new one.
    pub accepts_backbone: bool,
}
