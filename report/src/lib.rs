//! What is left of runs: a page to read, tables, files for other programs.
//!
//! Everything here is made from an [`events::History`] and returned as text or bytes, or written to a
//! folder that the caller names. Nothing here reads arguments or prints.
//!
//! | module | what it holds |
//! |---|---|
//! | [`csv`] | the figures of a run for spreadsheets |
//! | `files` | files that are whole or not there |
//! | [`runs`] | the runs of a folder, as a table |
//! | [`table`] | tables as text |
//! | [`tensorboard`] | a run for TensorBoard |

pub mod csv;
mod files;
pub mod runs;
pub mod table;
pub mod tensorboard;

#[cfg(test)]
#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

pub use files::ExportError;
