//! A trained network on disk.

use std::io;
use std::path::Path;

use burn::tensor::backend::Backend;
use files::{SealError, sha256, write_atomically};
use model::{Network, NetworkConfig, ResidualBackend, TensorShape};
use weights::{Precision, WeightsFile};

use crate::described::{Described, Version};
use crate::description::{Description, Stored};
use crate::error::SavedModelError;
use crate::foreign::Difference;
use crate::record::{self, DecodeError};

/// Name of the weights in a run's folder.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// Name of the description in a run's folder.
pub const DESCRIPTION_FILE: &str = "model.json";

/// How often a model is read anew that is saved at the same time.
const MOST_TRIES: usize = 10;
/// The longest name of a network, in bytes.
const MAX_NAME_BYTES: usize = 1024;

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
    /// If the folder or one of its two files is missing or unreadable, does not match its checksum, or the
    /// description does not describe a network. The weights are checked further by
    /// [`network`](Self::network).
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
            // A run that trains may have saved another model in between.
            let now = read(folder, DESCRIPTION_FILE, files::MAX_DOCUMENT_BYTES)?;
            if now == description {
                return parsed;
            }
            description = now;
            tries += 1;
        }
    }

    /// Reads the description of a run alone.
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

    /// Checks that the weights are a whole file, whatever network they are for.
    ///
    /// # Errors
    ///
    /// If they are cut off or damaged.
    pub fn check_weights(&self) -> Result<(), SavedModelError> {
        record::check(&self.weights).map_err(|reason| SavedModelError::Weights {
            origin: self.origin.clone(),
            reason,
        })
    }

    /// Tensors of a network whose shapes the weights do not have.
    pub(crate) fn differing_shapes(
        &self,
        network: &NetworkConfig,
    ) -> Result<Vec<Difference>, SavedModelError> {
        let damaged = |reason: String| SavedModelError::Weights {
            origin: self.origin.clone(),
            reason,
        };
        let file =
            WeightsFile::from_bytes(&self.weights).map_err(|error| damaged(error.to_string()))?;
        let tensors = model::tensors(network).map_err(|error| damaged(error.to_string()))?;
        let found = |name: &str| {
            file.state_dict
                .tensor(name)
                .map(|tensor| tensor.shape().to_vec())
        };
        let differences =
            tensors
                .into_iter()
                .filter_map(|TensorShape { name, shape }| match found(&name) {
                    None => Some(Difference::Missing { name, shape }),
                    Some(found) if found == shape => None,
                    Some(found) => Some(Difference::Shape {
                        name,
                        found,
                        expected: shape,
                    }),
                });
        Ok(differences.collect())
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

    /// How the weights are stored; none if they are damaged.
    pub fn stored(&self) -> Option<Stored> {
        let is_half = record::stores_half(&self.weights)?;
        Some(if is_half {
            Stored::Half
        } else {
            Stored::Single
        })
    }

    /// Writes the model into a folder as [`save`](Self::save) does, the weights as they are.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; the earlier ones stay.
    pub fn write(&self, folder: &Path) -> Result<(), SavedModelError> {
        put(folder, &self.description, &self.weights)
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

    /// Writes a network and its description into a folder, each file whole or not at all, and the description
    /// with checksums of both. At any moment, the folder holds the model before or the new one, each with its
    /// own description.
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
        put(folder, description, &bytes)
    }

    /// Writes the description alone, for what is learned of a network after it was saved.
    ///
    /// # Errors
    ///
    /// If there are no weights, or the file cannot be written; the earlier one stays.
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

fn parse_description(bytes: &[u8], origin: &str) -> Result<Described, SavedModelError> {
    Described::parse(bytes).map_err(|error| match error {
        SealError::Checksum => SavedModelError::Checksum {
            origin: origin.to_owned(),
        },
        other => SavedModelError::Description {
            origin: origin.to_owned(),
            reason: other.to_string(),
        },
    })
}

/// Writes both files of a model.
fn put(folder: &Path, description: &Description, weights: &[u8]) -> Result<(), SavedModelError> {
    let version = Version {
        description: description.clone(),
        sha256: sha256(weights),
    };
    // Until the weights are written, those before may be there, and then they are.
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

/// A description is written by a program but may be edited by a person.
pub(crate) fn check(description: &Description) -> Result<(), String> {
    let Description {
        network,
        class_names,
        preprocessing,
        ..
    } = description;
    network.validate().map_err(|error| error.to_string())?;
    if network.classes() < 2 {
        return Err("its network has one class, of which nothing can be predicted".to_owned());
    }
    if description.model.len() > MAX_NAME_BYTES {
        return Err(format!(
            "its network's name has {} bytes, more than {MAX_NAME_BYTES}",
            description.model.len()
        ));
    }
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
    if description
        .images
        .as_ref()
        .is_some_and(|look| !look.is_valid())
    {
        return Err("a share under `images` is not between 0 and 1".to_owned());
    }
    network
        .check_input(preprocessing.height(), preprocessing.width())
        .map_err(|error| error.to_string())
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
mod tests {
    use super::*;
    use burn_flex::Flex;
    use std::fs;

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

    /// A small model in a folder; both files have checksums.
    fn saved_digit(folder: &Path) -> Description {
        let network = model::network("digit").unwrap();
        let description = Description {
            model: "digit".to_owned(),
            network: network.clone(),
            ..SavedModel::shipped().unwrap().description
        };
        let network = network.init::<Flex>(&Default::default()).unwrap();
        SavedModel::save(folder, &network, &description).unwrap();
        description
    }

    #[test]
    fn every_damage_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        saved_digit(folder.path());
        for (file, step) in [(DESCRIPTION_FILE, 1), (WEIGHTS_FILE, 997)] {
            let path = folder.path().join(file);
            let whole = fs::read(&path).unwrap();
            for place in (0..whole.len()).step_by(step) {
                let mut damaged = whole.clone();
                damaged[place] ^= 1 << (place % 8);
                fs::write(&path, &damaged).unwrap();
                let error = SavedModel::open(folder.path()).unwrap_err();
                let text = error.to_string();
                assert!(text.contains(file), "byte {place}: {text}");
                assert!(error.hint().is_some(), "byte {place}: {text}");
            }
            fs::write(&path, &whole[..whole.len() - 1]).unwrap();
            SavedModel::open(folder.path()).unwrap_err();
            fs::write(&path, &whole).unwrap();
            SavedModel::open(folder.path()).unwrap();
        }
    }

    #[test]
    fn a_model_without_checksums_is_read_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let description = saved_digit(folder.path());
        let path = folder.path().join(DESCRIPTION_FILE);
        fs::write(&path, serde_json::to_vec(&description).unwrap()).unwrap();
        let saved = SavedModel::open(folder.path()).unwrap();
        assert_eq!(saved.description, description);
        // What is learned of it later brings checksums.
        SavedModel::save_description(folder.path(), &description).unwrap();
        let weights = folder.path().join(WEIGHTS_FILE);
        let mut bytes = fs::read(&weights).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&weights, bytes).unwrap();
        SavedModel::open(folder.path()).unwrap_err();
    }

    /// A process may be killed after each of the files that a save writes.
    #[test]
    fn a_save_that_is_cut_short_leaves_one_of_both_models() {
        let folder = tempfile::tempdir().unwrap();
        let old = saved_digit(folder.path());
        let read = |file: &str| fs::read(folder.path().join(file)).unwrap();
        let old_weights = read(WEIGHTS_FILE);
        let new = Description {
            epochs: old.epochs + 1,
            ..old.clone()
        };
        let new_weights = SavedModel::shipped().unwrap().weights;
        let version = |description: &Description, weights: &[u8]| Version {
            description: description.clone(),
            sha256: sha256(weights),
        };
        let before = version(&old, &old_weights);
        let after = version(&new, &new_weights);
        after.write(folder.path(), Some(&before)).unwrap();
        let opened = SavedModel::open(folder.path()).unwrap();
        assert_eq!((&opened.description, &opened.weights), (&old, &old_weights));
        // Another save takes the place of the one that was cut short.
        assert_eq!(
            Version::current(folder.path()).unwrap().sha256,
            before.sha256
        );
        fs::write(folder.path().join(WEIGHTS_FILE), &new_weights).unwrap();
        let opened = SavedModel::open(folder.path()).unwrap();
        assert_eq!((&opened.description, &opened.weights), (&new, &new_weights));
        put(folder.path(), &new, &new_weights).unwrap();
        let text = String::from_utf8(read(DESCRIPTION_FILE)).unwrap();
        assert!(!text.contains("replaces"), "{text}");
        SavedModel::open(folder.path()).unwrap();
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
