//! Predicts the class of images with a trained network.
//!
//! A trained network is a folder with two files: its weights (`model.safetensors`) and its
//! [`Description`] (`model.json`), which holds everything needed to use them. Training writes them
//! with [`SavedModel::save`]; a [`Predictor`] uses them on any backend. One trained network ships
//! inside this crate. [`foreign`] makes one of the weights that other programs wrote.
//!
//! ```
//! use burn_flex::Flex;
//! use infer::{Predictor, SavedModel};
//!
//! let saved = SavedModel::shipped()?;
//! let predictor = Predictor::<Flex>::new(&saved, Default::default())?;
//! let image = data::open_image("../image.png")?;
//! let prediction = &predictor.predict(&[image])?[0];
//! assert_eq!(prediction.classes[0].name, "Ankle boot");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod benchmark;
pub mod console;
mod described;
mod description;
pub mod environment;
mod error;
pub mod flags;
pub mod foreign;
pub mod help;
mod predictor;
mod record;
mod runs;
mod saved;
pub mod terminal;
mod usage;
mod views;
pub mod voice;

pub use description::{Accuracy, Activation, Description, Scoring, Stored};
pub use error::{PredictError, SavedModelError};
pub use predictor::{ClassProbability, Prediction, Predictor, PreparedImage};
pub use runs::{Candidates, Choice, Skipped, Why, find_run, newest_run};
pub use saved::{DESCRIPTION_FILE, SavedModel, WEIGHTS_FILE};
pub use views::Views;
