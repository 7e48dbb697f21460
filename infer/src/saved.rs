//! A trained network on disk.

use std::fs;
use std::io;
use std::path::Path;

use burn::tensor::backend::Backend;
use files::write_atomically;
use model::{Network, ResidualBackend};
use weights::Precision;

use crate::description::Description;
use crate::error::SavedModelError;
use crate::record::{self, DecodeError};

/// Name of the weights in a run's folder.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// Name of the description in a run's folder.
pub const DESCRIPTION_FILE: &str = "model.json";

const SHIPPED_WEIGHTS: &[u8] = include_bytes!("../shipped/model.safetensors");
const SHIPPED_DESCRIPTION: &[u8] = include_bytes!("../shipped/model.json");

/// A trained network as it lies in a run's folder: a description, and weights that are not yet on
/// any device.
#[derive(Clone, Debug)]
pub struct SavedModel {
    /// What travels with the weights.
    pub description: Description,
    weights: Vec<u8>,
    /// How messages name the weights.
    origin: String,
}

impl SavedModel {
    /// Reads the model of a run.
    ///
    /// # Errors
    ///
    /// If the folder or one of its two files is missing or unreadable, or the description does not
    /// describe a network. The weights are checked by [`network`](Self::network).
    pub fn open(folder: &Path) -> Result<Self, SavedModelError> {
        if !folder.is_dir() {
            return Err(SavedModelError::NoRun {
                path: folder.to_owned(),
            });
        }
        let description = read(folder, DESCRIPTION_FILE)?;
        let weights = read(folder, WEIGHTS_FILE)?;
        Self::parse(
            &description,
            weights,
            &folder.join(DESCRIPTION_FILE).display().to_string(),
            folder.join(WEIGHTS_FILE).display().to_string(),
        )
    }

    /// The small network that ships with this crate: it knows the ten classes of Fashion-MNIST.
    ///
    /// # Errors
    ///
    /// If this version cannot read it, which a test rules out.
    pub fn shipped() -> Result<Self, SavedModelError> {
        Self::parse(
            SHIPPED_DESCRIPTION,
            SHIPPED_WEIGHTS.to_vec(),
            "the shipped model.json",
            "the shipped model.safetensors".to_owned(),
        )
    }

    fn parse(
        description: &[u8],
        weights: Vec<u8>,
        description_origin: &str,
        origin: String,
    ) -> Result<Self, SavedModelError> {
        let damaged = |reason: String| SavedModelError::Description {
            origin: description_origin.to_owned(),
            reason,
        };
        let description: Description =
            serde_json::from_slice(description).map_err(|error| damaged(error.to_string()))?;
        check(&description).map_err(damaged)?;
        Ok(Self {
            description,
            weights,
            origin,
        })
    }

    /// One whose weights are this project's record, and come from `origin`.
    pub(crate) fn from_parts(description: Description, weights: Vec<u8>, origin: String) -> Self {
        Self {
            description,
            weights,
            origin,
        }
    }

    /// The weights as this project's record, and where they come from.
    pub(crate) fn record(&self) -> (&[u8], &str) {
        (&self.weights, &self.origin)
    }

    /// Writes the model into a folder as [`save`](Self::save) does, the weights as they are.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; the earlier ones stay.
    pub fn write(&self, folder: &Path) -> Result<(), SavedModelError> {
        write_weights(folder, &self.weights)?;
        Self::save_description(folder, &self.description)
    }

    /// The same with its weights as other numbers, for a smaller file.
    ///
    /// # Errors
    ///
    /// If the weights are damaged.
    pub fn with_precision(self, precision: Precision) -> Result<Self, SavedModelError> {
        match record::with_precision(&self.weights, precision) {
            Ok(weights) => Ok(Self { weights, ..self }),
            Err(reason) => Err(SavedModelError::Weights {
                origin: self.origin,
                reason,
            }),
        }
    }

    /// Writes a network and its description into a folder, each file whole or not at all: weights
    /// first, so that a description never stands beside weights older than itself.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; the earlier ones stay.
    pub fn save<B: Backend>(
        folder: &Path,
        network: &Network<B>,
        description: &Description,
    ) -> Result<(), SavedModelError> {
        let bytes = record::encode(network).map_err(|reason| SavedModelError::Write {
            path: folder.join(WEIGHTS_FILE),
            source: io::Error::other(reason),
        })?;
        write_weights(folder, &bytes)?;
        Self::save_description(folder, description)
    }

