//! Writes safetensors files.
//!
//! The `safetensors` crate is not used, because it writes metadata in an order that differs between
//! runs and sorts the names. Here, equal content gives equal bytes, and names keep their order.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use files::write_output_with;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::error::{ContentError, WeightsError};
use crate::safetensors::{LENGTH_BYTES, MAX_HEADER_BYTES, METADATA};
use crate::state_dict::StateDict;
use crate::tensor::Entry;

/// Storage type of floats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Float32: lossless.
    #[default]
    Single,
    /// Float16, rounded to the nearest value, for tensors with two or more dimensions: half the
    /// bytes, and 11 of 24 binary digits. Vectors, such as running variances, may contain tiny or
    /// huge values and stay float32.
    Half,
}

/// Writes a state dict as a safetensors file that PyTorch's `safetensors.torch.load_file` can read:
/// floats with the given `precision`, integers as int64. `metadata` is the metadata of the file.
///
/// The bytes depend only on the content. The file is written to a temporary name in the same
/// folder, flushed to disk and then renamed, so that it is either complete or missing; a device or
/// a pipe at `path` receives the bytes directly.
///
/// # Errors
///
/// [`WeightsError::Write`] if the system cannot write the file, [`WeightsError::Content`] if the
/// format does not allow the name of a tensor. An existing file at `path` is then untouched.
pub fn write_safetensors(
    path: impl AsRef<Path>,
    state_dict: &StateDict,
    metadata: &BTreeMap<String, String>,
    precision: Precision,
) -> Result<(), WeightsError> {
    let path = path.as_ref();
    let header =
        header(state_dict, metadata, precision).map_err(|source| WeightsError::Content {
            path: path.to_owned(),
            source,
        })?;
    write_output_with(path, |file| write_all(file, &header, state_dict, precision)).map_err(
        |source| WeightsError::Write {
            path: path.to_owned(),
            source,
        },
    )
}

/// Returns the bytes that [`write_safetensors`] writes.
///
/// # Errors
///
/// [`ContentError::ReservedName`] or [`ContentError::HeaderTooLarge`] if the format does not allow
/// a name, or the number of names.
pub fn to_safetensors(
    state_dict: &StateDict,
    metadata: &BTreeMap<String, String>,
    precision: Precision,
) -> Result<Vec<u8>, ContentError> {
    let header = header(state_dict, metadata, precision)?;
    let mut bytes = Vec::new();
    write_all(&mut bytes, &header, state_dict, precision)
        .expect("memory takes all that is written to it");
    Ok(bytes)
}

/// Returns the size of an element in bytes, which is also its alignment: PyTorch uses the tensors
/// as views of the file, which must be aligned.
fn width(entry: &Entry, precision: Precision) -> usize {
    match (entry, precision) {
        (Entry::Float(tensor), Precision::Half) if tensor.shape().len() >= 2 => 2,
        (Entry::Float(_), _) => 4,
        (Entry::Integer(_), _) => 8,
    }
}

/// Returns the tensors in data order: the widest elements first, so that all are aligned.
fn by_width(state_dict: &StateDict, precision: Precision) -> impl Iterator<Item = (&str, &Entry)> {
    let of_width = move |bytes| {
        state_dict
            .iter()
            .filter(move |(_, entry)| width(entry, precision) == bytes)
    };
    of_width(8).chain(of_width(4)).chain(of_width(2))
}

/// Builds the header, padded with spaces so that the data is aligned.
fn header(
    state_dict: &StateDict,
    metadata: &BTreeMap<String, String>,
    precision: Precision,
) -> Result<Vec<u8>, ContentError> {
    if state_dict.get(METADATA).is_some() {
        return Err(ContentError::ReservedName);
    }
    let mut offsets = BTreeMap::new();
    let mut end = 0;
    for (name, entry) in by_width(state_dict, precision) {
        let start = end;
        let values = match entry {
            Entry::Float(tensor) => tensor.values().len(),
            Entry::Integer(tensor) => tensor.values().len(),
        };
        end += values * width(entry, precision);
        offsets.insert(name, [start, end]);
    }
    let header = Header {
        state_dict,
        metadata,
        precision,
        offsets,
    };
    let mut bytes = serde_json::to_vec(&header).expect("names and numbers can be written as JSON");
    bytes.resize(bytes.len().next_multiple_of(LENGTH_BYTES), b' ');
    if bytes.len() > MAX_HEADER_BYTES {
        return Err(ContentError::HeaderTooLarge {
            bytes: bytes.len(),
            limit: MAX_HEADER_BYTES,
        });
    }
    Ok(bytes)
}

struct Header<'a> {
    state_dict: &'a StateDict,
    metadata: &'a BTreeMap<String, String>,
    precision: Precision,
    offsets: BTreeMap<&'a str, [usize; 2]>,
}

