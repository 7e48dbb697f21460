//! JSON files that contain their own checksum and those of related files.
//!
//! A sealed file is a JSON object whose last entry is `"sha256"`: checksums by file name. The
//! file's own checksum is computed over its bytes with zeros in place of its digits.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::checksum::{SHA256_DIGITS, sha256};

/// Key of the checksums.
const KEY: &str = "sha256";

/// SHA-256 checksums by file name.
pub type Checksums = BTreeMap<String, String>;

/// Reason why a sealed file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SealError {
    /// The file is not JSON, or does not contain the expected data.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The bytes differ from those that were written.
    #[error("its content does not match its checksum")]
    Checksum,
}

/// Serializes a value, a struct or a map, with its own checksum as the file `name` and the
/// checksums of other files.
///
/// # Errors
///
/// If the value cannot be serialized.
pub fn seal(
    value: &impl Serialize,
    name: &str,
    others: &Checksums,
) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    struct Sealed<'a, T> {
        #[serde(flatten)]
        value: &'a T,
        sha256: &'a Checksums,
    }
    let mut checksums = others.clone();
    checksums.insert(name.to_owned(), "0".repeat(SHA256_DIGITS));
    let mut text = serde_json::to_string_pretty(&Sealed {
        value,
        sha256: &checksums,
    })?;
    let own = sha256(text.as_bytes());
    if let Some(zeros) = place(&text, &checksums[name]) {
        text.replace_range(zeros, &own);
    }
    Ok(text.into_bytes())
}

/// Reads a value and the checksums of the other files from the bytes of a file. An unsealed file,
/// written by an older version or a person, has no checksums.
///
/// # Errors
///
/// If the bytes differ from those that were sealed, or contain other data.
pub fn unseal<T: DeserializeOwned>(
    bytes: &[u8],
    name: &str,
) -> Result<(T, Option<Checksums>), SealError> {
    let mut object: Map<String, Value> = serde_json::from_slice(bytes)?;
    let checksums = match object.remove(KEY) {
        Some(checksums) => Some(verified(bytes, checksums, name)?),
        None => None,
    };
    Ok((serde_json::from_value(Value::Object(object))?, checksums))
}

/// Returns the checksums of the other files if the file's own checksum is correct.
fn verified(bytes: &[u8], checksums: Value, name: &str) -> Result<Checksums, SealError> {
    let mut checksums: Checksums =
        serde_json::from_value(checksums).map_err(|_| SealError::Checksum)?;
    let own = checksums.remove(name).ok_or(SealError::Checksum)?;
    let mut text = str::from_utf8(bytes)
        .map_err(|_| SealError::Checksum)?
        .to_owned();
    let digits = place(&text, &own).ok_or(SealError::Checksum)?;
    text.replace_range(digits, &"0".repeat(SHA256_DIGITS));
    match sha256(text.as_bytes()) == own {
        true => Ok(checksums),
        false => Err(SealError::Checksum),
    }
}

/// Returns the position of the digits of the file's own checksum: their last occurrence.
fn place(text: &str, digits: &str) -> Option<Range<usize>> {
    let start = text.rfind(digits)?;
    (digits.len() == SHA256_DIGITS).then_some(start..start + SHA256_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Content {
        name: String,
        loss: f64,
        seed: u64,
        parts: Vec<Option<f32>>,
    }

    fn content() -> Content {
        Content {
            name: "0".repeat(SHA256_DIGITS),
            loss: 0.1 + 0.2,
            seed: u64::MAX,
            parts: vec![Some(0.1), None],
        }
    }

    fn others() -> Checksums {
        [("a.bin", "a"), ("z.bin", "z")]
            .map(|(name, content)| (name.to_owned(), sha256(content.as_bytes())))
            .into()
    }

    #[test]
    fn sealed_content_round_trips() {
        let bytes = seal(&content(), "m.json", &others()).unwrap();
        let (read, checksums) = unseal::<Content>(&bytes, "m.json").unwrap();
        assert_eq!(read, content());
        assert_eq!(checksums, Some(others()));
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.find("\"name\"") < text.find("\"loss\""), "{text}");
    }

    #[test]
    fn file_without_checksum_is_accepted() {
        let bytes = serde_json::to_vec(&content()).unwrap();
        let (read, checksums) = unseal::<Content>(&bytes, "m.json").unwrap();
        assert_eq!(read, content());
        assert_eq!(checksums, None);
    }

    #[test]
    fn every_changed_bit_is_detected() {
        let bytes = seal(&content(), "m.json", &others()).unwrap();
        for place in 0..bytes.len() {
            let flips = (0..8).map(|bit| bytes[place] ^ (1 << bit));
            for value in flips.chain(*b" 0\"}x\n") {
                let mut damaged = bytes.clone();
                damaged[place] = value;
                if damaged != bytes {
                    let result = unseal::<Content>(&damaged, "m.json");
                    assert!(result.is_err(), "byte {place} as {value:#x}: {result:?}");
                }
            }
        }
    }

    #[test]
    fn every_truncation_is_detected() {
        let bytes = seal(&content(), "m.json", &others()).unwrap();
        for length in 0..bytes.len() {
            assert!(unseal::<Content>(&bytes[..length], "m.json").is_err());
        }
    }
}
