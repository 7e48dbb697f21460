//! What travels with a network's weights.

use data::{ImageLook, Preprocessing};
use model::NetworkConfig;
use serde::{Deserialize, Serialize};

use crate::views::Views;

/// Everything that is needed to use a network's weights, and where they came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of this project that wrote the files.
    pub version: String,
    /// The network's name in the registry.
    pub model: String,
    /// The network itself.
    pub network: NetworkConfig,
    /// As many as the network has classes, in the order of its logits.
    pub class_names: Vec<String>,
    /// How an image becomes the network's input: size, channels, resize, crop, mean, deviation.
    pub preprocessing: Preprocessing,
    /// How logits become probabilities.
    #[serde(default, skip_serializing_if = "Activation::is_softmax")]
    pub activation: Activation,
    /// The data set that it was trained on.
    pub trained_on: String,
    /// Epochs that these weights have seen.
    pub epochs: usize,
    /// Shares of images classified rightly.
    pub accuracy: Accuracy,
    /// How the accuracy was measured; none in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scoring: Option<Scoring>,
    /// What the model is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What the training images have in common, where they are small and gray.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<ImageLook>,
}

/// How a model was scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scoring {
    /// The data set whose validation and test images were classified.
    pub data: String,
    /// How the network saw each of them.
    pub views: Views,
    /// How the weights were stored at that time; `train convert --half` rounds them afterwards.
    pub precision: Stored,
}

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stored {
    /// 32 bits a number.
    Single,
    /// 16 bits a number.
    Half,
}

/// How logits become probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// One class of all is right: the probabilities add up to 1.
    #[default]
    Softmax,
    /// Each class is right or not by itself.
    Sigmoid,
}

impl Activation {
    fn is_softmax(&self) -> bool {
        *self == Self::Softmax
    }
}

/// Shares of images whose likeliest class is the right one, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// On the part of the training images that was held back.
    pub validation: Option<f64>,
    /// On the test images; none before the training has ended.
    pub test: Option<f64>,
}
