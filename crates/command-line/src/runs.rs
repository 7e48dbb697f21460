//! Finding runs in the folder that holds them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use saved_models::DESCRIPTION_FILE;
use saved_models::SavedModelError;

mod choice;

pub use choice::{Candidates, Choice, Skipped, Why};

/// A run by its folder, or by its name in the folder of runs. A folder without a model, such as one of
/// images, does not hide a run of that name.
///
/// # Errors
///
/// If neither is there.
pub fn find_run(run: &Path, runs_dir: &Path) -> Result<PathBuf, SavedModelError> {
    let named = runs_dir.join(run);
    let is_name = run.file_name() == Some(run.as_os_str());
    // It only has the name of a run.
    let is_other = is_name && named.is_dir() && !run.join(DESCRIPTION_FILE).is_file();
    match run.is_dir() && !is_other {
        true => Ok(run.to_owned()),
        false if named.is_dir() => Ok(named),
        false => Err(SavedModelError::NoRun {
            path: run.to_owned(),
        }),
    }
}

/// The run whose model was written last; none where no run has a model yet.
///
/// # Errors
///
/// If the folder is there but cannot be read.
pub fn newest_run(runs_dir: &Path) -> Result<Option<PathBuf>, SavedModelError> {
    Ok(runs_with_a_model(runs_dir)?.into_iter().next())
}

/// The folders of runs that have a model, that whose model was written last first.
fn runs_with_a_model(runs_dir: &Path) -> Result<Vec<PathBuf>, SavedModelError> {
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
        let Ok(metadata) = fs::metadata(folder.join(DESCRIPTION_FILE)) else {
            continue; // no run, or one without a model
        };
        runs.push((metadata.modified().map_err(read_error)?, folder));
    }
    runs.sort();
    Ok(runs.into_iter().rev().map(|(_, folder)| folder).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_newest_model_counts_not_the_name() {
        let runs = tempfile::tempdir().unwrap();
        assert_eq!(newest_run(&runs.path().join("missing")).unwrap(), None);
        for (name, age) in [("b", 20), ("a", 10), ("c", 30)] {
            let folder = runs.path().join(name);
            fs::create_dir(&folder).unwrap();
            let file = fs::File::create(folder.join(DESCRIPTION_FILE)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age))
                .unwrap();
        }
        fs::create_dir(runs.path().join("without a model")).unwrap();
        assert_eq!(
            newest_run(runs.path()).unwrap(),
            Some(runs.path().join("a"))
        );
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
