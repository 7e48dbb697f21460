//! A file of weights, whatever its format.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::error::{ContentError, WeightsError};
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
        let bytes = fs::read(path).map_err(|source| WeightsError::Read {
            path: path.to_owned(),
            source,
        })?;
        parse(&bytes, key).map_err(|source| WeightsError::Content {
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

/// What every pickle of protocol 2 and later starts with.
const PICKLE_MAGIC: u8 = 0x80;

fn parse(bytes: &[u8], key: Option<&str>) -> Result<WeightsFile, ContentError> {
    if bytes.starts_with(&archive::MAGIC) {
        return from_torch(Format::TorchZip, &torch::open_zip(bytes)?, key);
    }
    if let Some(length) = safetensors::header_length(bytes) {
        let (state_dict, metadata) = safetensors::read(bytes, length)?;
        if let Some(key) = key {
            return Err(ContentError::UnknownKey {
                key: key.to_owned(),
                found: "safetensors, which have no keys".to_owned(),
            });
        }
        return Ok(WeightsFile {
            format: Format::Safetensors,
            key: None,
            state_dict,
            metadata,
            others: Vec::new(),
        });
    }
    if bytes.first() == Some(&PICKLE_MAGIC) {
        return from_torch(Format::TorchLegacy, &legacy::open(bytes)?, key);
    }
    Err(ContentError::UnknownFormat {
        found: looks_like(bytes),
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

/// What people find instead of the weights they wanted.
fn looks_like(bytes: &[u8]) -> &'static str {
    let text = bytes.trim_ascii_start();
    if bytes.is_empty() {
        "an empty file"
    } else if bytes.starts_with(b"version https://git-lfs") {
        "a Git LFS pointer, which stands for a file that was not downloaded"
    } else if text.starts_with(b"<") {
        "a web page"
    } else if bytes.starts_with(&[0x1f, 0x8b]) {
        "a gzip file, which has to be unpacked first"
    } else if bytes.starts_with(b"\x89HDF") {
        "an HDF5 file, as Keras writes it"
    } else if bytes.get(257..262) == Some(b"ustar") {
        "a tar archive"
    } else if bytes.len() <= safetensors::LENGTH_BYTES {
        "the first bytes of a file that was cut off"
    } else {
        "something else"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_of_weights_is_named() {
        let mut tar = vec![b'x'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, expected) in [
            (b"".as_slice(), "an empty file"),
            (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS"),
            (b"\n<!DOCTYPE html>", "a web page"),
            (b"\x1f\x8b\x08", "a gzip file"),
            (b"PK", "the first bytes"),
            (b"\x89HDF\r\n", "an HDF5"),
            (b"backend = flex", "something else"),
            (&tar, "a tar archive"),
        ] {
            let error = WeightsFile::from_bytes(bytes).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = WeightsFile::read("no/such.pth").unwrap_err();
        assert!(matches!(error, WeightsError::Read { .. }));
        assert!(error.to_string().contains("such.pth"), "{error}");
    }
}
