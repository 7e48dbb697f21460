//! `train watch`: the dashboard of a run that another program trains, or none any more.

use std::fs;
use std::path::{Path, PathBuf};

use dashboard::{Mode, Options, Source};
use train::TrainError;

use super::follow_arguments::WatchArguments;
use super::look;

pub(crate) fn run(arguments: &WatchArguments) -> anyhow::Result<()> {
    let runs_dir = &arguments.place.runs_dir;
    let mut folders = Vec::new();
    for run in arguments.run.iter().chain(&arguments.compare) {
        let folder = find(run, runs_dir)?;
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    if folders.is_empty() {
        folders.push(newest(runs_dir)?);
    }
    let sources = folders.into_iter().map(|folder| Source {
        name: look::name(&folder),
        folder,
    });
    let options = Options {
        mode: Mode::Watch,
        theme: look::theme(),
    };
    dashboard::run(sources.collect(), options, &mut |_| {}, &|| false, None)?;
    Ok(())
}

/// The folder of a run that has events, or will have some.
pub(super) fn find(run: &Path, runs_dir: &Path) -> anyhow::Result<PathBuf> {
    let folder = infer::find_run(run, runs_dir)?;
    match has_events(&folder) || events::is_locked(&folder) {
        true => Ok(folder),
        false => Err(TrainError::NoEvents { folder }.into()),
    }
}

fn has_events(folder: &Path) -> bool {
    folder.join(events::FILE).is_file()
}

/// The run with the newest events.
fn newest(runs_dir: &Path) -> Result<PathBuf, TrainError> {
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
