//! Python's pickles, read as plain data.
//!
//! A pickle is a program for a small machine with a stack and a memory. Python's own runs whatever
//! class or function the program names; [`load`] only writes down that it was named, so a
//! checkpoint that holds the settings of a training run, numpy's numbers and an optimizer reads as
//! well as a bare state dict, and one that names `os.system` does nothing.
//!
//! Memory grows with the bytes read, by less than a hundred times, and stops growing at
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

/// A pickle that was read.
#[derive(Debug)]
pub(crate) struct Pickle<'a> {
    pub graph: Graph<'a>,
    /// What was pickled.
    pub root: Value,
    /// The place of the first byte behind the pickle.
    pub end: usize,
}

/// Where and why a pickle cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PickleError {
    /// The place of the operation that failed.
    pub position: usize,
    pub problem: PickleProblem,
}
