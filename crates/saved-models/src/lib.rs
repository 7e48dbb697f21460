//! Trained networks as files, both this project's own and other programs'.
//!
//! A trained network is a folder with two files: its weights (`model.safetensors`) and its
//! [`Description`] (`model.json`), which contains everything needed to use them. Training writes
//! both with [`SavedModel::save`]. This crate ships one trained network. [`foreign`] imports
//! weights that other programs wrote and exports weights for them.
//!
//! ```
//! use burn_flex::Flex;
//! use saved_models::SavedModel;
//!
//! let saved = SavedModel::shipped()?;
//! assert_eq!(saved.description.class_names.len(), 10);
//! let network = saved.network::<Flex>(&Default::default())?;
//! # Ok::<(), saved_models::SavedModelError>(())
//! ```

mod described;
mod description;
mod difference;
mod error;
pub mod foreign;
mod input;
mod integers;
mod named;
mod record;
mod saved;
mod views;

pub use described::{DESCRIPTION_FILE, WEIGHTS_FILE};
pub use description::{Accuracy, Activation, Description, Scoring, Stored};
pub use error::SavedModelError;
pub use input::{InputShape, InputShapeError};
pub use named::NamedNetwork;
pub use saved::SavedModel;
pub use views::Views;
