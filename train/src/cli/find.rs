//! Selection of runs to read.

use std::path::{Path, PathBuf};

use train::TrainError;

/// Returns the folder of a run that has events, or will have some.
pub(super) fn find(run: &Path, runs_dir: &Path) -> anyhow::Result<PathBuf> {
    let folder = command_line::find_run(run, runs_dir)?;
    match has_events(&folder) || events::is_locked(&folder) {
        true => Ok(folder),
        false => Err(TrainError::NoEvents { folder }.into()),
    }
}

/// Returns the folders of the given runs without duplicates, or the newest run if none are given.
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

/// Returns the newest run that has events.
pub(super) fn newest(runs_dir: &Path) -> anyhow::Result<PathBuf> {
    let newest = command_line::newest_run(runs_dir, events::FILE)?;
    Ok(newest.ok_or_else(|| TrainError::NoRuns {
        folder: runs_dir.to_owned(),
    })?)
}

fn has_events(folder: &Path) -> bool {
    folder.join(events::FILE).is_file()
}
