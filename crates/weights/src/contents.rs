//! Lists the tensors of a file by name and shape, and reads them one by one.

use std::collections::{BTreeMap, HashSet};

use crate::error::ContentError;
use crate::file::{Format, Opened};
use crate::safetensors::Safetensors;
use crate::tensor::{Entry, TensorInfo, TensorKind};
use crate::torch::{Listing, TorchFile};

/// The contents of a file before any tensor is read, for programs that know which tensors they
/// need.
///
/// [`WeightsFile`](crate::WeightsFile) instead selects a state dict by its key.
///
/// ```
/// use std::collections::BTreeMap;
/// use weights::{Contents, Entry, Precision, StateDict, Tensor, to_safetensors};
///
/// let mut state_dict = StateDict::new();
/// let bias = Tensor::new(vec![3], vec![0.5, -1.0, 2.0])?;
/// state_dict.insert("net.fc.bias", Entry::Float(bias))?;
/// let bytes = to_safetensors(&state_dict, &BTreeMap::new(), Precision::Single)?;
///
/// let contents = Contents::parse(&bytes)?;
/// assert_eq!(contents.tensors()[0].name, "net.fc.bias");
/// assert_eq!(contents.tensors()[0].shape.as_deref(), Some(&[3][..]));
/// let entries = contents.read([0])?;
/// assert_eq!(entries[0].shape(), [3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Contents<'a> {
    format: Format,
    tensors: Vec<TensorInfo>,
    metadata: BTreeMap<String, String>,
    source: Source<'a>,
}

#[derive(Debug)]
enum Source<'a> {
    Safetensors(Safetensors<'a>),
    Torch {
        file: TorchFile<'a>,
        listing: Listing,
    },
}

impl<'a> Contents<'a> {
    /// Lists the tensors of a file, including those in nested dicts and lists.
    ///
    /// # Errors
    ///
    /// If the file is cut off, damaged or of another format, or contains no tensors.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ContentError> {
        Self::parse_at(bytes, None)
    }

    /// Like [`parse`](Self::parse), but only for the dict under a key, or under several keys
    /// separated by dots. Names are relative to that dict. In a file without this dict, selects the
    /// tensors whose names start with the key.
    ///
    /// # Errors
    ///
    /// Like [`parse`](Self::parse), and [`ContentError::UnknownKey`] if there is nothing under the
    /// key.
    pub fn parse_under(bytes: &'a [u8], key: &str) -> Result<Self, ContentError> {
        let within = Self::parse_at(bytes, Some(key));
        let Err(ContentError::UnknownKey { .. }) = within else {
            return within;
        };
        let mut contents = Self::parse_at(bytes, None)?;
        let prefix = format!("{key}.");
        let names = contents.tensors.iter();
        let within: Vec<usize> = names
            .enumerate()
            .filter_map(|(index, tensor)| tensor.name.starts_with(&prefix).then_some(index))
            .collect();
        if within.is_empty() {
            return Err(ContentError::UnknownKey {
                key: key.to_owned(),
                found: contents.summary(),
            });
        }
        contents.source.keep(&within);
        contents.tensors = within
            .into_iter()
            .map(|index| {
                let tensor = contents.tensors[index].clone();
                TensorInfo {
                    name: tensor.name[prefix.len()..].to_owned(),
                    ..tensor
                }
            })
            .collect();
        Ok(contents)
    }

    fn parse_at(bytes: &'a [u8], key: Option<&str>) -> Result<Self, ContentError> {
        match Opened::new(bytes)? {
            Opened::Torch(format, file) => {
                let listing = file.list(key)?;
                Ok(Self {
                    format,
                    tensors: listing.tensors(&file),
                    metadata: BTreeMap::new(),
                    source: Source::Torch { file, listing },
                })
            }
            Opened::Safetensors(mut file) => {
                if let Some(key) = key {
                    return Err(ContentError::UnknownKey {
                        key: key.to_owned(),
                        found: String::new(),
                    });
                }
                let tensors = file.tensors.iter().map(|(name, part)| TensorInfo {
                    name: name.clone(),
                    shape: part.dtype.is_ok().then(|| part.shape.clone()),
                    kind: match &part.dtype {
                        Ok(dtype) if dtype.is_float() => TensorKind::Float,
                        Ok(_) => TensorKind::Integer,
                        Err(name) => TensorKind::unknown(name),
                    },
                    unread: part.dtype.as_ref().err().map(|name| format!("of {name}")),
                });
                Ok(Self {
                    format: Format::Safetensors,
                    tensors: tensors.collect(),
                    metadata: std::mem::take(&mut file.metadata),
                    source: Source::Safetensors(file),
                })
            }
        }
    }

    /// Returns the format of the file.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns the tensors in file order.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// Renames the tensors, unless two of them would have the same name.
    pub fn rename(&mut self, rename: impl Fn(&str) -> String) {
        let names: Vec<String> = self
            .tensors
            .iter()
            .map(|tensor| rename(&tensor.name))
            .collect();
        let different: HashSet<&str> = names.iter().map(String::as_str).collect();
        if different.len() < names.len() {
            return;
        }
        for (tensor, name) in self.tensors.iter_mut().zip(names) {
            tensor.name = name;
        }
    }

    /// Returns the metadata of a safetensors file.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// Reads tensors by their positions in [`tensors`](Self::tensors).
    ///
    /// # Errors
    ///
    /// The first tensor that cannot be read, or if all tensors together need far more memory than
    /// the file.
    ///
    /// # Panics
    ///
    /// If a position is out of range.
    pub fn read(
        &self,
        places: impl IntoIterator<Item = usize>,
    ) -> Result<Vec<Entry>, ContentError> {
        match &self.source {
            Source::Safetensors(file) => {
                places.into_iter().map(|place| file.tensor(place)).collect()
            }
            Source::Torch { file, listing } => {
                let wanted = places
                    .into_iter()
                    .map(|place| (self.tensors[place].name.as_str(), listing.value(place)));
                file.read(wanted)
            }
        }
    }

    /// Returns an error if a module was pickled instead of its state dict.
    pub fn whole_module(&self) -> Option<ContentError> {
        match &self.source {
            Source::Safetensors(_) => None,
            Source::Torch { file, .. } => file.whole_module(),
        }
    }

    /// Lists the first parts of the tensor names, for messages.
    fn summary(&self) -> String {
        let mut starts: Vec<&str> = Vec::new();
        for tensor in &self.tensors {
            let start = tensor.name.split('.').next().unwrap_or_default();
            if !starts.contains(&start) {
                starts.push(start);
            }
            if starts.len() == MAX_LISTED {
                break;
            }
        }
        let starts: Vec<String> = starts.into_iter().map(crate::error::shown).collect();
        format!("tensors of {}", starts.join(", "))
    }
}

