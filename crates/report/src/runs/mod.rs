//! The runs of a folder, as a table.
//!
//! | module | contents |
//! |---|---|
//! | `summary` | summary of a run |
//! | `settings` | summary of a run without events |
//! | `column` | columns to sort by |
//! | `filter` | filters for runs |
//! | `listing` | the table |

mod column;
mod filter;
mod listing;
mod settings;
mod summary;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use thiserror::Error;

pub use column::{Column, UnknownColumn, sort};
pub use filter::{Filter, FilterError, matches_all};
pub use listing::{listing, listing_within};
pub use summary::{RunState, RunSummary};

/// A file that every run has, even from versions without events.
const CONFIG: &str = "config.toml";

/// The folder cannot be read.
#[derive(Debug, Error)]
#[error("cannot read {}", path.display())]
pub struct FindError {
    /// The folder.
    pub path: PathBuf,
    /// The I/O error.
    pub source: io::Error,
}

/// Returns all runs of a folder in arbitrary order: its subfolders, and the subfolders of those
/// that are not runs themselves, such as a study. Includes runs that cannot be read, with the
/// reason.
///
/// # Errors
///
/// If the folder itself cannot be read.
pub fn find(folder: &Path) -> Result<Vec<RunSummary>, FindError> {
    let mut found = Vec::new();
    for (name, path) in subfolders(folder)? {
        if is_run(&path) {
            found.push((name, path));
            continue;
        }
        // A subfolder that cannot be read has no runs to show.
        for (inner, path) in subfolders(&path).unwrap_or_default() {
            if is_run(&path) {
                found.push((format!("{name}/{inner}"), path));
            }
        }
    }
    let summaries = found.into_par_iter();
    Ok(summaries
        .map(|(name, path)| RunSummary::read(name, &path))
        .collect())
}

fn is_run(folder: &Path) -> bool {
    folder.join(CONFIG).is_file() || folder.join(events::FILE).symlink_metadata().is_ok()
}

/// Returns the subfolders of a folder with their names, without hidden ones.
fn subfolders(folder: &Path) -> Result<Vec<(String, PathBuf)>, FindError> {
    let wrap = |source| FindError {
        path: folder.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(wrap)? {
        let entry = entry.map_err(wrap)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if !name.starts_with('.') && path.is_dir() {
            found.push((name, path));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
