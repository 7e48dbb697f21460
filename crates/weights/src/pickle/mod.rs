//! Reads Python pickles as plain data.
//!
//! A pickle is a program for a small machine with a stack and a memory. Python's machine runs any
//! class or function that the program names. [`load`] only records the name. A checkpoint with
//! training settings, numpy numbers and an optimizer therefore loads as well as a bare state dict,
//! and one that names `os.system` does nothing.
//!
//! Memory use is less than a hundred times the bytes read, and is bounded by
//! [`MAX_OPERATIONS`](machine::MAX_OPERATIONS).

mod build;
mod graph;
mod input;
mod machine;
mod opcode;
mod problem;

#[cfg(test)]
mod tests;

pub(crate) use graph::{Graph, Node, Object, Value};
pub(crate) use machine::load;
pub use problem::PickleProblem;

/// A parsed pickle.
#[derive(Debug)]
pub(crate) struct Pickle<'a> {
    pub graph: Graph<'a>,
    /// Pickled value.
    pub root: Value,
    /// Position of the first byte after the pickle.
    pub end: usize,
}

/// Location and reason of a failure to read a pickle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PickleError {
    /// Position of the operation that failed.
    pub position: usize,
    pub problem: PickleProblem,
}
