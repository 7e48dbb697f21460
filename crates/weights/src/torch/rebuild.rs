//! Rebuilds tensors from the constructor calls in a pickle.

use crate::dtype::{self, Dtype};
use crate::error::ContentError;
use crate::layout::{Layout, LayoutProblem};
use crate::pickle::{Graph, Node, Object, Value};
use crate::tensor::Entry;
use crate::torch::storage::{Storage, StorageBytes};

/// Maximum memory for the tensors of a file, per byte of the file. A boolean takes 8 bytes; beyond
/// that, tensors that share a storage are each read separately.
const BYTES_PER_BYTE: u64 = 8;
/// Additional memory for small files whose tensors repeat elements.
const FREE_BYTES: u64 = 1 << 20;

/// Flag of a view whose elements have the opposite sign of those in the storage.
const NEGATED: &str = "neg";
/// Maximum number of wrappers around a tensor: a parameter of a custom class has two.
const MAX_WRAPPERS: usize = 4;

/// Returns whether a value is a tensor, readable or not.
pub(super) fn is_tensor(graph: &Graph<'_>, value: Value) -> bool {
    let object = graph.object(value);
    object.is_some_and(|object| tensor_function(graph, object).is_some())
}

/// Returns the name of the function that constructs the tensor, if the object is one.
fn tensor_function<'g>(graph: &'g Graph<'_>, object: &Object) -> Option<&'g str> {
    let (module, name) = graph.global(object.callable)?;
    let of_torch = matches!(module, "torch._utils" | "torch._tensor" | "torch.tensor");
    (of_torch && name.starts_with("_rebuild_")).then_some(name)
}

/// Returns whether a tensor is quantized by PyTorch.
pub(super) fn is_quantized(graph: &Graph<'_>, value: Value) -> bool {
    let object = graph.object(value);
    let function = object.and_then(|object| tensor_function(graph, object));
    function == Some("_rebuild_qtensor")
}

/// Rebuilds tensors and tracks their memory.
pub(super) struct Rebuilder<'g, 'a> {
    graph: &'g Graph<'a>,
    storages: &'g StorageBytes<'a>,
    file: u64,
    taken: u64,
}

impl<'g, 'a> Rebuilder<'g, 'a> {
    /// Creates a rebuilder for a file of `size` bytes.
    pub(super) fn new(graph: &'g Graph<'a>, storages: &'g StorageBytes<'a>, size: usize) -> Self {
        Self {
            graph,
            storages,
            file: size as u64,
            taken: 0,
        }
    }

    /// Returns the sizes and type of a plain tensor, or the name of the type if it is unknown.
    pub(super) fn describe(&self, value: Value) -> Option<(Vec<usize>, Result<Dtype, String>)> {
        let (function, arguments) = self.inner(value).ok()?;
        let (&[storage, _, sizes, _], rest) = arguments.split_first_chunk()?;
        let named_dtype = match (function, rest) {
            ("_rebuild_tensor" | "_rebuild_tensor_v2", _) => None,
            ("_rebuild_tensor_v3", [_, _, dtype, ..]) => Some(*dtype),
            _ => return None,
        };
        let Some(Node::Persistent(identity)) = self.graph.node(storage) else {
            return None;
        };
        let storage = Storage::described(self.graph, *identity).ok()??;
        let sizes = self.numbers(sizes)?;
        let sizes = sizes.into_iter().map(|size| size.try_into().ok());
        let dtype = self
            .dtype("", &storage, named_dtype)
            .map_err(|error| match error {
                ContentError::UnsupportedDtype { dtype, .. } => dtype,
                other => other.to_string(),
            });
        Some((sizes.collect::<Option<_>>()?, dtype))
    }

