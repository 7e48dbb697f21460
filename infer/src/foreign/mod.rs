//! Weights that other programs wrote, and weights for other programs.
//!
//! [`import`] makes a [`SavedModel`](crate::SavedModel) of a file in PyTorch's formats or safetensors,
//! and [`export`] writes one under torchvision's names. Both go by one table of names, the module `naming`:
//! a tensor of ours has one name in each layout that is known.
//!
//! | module | what it holds |
//! |---|---|
//! | `naming` | what a tensor of ours is called elsewhere, and how a file's layout is told |
//! | `recognise` | which network the names and shapes of a file are |
//! | `translate` | a state dict under other names, every tensor accounted for |
//! | `published` | torchvision's files of weights |
//! | `conventions` | class names and preprocessing that go with a network's shape |
//! | `error` | what can go wrong |
//!
//! Nothing is guessed silently: a tensor that is missing, too many or of another shape is an error.
//! What names and shapes cannot tell apart is taken for the usual, unless a network is named:
//!
//! * Shortcuts without parameters are padded with zeros (shortcut A); `plain20` has the same tensors
//!   and no shortcuts.
//! * The stride of a bottleneck is on its 3x3 convolution, as in torchvision; `resnet50a` has it on
//!   the first 1x1.
//! * A 7x7 stem and a deep one have stride 2 and a max pool behind them, a single 3x3 has neither.
//! * Projections in a record of this project without its description have no average pool.

mod conventions;
mod error;
mod export;
mod import;
mod naming;
mod published;
mod recognise;
mod translate;

pub use error::{Difference, Differences, ForeignError};
pub use export::export;
pub use import::{Import, ImportOptions, import};
pub use published::{Published, PublishedError, UnknownPublished};