#[derive(Serialize)]
struct HeaderEntry<'a> {
    dtype: &'static str,
    shape: &'a [usize],
    data_offsets: [usize; 2],
}

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.metadata.is_empty() {
            map.serialize_entry(METADATA, self.metadata)?;
        }
        for (name, entry) in self.state_dict.iter() {
            let part = HeaderEntry {
                dtype: match width(entry, self.precision) {
                    2 => "F16",
                    4 => "F32",
                    _ => "I64",
                },
                shape: entry.shape(),
                data_offsets: self.offsets[name],
            };
            map.serialize_entry(name, &part)?;
        }
        map.end()
    }
}

fn write_all(
    target: &mut dyn Write,
    header: &[u8],
    state_dict: &StateDict,
    precision: Precision,
) -> io::Result<()> {
    target.write_all(&(header.len() as u64).to_le_bytes())?;
    target.write_all(header)?;
    for (_, entry) in by_width(state_dict, precision) {
        match entry {
            Entry::Float(tensor) if width(entry, precision) == 2 => {
                write_values(target, tensor.values(), |value| {
                    half::f16::from_f32(value).to_le_bytes()
                })?;
            }
            Entry::Float(tensor) => {
                write_values(target, tensor.values(), |value| value.to_le_bytes())?;
            }
            Entry::Integer(tensor) => {
                write_values(target, tensor.values(), |value| value.to_le_bytes())?;
            }
        }
    }
    Ok(())
}

/// Writes one page at a time, because a call for each value would dominate the run time.
fn write_values<T: Copy, const BYTES: usize>(
    target: &mut dyn Write,
    values: &[T],
    bytes: impl Fn(T) -> [u8; BYTES],
) -> io::Result<()> {
    let mut page = Vec::with_capacity(values.len().min(1024) * BYTES);
    for values in values.chunks(1024) {
        page.clear();
        page.extend(values.iter().flat_map(|&value| bytes(value)));
        target.write_all(&page)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    fn state_dict(names: &[&str]) -> StateDict {
        let mut state_dict = StateDict::new();
        for name in names {
            let tensor = Tensor::new(vec![3], vec![1.0, 2.0, 3.0]).unwrap();
            state_dict.insert(*name, Entry::Float(tensor)).unwrap();
            let count = Tensor::new(vec![], vec![7]).unwrap();
            state_dict
                .insert(format!("{name}.count"), Entry::Integer(count))
                .unwrap();
        }
        state_dict
    }

    #[test]
    fn written_bytes_depend_only_on_content() {
        let metadata = || {
            (0..20)
                .map(|n| (format!("key {n}"), "value".to_owned()))
                .collect()
        };
        let first =
            to_safetensors(&state_dict(&["b", "a"]), &metadata(), Precision::Single).unwrap();
        let second =
            to_safetensors(&state_dict(&["b", "a"]), &metadata(), Precision::Single).unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn every_tensor_is_aligned_and_in_order() {
        let bytes = to_safetensors(
            &state_dict(&["b", "a"]),
            &BTreeMap::new(),
            Precision::Single,
        )
        .unwrap();
        let header = crate::safetensors::header_length(&bytes).unwrap() as usize;
        assert_eq!(header % 8, 0);
        let text = str::from_utf8(&bytes[8..8 + header]).unwrap();
        assert_eq!(
            text.trim_end(),
            r#"{"b":{"dtype":"F32","shape":[3],"data_offsets":[16,28]},"b.count":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[3],"data_offsets":[28,40]},"a.count":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}"#
        );
    }

    #[test]
    fn half_precision_excludes_vectors() {
        let mut state_dict = StateDict::new();
        for (name, shape) in [("bias", vec![4]), ("weight", vec![2, 2])] {
            let tensor = Tensor::new(shape, vec![1.0, -0.25, 1e-7, 0.1]).unwrap();
            state_dict.insert(name, Entry::Float(tensor)).unwrap();
        }
        let bytes = |precision| to_safetensors(&state_dict, &BTreeMap::new(), precision).unwrap();
        let half = bytes(Precision::Half);
        assert_eq!(bytes(Precision::Single).len() - half.len(), 8);
        let read = crate::WeightsFile::from_bytes(&half).unwrap().state_dict;
        assert_eq!(read.get("bias"), state_dict.get("bias"));
        let Some(Entry::Float(weight)) = read.get("weight") else {
            panic!("no weight");
        };
        assert_eq!(weight.values()[..2], [1.0, -0.25]);
        assert!((weight.values()[3] - 0.1).abs() < 5e-5);
    }

    #[test]
    fn reserved_metadata_name_is_rejected() {
        let error = to_safetensors(
            &state_dict(&[METADATA]),
            &BTreeMap::new(),
            Precision::Single,
        )
        .unwrap_err();
        assert!(matches!(error, ContentError::ReservedName));
    }

    #[test]
    fn write_replaces_file_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        for names in [["a"], ["b"]] {
            let state_dict = state_dict(&names);
            write_safetensors(&path, &state_dict, &BTreeMap::new(), Precision::Single).unwrap();
            assert_eq!(
                crate::WeightsFile::read(&path).unwrap().state_dict,
                state_dict
            );
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn failed_write_keeps_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        let error = write_safetensors(
            &path,
            &state_dict(&["a"]),
            &BTreeMap::new(),
            Precision::Single,
        )
        .unwrap_err();
        assert!(error.to_string().contains("taken"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
