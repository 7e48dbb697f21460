//! The description file of a saved model, with checksums of itself and of the weights.

use std::io;
use std::path::Path;

use files::{Checksums, SealError, seal, sha256, unseal, write_atomically};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::description::Description;

/// File name of the weights in a run's folder.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// File name of the description in a run's folder.
pub const DESCRIPTION_FILE: &str = "model.json";

/// Key of the previous version, present while new weights are being written.
const REPLACES: &str = "replaces";

/// A description and the checksum of its weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Version {
    pub description: Description,
    pub sha256: String,
}

/// Contents of `model.json`.
#[derive(Debug)]
pub(crate) struct Described {
    description: Description,
    /// Checksum of the weights; `None` in files of older versions.
    sha256: Option<String>,
    /// The previous version, whose weights may still be in the folder.
    replaces: Option<Version>,
}

impl Described {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        let (mut object, checksums) = unseal::<Map<String, Value>>(bytes, DESCRIPTION_FILE)?;
        let replaces = object.remove(REPLACES).map(serde_json::from_value);
        let sha256 = checksums.map(|mut all| all.remove(WEIGHTS_FILE).ok_or(SealError::Checksum));
        Ok(Self {
            replaces: replaces.transpose()?,
            sha256: sha256.transpose()?,
            description: serde_json::from_value(Value::Object(object))?,
        })
    }

    /// Returns the description without checking the weights.
    pub(crate) fn description(self) -> Description {
        self.description
    }

    /// Returns the description of these weights, or `None` if they are not the weights that were
    /// saved.
    pub(crate) fn of(self, weights: &[u8]) -> Option<Description> {
        match self.sha256 {
            None => Some(self.description),
            Some(_) => self.version(weights).map(|version| version.description),
        }
    }

    /// Returns the version with these weights.
    fn version(self, weights: &[u8]) -> Option<Version> {
        let found = sha256(weights);
        let described = Version {
            description: self.description,
            sha256: self.sha256?,
        };
        [Some(described), self.replaces]
            .into_iter()
            .flatten()
            .find(|version| version.sha256 == found)
    }
}

impl Version {
    /// Returns the version in a folder, if its file has checksums and matches the weights there.
    pub(crate) fn current(folder: &Path) -> Option<Self> {
        let read = |file, limit| files::read_file(folder.join(file), limit).ok();
        let described = read(DESCRIPTION_FILE, files::MAX_DOCUMENT_BYTES)?;
        let described = Described::parse(&described).ok()?;
        described.version(&read(WEIGHTS_FILE, files::MAX_WEIGHTS_BYTES)?)
    }

    /// Writes the description, along with the version it replaces while the old weights may still
    /// be in the folder.
    pub(crate) fn write(&self, folder: &Path, replaces: Option<&Self>) -> io::Result<()> {
        #[derive(Serialize)]
        struct File<'a> {
            #[serde(flatten)]
            description: &'a Description,
            #[serde(skip_serializing_if = "Option::is_none")]
            replaces: Option<&'a Version>,
        }
        let file = File {
            description: &self.description,
            replaces,
        };
        let weights = Checksums::from([(WEIGHTS_FILE.to_owned(), self.sha256.clone())]);
        let bytes = seal(&file, DESCRIPTION_FILE, &weights).map_err(io::Error::other)?;
        write_atomically(&folder.join(DESCRIPTION_FILE), &bytes)
    }
}
