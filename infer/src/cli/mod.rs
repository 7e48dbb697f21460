//! What the program is to its user: arguments and output.

pub(crate) mod arguments;
pub(crate) mod output;