    /// Returns the function that constructs a tensor.
    pub(super) fn function(&self, value: Value) -> &'g str {
        match self.inner(value) {
            Ok((function, _)) | Err(function) => function,
        }
    }

    /// Reads a tensor; `name` is used in errors.
    pub(super) fn tensor(&mut self, name: &str, value: Value) -> Result<Entry, ContentError> {
        match self.inner(value) {
            Ok((function, arguments)) => self.plain(name, function, arguments),
            Err(function) => Err(self.unsupported(name, function)),
        }
    }

    /// Returns the function that constructs the plain tensor inside wrappers, and its arguments;
    /// otherwise the unsupported function or kind of value found instead.
    fn inner(&self, mut value: Value) -> Result<(&'g str, &'g [Value]), &'g str> {
        for _ in 0..MAX_WRAPPERS {
            let Some(object) = self.graph.object(value) else {
                break;
            };
            let Some(function) = tensor_function(self.graph, object) else {
                break;
            };
            let arguments = self.graph.tuple(object.arguments).unwrap_or_default();
            match (function, arguments) {
                ("_rebuild_parameter" | "_rebuild_parameter_with_state", [data, ..]) => {
                    value = *data;
                }
                // Inner function, class of the tensor, arguments, attributes.
                ("_rebuild_from_type_v2", [callable, _class, arguments, ..]) => {
                    return match self.graph.global(*callable) {
                        Some(("torch._utils", function)) => {
                            let arguments = self.graph.tuple(*arguments).unwrap_or_default();
                            Ok((function, arguments))
                        }
                        _ => Err(function),
                    };
                }
                (function, arguments) => return Ok((function, arguments)),
            }
        }
        Err(self.graph.kind(value))
    }

    /// Reads a tensor that is a view of a storage: storage, offset, sizes, strides.
    fn plain(
        &mut self,
        name: &str,
        function: &str,
        arguments: &[Value],
    ) -> Result<Entry, ContentError> {
        let unsupported = || self.unsupported(name, function);
        let (&[storage, offset, sizes, strides], rest) =
            arguments.split_first_chunk().ok_or_else(unsupported)?;
        let named_dtype = match (function, rest) {
            ("_rebuild_tensor" | "_rebuild_tensor_v2", _) => None,
            // `requires_grad`, hooks, dtype.
            ("_rebuild_tensor_v3", [_, _, dtype, ..]) => Some(*dtype),
            _ => return Err(unsupported()),
        };
        let Some(Node::Persistent(identity)) = self.graph.node(storage) else {
            return Err(unsupported());
        };
        let storage = Storage::described(self.graph, *identity)?.ok_or_else(unsupported)?;
        let dtype = self.dtype(name, &storage, named_dtype)?;
        let bytes = self.storages.get(&storage)?;

        let layout = self
            .numbers(sizes)
            .zip(self.numbers(strides))
            .zip(integer(offset));
        let ((sizes, strides), offset) = layout.ok_or_else(unsupported)?;
        // A size in memory fits in `usize` on all existing platforms.
        let stored = bytes.len() / dtype.bytes() as usize;
        let layout = Layout::new(&sizes, &strides, offset, stored);
        let layout = layout.map_err(|problem: LayoutProblem| ContentError::Layout {
            tensor: name.to_owned(),
            problem,
        })?;
        self.take(layout.elements() as u64 * dtype.bytes_when_read())?;
        let entry = dtype::read(name, dtype, self.storages.order, layout, bytes)?;
        match (function, rest) {
            // `requires_grad`, hooks, then flags of the view.
            ("_rebuild_tensor_v2", [_, _, flags, ..]) if self.has_flag(*flags, NEGATED) => {
                Ok(entry.negated())
            }
            _ => Ok(entry),
        }
    }

    fn has_flag(&self, flags: Value, wanted: &str) -> bool {
        let items = self.graph.items(flags).unwrap_or_default();
        items
            .iter()
            .any(|&(key, value)| self.graph.text(key) == Some(wanted) && value == Value::Bool(true))
    }

    fn dtype(
        &self,
        name: &str,
        storage: &Storage<'_>,
        named: Option<Value>,
    ) -> Result<Dtype, ContentError> {
        let (dtype, text) = match named.filter(|_| storage.is_untyped()) {
            Some(named) => {
                let (_, text) = self.graph.global(named).unwrap_or(("", "an unknown type"));
                (Dtype::of_torch(text), text)
            }
            None => (storage.dtype, storage.class),
        };
        dtype.ok_or_else(|| ContentError::UnsupportedDtype {
            tensor: name.to_owned(),
            dtype: text.to_owned(),
        })
    }

    /// Returns a tuple or list of whole numbers, or the `torch.Size` of one.
    fn numbers(&self, value: Value) -> Option<Vec<i64>> {
        let value = match self.graph.object(value) {
            Some(object) => match self.graph.global(object.callable)? {
                ("torch", "Size") => *self.graph.tuple(object.arguments)?.first()?,
                _ => return None,
            },
            None => value,
        };
        let numbers = self.graph.sequence(value)?;
        numbers.iter().map(|&number| integer(number)).collect()
    }

    fn take(&mut self, bytes: u64) -> Result<(), ContentError> {
        self.taken = self.taken.saturating_add(bytes);
        let limit = (self.file.saturating_mul(BYTES_PER_BYTE)).saturating_add(FREE_BYTES);
        if self.taken <= limit {
            return Ok(());
        }
        Err(ContentError::TooLarge {
            needed: self.taken,
            file: self.file,
        })
    }

    fn unsupported(&self, name: &str, function: &str) -> ContentError {
        ContentError::UnsupportedTensor {
            tensor: name.to_owned(),
            function: function.to_owned(),
        }
    }
}

fn integer(value: Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(number),
        _ => None,
    }
}
