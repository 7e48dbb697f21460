//! Which dict of a file is the state dict.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::error::{ContentError, shown};
use crate::file::Other;
use crate::pickle::{Graph, Node, Value};
use crate::torch::rebuild::is_tensor;

/// The keys that training programs keep a state dict under, in the order in which they are tried:
/// the plain weights before those averaged over the training.
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

/// How many of [`STATE_DICT_KEYS`] are plain.
const PLAIN_KEYS: usize = 9;

/// Keys that a message lists at most.
const MAX_LISTED: usize = 12;

/// Entries of a dict that are looked at for a pickled module, or to list them in a message. A file
/// may have a million entries that are one and the same dict of a million.
const MAX_LOOKED_AT: usize = 1000;

/// A dict of tensors and the way to it.
#[derive(Debug)]
pub(super) struct Choice {
    /// The dicts from the root to the state dict, each with the key of the next.
    path: Vec<(Value, String)>,
    dict: Value,
}

impl Choice {
    /// The state dict that the file is for. First that under a known key, or under a known key of
    /// the dict under a known key; then the root, if it holds tensors itself; then the only dict of
    /// tensors in the root.
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

    /// An error for a file without tensors.
    pub(super) fn nothing(graph: &Graph<'_>, root: Value) -> ContentError {
        Self::module(graph, root).unwrap_or_else(|| nothing(graph, root))
    }

    /// An error if the root, or something in it, is a pickled module.
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

    /// An error for a key that leads to no tensors.
    pub(super) fn unknown(graph: &Graph<'_>, root: Value, key: &str) -> ContentError {
        ContentError::UnknownKey {
            key: key.to_owned(),
            found: summary(graph, root),
        }
    }

    /// What is under a key, or under keys with dots between them.
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

    /// The state dict under a key, or under keys with dots between them.
    pub(super) fn under(graph: &Graph<'_>, root: Value, key: &str) -> Result<Self, ContentError> {
        let (_, path) = way(graph, root, key)?;
        let dict = Self::dict_under(graph, root, key)?;
        if !holds_tensors(graph, dict) {
            return Err(Self::unknown(graph, root, key));
        }
        Ok(Self { path, dict })
    }

    /// Names and values of the state dict.
    pub(super) fn items<'g>(&self, graph: &'g Graph<'_>) -> Cow<'g, [(Value, Value)]> {
        graph.items(self.dict).unwrap_or_default()
    }

    /// The keys that lead to the state dict, with dots between them.
    pub(super) fn key(&self) -> Option<String> {
        let keys: Vec<&str> = self.path.iter().map(|(_, key)| key.as_str()).collect();
        (!keys.is_empty()).then(|| keys.join("."))
    }

    /// What else is in the file: beside each dict on the way, and in the state dict itself.
    pub(super) fn others(&self, graph: &Graph<'_>) -> Vec<Other> {
        let mut counter = Counter::new(graph);
        for &(_, value) in self.items(graph).iter() {
            if is_tensor(graph, value) {
                counter.seen(value);
            }
        }
        // What leads to the state dict is no other thing, and is not to be looked into.
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

/// Counts tensors, each one once.
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

    /// Whether a value was seen before; from now on it was.
    fn seen(&mut self, value: Value) -> bool {
        match value {
            Value::Node(id) => std::mem::replace(&mut self.seen[id.index()], true),
            _ => true,
        }
    }

    /// Tensors that a value is or leads to, without recursion: a file may nest as it likes.
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

/// The name of a tensor: text, or a number, as the parts of an `nn.Sequential` have.
pub(super) fn name(graph: &Graph<'_>, key: Value) -> Result<String, ContentError> {
    match (key, graph.text(key)) {
        (_, Some(text)) => Ok(text.to_owned()),
        (Value::Int(number), _) => Ok(number.to_string()),
        _ => Err(ContentError::NameNotText {
            found: graph.kind(key),
        }),
    }
}

/// The dict of tensors under one of the keys, or two of them.
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

/// The value that a key leads to, and the dicts on the way.
fn way(
    graph: &Graph<'_>,
    root: Value,
    key: &str,
) -> Result<(Value, Vec<(Value, String)>), ContentError> {
    let unknown = || Choice::unknown(graph, root, key);
    let mut path = Vec::new();
    let (mut dict, mut rest) = (root, key);
    while !rest.is_empty() {
        // Keys may have dots in them.
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

/// The value of a key, the last one if there are several, as Python has it.
fn get(graph: &Graph<'_>, dict: Value, key: &str) -> Option<Value> {
    let items = graph.items(dict)?;
    let item = (items.iter()).rfind(|(name, _)| graph.text(*name) == Some(key));
    item.map(|&(_, value)| value)
}

fn holds_tensors(graph: &Graph<'_>, dict: Value) -> bool {
    let items = graph.items(dict).unwrap_or_default();
    items.iter().any(|&(_, value)| is_tensor(graph, value))
}

/// The class of a pickled `nn.Module`, which has parameters and modules among its attributes.
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
    // Early versions write the class together with its source code.
    let class = match graph.node(object.callable) {
        Some(Node::Persistent(identity)) => *graph.tuple(*identity)?.get(1)?,
        _ => object.callable,
    };
    let name = match graph.global(class) {
        // Protocols 0 and 1 write a call with the class as the first argument.
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

/// What the root is, and its keys if it is a dict.
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
