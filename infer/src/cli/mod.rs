//! Command-line interface: arguments and output.

pub(crate) mod arguments;
pub(crate) mod benchmark;
pub(crate) mod generate;
pub(crate) mod model;
pub(crate) mod output;
