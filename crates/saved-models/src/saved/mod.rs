//! A trained network on disk.

mod check;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::path::Path;

use burn::tensor::backend::Backend;
use files::{SealError, sha256, write_atomically};
use model::int8::Quantization;
use model::{FoldedNetwork, Network, NetworkConfig, ResidualBackend, TensorShape};
use weights::{Contents, Precision, TensorInfo};

use crate::described::{DESCRIPTION_FILE, Described, Version, WEIGHTS_FILE};
use crate::description::{Description, Stored};
use crate::difference::{Difference, summary};
use crate::error::SavedModelError;
use crate::integers;
use crate::record::{self, DecodeError};

/// Maximum number of attempts to read a model that is being saved at the same time.
const MOST_TRIES: usize = 10;

pub(crate) use check::check;

const SHIPPED_WEIGHTS: &[u8] = include_bytes!("../../shipped/model.safetensors");
const SHIPPED_DESCRIPTION: &[u8] = include_bytes!("../../shipped/model.json");

/// A trained network as stored in a run's folder: a description, and weights that are not yet on a
/// device.
#[derive(Clone, Debug)]
pub struct SavedModel {
    /// Description of the weights.
    pub description: Description,
    weights: Vec<u8>,
    /// Name of the weights in messages.
    origin: String,
}

impl SavedModel {
    /// Reads the model of a run.
    ///
    /// # Errors
    ///
    /// If the folder or one of its two files is missing, unreadable or does not match its checksum,
    /// or if the description does not describe a network. [`network`](Self::network) checks the
    /// weights further.
    pub fn open(folder: &Path) -> Result<Self, SavedModelError> {
        if !folder.is_dir() {
            return Err(SavedModelError::NoRun {
                path: folder.to_owned(),
            });
        }
        let mut description = read(folder, DESCRIPTION_FILE, files::MAX_DOCUMENT_BYTES)?;
        let mut tries = 0;
        loop {
            let weights = read(folder, WEIGHTS_FILE, files::MAX_WEIGHTS_BYTES)?;
            let parsed = Self::parse(
                &description,
                weights,
                &folder.join(DESCRIPTION_FILE).display().to_string(),
                folder.join(WEIGHTS_FILE).display().to_string(),
            );
            if tries == MOST_TRIES || !matches!(parsed, Err(SavedModelError::Checksum { .. })) {
                return parsed;
            }
            // A training run may have saved another model in between.
            let now = read(folder, DESCRIPTION_FILE, files::MAX_DOCUMENT_BYTES)?;
            if now == description {
                return parsed;
            }
            description = now;
            tries += 1;
        }
    }

    /// Reads only the description of a run.
    ///
    /// # Errors
    ///
    /// If it is missing or unreadable, or does not describe a network.
    pub fn describe(folder: &Path) -> Result<Description, SavedModelError> {
        let origin = folder.join(DESCRIPTION_FILE).display().to_string();
        let described = parse_description(
            &read(folder, DESCRIPTION_FILE, files::MAX_DOCUMENT_BYTES)?,
            &origin,
        )?;
        let description = described.description();
        match check(&description) {
            Ok(()) => Ok(description),
            Err(reason) => Err(SavedModelError::Description { origin, reason }),
        }
    }

    /// Checks that the weights are a complete file, whatever network they belong to.
    ///
    /// # Errors
    ///
    /// If the weights are cut off or damaged.
    pub fn check_weights(&self) -> Result<(), SavedModelError> {
        let checked = match integers::is_int8(&self.weights) {
            true => integers::decode(&self.weights).map(drop),
            false => record::check(&self.weights),
        };
        checked.map_err(|reason| self.damaged(reason))
    }

    fn damaged(&self, reason: String) -> SavedModelError {
        SavedModelError::Weights {
            origin: self.origin.clone(),
            reason,
        }
    }

    /// Returns the tensors of a network whose shapes differ from those of the weights.
    pub(crate) fn differing_shapes(
        &self,
        network: &NetworkConfig,
    ) -> Result<Vec<Difference>, SavedModelError> {
        let damaged = |reason| self.damaged(reason);
        let weights = self.floats()?;
        let contents = Contents::parse(&weights).map_err(|error| damaged(error.to_string()))?;
        let tensors = model::tensors(network).map_err(|error| damaged(error.to_string()))?;
        let infos = contents.tensors().iter();
        let found: HashMap<&str, &TensorInfo> =
            infos.map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let differences = tensors
            .into_iter()
            .filter_map(|TensorShape { name, shape }| {
                let held = found.get(name.as_str()).copied().into();
                Difference::of(&name, &shape, held)
            });
        Ok(differences.collect())
    }

