//! Which run is looked at.

use std::fs;
use std::path::{Path, PathBuf};

use train::TrainError;

/// The folder of a run that has events, or will have some.
pub(super) fn find(run: &Path, runs_dir: &Path) -> anyhow::Result<PathBuf> {
    let folder = command_line::find_run(run, runs_dir)?;
    match has_events(&folder) || events::is_locked(&folder) {
        true => Ok(folder),
        false => Err(TrainError::NoEvents { folder }.into()),
    }
}

/// The folders of these runs, each once, or that of the newest if there are none.
pub(super) fn find_all<'a>(
    runs: impl IntoIterator<Item = &'a PathBuf>,
    runs_dir: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for run in runs {
        let folder = find(run, runs_dir)?;
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    if folders.is_empty() {
        folders.push(newest(runs_dir)?);
    }
    Ok(folders)
}

/// The run with the newest events.
pub(super) fn newest(runs_dir: &Path) -> Result<PathBuf, TrainError> {
    let none = || TrainError::NoRuns {
        folder: runs_dir.to_owned(),
    };
    let entries = fs::read_dir(runs_dir).map_err(|_| none())?;
    let folders = entries.flatten().map(|entry| entry.path());
    let newest = folders.max_by_key(|folder| {
        let events = fs::metadata(folder.join(events::FILE)).ok();
        events.and_then(|events| events.modified().ok())
    });
    newest.filter(|folder| has_events(folder)).ok_or_else(none)
}

fn has_events(folder: &Path) -> bool {
    folder.join(events::FILE).is_file()
}
