//! Lists all tensors of a pickle with the keys that lead to them.

use crate::dtype::Dtype;
use crate::error::ContentError;
use crate::pickle::{Graph, Value};
use crate::safetensors::MAX_TENSORS;
use crate::tensor::{TensorInfo, TensorKind};
use crate::torch::TorchFile;
use crate::torch::choose::{self, Choice};
use crate::torch::rebuild::{self, Rebuilder};

/// Maximum depth of nested dicts that are searched.
const MAX_DEPTH: usize = 16;
/// Maximum length of a name in bytes; no tensor of a network has a longer one.
const MAX_NAME_BYTES: usize = 4096;
/// Maximum length of a list that is searched: a checkpoint may be a pair.
const MAX_ELEMENTS: usize = 64;

/// Names of tensors and their values.
#[derive(Debug)]
pub(crate) struct Listing {
    tensors: Vec<(String, Value)>,
}

impl Listing {
    /// Searches dicts and short lists, each once.
    fn of(graph: &Graph<'_>, root: Value) -> Self {
        let mut tensors = Vec::new();
        let mut seen = vec![false; graph.len()];
        let mut waiting = vec![(String::new(), root, 0)];
        while let Some((name, value, depth)) = waiting.pop() {
            if rebuild::is_tensor(graph, value) {
                // A tensor may have several names.
                if tensors.len() < MAX_TENSORS {
                    tensors.push((name, value));
                }
                continue;
            }
            let Value::Node(id) = value else { continue };
            if depth == MAX_DEPTH || std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            let within = |key: &str| match name.is_empty() {
                true => key.to_owned(),
                false => format!("{name}.{key}"),
            };
            let first = waiting.len();
            if let Some(items) = graph.items(value) {
                for &(key, value) in items.iter() {
                    let leads_on = matches!(value, Value::Node(_));
                    if let Ok(key) = choose::name(graph, key)
                        && leads_on
                        && name.len() + key.len() < MAX_NAME_BYTES
                    {
                        waiting.push((within(&key), value, depth + 1));
                    }
                }
            } else if let Some(elements) = graph.sequence(value)
                && elements.len() <= MAX_ELEMENTS
            {
                for (index, &value) in elements.iter().enumerate() {
                    waiting.push((within(&index.to_string()), value, depth + 1));
                }
            }
            // The first element must be popped first.
            waiting[first..].reverse();
        }
        Self { tensors }
    }

    pub(crate) fn tensors(&self, file: &TorchFile<'_>) -> Vec<TensorInfo> {
        let rebuilder = Rebuilder::new(&file.graph, &file.storages, file.size);
        let tensors = self.tensors.iter();
        tensors
            .map(|(name, value)| {
                let described = rebuilder.describe(*value);
                let (kind, unread) = match &described {
                    Some((_, Ok(Dtype::Unread { name, .. }))) => {
                        (TensorKind::Unread, Some(format!("of {name}")))
                    }
                    Some((_, Ok(dtype))) if dtype.is_float() => (TensorKind::Float, None),
                    Some((_, Ok(_))) => (TensorKind::Integer, None),
                    Some((_, Err(name))) => (TensorKind::unknown(name), Some(format!("of {name}"))),
                    None => {
                        let kind = match rebuild::is_quantized(&file.graph, *value) {
                            true => TensorKind::Quantized,
                            false => TensorKind::Unread,
                        };
                        let function = rebuilder.function(*value);
                        (kind, Some(format!("made by {function}")))
                    }
                };
                TensorInfo {
                    name: name.clone(),
                    shape: described.map(|(shape, _)| shape),
                    kind,
                    unread,
                }
            })
            .collect()
    }

    pub(crate) fn value(&self, place: usize) -> Value {
        self.tensors[place].1
    }

    pub(crate) fn keep(&mut self, places: &[usize]) {
        self.tensors = places
            .iter()
            .map(|&place| self.tensors[place].clone())
            .collect();
    }
}

impl TorchFile<'_> {
    /// Lists the tensors of the whole file or under a key.
    pub(crate) fn list(&self, key: Option<&str>) -> Result<Listing, ContentError> {
        let root = match key {
            Some(key) => Choice::dict_under(&self.graph, self.root, key)?,
            None => self.root,
        };
        let listing = Listing::of(&self.graph, root);
        match (listing.tensors.is_empty(), key) {
            (false, _) => Ok(listing),
            (true, Some(key)) => Err(Choice::unknown(&self.graph, self.root, key)),
            (true, None) => Err(Choice::nothing(&self.graph, self.root)),
        }
    }

    pub(crate) fn whole_module(&self) -> Option<ContentError> {
        Choice::module(&self.graph, self.root)
    }
}
