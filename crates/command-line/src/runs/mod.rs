//! Finds runs in their folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use saved_models::DESCRIPTION_FILE;
use saved_models::SavedModelError;

mod choice;

pub use choice::{Candidates, Choice, Skipped, Why};

/// Returns the folder of a run, given the folder itself or the run's name in `runs_dir`. A folder
/// without a model, such as one of images, does not hide a run of the same name.
///
/// # Errors
///
/// If neither exists.
pub fn find_run(run: &Path, runs_dir: &Path) -> Result<PathBuf, SavedModelError> {
    let named = runs_dir.join(run);
    let is_name = run.file_name() == Some(run.as_os_str());
    // It only shares its name with a run.
    let is_other = is_name && named.is_dir() && !run.join(DESCRIPTION_FILE).is_file();
    match run.is_dir() && !is_other {
        true => Ok(run.to_owned()),
        false if named.is_dir() => Ok(named),
        false => Err(SavedModelError::NoRun {
            path: run.to_owned(),
        }),
    }
}

/// Returns the newest run that has a file, such as events or a model, or `None` if no run has it
/// yet. The newest run is the one that last wrote to its folder.
///
/// # Errors
///
/// If the folder exists but cannot be read.
pub fn newest_run(runs_dir: &Path, file: &str) -> Result<Option<PathBuf>, SavedModelError> {
    Ok(runs_with(runs_dir, file)?.into_iter().next())
}

/// Returns the folders of runs that have a file, newest first.
fn runs_with(runs_dir: &Path, file: &str) -> Result<Vec<PathBuf>, SavedModelError> {
    let read_error = |source| SavedModelError::Read {
        path: runs_dir.to_owned(),
        source,
    };
    let entries = match fs::read_dir(runs_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(read_error)?,
    };
    let mut runs = Vec::new();
    for entry in entries {
        let folder = entry.map_err(read_error)?.path();
        if folder.join(file).is_file() {
            runs.push((last_written(&folder), folder));
        }
    }
    runs.sort();
    Ok(runs.into_iter().rev().map(|(_, folder)| folder).collect())
}

/// Returns the time when a run last wrote an event or a model.
fn last_written(folder: &Path) -> Option<SystemTime> {
    let files = [events::FILE, DESCRIPTION_FILE].map(|file| folder.join(file));
    let times = files
        .iter()
        .filter_map(|file| fs::metadata(file).ok()?.modified().ok());
    times.max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn newest_run_is_found_by_model_time() {
        let runs = tempfile::tempdir().unwrap();
        assert_eq!(
            newest_run(&runs.path().join("missing"), DESCRIPTION_FILE).unwrap(),
            None
        );
        for (name, age) in [("b", 20), ("a", 10), ("c", 30)] {
            let folder = runs.path().join(name);
            fs::create_dir(&folder).unwrap();
            let file = fs::File::create(folder.join(DESCRIPTION_FILE)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age))
                .unwrap();
        }
        fs::create_dir(runs.path().join("without a model")).unwrap();
        assert_eq!(
            newest_run(runs.path(), DESCRIPTION_FILE).unwrap(),
            Some(runs.path().join("a"))
        );
        // A run that just wrote an event is newer than its model.
        fs::write(runs.path().join("c").join(events::FILE), "").unwrap();
        for file in [DESCRIPTION_FILE, events::FILE] {
            let newest = newest_run(runs.path(), file).unwrap();
            assert_eq!(newest, Some(runs.path().join("c")));
        }
    }

    #[test]
    fn runs_are_found_by_folder_and_by_name() {
        let runs = tempfile::tempdir().unwrap();
        let folder = runs.path().join("mine");
        fs::create_dir(&folder).unwrap();
        assert_eq!(find_run(&folder, Path::new("elsewhere")).unwrap(), folder);
        assert_eq!(find_run(Path::new("mine"), runs.path()).unwrap(), folder);
        assert!(find_run(Path::new("other"), runs.path()).is_err());
    }
}
