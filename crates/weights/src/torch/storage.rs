//! Storages: the memory that tensors are views of.

use std::collections::HashMap;

use crate::dtype::{ByteOrder, Dtype};
use crate::error::ContentError;
use crate::pickle::{Graph, Value};

/// Maximum length of a key in bytes. PyTorch's keys are numbers.
const MAX_KEY_BYTES: usize = 256;

/// A storage as described by a pickle: `("storage", class, key, device, elements)`, followed in the
/// format before PyTorch 1.6 by `(key, offset, elements)` if it is part of another storage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Storage<'g> {
    pub key: &'g str,
    /// Element type; `None` if the class is unknown.
    pub dtype: Option<Dtype>,
    /// Class, for example `FloatStorage`.
    pub class: &'g str,
    elements: u64,
    /// Offset and number of elements within another storage.
    part: Option<(u64, u64)>,
}

impl<'g> Storage<'g> {
    /// Reads the identifier of a storage; `None` if it identifies another object outside a pickle,
    /// such as a module's source code.
    pub(crate) fn described(
        graph: &'g Graph<'_>,
        identity: Value,
    ) -> Result<Option<Self>, ContentError> {
        let unreadable = |key: &str| ContentError::StorageDescription {
            key: key.to_owned(),
        };
        let parts = graph.tuple(identity).ok_or_else(|| unreadable(""))?;
        let [kind, rest @ ..] = parts else {
            return Err(unreadable(""));
        };
        match graph.text(*kind) {
            Some("storage") => {}
            Some(_) => return Ok(None),
            None => return Err(unreadable("")),
        }
        let (class, key, elements, part) = match *rest {
            [class, key, _device, elements] => (class, key, elements, Value::None),
            [class, key, _device, elements, part] => (class, key, elements, part),
            _ => return Err(unreadable("")),
        };
        let key = graph.text(key).filter(|key| key.len() <= MAX_KEY_BYTES);
        let key = key.ok_or_else(|| unreadable(""))?;
        let (_, class) = graph.global(class).ok_or_else(|| unreadable(key))?;
        let elements = natural(elements).ok_or_else(|| unreadable(key))?;
        let part = match (part, graph.tuple(part)) {
            (Value::None, _) => None,
            (_, Some(&[_key, offset, elements])) => {
                let part = natural(offset).zip(natural(elements));
                Some(part.ok_or_else(|| unreadable(key))?)
            }
            _ => return Err(unreadable(key)),
        };
        // Untyped storages count bytes.
        let dtype = match class {
            "UntypedStorage" => Some(Dtype::Uint8),
            class => Dtype::of_storage(class),
        };
        Ok(Some(Self {
            key,
            dtype,
            class,
            elements,
            part,
        }))
    }

    /// Returns whether the element type is stored with the tensor instead.
    pub(crate) fn is_untyped(&self) -> bool {
        self.class == "UntypedStorage"
    }
}

fn natural(value: Value) -> Option<u64> {
    match value {
        Value::Int(number) => number.try_into().ok(),
        _ => None,
    }
}

/// Bytes of all storages by key.
#[derive(Debug)]
pub(crate) struct StorageBytes<'a> {
    bytes: HashMap<String, &'a [u8]>,
    pub order: ByteOrder,
}

impl<'a> StorageBytes<'a> {
    pub(crate) fn new(bytes: HashMap<String, &'a [u8]>, order: ByteOrder) -> Self {
        Self { bytes, order }
    }

    /// Checks that a storage exists and has the described size, if it is known.
    pub(crate) fn check(&self, storage: &Storage<'_>) -> Result<(), ContentError> {
        let found = self.whole(storage)?.len() as u64;
        let Some(dtype) = storage.dtype else {
            return Ok(());
        };
        let expected = storage.elements.saturating_mul(dtype.bytes());
        if found == expected {
            return Ok(());
        }
        Err(ContentError::StorageSize {
            key: storage.key.to_owned(),
            expected,
            found,
        })
    }

    fn whole(&self, storage: &Storage<'_>) -> Result<&'a [u8], ContentError> {
        let bytes = self.bytes.get(storage.key).copied();
        bytes.ok_or_else(|| ContentError::MissingStorage {
            key: storage.key.to_owned(),
        })
    }

    /// Returns the bytes of a storage, or of its part of another storage.
    pub(crate) fn get(&self, storage: &Storage<'_>) -> Result<&'a [u8], ContentError> {
        let whole = self.whole(storage)?;
        let Some((offset, elements)) = storage.part else {
            return Ok(whole);
        };
        let width = storage.dtype.map_or(1, Dtype::bytes);
        let start = offset.saturating_mul(width);
        let end = start.saturating_add(elements.saturating_mul(width));
        usize::try_from(start)
            .ok()
            .zip(usize::try_from(end).ok())
            .and_then(|(start, end)| whole.get(start..end))
            .ok_or_else(|| ContentError::StorageSize {
                key: storage.key.to_owned(),
                expected: end,
                found: whole.len() as u64,
            })
    }
}
