//! Selects the state dict of a file.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::error::{ContentError, shown};
use crate::pickle::{Graph, Node, Value};
use crate::state_dict::Other;
use crate::torch::rebuild::is_tensor;

/// Keys under which training programs store a state dict, in the order in which they are tried:
/// plain weights before weights averaged over the training.
pub const STATE_DICT_KEYS: [&str; 14] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "network",
    "net",
    "module",
    "weights",
    "params",
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
    "params_ema",
];

/// Number of plain keys in [`STATE_DICT_KEYS`].
const PLAIN_KEYS: usize = 9;

/// Maximum number of keys that a message lists.
const MAX_LISTED: usize = 12;

/// Maximum number of dict entries examined for a pickled module or for a message. A file may have a
/// million entries that are all the same dict with a million entries.
const MAX_LOOKED_AT: usize = 1000;

/// A dict of tensors and the path to it.
#[derive(Debug)]
pub(super) struct Choice {
    /// Dicts from the root to the state dict, each with the key of the next one.
    path: Vec<(Value, String)>,
    dict: Value,
}

impl Choice {
    /// Finds the main state dict of a file: first the one under a known key, or under two nested
    /// known keys; then the root, if it directly contains tensors; then the only dict of tensors in
    /// the root.
    pub(super) fn automatic(graph: &Graph<'_>, root: Value) -> Result<Self, ContentError> {
        let Some(items) = graph.items(root) else {
            return Err(Self::nothing(graph, root));
        };
        for keys in [&STATE_DICT_KEYS[..PLAIN_KEYS], &STATE_DICT_KEYS] {
            if let Some(choice) = known(graph, root, keys) {
                return Ok(choice);
            }
        }
        if holds_tensors(graph, root) {
            return Ok(Self {
                path: Vec::new(),
                dict: root,
            });
        }
        let mut looked_at = HashSet::new();
        let mut dicts = items.iter().filter_map(|&(key, dict)| {
            let key = graph.text(key)?;
            let first_time = matches!(dict, Value::Node(id) if looked_at.insert(id));
            (first_time && holds_tensors(graph, dict)).then_some((key, dict))
        });
        if let Some((key, dict)) = dicts.next() {
            let mut others = dicts.map(|(key, _)| key).peekable();
            if others.peek().is_none() {
                return Ok(Self {
                    path: vec![(root, key.to_owned())],
                    dict,
                });
            }
            let keys = std::iter::once(key).chain(others);
            return Err(ContentError::SeveralStateDicts {
                keys: keys.take(MAX_LISTED).map(shown).collect(),
            });
        }
        Err(Self::nothing(graph, root))
    }

    /// Returns the error for a file without tensors.
    pub(super) fn nothing(graph: &Graph<'_>, root: Value) -> ContentError {
        Self::module(graph, root).unwrap_or_else(|| nothing(graph, root))
    }

    /// Returns an error if the root, or a value in it, is a pickled module.
    pub(super) fn module(graph: &Graph<'_>, root: Value) -> Option<ContentError> {
        let Some(items) = graph.items(root) else {
            let class = module_class(graph, root)?;
            return Some(ContentError::WholeModule { class, key: None });
        };
        items.iter().take(MAX_LOOKED_AT).find_map(|&(key, value)| {
            let class = module_class(graph, value)?;
            let key = graph.text(key).map(str::to_owned);
            Some(ContentError::WholeModule { class, key })
        })
    }

    /// Returns the error for a key that does not lead to tensors.
    pub(super) fn unknown(graph: &Graph<'_>, root: Value, key: &str) -> ContentError {
        ContentError::UnknownKey {
            key: key.to_owned(),
            found: summary(graph, root),
        }
    }

    /// Returns the dict under a key, or under several keys separated by dots.
    pub(super) fn dict_under(
        graph: &Graph<'_>,
        root: Value,
        key: &str,
    ) -> Result<Value, ContentError> {
        let (dict, _) = way(graph, root, key)?;
        match module_class(graph, dict) {
            Some(class) => Err(ContentError::WholeModule {
                class,
                key: Some(key.to_owned()),
            }),
            None => Ok(dict),
        }
    }

