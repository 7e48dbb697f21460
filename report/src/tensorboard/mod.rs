//! A run for TensorBoard.
//!
//! | file | what it holds |
//! |---|---|
//! | `NAME/` | settings for the hparams plugin, what the run is as texts, `speed/...`, `system/...` |
//! | `NAME/train/` | the figures of each step; `epoch/...`, those of each epoch |
//! | `NAME/validation/` | the scores after each epoch, the confusion and mistakes as pictures |
//! | `NAME/average/` | the same of the weights' moving average, where one is kept |
//! | `NAME/test/` | the same of the test, at the step that the tested network is from |
//!
//! A step is a step of the run, and the time that of the day it was taken on, pauses between sittings
//! included. What is not a number is left out.

mod clock;
mod messages;
mod parts;
mod pictures;
mod records;
mod settings;
mod values;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use events::History;

use crate::files::{self, ExportError};
use clock::Clock;
use parts::Part;
use records::Records;

/// What our files are called, around the time of the run's begin. TensorBoard reads every file with the
/// middle part in its name.
const PREFIX: &str = "events.out.tfevents.";
const SUFFIX: &str = ".resnet-export";

/// Writes a run into its folder `name` inside another, which is made if it is not there; the run's folder.
/// Files of an earlier export of a run of this name are replaced or removed, others are not touched.
///
/// # Errors
///
/// If the name leads out of the folder, or a file cannot be written or removed.
pub fn write(folder: &Path, name: &str, history: &History) -> Result<PathBuf, ExportError> {
    let run = files::inside(folder, name)?;
    let clock = Clock::new(&history.sittings);
    let begin = clock.at(0.0);
    // The same for every export of a run.
    let file = format!("{PREFIX}{begin:010.0}{SUFFIX}");
    for part in Part::ALL {
        let folder = match part.folder() {
            "" => run.clone(),
            inner => run.join(inner),
        };
        let is_there = part.is_there(history);
        if is_there {
            files::make_folder(&folder)?;
            files::write(&folder, &file, |writer| {
                let mut records = Records::new(writer, begin)?;
                part.write(history, &clock, &mut records)
            })?;
        }
        remove_earlier(&folder, is_there.then_some(&file))?;
    }
    Ok(run)
}

/// Removes our files but for the one that was just written, if one was.
fn remove_earlier(folder: &Path, kept: Option<&String>) -> Result<(), ExportError> {
    let wrap = |path: &Path| {
        let path = path.to_owned();
        move |source| ExportError::Remove { path, source }
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(wrap(folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(wrap(folder))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.starts_with(PREFIX) && name.ends_with(SUFFIX);
        if is_ours && kept.is_none_or(|kept| *kept != name) {
            fs::remove_file(entry.path()).map_err(wrap(&entry.path()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
