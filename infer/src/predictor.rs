//! Predicts classes from images.

use burn::tensor::backend::Backend;
use data::{Fitted, ImageBatcher, ImageLook, PreprocessingError, fit};
use image::DynamicImage;
use model::{FoldedNetwork, ResidualBackend};
use saved_models::{Activation, SavedModel, SavedModelError, Views};
use serde::Serialize;

use crate::error::PredictError;

/// A network on a device, with the preprocessing for its input.
#[derive(Debug)]
pub struct Predictor<B: Backend> {
    network: FoldedNetwork<B>,
    batcher: ImageBatcher,
    views: Views,
    look: Option<ImageLook>,
    class_names: Vec<String>,
    activation: Activation,
    device: B::Device,
}

/// An image resized to a network's input, without its original pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedImage(Vec<u8>);

impl AsRef<[u8]> for PreparedImage {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Prediction for one image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// All classes, from most to least likely.
    pub classes: Vec<ClassProbability>,
}

/// One class of a [`Prediction`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassProbability {
    /// Name of the class.
    pub name: String,
    /// Probability, 0 to 1. Probabilities of all classes sum to 1, unless each class is predicted
    /// independently.
    pub probability: f64,
}

impl<B: ResidualBackend> Predictor<B> {
    /// Loads a saved model onto a device.
    ///
    /// # Errors
    ///
    /// If its weights are damaged or belong to another network.
    pub fn new(saved: &SavedModel, device: B::Device) -> Result<Self, SavedModelError> {
        Ok(Self {
            network: saved.folded(&device)?,
            batcher: ImageBatcher::new(saved.description.preprocessing.clone()),
            views: Views::default(),
            look: saved.description.images.clone(),
            class_names: saved.description.class_names.clone(),
            activation: saved.description.activation,
            device,
        })
    }

    /// Returns the same predictor, averaging the logits over several views of each image.
    #[must_use]
    pub fn with_views(self, views: Views) -> Self {
        Self { views, ..self }
    }

    /// Compares an image with the training images and converts it if the conversion is certain; see
    /// [`fit`]. Every image fits a model whose description does not state what its training images
    /// have in common, such as all models of large or color images.
    ///
    /// # Errors
    ///
    /// If the image has no pixels or cannot be resized.
    pub fn fit(&self, image: &DynamicImage) -> Result<Fitted, PreprocessingError> {
        match &self.look {
            Some(look) => fit(image, look, self.batcher.preprocessing()),
            None => Ok(Fitted::default()),
        }
    }

    /// Predicts all images in one batch.
    ///
    /// # Errors
    ///
    /// If an image cannot be resized to the input size, or the network's output is not finite.
    pub fn predict(&self, images: &[DynamicImage]) -> Result<Vec<Prediction>, PredictError> {
        let prepared = images.iter().map(|image| self.prepare(image));
        self.predict_prepared(&prepared.collect::<Result<Vec<_>, _>>()?)
    }

    /// Resizes an image to the network's input size.
    ///
    /// # Errors
    ///
    /// If the image has no pixels.
    pub fn prepare(&self, image: &DynamicImage) -> Result<PreparedImage, PreprocessingError> {
        let bytes = self.batcher.preprocessing().prepare_bytes(image)?;
        Ok(PreparedImage(bytes))
    }

    /// Predicts images from [`Predictor::prepare`] in one batch.
    ///
    /// # Errors
    ///
    /// If the network's output is not finite.
    pub fn predict_prepared(
        &self,
        prepared: &[PreparedImage],
    ) -> Result<Vec<Prediction>, PredictError> {
        if prepared.is_empty() {
            return Ok(Vec::new());
        }
        let images = self.batcher.images::<B, _>(prepared, &self.device);
        let logits = self
            .views
            .logits(&self.network, images)
            .into_data()
            .convert::<f32>()
            .into_vec::<f32>()
            .map_err(|error| PredictError::Device(error.to_string()))?;
        if logits.iter().any(|logit| !logit.is_finite()) {
            return Err(PredictError::NotFinite);
        }
        let rows = logits.chunks_exact(self.class_names.len());
        Ok(rows.map(|row| self.prediction(row)).collect())
    }

    fn prediction(&self, logits: &[f32]) -> Prediction {
        let probabilities = match self.activation {
            Activation::Softmax => softmax(logits),
            Activation::Sigmoid => logits.iter().map(|&logit| sigmoid(logit)).collect(),
        };
        let mut classes: Vec<_> = self
            .class_names
            .iter()
            .zip(probabilities)
            .map(|(name, probability)| ClassProbability {
                name: name.clone(),
                probability,
            })
            .collect();
        classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        Prediction { classes }
    }
}

fn sigmoid(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}

fn softmax(logits: &[f32]) -> Vec<f64> {
    // Subtracting the maximum keeps the exponentials from overflowing.
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f64> = logits
        .iter()
        .map(|&logit| f64::from(logit - largest).exp())
        .collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_survives_large_logits() {
        assert_eq!([0.0, 1000.0, -1000.0].map(sigmoid), [0.5, 1.0, 0.0]);
    }

    #[test]
    fn softmax_survives_large_logits() {
        let probabilities = softmax(&[1000.0, 1000.0, -1000.0]);
        assert_eq!(probabilities, [0.5, 0.5, 0.0]);
    }
}