    /// Returns the state dict under a key, or under several keys separated by dots.
    pub(super) fn under(graph: &Graph<'_>, root: Value, key: &str) -> Result<Self, ContentError> {
        let (_, path) = way(graph, root, key)?;
        let dict = Self::dict_under(graph, root, key)?;
        if !holds_tensors(graph, dict) {
            return Err(Self::unknown(graph, root, key));
        }
        Ok(Self { path, dict })
    }

    /// Returns the names and values of the state dict.
    pub(super) fn items<'g>(&self, graph: &'g Graph<'_>) -> Cow<'g, [(Value, Value)]> {
        graph.items(self.dict).unwrap_or_default()
    }

    /// Returns the keys that lead to the state dict, separated by dots.
    pub(super) fn key(&self) -> Option<String> {
        let keys: Vec<&str> = self.path.iter().map(|(_, key)| key.as_str()).collect();
        (!keys.is_empty()).then(|| keys.join("."))
    }

    /// Returns the remaining parts of the file: siblings of each dict on the path, and other values
    /// in the state dict itself.
    pub(super) fn others(&self, graph: &Graph<'_>) -> Vec<Other> {
        let mut counter = Counter::new(graph);
        for &(_, value) in self.items(graph).iter() {
            if is_tensor(graph, value) {
                counter.seen(value);
            }
        }
        // The dicts on the path are not other parts and must not be counted.
        counter.seen(self.dict);
        for &(dict, _) in &self.path {
            counter.seen(dict);
        }
        let mut others = Vec::new();
        let mut prefix = String::new();
        let ends = [(self.dict, String::new())];
        for (dict, next) in self.path.iter().chain(&ends) {
            for &(key, value) in graph.items(*dict).unwrap_or_default().iter() {
                let text = graph.text(key).map(shown);
                let text = text.unwrap_or_else(|| graph.kind(key).to_owned());
                let leads_on = *dict != self.dict && graph.text(key) == Some(next);
                if leads_on || (*dict == self.dict && is_tensor(graph, value)) {
                    continue;
                }
                others.push(Other {
                    name: format!("{prefix}{text}"),
                    tensors: counter.below(value),
                });
            }
            prefix = format!("{prefix}{}.", shown(next));
        }
        others
    }
}

/// Counts tensors, each once.
struct Counter<'g, 'a> {
    graph: &'g Graph<'a>,
    seen: Vec<bool>,
    waiting: Vec<Value>,
}

impl<'g, 'a> Counter<'g, 'a> {
    fn new(graph: &'g Graph<'a>) -> Self {
        Self {
            graph,
            seen: vec![false; graph.len()],
            waiting: Vec::new(),
        }
    }

    /// Marks a value as seen and returns whether it was seen before.
    fn seen(&mut self, value: Value) -> bool {
        match value {
            Value::Node(id) => std::mem::replace(&mut self.seen[id.index()], true),
            _ => true,
        }
    }

    /// Counts the tensors reachable from a value, including itself, without recursion: a file may
    /// nest to any depth.
    fn below(&mut self, value: Value) -> usize {
        let mut tensors = 0;
        self.waiting.push(value);
        while let Some(value) = self.waiting.pop() {
            if self.seen(value) {
                continue;
            }
            if is_tensor(self.graph, value) {
                tensors += 1;
            } else {
                self.graph.push_children(value, &mut self.waiting);
            }
        }
        tensors
    }
}

/// Returns the name of a tensor: text, or a number as in `nn.Sequential`.
pub(super) fn name(graph: &Graph<'_>, key: Value) -> Result<String, ContentError> {
    match (key, graph.text(key)) {
        (_, Some(text)) => Ok(text.to_owned()),
        (Value::Int(number), _) => Ok(number.to_string()),
        _ => Err(ContentError::NameNotText {
            found: graph.kind(key),
        }),
    }
}

