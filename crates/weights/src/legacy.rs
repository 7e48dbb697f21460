//! The format of `torch.save` before PyTorch 1.6: five pickles, then the storages.
//!
//! The pickles are a magic number, the protocol version, the sizes of C types, the saved object,
//! and the keys of the storages. Each storage consists of its number of elements in 8 bytes,
//! followed by the elements, all little-endian regardless of the computer that wrote it. There are
//! no checksums.

use std::collections::HashMap;

use crate::dtype::{ByteOrder, Dtype};
use crate::error::ContentError;
use crate::pickle::{self, Graph, Node, Pickle, PickleError, Value};
use crate::torch::{Storage, StorageBytes, TorchFile};

/// 0x1950a86a20f9469cfc6c, as encoded in a pickle.
const MAGIC: &[u8] = b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
const VERSION: i64 = 1001;

/// Reads the pickles and locates the storages.
pub(crate) fn open(file: &[u8]) -> Result<TorchFile<'_>, ContentError> {
    let magic = load(file, 0)?;
    match magic.graph.node(magic.root) {
        Some(Node::Long(bytes)) if *bytes == MAGIC => {}
        _ => {
            return Err(ContentError::UnknownFormat {
                found: "a pickle that torch.save did not write",
                hint: Some("load it in Python and save the state dict with torch.save"),
            });
        }
    }
    let version = load(file, magic.end)?;
    if version.root != Value::Int(VERSION) {
        return Err(damaged(magic.end, "its version is unknown"));
    }
    let system = load(file, version.end)?;
    let saved = load(file, system.end)?;
    let keys = load(file, saved.end)?;
    let key_values = keys.graph.sequence(keys.root);
    let key_values =
        key_values.ok_or_else(|| damaged(saved.end, "its list of storages is missing"))?;

    let dtypes = dtypes(&saved.graph)?;
    let mut storages = HashMap::new();
    let mut position = keys.end;
    for &key in key_values {
        let key = keys.graph.text(key);
        let key = key.ok_or_else(|| damaged(saved.end, "a storage has no key"))?;
        let dtype = dtypes.get(key).copied();
        let dtype = dtype.ok_or_else(|| damaged(position, "a storage belongs to no tensor"))?;
        let bytes = storage(file, position, dtype)?;
        position += COUNT_BYTES + bytes.len();
        if storages.insert(key.to_owned(), bytes).is_some() {
            return Err(damaged(position, "two storages have the same key"));
        }
    }
    if position < file.len() {
        return Err(ContentError::TrailingBytes {
            offset: position as u64,
        });
    }
    TorchFile::new(
        saved.graph,
        saved.root,
        StorageBytes::new(storages, ByteOrder::Little),
        file.len(),
    )
}

/// Size of a storage's number of elements, in bytes.
const COUNT_BYTES: usize = 8;

/// Returns the element type of each storage that the pickle uses; without it, the length of the
/// storage is unknown.
fn dtypes(graph: &Graph<'_>) -> Result<HashMap<String, Dtype>, ContentError> {
    let mut dtypes = HashMap::new();
    for identity in graph.persistent() {
        if let Some(storage) = Storage::described(graph, identity)? {
            let dtype = storage
                .dtype
                .ok_or_else(|| ContentError::StorageDescription {
                    key: storage.key.to_owned(),
                })?;
            // The first one is the storage as it was written.
            dtypes.entry(storage.key.to_owned()).or_insert(dtype);
        }
    }
    Ok(dtypes)
}

/// Returns the elements of the storage at a position.
fn storage(file: &[u8], position: usize, dtype: Dtype) -> Result<&[u8], ContentError> {
    let rest = file.get(position..).unwrap_or_default();
    let cut_off = |needed, there: &[u8]| ContentError::CutOff {
        what: "a storage",
        offset: position as u64,
        needed,
        there: there.len() as u64,
    };
    let (count, rest) = (rest.split_first_chunk::<COUNT_BYTES>())
        .ok_or_else(|| cut_off(COUNT_BYTES as u64, rest))?;
    let count = i64::from_le_bytes(*count);
    let count = u64::try_from(count).map_err(|_| damaged(position, "a storage has no size"))?;
    let bytes = count.saturating_mul(dtype.bytes());
    usize::try_from(bytes)
        .ok()
        .and_then(|bytes| rest.get(..bytes))
        .ok_or_else(|| cut_off(bytes, rest))
}

fn load(file: &[u8], start: usize) -> Result<Pickle<'_>, ContentError> {
    pickle::load(file, start).map_err(|PickleError { position, problem }| ContentError::Pickle {
        offset: position as u64,
        problem,
    })
}

fn damaged(position: usize, reason: &'static str) -> ContentError {
    ContentError::Legacy {
        offset: position as u64,
        reason,
    }
}
