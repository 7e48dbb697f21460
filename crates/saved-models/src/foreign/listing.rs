//! The tensors of one or more files by name.

use std::collections::BTreeMap;
use std::ops::Bound;

use weights::{ContentError, Contents, Entry, Format, TensorInfo};

/// The names, shapes and types of all tensors before they are read.
pub(super) struct Listing<'a> {
    /// One file, or the shards of one network.
    files: &'a [Contents<'a>],
    /// In name order, so that the tensors of a module are adjacent.
    places: BTreeMap<&'a str, TensorPosition>,
}

#[derive(Clone, Copy)]
struct TensorPosition {
    file: usize,
    tensor: usize,
}

impl<'a> Listing<'a> {
    /// # Errors
    ///
    /// If two tensors have the same name.
    pub(super) fn new(files: &'a [Contents<'a>]) -> Result<Self, ContentError> {
        let mut places = BTreeMap::new();
        for (file, contents) in files.iter().enumerate() {
            for (tensor, info) in contents.tensors().iter().enumerate() {
                let place = TensorPosition { file, tensor };
                if places.insert(info.name.as_str(), place).is_some() {
                    return Err(ContentError::DuplicateName {
                        name: info.name.clone(),
                    });
                }
            }
        }
        Ok(Self { files, places })
    }

    /// Returns all tensors in file order.
    pub(super) fn tensors(&self) -> impl Iterator<Item = &'a TensorInfo> {
        self.files.iter().flat_map(Contents::tensors)
    }

    /// Returns a tensor without reading it.
    pub(super) fn tensor(&self, name: &str) -> Option<&'a TensorInfo> {
        let place = self.places.get(name)?;
        Some(&self.files[place.file].tensors()[place.tensor])
    }

    /// Returns the names that start with a prefix, in order.
    pub(super) fn within<'p>(
        &self,
        prefix: &'p str,
    ) -> impl Iterator<Item = &'a str> + use<'_, 'a, 'p> {
        self.places
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .map(|(name, _)| *name)
            .take_while(move |name| name.starts_with(prefix))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Returns the shape of a tensor, if it can be read.
    pub(super) fn shape(&self, name: &str) -> Option<&'a [usize]> {
        self.tensor(name)?.shape.as_deref()
    }

    /// Returns the index of a tensor in the order in which a program wrote the file, if that is
    /// known.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        let place = self.places.get(name)?;
        let is_ordered = self.files[place.file].format() != Format::Safetensors;
        (is_ordered && self.files.len() == 1).then_some(place.tensor)
    }

    /// Reads the named tensors.
    pub(super) fn read(&self, names: &[&str]) -> Result<Vec<Entry>, ContentError> {
        let mut entries: Vec<Option<Entry>> = vec![None; names.len()];
        for (file, contents) in self.files.iter().enumerate() {
            let here: Vec<(usize, usize)> = (names.iter().enumerate())
                .filter_map(|(index, name)| {
                    let place = self.places.get(name)?;
                    (place.file == file).then_some((index, place.tensor))
                })
                .collect();
            let read = contents.read(here.iter().map(|(_, tensor)| *tensor))?;
            for ((index, _), entry) in here.into_iter().zip(read) {
                entries[index] = Some(entry);
            }
        }
        Ok(entries.into_iter().flatten().collect())
    }

    /// Returns an error if a module was pickled instead of its state dict.
    pub(super) fn whole_module(&self) -> Option<ContentError> {
        self.files.iter().find_map(Contents::whole_module)
    }
}
