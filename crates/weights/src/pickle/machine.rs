//! The machine that executes pickles.

use std::collections::HashMap;

use super::build::{pairs, unquoted};
use super::graph::{Graph, Node, Value};
use super::input::{Input, escaped, text};
use super::opcode::*;
use super::problem::PickleProblem;
use super::{Pickle, PickleError};

/// Maximum number of operations in a pickle. Checkpoints of the largest networks have a few hundred
/// thousand.
pub(super) const MAX_OPERATIONS: usize = 1 << 22;

/// Newest protocol, since Python 3.8.
const NEWEST_PROTOCOL: u8 = 5;

/// Reads the pickle that starts at the position `start` in `bytes`.
///
/// # Errors
///
/// If the pickle is cut off, damaged or too long; positions refer to `bytes`.
pub(crate) fn load(bytes: &[u8], start: usize) -> Result<Pickle<'_>, PickleError> {
    let mut machine = Machine {
        input: Input::new(bytes, start),
        graph: Graph::default(),
        stack: Vec::new(),
        marks: Vec::new(),
        memory: HashMap::new(),
    };
    for _ in 0..MAX_OPERATIONS {
        let position = machine.input.position();
        match machine.step() {
            Ok(None) => {}
            Ok(Some(root)) => {
                return Ok(Pickle {
                    graph: machine.graph,
                    root,
                    end: machine.input.position(),
                });
            }
            Err(problem) => return Err(PickleError { position, problem }),
        }
    }
    Err(PickleError {
        position: machine.input.position(),
        problem: PickleProblem::TooLong {
            limit: MAX_OPERATIONS,
        },
    })
}

pub(super) struct Machine<'a> {
    pub(super) input: Input<'a>,
    pub(super) graph: Graph<'a>,
    pub(super) stack: Vec<Value>,
    /// Stack length at each open mark.
    marks: Vec<usize>,
    /// Memo by number; a map, because pickles may use arbitrary numbers.
    memory: HashMap<u64, Value>,
}

pub(super) type Done = Result<(), PickleProblem>;

