//! Weights that other programs wrote, and weights for other programs.
//!
//! [`import`] makes a [`SavedModel`](crate::SavedModel) of a file in PyTorch's formats or safetensors,
//! and [`export`] writes one under torchvision's names. Both go by one table of names, the module `naming`:
//! a tensor of ours has one name in each layout that is known.
//!
//! | module | what it holds |
//! |---|---|
//! | `document` | JSON documents next to weights |
//! | `hub` | where weights lie in a folder, and what a folder of Hugging Face's hub says of them |
//! | `processor` | how such a folder says that images are prepared |
//! | `listing` | the tensors of a file, or of all shards, by name and shape |
//! | `naming` | what a tensor of ours is called elsewhere |
//! | `detect` | where in a file networks are, and how they are named |
//! | `heads` | where their last linear layers are |
//! | `quantized` | weights that are small numbers |
//! | `select` | which of them is meant |
//! | `rest` | what of a file is not the network |
//! | `recognize` | which network the names and shapes of a file are |
//! | `translate` | a state dict under other names, every tensor accounted for |
//! | `run` | the model of a run's folder |
//! | `rebuild` | this project's record of a network |
//! | `published` | torchvision's files of weights |
//! | `options` | what a user says of a file |
//! | `notes` | all that is assumed, in sentences |
//! | `conventions` | class names and preprocessing that go with a network's shape |
//! | `difference` | in which tensors a file differs from a network |
//! | `error` | what can go wrong |
//!
//! Nothing is guessed silently: a tensor of the network that is missing or of another shape is an
//! error, and one more in its module too, unless it is for training alone. What else is in a file, such
//! as an optimizer's state, is left out and listed. What names and shapes cannot tell apart is taken for
//! the usual, unless a network or the detail itself is named ([`ImportOptions`]), and [`Import::notes`]
//! says so:
//!
//! * Shortcuts without parameters are padded with zeros (shortcut A); `plain20` has the same tensors
//!   and no shortcuts.
//! * The stride of a bottleneck is on its 3x3 convolution, as in torchvision; `resnet50a` has it on
//!   the first 1x1.
//! * A 7x7 stem and a deep one have stride 2 and a max pool behind them, a single 3x3 has neither.
//! * Projections have no average pool before them, unless their names say so, as timm's do.
//! * Norms follow the convolutions of a block, unless a file lists them the other way round, which is
//!   refused.
//! * Norms have PyTorch's epsilon.
//! * Probabilities come from a softmax, and from a sigmoid where there is one output.

mod conventions;
mod detect;
mod difference;
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

pub(crate) use difference::sizes;
pub use difference::{Difference, Differences};
pub use error::ForeignError;
pub use export::{export, exported};
pub use import::{Import, import};
pub use options::ImportOptions;
pub use published::{Published, PublishedError, UnknownPublished};