    /// Returns the small network that ships with this crate, trained on the ten classes of
    /// Fashion-MNIST.
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
        let changed = |origin: &str| SavedModelError::Checksum {
            origin: origin.to_owned(),
        };
        let described = parse_description(description, description_origin)?;
        let description = described.of(&weights).ok_or_else(|| changed(&origin))?;
        check(&description).map_err(|reason| SavedModelError::Description {
            origin: description_origin.to_owned(),
            reason,
        })?;
        Ok(Self {
            description,
            weights,
            origin,
        })
    }

    /// Creates a model from weights in this project's record format, read from `origin`.
    pub(crate) fn from_parts(description: Description, weights: Vec<u8>, origin: String) -> Self {
        Self {
            description,
            weights,
            origin,
        }
    }

    /// Returns the origin of the weights in messages.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the weights in this project's record format: those of a network of integers as the
    /// floats that they stand for.
    ///
    /// # Errors
    ///
    /// If the weights are damaged.
    pub(crate) fn floats(&self) -> Result<Cow<'_, [u8]>, SavedModelError> {
        let network = &self.description.network;
        integers::as_floats(&self.weights, network).map_err(|reason| self.damaged(reason))
    }

    /// Returns the integers of the network, or `None` if it consists of floats.
    ///
    /// # Errors
    ///
    /// If the weights are damaged.
    pub fn quantization(&self) -> Result<Option<Quantization>, SavedModelError> {
        if !integers::is_int8(&self.weights) {
            return Ok(None);
        }
        let quantization = integers::decode(&self.weights);
        quantization
            .map(Some)
            .map_err(|reason| self.damaged(reason))
    }

    /// Returns the model with the integers of its network instead of floats.
    ///
    /// # Errors
    ///
    /// If a name cannot be written, which no network has.
    pub fn with_quantization(self, quantization: &Quantization) -> Result<Self, SavedModelError> {
        match integers::encode(quantization) {
            Ok(weights) => Ok(Self { weights, ..self }),
            Err(reason) => Err(self.damaged(reason)),
        }
    }

    /// Returns the number of bytes of the weights in a file.
    pub fn bytes(&self) -> usize {
        self.weights.len()
    }

    /// Returns the precision of the weights, or `None` if they are damaged.
    pub fn stored(&self) -> Option<Stored> {
        if integers::is_int8(&self.weights) {
            return Some(Stored::Int8);
        }
        let is_half = record::stores_half(&self.weights)?;
        Some(if is_half {
            Stored::Half
        } else {
            Stored::Single
        })
    }

    /// Writes the model into a folder like [`save`](Self::save), with the weights unchanged.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; the previous files are kept.
    pub fn write(&self, folder: &Path) -> Result<(), SavedModelError> {
        put(folder, &self.description, &self.weights)
    }

    /// Returns the model with its weights in another precision, for a smaller file. A network of
    /// integers stays as it is at full precision.
    ///
    /// # Errors
    ///
    /// If the weights are damaged.
    pub fn with_precision(self, precision: Precision) -> Result<Self, SavedModelError> {
        if precision == Precision::Single && integers::is_int8(&self.weights) {
            return Ok(self);
        }
        let weights = self.floats()?.into_owned();
        match record::with_precision(&weights, precision) {
            Ok(weights) => Ok(Self { weights, ..self }),
            Err(reason) => Err(SavedModelError::Weights {
                origin: self.origin,
                reason,
            }),
        }
    }

    /// Writes a network and its description into a folder, each file completely or not at all. The
    /// description contains checksums of both. At any moment, the folder holds either the previous
    /// or the new model, each with its own description.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; the previous files are kept.
    pub fn save<B: Backend>(
        folder: &Path,
        network: &Network<B>,
        description: &Description,
    ) -> Result<(), SavedModelError> {
        let bytes = record::encode(network).map_err(|reason| SavedModelError::Write {
            path: folder.join(WEIGHTS_FILE),
            source: io::Error::other(reason),
        })?;
        put(folder, description, &bytes)
    }

    /// Writes only the description, for facts learned after the network was saved.
    ///
    /// # Errors
    ///
    /// If there are no weights, or the file cannot be written; the previous file is kept.
    pub fn save_description(
        folder: &Path,
        description: &Description,
    ) -> Result<(), SavedModelError> {
        let sha256 = match Version::current(folder) {
            Some(version) => version.sha256,
            None => sha256(&read(folder, WEIGHTS_FILE, files::MAX_WEIGHTS_BYTES)?),
        };
        let version = Version {
            description: description.clone(),
            sha256,
        };
        write_version(folder, &version, None)
    }

    /// Returns the network with its weights on a device.
    ///
    /// # Errors
    ///
    /// If the weights are cut off or damaged, or belong to another network or class count.
    pub fn network<B: ResidualBackend>(
        &self,
        device: &B::Device,
    ) -> Result<Network<B>, SavedModelError> {
        let damaged = |reason: String| self.damaged(reason);
        let mismatch = |reason: String| SavedModelError::Mismatch {
            origin: self.origin.clone(),
            model: self.description.model.clone(),
            classes: self.description.network.classes(),
            reason,
        };
        // Checked before allocating the memory that the description asks for.
        let network = &self.description.network;
        let differences = self.differing_shapes(network)?;
        if !differences.is_empty() {
            let taken = mismatch(String::new()).to_string().chars().count();
            return Err(mismatch(summary(&differences, taken)));
        }
        let network = network
            .init(device)
            .map_err(|error| damaged(error.to_string()))?;
        record::decode(&self.floats()?, network).map_err(|error| match error {
            DecodeError::Damaged(reason) => damaged(reason),
            DecodeError::Mismatch(reason) => mismatch(reason),
        })
    }
}

