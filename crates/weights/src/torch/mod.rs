//! What `torch.save` means by its pickles: storages, tensors and state dicts.

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
use crate::file::Other;
use crate::looks::archive_looks_like;
use crate::pickle::{self, Graph, PickleError, Value};
use crate::state_dict::StateDict;
use crate::tensor::Entry;
use choose::Choice;
use rebuild::Rebuilder;

/// A pickle whose storages are all there and of the right sizes.
#[derive(Debug)]
pub(crate) struct TorchFile<'a> {
    graph: Graph<'a>,
    root: Value,
    storages: StorageBytes<'a>,
    /// Bytes of the whole file, which bound what its tensors may take.
    size: usize,
}

/// The state dict of a file and where it was.
pub(crate) struct Found {
    pub key: Option<String>,
    pub state_dict: StateDict,
    pub others: Vec<Other>,
}

impl<'a> TorchFile<'a> {
    /// Checks every storage that the pickle uses, of tensors that will not be read too.
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

    /// Reads the state dict under `key`, or the one that the file is for.
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

/// Opens the zip file that `torch.save` has written since PyTorch 1.6.
///
/// In one folder, named like the file, are `data.pkl`, the storages as `data/KEY`, and the
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
        // Every computer that wrote no marker was little-endian, or wrote what only it could read.
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

/// The folder of the archive that holds everything.
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
