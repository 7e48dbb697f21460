//! JSON documents next to weights, read key by key so that error messages can name the key.

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::ForeignError;

/// A document's values that have not been taken yet.
pub(super) struct Document {
    path: PathBuf,
    values: Map<String, Value>,
}

impl Document {
    /// Reads a document; returns `None` if the file does not exist.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, ForeignError> {
        let failed = |reason: String| ForeignError::Document {
            path: path.to_owned(),
            reason,
        };
        let bytes = match files::read_file(path, files::MAX_DOCUMENT_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(files::reason(&error))),
            Ok(bytes) => bytes,
        };
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(values)) => Ok(Some(Self::new(path, values))),
            Ok(_) => Err(failed("it holds no keys".to_owned())),
            Err(error) => Err(failed(format!(
                "it is not a complete JSON document (line {}, column {})",
                error.line(),
                error.column()
            ))),
        }
    }

    pub(super) fn new(path: &Path, values: Map<String, Value>) -> Self {
        Self {
            path: path.to_owned(),
            values,
        }
    }

    /// Takes the raw value of a key; returns `None` if it is `null` or missing.
    pub(super) fn value(&mut self, key: &str) -> Option<Value> {
        self.values.remove(key).filter(|value| !value.is_null())
    }

    /// Takes the value of a key, which must be what `expected` describes.
    pub(super) fn take<T: DeserializeOwned>(
        &mut self,
        key: &str,
        expected: &str,
    ) -> Result<Option<T>, ForeignError> {
        self.read_as(key, expected, |value| serde_json::from_value(value).ok())
    }

    /// Like [`take`](Self::take), with a function that reads the value.
    pub(super) fn read_as<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Option<T>, ForeignError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(wrong(&self.path, format!("its `{key}` must be {expected}"))),
        }
    }
}

/// Returns an error that describes what is wrong with a document.
pub(super) fn wrong(path: &Path, reason: String) -> ForeignError {
    ForeignError::Document {
        path: path.to_owned(),
        reason,
    }
}
