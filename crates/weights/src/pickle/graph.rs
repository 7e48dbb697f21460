//! Data described by a pickle: plain values that may refer to each other.

use std::borrow::Cow;

/// A value: small values are inline, all others are indices into a [`Graph`].
///
/// A value that a pickle uses many times is stored once, and cyclic values need no special
/// handling: there is no reference counting, and dropping the graph does not recurse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// A float; its value does not matter for weights.
    Float,
    Node(NodeId),
}

/// Index into a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NodeId(u32);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A value too large for [`Value`].
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Text(Cow<'a, str>),
    /// Number of more than 64 bits: two's complement, little-endian.
    Long(&'a [u8]),
    /// A value of which only the kind is known.
    Opaque(&'static str),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Set(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// Class or function, by the names of its module and of itself.
    Global {
        module: NodeId,
        name: NodeId,
    },
    Object(Box<Object>),
    /// An object stored outside the pickle, by its identifier.
    Persistent(Value),
}

/// A Python object that a call would construct; the call is not made.
#[derive(Debug)]
pub(crate) struct Object {
    pub callable: Value,
    /// Arguments of the call, usually a tuple.
    pub arguments: Value,
    /// States that would be set on the object, usually a dict of its attributes.
    pub states: Vec<Value>,
    /// Items that would be inserted by key, if it is a kind of dict.
    pub items: Vec<(Value, Value)>,
    /// Elements that would be appended, if it is a kind of list or set.
    pub elements: Vec<Value>,
}

/// All values of a pickle.
#[derive(Debug, Default)]
pub(crate) struct Graph<'a> {
    nodes: Vec<Node<'a>>,
}

impl<'a> Graph<'a> {
    /// Adds a node. The caller ensures that there are fewer than 2^32 nodes.
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

    /// Returns the number of nodes: one past the largest [`NodeId::index`].
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the identifiers of all objects outside the pickle.
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

    /// Returns the elements of a tuple or a list.
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

    /// Returns the module and name of a class or function.
    pub(crate) fn global(&self, value: Value) -> Option<(&str, &str)> {
        match self.node(value)? {
            Node::Global { module, name } => Some((
                self.text(Value::Node(*module))?,
                self.text(Value::Node(*name))?,
            )),
            _ => None,
        }
    }

    /// Returns the keys and values of a dict, an `OrderedDict` or an object of any other dict
    /// class.
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

    /// Returns the items of an `OrderedDict` from Python 2, which wrote it as a call with a list of
    /// `[key, value]`.
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

    /// Adds all values that a value directly refers to.
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

    /// Returns the kind of a value, for messages.
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
