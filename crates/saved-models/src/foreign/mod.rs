//! Import of weights that other programs wrote, and export of weights for them.
//!
//! [`import`] reads a [`SavedModel`](crate::SavedModel) from a file in one of PyTorch's formats or
//! safetensors, and [`export`] writes one under torchvision's names. Both use one table of names,
//! the module `naming`, which maps each of our tensors to its name in every known layout.
//!
//! | module | contents |
//! |---|---|
//! | `document` | JSON documents next to weights |
//! | `hub` | finds weights in a folder, and reads the configuration of Hugging Face Hub folders |
//! | `processor` | preprocessing that such a folder specifies |
//! | `listing` | the tensors of a file, or of all shards, by name and shape |
//! | `naming` | names of our tensors in other layouts |
//! | `detect` | finds the networks in a file and how their tensors are named |
//! | `heads` | finds their last linear layers |
//! | `quantized` | detects quantized weights |
//! | `select` | chooses one of the networks |
//! | `rest` | the parts of a file outside the network |
//! | `recognize` | recognizes a network by names and shapes |
//! | `translate` | a state dict under other names, every tensor accounted for |
//! | `run` | the model of a run's folder |
//! | `rebuild` | this project's record of a network |
//! | `published` | torchvision's weights files |
//! | `options` | what a user specifies about a file |
//! | `notes` | all assumptions, as sentences |
//! | `conventions` | default class names and preprocessing for a network's shape |
//! | `error` | errors |
//!
//! Nothing is guessed silently. A tensor of the network that is missing or has another shape is an
//! error, and so is an extra tensor in its module, unless it is only for training. Other contents
//! of a file, such as an optimizer's state, are left out and listed. Where names and shapes are
//! ambiguous, the usual choice is assumed unless the network or the detail is named
//! ([`ImportOptions`]), and [`Import::notes`] reports it:
//!
//! * Shortcuts without parameters are padded with zeros (shortcut A); `plain20` has the same
//!   tensors and no shortcuts.
//! * The stride of a bottleneck is on its 3x3 convolution, as in torchvision; `resnet50a` has it on
//!   the first 1x1.
//! * A 7x7 or deep stem has stride 2 and is followed by a max pool; a single 3x3 has neither.
//! * Projections have no average pool before them, unless their names imply one, as timm's do.
//! * Norms follow the convolutions of a block. A file that lists them the other way round is
//!   refused.
//! * Norms have PyTorch's epsilon.
//! * Probabilities come from a softmax, or from a sigmoid if there is one output.

mod conventions;
mod detect;
mod document;
mod error;
mod export;
mod heads;
mod hub;
mod import;
mod listing;
mod naming;
mod notes;
mod options;
mod processor;
mod published;
mod quantized;
mod rebuild;
mod recognize;
mod rest;
mod run;
mod select;
mod translate;

pub use crate::difference::{Difference, Differences};
pub use error::ForeignError;
pub use export::{export, exported};
pub use import::{Import, import};
pub use options::ImportOptions;
pub use published::{Published, PublishedError, UnknownPublished};
