//! Predicts the class of images with a trained network.
//!
//! A [`Predictor`] runs a [`SavedModel`](saved_models::SavedModel) on any backend.
//!
//! ```
//! use burn_flex::Flex;
//! use infer::Predictor;
//! use saved_models::SavedModel;
//!
//! let saved = SavedModel::shipped()?;
//! let predictor = Predictor::<Flex>::new(&saved, Default::default())?;
//! let image = data::open_image("../image.png")?;
//! let prediction = &predictor.predict(&[image])?[0];
//! assert_eq!(prediction.classes[0].name, "Ankle boot");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod benchmark;
mod error;
mod predictor;

pub use benchmark::{Precision, PredictionBenchmark, Subject};
pub use error::PredictError;
pub use predictor::{ClassProbability, Prediction, Predictor, PreparedImage};
