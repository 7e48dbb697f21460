//! Reads safetensors files.
//!
//! A file consists of the header's length in 8 bytes, the header in JSON, and the tensors. Reading
//! takes time and memory proportional to the header, whose size and number of tensors are limited;
//! tensors are read one by one.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::dtype::{self, ByteOrder, Dtype};
use crate::error::ContentError;
use crate::layout::Layout;
use crate::state_dict::StateDict;
use crate::tensor::Entry;

/// Entry of the header that is not a tensor.
pub(crate) const METADATA: &str = "__metadata__";
/// Number of bytes before the header.
pub(crate) const LENGTH_BYTES: usize = 8;
/// Maximum header size for reading and writing. The format allows three times as much; the deepest
/// networks need a few megabytes.
pub(crate) const MAX_HEADER_BYTES: usize = 32 << 20;
/// Maximum number of tensors in a file.
pub(crate) const MAX_TENSORS: usize = 1 << 17;

/// Returns the length of the header, if the bytes look like a safetensors file.
pub(crate) fn header_length(file: &[u8]) -> Option<u64> {
    let (length, rest) = file.split_first_chunk::<LENGTH_BYTES>()?;
    let length = u64::from_le_bytes(*length);
    // A longer header would not fit in any memory.
    (length < 1 << 40 && rest.starts_with(b"{")).then_some(length)
}

/// A file with a validated header.
#[derive(Debug)]
pub(crate) struct Safetensors<'a> {
    /// Tensors in header order.
    pub tensors: Vec<(String, TensorEntry)>,
    /// Metadata of the file.
    pub metadata: BTreeMap<String, String>,
    data: &'a [u8],
}

/// A tensor in the header.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct TensorEntry {
    #[serde(deserialize_with = "dtype_or_name")]
    pub dtype: Result<Dtype, String>,
    pub shape: Vec<usize>,
    data_offsets: [u64; 2],
}

fn dtype_or_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Result<Dtype, String>, D::Error> {
    let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
    Ok(Dtype::of_safetensors(&name).ok_or_else(|| name.chars().take(MAX_DTYPE_NAME).collect()))
}

/// Maximum length of a type name kept for messages, in characters.
const MAX_DTYPE_NAME: usize = 64;

impl<'a> Safetensors<'a> {
    /// Reads the header and checks that the tensors fill the rest of the file without gaps.
    pub(crate) fn open(file: &'a [u8], length: u64) -> Result<Self, ContentError> {
        let rest = &file[LENGTH_BYTES..];
        if length > MAX_HEADER_BYTES as u64 {
            return Err(damaged(format!(
                "its header has {length} bytes, more than {MAX_HEADER_BYTES}"
            )));
        }
        // It fits, because it is at most the limit.
        let length = length as usize;
        let (header, data) = rest.split_at_checked(length).ok_or(ContentError::CutOff {
            what: "the header",
            offset: LENGTH_BYTES as u64,
            needed: length as u64,
            there: rest.len() as u64,
        })?;
        let Header { tensors, metadata } =
            serde_json::from_slice(header).map_err(|error| damaged(error.to_string()))?;
        check(&tensors, (LENGTH_BYTES + length) as u64, data.len() as u64)?;
        Ok(Self {
            tensors,
            metadata,
            data,
        })
    }

    /// Reads the tensor at a position in the header.
    pub(crate) fn tensor(&self, index: usize) -> Result<Entry, ContentError> {
        let (name, part) = &self.tensors[index];
        let dtype = part
            .dtype
            .as_ref()
            .map_err(|dtype| ContentError::UnsupportedDtype {
                tensor: name.clone(),
                dtype: dtype.clone(),
            })?;
        let layout =
            Layout::contiguous(part.shape.clone()).map_err(|problem| ContentError::Layout {
                tensor: name.clone(),
                problem,
            })?;
        // The offsets are within the data.
        let [start, end] = part.data_offsets.map(|offset| offset as usize);
        dtype::read(
            name,
            *dtype,
            ByteOrder::Little,
            layout,
            &self.data[start..end],
        )
    }

    /// Reads all tensors.
    pub(crate) fn state_dict(&self) -> Result<StateDict, ContentError> {
        let mut state_dict = StateDict::new();
        for (index, (name, _)) in self.tensors.iter().enumerate() {
            state_dict.insert(name.as_str(), self.tensor(index)?)?;
        }
        Ok(state_dict)
    }
}

/// Checks names, types, sizes and offsets against `data` bytes that start at `start` in the file.
fn check(tensors: &[(String, TensorEntry)], start: u64, data: u64) -> Result<(), ContentError> {
    let mut names = HashSet::with_capacity(tensors.len());
    let mut places = Vec::with_capacity(tensors.len());
    for (name, part) in tensors {
        if !names.insert(name) {
            return Err(ContentError::DuplicateName { name: name.clone() });
        }
        let [from, to] = part.data_offsets;
        if to > data {
            return Err(ContentError::CutOff {
                what: "a tensor",
                offset: start.saturating_add(from),
                needed: to.saturating_sub(from),
                there: data.saturating_sub(from),
            });
        }
        // The element size of an unknown type is unknown as well.
        if let Ok(dtype) = part.dtype {
            let elements = part.shape.iter().try_fold(1u64, |product, &size| {
                product.checked_mul(u64::try_from(size).ok()?)
            });
            let bytes = elements.and_then(|elements| elements.checked_mul(dtype.bytes()));
            if bytes.is_none() || bytes != to.checked_sub(from) {
                return Err(damaged(format!(
                    "the size of tensor {} does not fit its bytes",
                    crate::error::shown(name)
                )));
            }
        }
        places.push((from, to));
    }
    places.sort_unstable();
    let mut end = 0;
    for (from, to) in places {
        if from != end || to < from {
            return Err(damaged(format!(
                "a tensor starts at byte {from} of the data, where {end} is expected"
            )));
        }
        end = to;
    }
    match end == data {
        true => Ok(()),
        false => Err(ContentError::TrailingBytes {
            offset: start + end,
        }),
    }
}