/// Maximum number of first parts that a message lists.
const MAX_LISTED: usize = 12;

impl Source<'_> {
    /// Keeps only these tensors.
    fn keep(&mut self, places: &[usize]) {
        match self {
            Self::Safetensors(file) => {
                let mut kept = places.iter().copied().peekable();
                let mut place = 0;
                file.tensors.retain(|_| {
                    let is_kept = kept.next_if_eq(&place).is_some();
                    place += 1;
                    is_kept
                });
            }
            Self::Torch { listing, .. } => listing.keep(places),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Precision, StateDict, Tensor, to_safetensors};

    #[test]
    fn key_selects_name_prefix_without_dicts() {
        let mut state_dict = StateDict::new();
        for (index, name) in ["student.a", "teacher.a", "studentless.b"]
            .into_iter()
            .enumerate()
        {
            let tensor = Tensor::new(vec![], vec![index as f32]).unwrap();
            state_dict.insert(name, Entry::Float(tensor)).unwrap();
        }
        let bytes = to_safetensors(&state_dict, &BTreeMap::new(), Precision::Single).unwrap();
        let contents = Contents::parse_under(&bytes, "teacher").unwrap();
        let names: Vec<_> = contents
            .tensors()
            .iter()
            .map(|tensor| &tensor.name)
            .collect();
        assert_eq!(names, ["a"]);
        let entries = contents.read([0]).unwrap();
        assert_eq!(
            entries,
            [Entry::Float(Tensor::new(vec![], vec![1.0]).unwrap())]
        );
        let error = Contents::parse_under(&bytes, "pupil").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no state dict is under pupil: the file holds tensors of student, teacher, studentless"
        );
    }

    #[test]
    fn rename_requires_unique_names() {
        let mut state_dict = StateDict::new();
        for name in ["a.module.b", "a.c"] {
            let tensor = Tensor::new(vec![], vec![1.0]).unwrap();
            state_dict.insert(name, Entry::Float(tensor)).unwrap();
        }
        let bytes = to_safetensors(&state_dict, &BTreeMap::new(), Precision::Single).unwrap();
        let mut contents = Contents::parse(&bytes).unwrap();
        let names = |contents: &Contents<'_>| -> Vec<String> {
            let tensors = contents.tensors().iter();
            tensors.map(|tensor| tensor.name.clone()).collect()
        };
        contents.rename(|name| name.replace(".module", ""));
        assert_eq!(names(&contents), ["a.b", "a.c"]);
        contents.rename(|_| "d".to_owned());
        assert_eq!(names(&contents), ["a.b", "a.c"]);
    }

    #[test]
    fn unsupported_dtypes_are_named() {
        for (dtype, kind) in [
            ("F8_E4M3", TensorKind::Quantized),
            ("C64", TensorKind::Unread),
        ] {
            let header =
                format!(r#"{{"a":{{"dtype":"{dtype}","shape":[1],"data_offsets":[0,8]}}}}"#);
            let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
            bytes.extend(header.as_bytes());
            bytes.extend([0; 8]);
            let contents = Contents::parse(&bytes).unwrap();
            let tensor = &contents.tensors()[0];
            assert_eq!(tensor.kind, kind);
            assert_eq!(tensor.unread.as_deref(), Some(&*format!("of {dtype}")));
        }
    }
}
