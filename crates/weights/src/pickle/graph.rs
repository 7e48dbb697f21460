//! What a pickle describes: plain data that refers to itself.

use std::borrow::Cow;

/// A value: small ones themselves, all else by its place in a [`Graph`].
///
/// A value that a pickle uses many times is there once, and a value that contains itself needs
/// nothing special: no count keeps it alive, and nothing recurses when the graph goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// What a float is does not matter to weights.
    Float,
    Node(NodeId),
}

/// A place in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NodeId(u32);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is too large for a [`Value`].
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Text(Cow<'a, str>),
    /// A number of more than 64 bits: two's complement, the lowest byte first.
    Long(&'a [u8]),
    /// Something of which only its kind is known.
    Opaque(&'static str),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Set(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// A class or a function by the text of its module and of its name.
    Global {
        module: NodeId,
        name: NodeId,
    },
    Object(Box<Object>),
    /// Something that lies outside of the pickle, by what identifies it.
    Persistent(Value),
}

/// What Python would make by a call, which is not made.
#[derive(Debug)]
pub(crate) struct Object {
    pub callable: Value,
    /// Usually a tuple.
    pub arguments: Value,
    /// What would be set on it: usually a dict of its attributes.
    pub states: Vec<Value>,
    /// What would be put into it by key, if it is a kind of dict.
    pub items: Vec<(Value, Value)>,
    /// What would be appended to it, if it is a kind of list or set.
    pub elements: Vec<Value>,
}

/// All values of one pickle.
#[derive(Debug, Default)]
pub(crate) struct Graph<'a> {
    nodes: Vec<Node<'a>>,
}

impl<'a> Graph<'a> {
    /// The caller sees to it that there are fewer than 2^32.
    pub(super) fn add(&mut self, node: Node<'a>) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(node);
        id
    }

    pub(super) fn node_mut(&mut self, value: Value) -> Option<&mut Node<'a>> {
        match value {
            Value::Node(id) => Some(&mut self.nodes[id.index()]),
            _ => None,
        }
    }

    pub(crate) fn node(&self, value: Value) -> Option<&Node<'a>> {
        match value {
            Value::Node(id) => Some(&self.nodes[id.index()]),
            _ => None,
        }
    }

    /// How many nodes there are: one beyond the largest [`NodeId::index`].
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// What everything outside of the pickle is identified by.
    pub(crate) fn persistent(&self) -> impl Iterator<Item = Value> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Persistent(identity) => Some(*identity),
            _ => None,
        })
    }

    pub(crate) fn text(&self, value: Value) -> Option<&str> {
        match self.node(value)? {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn tuple(&self, value: Value) -> Option<&[Value]> {
        match self.node(value)? {
            Node::Tuple(values) => Some(values),
            _ => None,
        }
    }

    /// A tuple or a list.
    pub(crate) fn sequence(&self, value: Value) -> Option<&[Value]> {
        match self.node(value)? {
            Node::Tuple(values) | Node::List(values) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn object(&self, value: Value) -> Option<&Object> {
        match self.node(value)? {
            Node::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Module and name of a class or function.
    pub(crate) fn global(&self, value: Value) -> Option<(&str, &str)> {
        match self.node(value)? {
            Node::Global { module, name } => Some((
                self.text(Value::Node(*module))?,
                self.text(Value::Node(*name))?,
            )),
            _ => None,
        }
    }

    /// Keys and values of a dict, an `OrderedDict` or an object of any other class of dicts.
    pub(crate) fn items(&self, value: Value) -> Option<Cow<'_, [(Value, Value)]>> {
        let object = match self.node(value)? {
            Node::Dict(items) => return Some(Cow::Borrowed(items)),
            Node::Object(object) => object,
            _ => return None,
        };
        if !object.items.is_empty() {
            return Some(Cow::Borrowed(&object.items));
        }
        let is_dict = matches!(
            self.global(object.callable)?,
            ("collections", "OrderedDict" | "defaultdict")
        );
        is_dict.then(|| Cow::Owned(self.items_by_call(object)))
    }

    /// Python 2 wrote an `OrderedDict` as a call with a list of `[key, value]`.
    fn items_by_call(&self, object: &Object) -> Vec<(Value, Value)> {
        let arguments = self.tuple(object.arguments).unwrap_or_default();
        let pairs = arguments.first().and_then(|&first| self.sequence(first));
        (pairs.unwrap_or_default().iter())
            .filter_map(|&pair| match self.sequence(pair)? {
                &[key, value] => Some((key, value)),
                _ => None,
            })
            .collect()
    }

    /// Adds everything that a value refers to directly.
    pub(crate) fn push_children(&self, value: Value, children: &mut Vec<Value>) {
        let both = |&(key, value): &(Value, Value)| [key, value];
        match self.node(value) {
            Some(Node::Tuple(values) | Node::List(values) | Node::Set(values)) => {
                children.extend(values);
            }
            Some(Node::Dict(items)) => children.extend(items.iter().flat_map(both)),
            Some(Node::Object(object)) => {
                children.extend([object.callable, object.arguments]);
                children.extend(&object.states);
                children.extend(object.items.iter().flat_map(both));
                children.extend(&object.elements);
            }
            Some(Node::Persistent(identity)) => children.push(*identity),
            Some(Node::Text(_) | Node::Long(_) | Node::Opaque(_) | Node::Global { .. }) | None => {}
        }
    }

    /// What a value is, for messages.
    pub(crate) fn kind(&self, value: Value) -> &'static str {
        match (value, self.node(value)) {
            (Value::None, _) => "None",
            (Value::Bool(_), _) => "a boolean",
            (Value::Int(_), _) | (_, Some(Node::Long(_))) => "a whole number",
            (Value::Float, _) => "a number",
            (_, Some(Node::Text(_))) => "text",
            (_, Some(Node::Opaque(kind))) => kind,
            (_, Some(Node::Tuple(_))) => "a tuple",
            (_, Some(Node::List(_))) => "a list",
            (_, Some(Node::Set(_))) => "a set",
            (_, Some(Node::Dict(_))) => "a dict",
            (_, Some(Node::Global { .. })) => "a class or function",
            (_, Some(Node::Object(_))) => "an object",
            (_, Some(Node::Persistent(_))) => "a storage",
            (Value::Node(_), None) => "nothing",
        }
    }
}
