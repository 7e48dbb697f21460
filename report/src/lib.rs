//! What is left of runs: a page to read, tables, files for other programs.
//!
//! Everything here is made from an [`events::History`] and returned as text or bytes, or written to a
//! folder that the caller names. Nothing here reads arguments or prints.
//!
//! | module | what it holds |
//! |---|---|
//! | [`chart`] | line charts as SVG |
//! | `page` | runs as one HTML file |

pub mod chart;
mod page;

pub use page::{NamedRun, page};
