//! A file of weights, whatever its format.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use crate::error::{ContentError, WeightsError};
use crate::looks::looks_like;
use crate::safetensors::Safetensors;
use crate::state_dict::StateDict;
use crate::torch::TorchFile;
use crate::{archive, legacy, safetensors, torch};

/// How a file of weights is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The zip archive that `torch.save` has written since PyTorch 1.6.
    TorchZip,
    /// The pickles that `torch.save` wrote before.
    TorchLegacy,
    /// safetensors.
    Safetensors,
}

/// Something in a file that is not part of its state dict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// The keys that lead to it, with dots between them; shortened if they are long.
    pub name: String,
    /// How many tensors it holds that are nowhere else.
    pub tensors: usize,
}

/// What was read from a file of weights.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WeightsFile {
    /// How the file is laid out.
    pub format: Format,
    /// The key that the state dict was under, such as `state_dict` or `model.state_dict`; `None`
    /// if the whole file is the state dict.
    pub key: Option<String>,
    /// The tensors.
    pub state_dict: StateDict,
    /// What a safetensors file says about itself.
    pub metadata: BTreeMap<String, String>,
    /// What else is in the file, such as an optimizer's state: together with the state dict, all
    /// tensors of the file are accounted for.
    pub others: Vec<Other>,
}

impl WeightsFile {
    /// Reads a file; its content tells the format, its name does not matter.
    ///
    /// The state dict of a checkpoint is looked for under [`STATE_DICT_KEYS`] in their order, and
    /// under two of them, such as `model.state_dict`. If there is none, it is the whole file where
    /// that holds tensors itself, or else the only dict of tensors in it.
    ///
    /// The file must fit the memory together with its tensors as `f32`.
    ///
    /// [`STATE_DICT_KEYS`]: crate::STATE_DICT_KEYS
    ///
    /// # Errors
    ///
    /// [`WeightsError::Read`] if the system cannot read it, [`WeightsError::Content`] if it is cut
    /// off, damaged, of another format, or holds no state dict that can be read as a whole.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, WeightsError> {
        Self::read_key(path.as_ref(), None)
    }

    /// Reads the state dict under a key, for example the averaged weights under `model_ema` where
    /// the file has plain ones too. A key in a key is written with a dot: `ema.module`.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read), and [`ContentError::UnknownKey`] if there is none.
    pub fn read_under(path: impl AsRef<Path>, key: &str) -> Result<Self, WeightsError> {
        Self::read_key(path.as_ref(), Some(key))
    }

    fn read_key(path: &Path, key: Option<&str>) -> Result<Self, WeightsError> {
        parse(&read_bytes(path)?, key).map_err(|source| WeightsError::Content {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads what a file holds, as [`read`](Self::read) does.
    ///
    /// # Errors
    ///
    /// If it is cut off, damaged, of another format, or holds no state dict that can be read as a
    /// whole.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ContentError> {
        parse(bytes, None)
    }

    /// Reads the state dict under a key, as [`read_under`](Self::read_under) does.
    ///
    /// # Errors
    ///
    /// As for [`from_bytes`](Self::from_bytes), and [`ContentError::UnknownKey`] if there is none.
    pub fn from_bytes_under(bytes: &[u8], key: &str) -> Result<Self, ContentError> {
        parse(bytes, Some(key))
    }
}

/// Reads a file of weights into memory. Of a file of another format, only the first bytes are read.
///
/// # Errors
///
/// [`WeightsError::Read`] if it is no regular file or the system cannot read it,
/// [`WeightsError::Content`] if it starts as no file of weights does.
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

/// Bytes that tell formats apart.
const START_BYTES: usize = 4096;
/// What every pickle of protocol 2 and later starts with.
const PICKLE_MAGIC: u8 = 0x80;

/// What a file is by its first bytes.
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

/// A file of which the description of its tensors was read.
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
    fn a_file_that_is_not_there_is_named() {
        let error = WeightsFile::read("no/such.pth").unwrap_err();
        assert!(matches!(error, WeightsError::Read { .. }));
        assert!(error.to_string().contains("such.pth"), "{error}");
    }
}