impl<'a> Machine<'a> {
    /// Executes one operation; the last one returns the pickled value.
    fn step(&mut self) -> Result<Option<Value>, PickleProblem> {
        let code = self.input.byte()?;
        match code {
            STOP => return self.pop().map(Some),
            PROTO => self.protocol()?,
            // Frames only help readers that read in chunks.
            FRAME => self.input.length().map(drop)?,

            MARK => self.marks.push(self.stack.len()),
            POP => self.pop_or_mark()?,
            POP_MARK => self.pop_mark().map(drop)?,
            DUP => self.stack.push(self.top()?),

            NONE => self.stack.push(Value::None),
            NEWTRUE => self.stack.push(Value::Bool(true)),
            NEWFALSE => self.stack.push(Value::Bool(false)),
            INT => self.integer_line()?,
            LONG => self.long_line()?,
            BININT => {
                let number = i32::from_le_bytes(self.input.array()?);
                self.stack.push(Value::Int(number.into()));
            }
            BININT1 => {
                let number = self.input.byte()?;
                self.stack.push(Value::Int(number.into()));
            }
            BININT2 => {
                let number = u16::from_le_bytes(self.input.array()?);
                self.stack.push(Value::Int(number.into()));
            }
            LONG1 => {
                let length = self.input.byte()?;
                self.long(length.into())?;
            }
            LONG4 => {
                let length = self.length32()?;
                self.long(length)?;
            }
            FLOAT => {
                self.input.line()?;
                self.stack.push(Value::Float);
            }
            BINFLOAT => {
                self.input.take(8)?;
                self.stack.push(Value::Float);
            }

            STRING => {
                let line = self.input.line()?;
                self.add(Node::Text(escaped(unquoted(line))));
            }
            UNICODE => {
                let line = self.input.line()?;
                self.add(Node::Text(escaped(line)));
            }
            SHORT_BINSTRING | SHORT_BINUNICODE => {
                let length = self.input.byte()?;
                self.text(length.into())?;
            }
            BINSTRING | BINUNICODE => {
                let length = self.length32()?;
                self.text(length)?;
            }
            BINUNICODE8 => {
                let length = self.input.length()?;
                self.text(length)?;
            }
            SHORT_BINBYTES => {
                let length = self.input.byte()?;
                self.opaque_bytes(length.into())?;
            }
            BINBYTES => {
                let length = self.length32()?;
                self.opaque_bytes(length)?;
            }
            BINBYTES8 | BYTEARRAY8 => {
                let length = self.input.length()?;
                self.opaque_bytes(length)?;
            }

            EMPTY_TUPLE => self.add(Node::Tuple(Vec::new())),
            TUPLE1 => self.tuple(1)?,
            TUPLE2 => self.tuple(2)?,
            TUPLE3 => self.tuple(3)?,
            TUPLE => {
                let values = self.pop_mark()?;
                self.add(Node::Tuple(values));
            }
            EMPTY_LIST => self.add(Node::List(Vec::new())),
            LIST => {
                let values = self.pop_mark()?;
                self.add(Node::List(values));
            }
            EMPTY_SET => self.add(Node::Set(Vec::new())),
            FROZENSET => {
                let values = self.pop_mark()?;
                self.add(Node::Set(values));
            }
            EMPTY_DICT => self.add(Node::Dict(Vec::new())),
            DICT => {
                let items = pairs(&self.pop_mark()?)?;
                self.add(Node::Dict(items));
            }
            APPEND => {
                let value = self.pop()?;
                self.append(vec![value])?;
            }
            APPENDS | ADDITEMS => {
                let values = self.pop_mark()?;
                self.append(values)?;
            }
            SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(vec![(key, value)])?;
            }
            SETITEMS => {
                let items = pairs(&self.pop_mark()?)?;
                self.set_items(items)?;
            }

            GLOBAL => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                self.global(text(module), text(name));
            }
            STACK_GLOBAL => self.stack_global()?,
            EXT1 => self.extension(1)?,
            EXT2 => self.extension(2)?,
            EXT4 => self.extension(4)?,
            REDUCE | NEWOBJ => {
                let arguments = self.pop()?;
                let callable = self.pop()?;
                self.object(callable, arguments, Vec::new());
            }
            NEWOBJ_EX => {
                let keywords = self.pop()?;
                let arguments = self.pop()?;
                let callable = self.pop()?;
                self.object(callable, arguments, vec![keywords]);
            }
            INST => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                let arguments = self.pop_mark()?;
                self.global(text(module), text(name));
                let callable = self.pop()?;
                self.call(callable, arguments);
            }
            OBJ => {
                let values = self.pop_mark()?;
                let (callable, arguments) = values.split_first().ok_or(PickleProblem::NoValue)?;
                self.call(*callable, arguments.to_vec());
            }
            BUILD => self.build()?,

            PERSID => {
                let line = self.input.line()?;
                let identity = self.graph.add(Node::Text(text(line)));
                self.add(Node::Persistent(Value::Node(identity)));
            }
            BINPERSID => {
                let identity = self.pop()?;
                self.add(Node::Persistent(identity));
            }

            GET => {
                let index = self.index_line()?;
                self.recall(index)?;
            }
            BINGET => {
                let index = self.input.byte()?;
                self.recall(index.into())?;
            }
            LONG_BINGET => {
                let index = self.length32()?;
                self.recall(index)?;
            }
            PUT => {
                let index = self.index_line()?;
                self.remember(index)?;
            }
            BINPUT => {
                let index = self.input.byte()?;
                self.remember(index.into())?;
            }
            LONG_BINPUT => {
                let index = self.length32()?;
                self.remember(index)?;
            }
            MEMOIZE => self.remember(self.memory.len() as u64)?,

            NEXT_BUFFER | READONLY_BUFFER => return Err(PickleProblem::OutsideBuffer),
            code => return Err(PickleProblem::UnknownOperation { code }),
        }
        Ok(None)
    }

    fn protocol(&mut self) -> Done {
        match self.input.byte()? {
            0..=NEWEST_PROTOCOL => Ok(()),
            protocol => Err(PickleProblem::UnknownProtocol { protocol }),
        }
    }

    // Stack operations. Values below the last mark are out of reach.

    pub(super) fn reachable(&self) -> &[Value] {
        &self.stack[self.marks.last().copied().unwrap_or(0)..]
    }

    pub(super) fn top(&self) -> Result<Value, PickleProblem> {
        self.reachable()
            .last()
            .copied()
            .ok_or(PickleProblem::NoValue)
    }

    pub(super) fn pop(&mut self) -> Result<Value, PickleProblem> {
        let value = self.top()?;
        self.stack.pop();
        Ok(value)
    }

    fn pop_or_mark(&mut self) -> Done {
        if self.reachable().is_empty() && self.marks.pop().is_some() {
            return Ok(());
        }
        self.pop().map(drop)
    }

    /// Removes and returns the values from a position on. Avoids `split_off`, which may pass on the
    /// stack's capacity; a pickle can make it large and then cut many times.
    pub(super) fn cut(&mut self, place: usize) -> Vec<Value> {
        self.stack.drain(place..).collect()
    }

    fn pop_mark(&mut self) -> Result<Vec<Value>, PickleProblem> {
        let mark = self.marks.pop().ok_or(PickleProblem::NoMark)?;
        Ok(self.cut(mark))
    }

    pub(super) fn add(&mut self, node: Node<'a>) {
        let id = self.graph.add(node);
        self.stack.push(Value::Node(id));
    }

    fn remember(&mut self, index: u64) -> Done {
        let value = self.top()?;
        self.memory.insert(index, value);
        Ok(())
    }

    fn recall(&mut self, index: u64) -> Done {
        let value = self.memory.get(&index);
        let value = value.ok_or(PickleProblem::NotRemembered { index })?;
        self.stack.push(*value);
        Ok(())
    }
}
