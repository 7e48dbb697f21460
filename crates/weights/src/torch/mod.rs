//! Interprets the pickles of `torch.save`: storages, tensors and state dicts.

mod choose;
mod list;
mod rebuild;
mod storage;

pub use choose::STATE_DICT_KEYS;
pub(crate) use list::Listing;
pub(crate) use storage::{Storage, StorageBytes};

use std::collections::HashMap;

use crate::archive::Archive;
use crate::dtype::ByteOrder;
use crate::error::ContentError;
use crate::looks::archive_looks_like;
use crate::pickle::{self, Graph, PickleError, Value};
use crate::state_dict::{Other, StateDict};
use crate::tensor::Entry;
use choose::Choice;
use rebuild::Rebuilder;

/// A pickle whose storages are all present and of the right size.
#[derive(Debug)]
pub(crate) struct TorchFile<'a> {
    graph: Graph<'a>,
    root: Value,
    storages: StorageBytes<'a>,
    /// Size of the whole file in bytes, which bounds the memory for its tensors.
    size: usize,
}

/// The state dict of a file and its location.
pub(crate) struct Found {
    pub key: Option<String>,
    pub state_dict: StateDict,
    pub others: Vec<Other>,
}

impl<'a> TorchFile<'a> {
    /// Checks every storage that the pickle uses, including those of tensors that will not be read.
    pub(crate) fn new(
        graph: Graph<'a>,
        root: Value,
        storages: StorageBytes<'a>,
        size: usize,
    ) -> Result<Self, ContentError> {
        for identity in graph.persistent() {
            if let Some(storage) = Storage::described(&graph, identity)? {
                storages.check(&storage)?;
            }
        }
        Ok(Self {
            graph,
            root,
            storages,
            size,
        })
    }

    /// Reads the state dict under `key`, or the main state dict of the file.
    pub(crate) fn state_dict(&self, key: Option<&str>) -> Result<Found, ContentError> {
        let choice = match key {
            Some(key) => Choice::under(&self.graph, self.root, key)?,
            None => Choice::automatic(&self.graph, self.root)?,
        };
        let mut rebuilder = Rebuilder::new(&self.graph, &self.storages, self.size);
        let mut state_dict = StateDict::new();
        for &(name, value) in choice.items(&self.graph).iter() {
            if rebuild::is_tensor(&self.graph, value) {
                let name = choose::name(&self.graph, name)?;
                if state_dict.get(&name).is_some() {
                    return Err(ContentError::DuplicateName { name });
                }
                let entry = rebuilder.tensor(&name, value)?;
                state_dict.insert(name, entry)?;
            }
        }
        Ok(Found {
            others: choice.others(&self.graph),
            key: choice.key(),
            state_dict,
        })
    }
}

impl TorchFile<'_> {
    /// Reads tensors, each with a name for errors.
    pub(crate) fn read<'n>(
        &self,
        tensors: impl Iterator<Item = (&'n str, Value)>,
    ) -> Result<Vec<Entry>, ContentError> {
        let mut rebuilder = Rebuilder::new(&self.graph, &self.storages, self.size);
        tensors
            .map(|(name, value)| rebuilder.tensor(name, value))
            .collect()
    }
}

/// Opens a zip file written by `torch.save` since PyTorch 1.6.
///
/// A single folder, named after the file, contains `data.pkl`, the storages as `data/KEY`, and the
/// `byteorder` of the computer that wrote them.
pub(crate) fn open_zip(file: &[u8]) -> Result<TorchFile<'_>, ContentError> {
    let archive = Archive::open(file)?;
    let folder = folder(&archive)?;
    let entry = |name: &str| archive.get(&format!("{folder}/{name}"));
    if entry("constants.pkl").is_some() {
        return Err(ContentError::TorchScript);
    }
    archive.all_stored()?;
    let order = match entry("byteorder").map(|entry| entry.bytes) {
        // Files without the marker come from little-endian computers, or are readable only on the
        // computer that wrote them.
        None | Some(b"little") => ByteOrder::Little,
        Some(b"big") => ByteOrder::Big,
        Some(found) => {
            return Err(ContentError::ByteOrder {
                found: String::from_utf8_lossy(found).into_owned(),
            });
        }
    };
    let program = entry("data.pkl").ok_or_else(|| no_pickle(&archive))?;
    let pickle = pickle::load(program.bytes, 0).map_err(|PickleError { position, problem }| {
        ContentError::Pickle {
            offset: (program.offset + position) as u64,
            problem,
        }
    })?;
    let prefix = format!("{folder}/data/");
    let storages: HashMap<String, &[u8]> = archive
        .names()
        .filter_map(|name| {
            let key = name.strip_prefix(&prefix)?;
            Some((key.to_owned(), archive.get(name)?.bytes))
        })
        .collect();
    let storages = StorageBytes::new(storages, order);
    TorchFile::new(pickle.graph, pickle.root, storages, file.len())
}

/// Returns the folder of the archive that contains everything.
fn folder(archive: &Archive<'_>) -> Result<String, ContentError> {
    let mut folders = (archive.names())
        .filter_map(|name| name.strip_suffix("/data.pkl"))
        .filter(|folder| !folder.contains('/'));
    match (folders.next(), folders.next()) {
        (None, _) => Err(no_pickle(archive)),
        (Some(folder), None) => Ok(folder.to_owned()),
        (Some(_), Some(_)) => Err(ContentError::NotTorch {
            reason: "it has several data.pkl",
            hint: None,
        }),
    }
}

fn no_pickle(archive: &Archive<'_>) -> ContentError {
    let (reason, hint) = archive_looks_like(archive.names());
    ContentError::NotTorch { reason, hint }
}
