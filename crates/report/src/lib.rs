//! Reports of runs: pages to read, tables, and files for other programs.
//!
//! Everything is created from an [`events::History`], and is returned as text or bytes or written
//! to a folder given by the caller. Nothing here reads arguments or prints.
//!
//! ```
//! use events::{Epoch, Event, History, Metrics};
//!
//! let mut history = History::default();
//! history.push(Event::Epoch(Box::new(Epoch {
//!     epoch: 1,
//!     validation: Metrics::from_iter([("loss", 0.5), ("accuracy", 0.875)]),
//!     ..Epoch::default()
//! })));
//! let mut table = Vec::new();
//! report::csv::write_epochs(&history, &mut table)?;
//! assert!(String::from_utf8_lossy(&table).contains("0.875"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! | module | contents |
//! |---|---|
//! | [`chart`] | line charts as SVG |
//! | [`csv`] | the figures of a run for spreadsheets |
//! | `export` | complete files for other programs |
//! | `page` | runs as one HTML file, or as Markdown |
//! | `places` | paths as shown in reports |
//! | [`runs`] | the runs of a folder, as a table |
//! | [`table`] | tables as text |
//! | [`tensorboard`] | a run for TensorBoard |

pub mod chart;
pub mod csv;
mod export;
mod page;
mod places;
pub mod runs;
pub mod table;
pub mod tensorboard;

#[cfg(test)]
#[path = "../../events/tests/synthetic/mod.rs"]
mod synthetic;

pub use export::ExportError;
pub use page::{NamedRun, markdown, page};
