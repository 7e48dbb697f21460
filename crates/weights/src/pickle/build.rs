//! Builds the machine's values.

use std::borrow::Cow;

use super::graph::{Node, NodeId, Object, Value};
use super::input::text;
use super::machine::{Done, Machine};
use super::problem::PickleProblem;

impl<'a> Machine<'a> {
    // Numbers and text.

    pub(super) fn length32(&mut self) -> Result<u64, PickleProblem> {
        self.input.array().map(u32::from_le_bytes).map(u64::from)
    }

    pub(super) fn index_line(&mut self) -> Result<u64, PickleProblem> {
        let line = self.input.number()?;
        line.parse().map_err(|_| PickleProblem::NoNumber)
    }

    /// Before protocol 2, booleans were encoded as the numbers `00` and `01`.
    pub(super) fn integer_line(&mut self) -> Done {
        match self.input.number()? {
            "00" => self.stack.push(Value::Bool(false)),
            "01" => self.stack.push(Value::Bool(true)),
            number => self.parsed(number),
        }
        Ok(())
    }

    pub(super) fn long_line(&mut self) -> Done {
        let number = self.input.number()?;
        self.parsed(number);
        Ok(())
    }

    pub(super) fn parsed(&mut self, number: &str) {
        match number.parse() {
            Ok(number) => self.stack.push(Value::Int(number)),
            // It contains only digits, so it is too large.
            Err(_) => self.add(Node::Opaque("a whole number")),
        }
    }

    pub(super) fn long(&mut self, length: u64) -> Done {
        let bytes = self.input.take(length)?;
        if bytes.len() > 8 {
            self.add(Node::Long(bytes));
            return Ok(());
        }
        let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut number = [if negative { 0xff } else { 0 }; 8];
        number[..bytes.len()].copy_from_slice(bytes);
        self.stack.push(Value::Int(i64::from_le_bytes(number)));
        Ok(())
    }

    pub(super) fn text(&mut self, length: u64) -> Done {
        let bytes = self.input.take(length)?;
        self.add(Node::Text(text(bytes)));
        Ok(())
    }

    pub(super) fn opaque_bytes(&mut self, length: u64) -> Done {
        self.input.take(length)?;
        self.add(Node::Opaque("bytes"));
        Ok(())
    }

    // Containers.

    pub(super) fn tuple(&mut self, count: usize) -> Done {
        if self.reachable().len() < count {
            return Err(PickleProblem::NoValue);
        }
        let values = self.cut(self.stack.len() - count);
        self.add(Node::Tuple(values));
        Ok(())
    }

    pub(super) fn append(&mut self, mut values: Vec<Value>) -> Done {
        let list = self.top()?;
        let found = self.graph.kind(list);
        match self.graph.node_mut(list) {
            Some(Node::List(elements) | Node::Set(elements)) => elements.append(&mut values),
            Some(Node::Object(object)) => object.elements.append(&mut values),
            _ => {
                let expected = "a list or a set";
                return Err(PickleProblem::WrongKind { expected, found });
            }
        }
        Ok(())
    }

    pub(super) fn set_items(&mut self, mut new: Vec<(Value, Value)>) -> Done {
        let dict = self.top()?;
        let found = self.graph.kind(dict);
        match self.graph.node_mut(dict) {
            Some(Node::Dict(items)) => items.append(&mut new),
            Some(Node::Object(object)) => object.items.append(&mut new),
            _ => {
                let expected = "a dict";
                return Err(PickleProblem::WrongKind { expected, found });
            }
        }
        Ok(())
    }

    // Classes, functions and their instances.

    pub(super) fn global(&mut self, module: Cow<'a, str>, name: Cow<'a, str>) {
        let module = self.graph.add(Node::Text(module));
        let name = self.graph.add(Node::Text(name));
        self.add(Node::Global { module, name });
    }

    pub(super) fn stack_global(&mut self) -> Done {
        let name = self.pop_text()?;
        let module = self.pop_text()?;
        self.add(Node::Global { module, name });
        Ok(())
    }

    pub(super) fn pop_text(&mut self) -> Result<NodeId, PickleProblem> {
        let value = self.pop()?;
        match (value, self.graph.text(value)) {
            (Value::Node(id), Some(_)) => Ok(id),
            _ => Err(PickleProblem::WrongKind {
                expected: "text",
                found: self.graph.kind(value),
            }),
        }
    }

    /// Pushes a class or function identified by a number that only the program that wrote it can
    /// resolve.
    pub(super) fn extension(&mut self, length: u64) -> Done {
        self.input.take(length)?;
        self.add(Node::Opaque("a class or function"));
        Ok(())
    }

    pub(super) fn call(&mut self, callable: Value, arguments: Vec<Value>) {
        let arguments = Value::Node(self.graph.add(Node::Tuple(arguments)));
        self.object(callable, arguments, Vec::new());
    }

    pub(super) fn object(&mut self, callable: Value, arguments: Value, states: Vec<Value>) {
        self.add(Node::Object(Box::new(Object {
            callable,
            arguments,
            states,
            items: Vec::new(),
            elements: Vec::new(),
        })));
    }

    pub(super) fn build(&mut self) -> Done {
        let state = self.pop()?;
        let target = self.top()?;
        let found = self.graph.kind(target);
        match self.graph.node_mut(target) {
            Some(Node::Object(object)) => object.states.push(state),
            _ => {
                let expected = "an object";
                return Err(PickleProblem::WrongKind { expected, found });
            }
        }
        Ok(())
    }
}

pub(super) fn pairs(values: &[Value]) -> Result<Vec<(Value, Value)>, PickleProblem> {
    let (pairs, rest) = values.as_chunks();
    if !rest.is_empty() {
        return Err(PickleProblem::KeyWithoutValue);
    }
    Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
}

/// Removes the quotes around text of protocol 0.
pub(super) fn unquoted(line: &[u8]) -> &[u8] {
    match line {
        [first @ (b'\'' | b'"'), middle @ .., last] if first == last => middle,
        _ => line,
    }
}
