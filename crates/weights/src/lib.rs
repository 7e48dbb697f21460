//! Reads and writes files of network weights as named tensors.
//!
//! [`WeightsFile::read`] accepts the output of `torch.save` (zip files since PyTorch 1.6, and the
//! older format) and safetensors. It detects the format from the content, finds the state dict in a
//! training checkpoint, and returns a [`StateDict`]: names and [`Tensor`]s in file order.
//! [`Contents`] lists all tensors of a file and reads some of them. [`write_safetensors`] writes a
//! file.
//!
//! Files are not trusted. A small machine reads pickles; it builds plain data and cannot call
//! anything. Every size is checked against the file before memory is allocated. Every problem is a
//! [`ContentError`] that states its location.
//!
//! ```
//! use std::collections::BTreeMap;
//! use weights::{Entry, Format, Precision, StateDict, Tensor, WeightsFile, to_safetensors};
//!
//! let mut state_dict = StateDict::new();
//! let bias = Tensor::new(vec![3], vec![0.5, -1.0, 2.0])?;
//! state_dict.insert("fc.bias", Entry::Float(bias))?;
//!
//! let bytes = to_safetensors(&state_dict, &BTreeMap::new(), Precision::Single)?;
//! let file = WeightsFile::from_bytes(&bytes)?;
//! assert_eq!(file.format, Format::Safetensors);
//! assert_eq!(file.state_dict.tensor("fc.bias").unwrap().values(), [0.5, -1.0, 2.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;

// Tensors, one and many.
mod state_dict;
mod tensor;

// Layout of a tensor in a file.
mod dtype;
mod layout;

// Formats.
mod archive;
mod legacy;
mod pickle;
mod safetensors;
mod torch;

// Files of any format.
mod contents;
mod file;
mod looks;
mod write;

pub use contents::Contents;
pub use error::{ContentError, WeightsError, shown};
pub use file::{Format, WeightsFile, read_bytes};
pub use layout::LayoutProblem;
pub use pickle::PickleProblem;
pub use state_dict::{Other, StateDict};
pub use tensor::{Entry, ShapeError, Tensor, TensorInfo, TensorKind};
pub use torch::STATE_DICT_KEYS;
pub use write::{Precision, to_safetensors, write_safetensors};