impl SavedModel {
    /// Returns the network for prediction. A network of integers computes with them on backends that
    /// have kernels for them, and with floats on others.
    ///
    /// # Errors
    ///
    /// Like [`network`](Self::network).
    pub fn folded<B: ResidualBackend>(
        &self,
        device: &B::Device,
    ) -> Result<FoldedNetwork<B>, SavedModelError> {
        if let Some(quantization) = self.quantization()? {
            let network = quantization.folded(&self.description.network, device);
            if let Some(network) = network.map_err(|error| self.damaged(error.to_string()))? {
                return Ok(network);
            }
        }
        Ok(self.network(device)?.fold())
    }
}

fn parse_description(bytes: &[u8], origin: &str) -> Result<Described, SavedModelError> {
    Described::parse(bytes).map_err(|error| match error {
        SealError::Checksum => SavedModelError::Checksum {
            origin: origin.to_owned(),
        },
        other => SavedModelError::Description {
            origin: origin.to_owned(),
            reason: in_words(&other.to_string()),
        },
    })
}

/// Returns a message of serde without Rust type names, which mean nothing to a reader of the file.
fn in_words(message: &str) -> String {
    let mut words = Vec::new();
    let mut all = message.split(' ').peekable();
    while let Some(word) = all.next() {
        let is_type = word == "struct" && words.last() == Some(&"expected");
        match is_type && all.next().is_some() {
            true => words.push("an object"),
            false => words.push(word),
        }
    }
    words.join(" ")
}

/// Writes both files of a model.
fn put(folder: &Path, description: &Description, weights: &[u8]) -> Result<(), SavedModelError> {
    let version = Version {
        description: description.clone(),
        sha256: sha256(weights),
    };
    // Until the new weights are written, the old ones may still be in the folder.
    let before = Version::current(folder).filter(|before| before.sha256 != version.sha256);
    if let Some(before) = &before {
        write_version(folder, &version, Some(before))?;
    }
    let path = folder.join(WEIGHTS_FILE);
    write_atomically(&path, weights).map_err(|source| SavedModelError::Write { path, source })?;
    write_version(folder, &version, None)
}

fn write_version(
    folder: &Path,
    version: &Version,
    replaces: Option<&Version>,
) -> Result<(), SavedModelError> {
    version
        .write(folder, replaces)
        .map_err(|source| SavedModelError::Write {
            path: folder.join(DESCRIPTION_FILE),
            source,
        })
}

fn read(folder: &Path, file: &'static str, limit: u64) -> Result<Vec<u8>, SavedModelError> {
    let path = folder.join(file);
    files::read_file(&path, limit).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SavedModelError::NoModel {
            folder: folder.to_owned(),
            file,
        },
        _ => SavedModelError::Read { path, source },
    })
}

#[cfg(test)]
mod tests;
