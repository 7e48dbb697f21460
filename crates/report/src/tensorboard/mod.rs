//! Exports a run for TensorBoard.
//!
//! | file | contents |
//! |---|---|
//! | `NAME/` | settings for the hparams plugin, description of the run as text, `speed/...`, `system/...` |
//! | `NAME/train/` | the figures of each step; as `epoch/...`, those of each epoch |
//! | `NAME/validation/` | the scores after each epoch, the confusion matrix and mistakes as images |
//! | `NAME/average/` | like `validation/`, for the moving average of the weights, if one is kept |
//! | `NAME/test/` | like `validation/`, for the test, at the step of the tested network |
//!
//! A step is a step of the run, with the wall-clock time at which it was taken, including pauses
//! between sittings. Non-finite values are left out.
//!
//! A run can be exported again, even while it trains: its curves are replaced. An open TensorBoard
//! picks up the new ones with its usual loader (with `--load_fast=false`, after a restart).

mod clock;
mod images;
mod messages;
mod parts;
mod records;
mod settings;
mod values;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use events::History;

use crate::export::{self, ExportError};
use clock::Clock;
use parts::LogFolder;
use records::Records;

/// Parts of our file names around the start time of the run and the number of the export.
/// TensorBoard reads every file with the middle part in its name.
const PREFIX: &str = "events.out.tfevents.";
const SUFFIX: &str = ".resnet-export";

/// Writes a run into the subfolder `name` of a folder, which is created if it is missing, and
/// returns the run's folder. Files of an earlier export under the same name are replaced or
/// removed; other files are left alone.
///
/// # Errors
///
/// If the name leads out of the folder, or a file cannot be written or removed.
pub fn write(folder: &Path, name: &str, history: &History) -> Result<PathBuf, ExportError> {
    let run = export::inside(folder, name)?;
    let clock = Clock::new(&history.sittings);
    let begin = clock.at(0.0);
    for part in LogFolder::ALL {
        let folder = match part.folder() {
            "" => run.clone(),
            inner => run.join(inner),
        };
        let earlier = earlier(&folder)?;
        if part.is_there(history) {
            export::make_folder(&folder)?;
            // An open TensorBoard looks for a name that sorts after the one that it has read.
            let number = earlier.iter().map(|(number, _)| number).max();
            let number = number.map_or(0, |number| number.wrapping_add(1));
            let file = format!("{PREFIX}{begin:010.0}.{number:06}{SUFFIX}");
            export::write(&folder, &file, |writer| {
                let mut records = Records::new(writer, begin)?;
                part.write(history, &clock, &mut records)
            })?;
        }
        for (_, path) in earlier {
            fs::remove_file(&path).map_err(|source| ExportError::Remove { path, source })?;
        }
    }
    Ok(run)
}

/// Returns our files in a folder, with the numbers of their exports.
fn earlier(folder: &Path) -> Result<Vec<(u32, PathBuf)>, ExportError> {
    let wrap = |source| ExportError::Look {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        entries => entries.map_err(wrap)?,
    };
    for entry in entries {
        let entry = entry.map_err(wrap)?;
        if let Some(number) = number(&entry.file_name().to_string_lossy()) {
            files.push((number, entry.path()));
        }
    }
    Ok(files)
}

/// Returns the number of a file's export, if the file is ours.
fn number(name: &str) -> Option<u32> {
    let middle = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    middle.rsplit_once('.')?.1.parse().ok()
}

#[cfg(test)]
mod tests;
