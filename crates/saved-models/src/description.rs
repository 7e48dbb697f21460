//! The description that is stored with a network's weights.

use data::{ImageLook, Preprocessing};
use model::NetworkConfig;
use serde::{Deserialize, Serialize};

use crate::views::Views;

/// Everything needed to use a network's weights, and where they came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of this project that wrote the files.
    pub version: String,
    /// The network's name in the registry.
    pub model: String,
    /// The network itself.
    pub network: NetworkConfig,
    /// Class names, in the order of the network's logits.
    pub class_names: Vec<String>,
    /// How an image becomes the network's input: size, channels, resize, crop, mean and standard
    /// deviation.
    pub preprocessing: Preprocessing,
    /// How logits become probabilities.
    #[serde(default, skip_serializing_if = "Activation::is_softmax")]
    pub activation: Activation,
    /// Data set that the network was trained on.
    pub trained_on: String,
    /// Number of epochs that the weights were trained for.
    pub epochs: usize,
    /// Fractions of images classified correctly.
    pub accuracy: Accuracy,
    /// How the accuracy was measured; `None` in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
    /// Purpose of the model, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What the training images have in common, if they are small and gray.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<ImageLook>,
}

/// How a model's accuracy was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scoring {
    /// Data set whose validation and test images were classified.
    pub data: String,
    /// Views of each image that the network classified.
    pub views: Views,
    /// Precision of the stored weights at that time; `train convert --half` rounds them afterwards.
    pub precision: Stored,
}

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stored {
    /// 32 bits per number.
    Single,
    /// 16 bits per number.
    Half,
    /// 8 bits per weight.
    Int8,
}

/// How logits become probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Exactly one class is correct: the probabilities add up to 1.
    #[default]
    Softmax,
    /// Each class is correct or not on its own.
    Sigmoid,
}

impl Activation {
    fn is_softmax(&self) -> bool {
        *self == Self::Softmax
    }
}

/// Fractions of images classified correctly, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// Validation accuracy, on the training images that were held back.
    pub validation: Option<f64>,
    /// Test accuracy; `None` until training has ended.
    pub test: Option<f64>,
}
