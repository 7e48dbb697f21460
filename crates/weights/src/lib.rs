//! Files of network weights to and from named tensors.
//!
//! [`WeightsFile::read`] takes what `torch.save` wrote (the zip files of PyTorch 1.6 and later,
//! and the format before) and safetensors, tells them apart by their content, finds the state dict
//! in a training checkpoint, and gives a [`StateDict`]: names and [`Tensor`]s in the file's order.
//! [`Contents`] lists all tensors of a file and reads some of them. [`write_safetensors`] writes a file.
//!
//! Files come from anywhere, so nothing in them is believed. A pickle is read by a small machine
//! that builds plain data and has no means to call anything; every size is checked against what
//! is there before memory is asked for; whatever is wrong is a [`ContentError`] that says where.
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

// What a file holds.
mod contents;
mod state_dict;
mod tensor;

// How a tensor lies in a file.
mod dtype;
mod layout;

// The formats.
mod archive;
mod legacy;
mod pickle;
mod safetensors;
mod torch;

// From and to the disk.
mod file;
mod looks;
mod write;

pub use contents::{Contents, TensorInfo, TensorKind};
pub use error::{ContentError, WeightsError, shown};
pub use file::{Format, Other, WeightsFile, read_bytes};
pub use layout::LayoutProblem;
pub use pickle::PickleProblem;
pub use state_dict::StateDict;
pub use tensor::{Entry, ShapeError, Tensor};
pub use torch::STATE_DICT_KEYS;
pub use write::{Precision, to_safetensors, write_safetensors};