/// Finds the dict of tensors under one of the keys, or under two nested ones.
fn known(graph: &Graph<'_>, root: Value, keys: &[&str]) -> Option<Choice> {
    keys.iter().find_map(|&outer| {
        let dict = get(graph, root, outer)?;
        let mut path = vec![(root, outer.to_owned())];
        if holds_tensors(graph, dict) {
            return Some(Choice { path, dict });
        }
        keys.iter().find_map(|&inner| {
            let inner_dict = get(graph, dict, inner)?;
            holds_tensors(graph, inner_dict).then(|| {
                path.push((dict, inner.to_owned()));
                Choice {
                    path: std::mem::take(&mut path),
                    dict: inner_dict,
                }
            })
        })
    })
}

/// Returns the value that a key leads to, and the dicts on the path.
fn way(
    graph: &Graph<'_>,
    root: Value,
    key: &str,
) -> Result<(Value, Vec<(Value, String)>), ContentError> {
    let unknown = || Choice::unknown(graph, root, key);
    let mut path = Vec::new();
    let (mut dict, mut rest) = (root, key);
    while !rest.is_empty() {
        // Keys may contain dots.
        let (next, step, left) = match get(graph, dict, rest) {
            Some(next) => (next, rest, ""),
            None => {
                let (step, left) = rest.split_once('.').ok_or_else(unknown)?;
                (get(graph, dict, step).ok_or_else(unknown)?, step, left)
            }
        };
        path.push((dict, step.to_owned()));
        (dict, rest) = (next, left);
    }
    Ok((dict, path))
}

/// Returns the value of a key; the last one if there are several, as in Python.
fn get(graph: &Graph<'_>, dict: Value, key: &str) -> Option<Value> {
    let items = graph.items(dict)?;
    let item = (items.iter()).rfind(|(name, _)| graph.text(*name) == Some(key));
    item.map(|&(_, value)| value)
}

fn holds_tensors(graph: &Graph<'_>, dict: Value) -> bool {
    let items = graph.items(dict).unwrap_or_default();
    items.iter().any(|&(_, value)| is_tensor(graph, value))
}

/// Returns the class of a pickled `nn.Module`, which has parameters and modules among its
/// attributes.
fn module_class(graph: &Graph<'_>, value: Value) -> Option<String> {
    let object = graph.object(value)?;
    let attributes = graph.items(*object.states.first()?)?;
    let has = |name| {
        let mut names = attributes.iter().take(MAX_LOOKED_AT).map(|&(key, _)| key);
        names.any(|key| graph.text(key) == Some(name))
    };
    if !has("_parameters") || !has("_modules") {
        return None;
    }
    // Early versions store the class together with its source code.
    let class = match graph.node(object.callable) {
        Some(Node::Persistent(identity)) => *graph.tuple(*identity)?.get(1)?,
        _ => object.callable,
    };
    let name = match graph.global(class) {
        // Protocols 0 and 1 encode a call with the class as the first argument.
        Some(("copy_reg" | "copyreg", _)) => graph.global(*graph.tuple(object.arguments)?.first()?),
        name => name,
    };
    Some(
        name.map_or("of an unknown class".to_owned(), |(module, name)| {
            format!("{module}.{name}")
        }),
    )
}

fn nothing(graph: &Graph<'_>, root: Value) -> ContentError {
    ContentError::NoStateDict {
        found: summary(graph, root),
    }
}

/// Describes the root, with its keys if it is a dict.
fn summary(graph: &Graph<'_>, root: Value) -> String {
    if is_tensor(graph, root) {
        return "a single tensor".to_owned();
    }
    let Some(items) = graph.items(root) else {
        return graph.kind(root).to_owned();
    };
    let mut listed = HashSet::new();
    let keys: Vec<String> = (items.iter())
        .take(MAX_LOOKED_AT)
        .filter_map(|&(key, _)| graph.text(key))
        .filter(|key| listed.insert(*key))
        .take(MAX_LISTED)
        .map(shown)
        .collect();
    match (items.is_empty(), keys.is_empty()) {
        (true, _) => "an empty dict".to_owned(),
        (false, true) => "a dict without names".to_owned(),
        (false, false) => format!("a dict of {}", keys.join(", ")),
    }
}
