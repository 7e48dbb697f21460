//! Named tensors.

use indexmap::IndexMap;
use indexmap::map::Entry as Slot;

use crate::error::ContentError;
use crate::tensor::{Entry, Tensor};

/// Tensors of a network by name, in file order.
///
/// Two state dicts are equal if they contain the same names and tensors, in any order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StateDict {
    entries: IndexMap<String, Entry>,
}

impl StateDict {
    /// Creates an empty state dict.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a tensor.
    ///
    /// # Errors
    ///
    /// [`ContentError::DuplicateName`] if a tensor with this name exists.
    pub fn insert(&mut self, name: impl Into<String>, entry: Entry) -> Result<(), ContentError> {
        match self.entries.entry(name.into()) {
            Slot::Occupied(place) => Err(ContentError::DuplicateName {
                name: place.key().clone(),
            }),
            Slot::Vacant(place) => {
                place.insert(entry);
                Ok(())
            }
        }
    }

    /// Returns the tensor with this name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Returns the tensor with this name if it contains floats.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        match self.get(name)? {
            Entry::Float(tensor) => Some(tensor),
            Entry::Integer(_) => None,
        }
    }

    /// Removes and returns the tensor with this name; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Entry> {
        self.entries.shift_remove(name)
    }

    /// Removes a common prefix of all names, such as the `module.` of `DataParallel`, and returns
    /// whether it did. If any name lacks the prefix, or there are no tensors, nothing changes.
    ///
    /// ```
    /// use weights::{Entry, StateDict, Tensor};
    ///
    /// let mut state_dict = StateDict::new();
    /// let bias = Tensor::new(vec![1], vec![0.5]).unwrap();
    /// state_dict.insert("module.fc.bias", Entry::Float(bias))?;
    /// assert!(state_dict.strip_prefix("module."));
    /// assert!(state_dict.get("fc.bias").is_some());
    /// assert!(!state_dict.strip_prefix("module."));
    /// # Ok::<(), weights::ContentError>(())
    /// ```
    pub fn strip_prefix(&mut self, prefix: &str) -> bool {
        if self.is_empty() || !self.entries.keys().all(|name| name.starts_with(prefix)) {
            return false;
        }
        self.entries = std::mem::take(&mut self.entries)
            .into_iter()
            .map(|(mut name, entry)| (name.split_off(prefix.len()), entry))
            .collect();
        true
    }

    /// Returns the names and tensors in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(name, entry)| (name.as_str(), entry))
    }

    /// Returns the number of tensors.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no tensors.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl IntoIterator for StateDict {
    type Item = (String, Entry);
    type IntoIter = indexmap::map::IntoIter<String, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

/// A part of a file that is not in its state dict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Keys that lead to it, separated by dots; shortened if they are long.
    pub name: String,
    /// Number of tensors that only this part contains.
    pub tensors: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: i64) -> Entry {
        Entry::Integer(Tensor::new(vec![], vec![value]).unwrap())
    }

    #[test]
    fn names_are_unique_and_keep_their_order() {
        let mut state_dict = StateDict::new();
        for (index, name) in ["c", "a", "b"].into_iter().enumerate() {
            state_dict.insert(name, number(index as i64)).unwrap();
        }
        let error = state_dict.insert("a", number(9)).unwrap_err();
        assert!(matches!(error, ContentError::DuplicateName { name } if name == "a"));
        assert_eq!(state_dict.get("a"), Some(&number(1)));
        assert_eq!(state_dict.remove("c"), Some(number(0)));
        let names: Vec<&str> = state_dict.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(state_dict.tensor("a").is_none(), "it holds no floats");
    }

    #[test]
    fn prefix_is_stripped_only_if_shared() {
        let mut state_dict = StateDict::new();
        assert!(!state_dict.strip_prefix("module."));
        state_dict.insert("module.a", number(1)).unwrap();
        state_dict.insert("n_averaged", number(2)).unwrap();
        assert!(!state_dict.strip_prefix("module."));
        assert!(state_dict.get("module.a").is_some());
    }
}