fn damaged(reason: String) -> ContentError {
    ContentError::Safetensors { reason }
}

/// Header with all names in file order, including duplicates.
struct Header {
    tensors: Vec<(String, TensorEntry)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut tensors = Vec::new();
        let mut metadata = None;
        while let Some(name) = map.next_key::<String>()? {
            if name == METADATA {
                if metadata.replace(map.next_value()?).is_some() {
                    return Err(A::Error::duplicate_field(METADATA));
                }
                continue;
            }
            if tensors.len() == MAX_TENSORS {
                return Err(A::Error::custom(format!(
                    "it has more than {MAX_TENSORS} tensors"
                )));
            }
            tensors.push((name, map.next_value()?));
        }
        Ok(Header {
            tensors,
            metadata: metadata.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend(data);
        file
    }

    fn error(header: &str, data: &[u8]) -> ContentError {
        let file = file(header, data);
        let opened = Safetensors::open(&file, header_length(&file).unwrap());
        opened.and_then(|file| file.state_dict()).unwrap_err()
    }

    #[test]
    fn inconsistent_headers_are_rejected() {
        let whole = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        assert!(matches!(
            error(whole, &[0; 3]),
            ContentError::CutOff {
                what: "a tensor",
                ..
            }
        ));
        assert!(
            matches!(
                error(whole, &[0; 5]),
                ContentError::TrailingBytes { offset: 66 }
            ),
            "{:?}",
            error(whole, &[0; 5])
        );
        for (what, header) in [
            (
                "a size",
                r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
            ),
            (
                "a hole",
                r#"{"a":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}"#,
            ),
            (
                "negative",
                r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
            ),
            (
                "overflow",
                r#"{"a":{"dtype":"F32","shape":[4294967296,4294967297],"data_offsets":[0,4]}}"#,
            ),
            ("no shape", r#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#),
            ("metadata", r#"{"__metadata__":{"a":1}}"#),
            ("metadata twice", r#"{"__metadata__":{},"__metadata__":{}}"#),
            ("no JSON", r#"{"a""#),
        ] {
            let error = error(header, &[0; 4]);
            assert!(
                matches!(error, ContentError::Safetensors { .. }),
                "{what}: {error}"
            );
        }
    }

    #[test]
    fn offsets_near_u64_max_are_rejected() {
        let size = u64::MAX - 5;
        let header =
            format!(r#"{{"a":{{"dtype":"U8","shape":[{size}],"data_offsets":[0,{size}]}}}}"#);
        assert!(matches!(error(&header, &[]), ContentError::CutOff { .. }));
        let header = format!(r#"{{"a":{{"dtype":"U8","shape":[0],"data_offsets":[{size},0]}}}}"#);
        assert!(matches!(
            error(&header, &[]),
            ContentError::Safetensors { .. }
        ));
    }

    #[test]
    fn names_are_unique() {
        // Both tensors are empty, so their offsets are valid.
        let part = r#"{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"#;
        let error = error(&format!(r#"{{"a":{part},"a":{part}}}"#), &[]);
        assert!(matches!(error, ContentError::DuplicateName { name } if name == "a"));
    }

    #[test]
    fn unsupported_types_are_named() {
        let header = r#"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#;
        match error(header, &[0]) {
            ContentError::UnsupportedDtype { tensor, dtype } => {
                assert_eq!((tensor.as_str(), dtype.as_str()), ("a", "F8_E4M3"));
            }
            error => panic!("{error}"),
        }
    }

    #[test]
    fn tensor_order_follows_header() {
        let header = r#"{"b":{"dtype":"U8","shape":[],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
        let file = file(header, &[1, 2]);
        let opened = Safetensors::open(&file, header.len() as u64).unwrap();
        let state_dict = opened.state_dict().unwrap();
        let names: Vec<&str> = state_dict.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["b", "a"]);
    }

    #[test]
    fn other_bytes_are_not_safetensors() {
        assert_eq!(header_length(b""), None);
        assert_eq!(header_length(b"\x02\0\0\0\0\0\0\0[]"), None);
        assert_eq!(header_length(b"\xff\xff\xff\xff\xff\xff\xff\xff{}"), None);
        assert_eq!(header_length(b"\x02\0\0\0\0\0\0\0{}"), Some(2));
    }

    #[test]
    fn header_size_is_limited() {
        let part = r#"{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"#;
        let tensors: Vec<String> = (0..=MAX_TENSORS)
            .map(|name| format!(r#""{name}":{part}"#))
            .collect();
        let of = |count: usize| format!("{{{}}}", tensors[..count].join(","));
        let whole = file(&of(MAX_TENSORS), &[]);
        let opened = Safetensors::open(&whole, header_length(&whole).unwrap()).unwrap();
        assert_eq!(opened.tensors.len(), MAX_TENSORS);
        let error = error(&of(MAX_TENSORS + 1), &[]);
        assert!(error.to_string().contains("more than 131072 tensors"));
        let mut long = vec![0; 16];
        long[..8].copy_from_slice(&(MAX_HEADER_BYTES as u64 + 1).to_le_bytes());
        long[8] = b'{';
        let error = Safetensors::open(&long, header_length(&long).unwrap()).unwrap_err();
        assert!(error.to_string().contains("header"), "{error}");
    }
}
