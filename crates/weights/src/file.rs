//! Weights files of any supported format.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use crate::error::{ContentError, WeightsError};
use crate::looks::looks_like;
use crate::safetensors::Safetensors;
use crate::state_dict::{Other, StateDict};
use crate::torch::TorchFile;
use crate::{archive, legacy, safetensors, torch};

/// Format of a weights file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Zip archive, written by `torch.save` since PyTorch 1.6.
    TorchZip,
    /// Pickles, written by `torch.save` before PyTorch 1.6.
    TorchLegacy,
    /// safetensors.
    Safetensors,
}

/// The content of a weights file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WeightsFile {
    /// Format of the file.
    pub format: Format,
    /// Key of the state dict, such as `state_dict` or `model.state_dict`; `None` if the whole file
    /// is the state dict.
    pub key: Option<String>,
    /// Tensors of the network.
    pub state_dict: StateDict,
    /// Metadata of a safetensors file.
    pub metadata: BTreeMap<String, String>,
    /// Remaining parts of the file, such as an optimizer's state. Together with the state dict,
    /// they account for all tensors of the file.
    pub others: Vec<Other>,
}

impl WeightsFile {
    /// Reads a file. The format is detected from the content, not from the name.
    ///
    /// The state dict of a checkpoint is looked up under [`STATE_DICT_KEYS`] in their order, and
    /// under pairs of them, such as `model.state_dict`. Otherwise, it is the whole file if that
    /// directly contains tensors, or else the only dict of tensors in the file.
    ///
    /// The file must fit in memory together with its tensors as `f32`.
    ///
    /// [`STATE_DICT_KEYS`]: crate::STATE_DICT_KEYS
    ///
    /// # Errors
    ///
    /// [`WeightsError::Read`] if the system cannot read the file, [`WeightsError::Content`] if it
    /// is cut off, damaged or of another format, or contains no complete, readable state dict.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, WeightsError> {
        Self::read_key(path.as_ref(), None)
    }

    /// Reads the state dict under a key, for example the averaged weights under `model_ema` in a
    /// file that also contains plain ones. Nested keys are separated by dots: `ema.module`.
    ///
    /// # Errors
    ///
    /// Like [`read`](Self::read), and [`ContentError::UnknownKey`] if there is none.
    pub fn read_under(path: impl AsRef<Path>, key: &str) -> Result<Self, WeightsError> {
        Self::read_key(path.as_ref(), Some(key))
    }

    fn read_key(path: &Path, key: Option<&str>) -> Result<Self, WeightsError> {
        parse(&read_bytes(path)?, key).map_err(|source| WeightsError::Content {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads the content of a file; see [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// If it is cut off, damaged or of another format, or contains no complete, readable state
    /// dict.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ContentError> {
        parse(bytes, None)
    }

    /// Reads the state dict under a key; see [`read_under`](Self::read_under).
    ///
    /// # Errors
    ///
    /// Like [`from_bytes`](Self::from_bytes), and [`ContentError::UnknownKey`] if there is none.
    pub fn from_bytes_under(bytes: &[u8], key: &str) -> Result<Self, ContentError> {
        parse(bytes, Some(key))
    }
}

/// Reads a weights file into memory. For files of another format, only the first bytes are read.
///
/// # Errors
///
/// [`WeightsError::Read`] if it is not a regular file or the system cannot read it,
/// [`WeightsError::Content`] if its first bytes are not those of a weights file.
pub fn read_bytes(path: impl AsRef<Path>) -> Result<Vec<u8>, WeightsError> {
    let path = path.as_ref();
    let failed = |source| WeightsError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = files::open_file(path).map_err(failed)?;
    let mut start = Vec::with_capacity(START_BYTES);
    (&mut file)
        .take(START_BYTES as u64)
        .read_to_end(&mut start)
        .map_err(failed)?;
    if Start::of(&start).is_none() {
        return Err(WeightsError::Content {
            path: path.to_owned(),
            source: unknown(&start),
        });
    }
    files::read_rest(file, start, files::MAX_WEIGHTS_BYTES).map_err(failed)
}

/// Number of bytes needed to detect the format.
const START_BYTES: usize = 4096;
/// First byte of every pickle since protocol 2.
const PICKLE_MAGIC: u8 = 0x80;

/// Format of a file, detected from its first bytes.
enum Start {
    Zip,
    Safetensors(u64),
    Pickle,
}

impl Start {
    fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&archive::MAGIC) {
            Some(Self::Zip)
        } else if let Some(length) = safetensors::header_length(bytes) {
            Some(Self::Safetensors(length))
        } else if bytes.first() == Some(&PICKLE_MAGIC) {
            Some(Self::Pickle)
        } else {
            None
        }
    }
}

fn unknown(bytes: &[u8]) -> ContentError {
    let (found, hint) = looks_like(bytes);
    ContentError::UnknownFormat { found, hint }
}

/// A file with its tensor descriptions parsed.
pub(crate) enum Opened<'a> {
    Torch(Format, TorchFile<'a>),
    Safetensors(Safetensors<'a>),
}

impl<'a> Opened<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, ContentError> {
        Ok(match Start::of(bytes) {
            Some(Start::Zip) => Self::Torch(Format::TorchZip, torch::open_zip(bytes)?),
            Some(Start::Safetensors(length)) => {
                Self::Safetensors(Safetensors::open(bytes, length)?)
            }
            Some(Start::Pickle) => Self::Torch(Format::TorchLegacy, legacy::open(bytes)?),
            None => return Err(unknown(bytes)),
        })
    }
}

fn parse(bytes: &[u8], key: Option<&str>) -> Result<WeightsFile, ContentError> {
    let file = match Opened::new(bytes)? {
        Opened::Torch(format, file) => return from_torch(format, &file, key),
        Opened::Safetensors(file) => file,
    };
    if let Some(key) = key {
        return Err(ContentError::UnknownKey {
            key: key.to_owned(),
            found: "safetensors, which have no keys".to_owned(),
        });
    }
    Ok(WeightsFile {
        format: Format::Safetensors,
        key: None,
        state_dict: file.state_dict()?,
        metadata: file.metadata,
        others: Vec::new(),
    })
}

fn from_torch(
    format: Format,
    file: &TorchFile<'_>,
    key: Option<&str>,
) -> Result<WeightsFile, ContentError> {
    let found = file.state_dict(key)?;
    Ok(WeightsFile {
        format,
        key: found.key,
        state_dict: found.state_dict,
        metadata: BTreeMap::new(),
        others: found.others,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_file_is_named() {
        let error = WeightsFile::read("no/such.pth").unwrap_err();
        assert!(matches!(error, WeightsError::Read { .. }));
        assert!(error.to_string().contains("such.pth"), "{error}");
    }
}
