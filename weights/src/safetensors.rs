//! Reading safetensors.
//!
//! The file is the length of a header in 8 bytes, the header in JSON, then the tensors. The
//! `safetensors` crate checks that sizes, types and offsets fit each other and the file. What it
//! leaves out is checked here first: names that are there twice, of which it would keep one, and
//! offsets so large that its sums overflow.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use ::safetensors::SafeTensors;
use ::safetensors::tensor::SafeTensorError;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::dtype::{self, ByteOrder, Dtype};
use crate::error::ContentError;
use crate::layout::Layout;
use crate::state_dict::StateDict;

/// The entry of the header that is no tensor.
pub(crate) const METADATA: &str = "__metadata__";
/// Bytes before the header.
pub(crate) const LENGTH_BYTES: usize = 8;
/// The longest header that the format allows.
pub(crate) const MAX_HEADER_BYTES: usize = 100_000_000;

/// The length of the header, if the bytes start like safetensors.
pub(crate) fn header_length(file: &[u8]) -> Option<usize> {
    let (length, rest) = file.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    (length <= MAX_HEADER_BYTES && rest.starts_with(b"{")).then_some(length)
}

/// Reads all tensors and what the file says about itself.
pub(crate) fn read(
    file: &[u8],
    length: usize,
) -> Result<(StateDict, BTreeMap<String, String>), ContentError> {
    let rest = &file[LENGTH_BYTES..];
    let (header, data) = rest.split_at_checked(length).ok_or(ContentError::CutOff {
        what: "the header",
        offset: LENGTH_BYTES as u64,
        needed: length as u64,
        there: rest.len() as u64,
    })?;
    let header: Header = serde_json::from_slice(header).map_err(|error| damaged(&error))?;
    let mut names = HashSet::new();
    for (name, part) in &header.tensors {
        if !names.insert(name) {
            return Err(ContentError::DuplicateName { name: name.clone() });
        }
        if Dtype::of_safetensors(&part.dtype).is_none() {
            return Err(ContentError::UnsupportedDtype {
                tensor: name.clone(),
                dtype: part.dtype.clone(),
            });
        }
        let [start, end] = part.data_offsets;
        if end > data.len() as u64 {
            return Err(ContentError::CutOff {
                what: "a tensor",
                offset: ((LENGTH_BYTES + length) as u64).saturating_add(start),
                needed: end.saturating_sub(start),
                there: (data.len() as u64).saturating_sub(start),
            });
        }
    }

    let checked = SafeTensors::deserialize(file).map_err(|error| match error {
        SafeTensorError::MetadataIncompleteBuffer => {
            let end = header.tensors.iter().map(|(_, part)| part.data_offsets[1]);
            ContentError::TrailingBytes {
                offset: (LENGTH_BYTES + length) as u64 + end.max().unwrap_or(0),
            }
        }
        error => damaged(&error),
    })?;
    let mut state_dict = StateDict::new();
    for (name, part) in header.tensors {
        let tensor = checked.tensor(&name).map_err(|error| damaged(&error))?;
        let layout = Layout::contiguous(tensor.shape().to_vec());
        let layout = layout.map_err(|problem| ContentError::Layout {
            tensor: name.clone(),
            problem,
        })?;
        let dtype = Dtype::of_safetensors(&part.dtype);
        let dtype = dtype.ok_or_else(|| ContentError::UnsupportedDtype {
            tensor: name.clone(),
            dtype: part.dtype,
        })?;
        let entry = dtype::read(&name, dtype, ByteOrder::Little, layout, tensor.data())?;
        state_dict.insert(name, entry)?;
    }
    Ok((state_dict, header.metadata))
}

fn damaged(error: &dyn fmt::Display) -> ContentError {
    ContentError::Safetensors {
        reason: error.to_string(),
    }
}

/// The header with every name in the file's order, as often as it is there.
struct Header {
    tensors: Vec<(String, Part)>,
    metadata: BTreeMap<String, String>,
}

/// What is looked at before the crate looks at all of it.
#[derive(serde::Deserialize)]
struct Part {
    dtype: String,
    data_offsets: [u64; 2],
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
            if name != METADATA {
                tensors.push((name, map.next_value()?));
            } else if metadata.replace(map.next_value()?).is_some() {
                return Err(A::Error::duplicate_field(METADATA));
            }
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
        read(&file, header_length(&file).unwrap()).unwrap_err()
    }

    #[test]
    fn headers_that_lie() {
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
    fn offsets_near_the_end_of_numbers() {
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
        // Both are empty, so that the offsets fit.
        let part = r#"{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"#;
        let error = error(&format!(r#"{{"a":{part},"a":{part}}}"#), &[]);
        assert!(matches!(error, ContentError::DuplicateName { name } if name == "a"));
    }

    #[test]
    fn types_are_named() {
        let header = r#"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#;
        match error(header, &[0]) {
            ContentError::UnsupportedDtype { tensor, dtype } => {
                assert_eq!((tensor.as_str(), dtype.as_str()), ("a", "F8_E4M3"));
            }
            error => panic!("{error}"),
        }
    }

    #[test]
    fn order_is_that_of_the_header() {
        let header = r#"{"b":{"dtype":"U8","shape":[],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
        let file = file(header, &[1, 2]);
        let (state_dict, _) = read(&file, header.len()).unwrap();
        let names: Vec<&str> = state_dict.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["b", "a"]);
    }

    #[test]
    fn other_bytes_are_no_safetensors() {
        assert_eq!(header_length(b""), None);
        assert_eq!(header_length(b"\x02\0\0\0\0\0\0\0[]"), None);
        assert_eq!(header_length(b"\xff\xff\xff\xff\xff\xff\xff\xff{}"), None);
        assert_eq!(header_length(b"\x02\0\0\0\0\0\0\0{}"), Some(2));
    }
}