    /// Writes the description alone, for what is learned of a network after it was saved.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; the earlier one stays.
    pub fn save_description(
        folder: &Path,
        description: &Description,
    ) -> Result<(), SavedModelError> {
        let path = folder.join(DESCRIPTION_FILE);
        serde_json::to_vec_pretty(description)
            .map_err(io::Error::other)
            .and_then(|bytes| write_atomically(&path, &bytes))
            .map_err(|source| SavedModelError::Write { path, source })
    }

    /// The network with its weights on a device.
    ///
    /// # Errors
    ///
    /// If the weights are cut off or damaged, or belong to another network or class count.
    pub fn network<B: ResidualBackend>(
        &self,
        device: &B::Device,
    ) -> Result<Network<B>, SavedModelError> {
        let damaged = |reason: String| SavedModelError::Weights {
            origin: self.origin.clone(),
            reason,
        };
        let network = self
            .description
            .network
            .init(device)
            .map_err(|error| damaged(error.to_string()))?;
        record::decode(&self.weights, network).map_err(|error| match error {
            DecodeError::Damaged(reason) => damaged(reason),
            DecodeError::Mismatch(reason) => SavedModelError::Mismatch {
                origin: self.origin.clone(),
                model: self.description.model.clone(),
                classes: self.description.network.classes(),
                reason,
            },
        })
    }
}

fn write_weights(folder: &Path, bytes: &[u8]) -> Result<(), SavedModelError> {
    let path = folder.join(WEIGHTS_FILE);
    write_atomically(&path, bytes).map_err(|source| SavedModelError::Write { path, source })
}

/// A description is written by a program but may be edited by a person.
pub(crate) fn check(description: &Description) -> Result<(), String> {
    let Description {
        network,
        class_names,
        preprocessing,
        ..
    } = description;
    network.validate().map_err(|error| error.to_string())?;
    if class_names.len() != network.classes() {
        return Err(format!(
            "it names {} classes for a network of {}",
            class_names.len(),
            network.classes()
        ));
    }
    if preprocessing.channels() != network.input_channels() {
        return Err(format!(
            "it prepares {} channels for a network of {}",
            preprocessing.channels(),
            network.input_channels()
        ));
    }
    network
        .check_input(preprocessing.height(), preprocessing.width())
        .map_err(|error| error.to_string())
}

fn read(folder: &Path, file: &'static str) -> Result<Vec<u8>, SavedModelError> {
    let path = folder.join(file);
    fs::read(&path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SavedModelError::NoModel {
            folder: folder.to_owned(),
            file,
        },
        _ => SavedModelError::Read { path, source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    #[test]
    fn the_shipped_model_is_whole() {
        let saved = SavedModel::shipped().unwrap();
        saved.network::<Flex>(&Default::default()).unwrap();
    }

    #[test]
    fn save_and_open_agree() {
        let folder = tempfile::tempdir().unwrap();
        let shipped = SavedModel::shipped().unwrap();
        let network = shipped.network::<Flex>(&Default::default()).unwrap();
        SavedModel::save(folder.path(), &network, &shipped.description).unwrap();

        let opened = SavedModel::open(folder.path()).unwrap();

        assert_eq!(opened.description, shipped.description);
        let [opened, shipped] =
            [opened, shipped].map(|saved| saved.with_precision(Precision::Single).unwrap());
        assert!(opened.weights == shipped.weights, "other bytes");
    }

    #[test]
    fn another_class_count_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let shipped = SavedModel::shipped().unwrap();
        let network = shipped.network::<Flex>(&Default::default()).unwrap();
        let mut description = shipped.description;
        SavedModel::save(folder.path(), &network, &description).unwrap();

        description.class_names.pop();
        SavedModel::save_description(folder.path(), &description).unwrap();
        let error = SavedModel::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("9 classes"), "{error}");

        description.network = description.network.with_classes(9);
        SavedModel::save_description(folder.path(), &description).unwrap();
        let error = SavedModel::open(folder.path())
            .unwrap()
            .network::<Flex>(&Default::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("with 9 classes"), "{error}");
    }
}
