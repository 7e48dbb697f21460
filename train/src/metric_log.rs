//! burn-train's metrics as files: `train/epoch-N/Loss.log`, a line for each step.
//!
//! The layout is that of burn-train's own file logger. That one panics in a thread when a disk is
//! full and starts a file anew when a run goes on in the middle of an epoch.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use burn_train::logger::MetricLogger;
use burn_train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn_train::metric::{MetricDefinition, MetricEntry, MetricId, NumericEntry};

use crate::error::TrainError;
use crate::stop::Stop;

const EPOCH_PREFIX: &str = "epoch-";

pub(crate) struct MetricLog {
    run: PathBuf,
    names: HashMap<MetricId, String>,
    /// Those of the epoch at hand.
    open: HashMap<PathBuf, File>,
    stop: Stop,
}

impl MetricLog {
    pub(crate) fn new(run: &Path, stop: Stop) -> Self {
        Self {
            run: run.to_owned(),
            names: HashMap::new(),
            open: HashMap::new(),
            stop,
        }
    }

    fn path(&self, name: &str, epoch: usize, split: &Split) -> PathBuf {
        self.run
            .join(split.to_string())
            .join(format!("{EPOCH_PREFIX}{epoch}"))
            .join(format!("{}.log", name.replace(' ', "_")))
    }

    fn append(&mut self, path: &Path, line: &str) -> io::Result<()> {
        if !self.open.contains_key(path) {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = File::options().append(true).create(true).open(path)?;
            self.open.insert(path.to_owned(), file);
        }
        match self.open.get_mut(path) {
            Some(file) => writeln!(file, "{line}"),
            None => Ok(()),
        }
    }
}

impl MetricLogger for MetricLog {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        let numeric = update
            .entries_numeric
            .into_iter()
            .map(|update| update.entry);
        for entry in update.entries.into_iter().chain(numeric) {
            let MetricEntry {
                metric_id,
                serialized_entry,
            } = entry;
            let Some(name) = self.names.get(&metric_id) else {
                continue;
            };
            let path = self.path(name, epoch, split);
            if let Err(source) = self.append(&path, &serialized_entry.serialized) {
                self.stop.fail(TrainError::io("write", path)(source));
                return;
            }
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        fs::read_to_string(self.path(name, epoch, split))
            .unwrap_or_default()
            .lines()
            .map(NumericEntry::deserialize)
            .collect()
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name);
    }

    fn log_epoch_summary(&mut self, _: EpochSummary) {
        self.open.clear();
    }
}

/// Takes back what was logged after the point that a run is resumed from, so that nothing stands
/// there twice.
pub(crate) fn rewind(run: &Path, epoch: usize, steps_in_epoch: usize) -> Result<(), TrainError> {
    for (split, steps) in [(Split::Train, steps_in_epoch), (Split::Valid, 0)] {
        let folder = run.join(split.to_string());
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(TrainError::io("read", &folder))?,
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let number = path.file_name().and_then(|name| {
                name.to_str()?
                    .strip_prefix(EPOCH_PREFIX)?
                    .parse::<usize>()
                    .ok()
            });
            match number {
                Some(number) if number == epoch && steps > 0 => cut(&path, steps)?,
                Some(number) if number >= epoch => {
                    fs::remove_dir_all(&path).map_err(TrainError::io("remove", &path))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Keeps the first lines of each file of a folder.
fn cut(folder: &Path, lines: usize) -> Result<(), TrainError> {
    for entry in fs::read_dir(folder)
        .map_err(TrainError::io("read", folder))?
        .flatten()
    {
        let path = entry.path();
        let text = fs::read_to_string(&path).map_err(TrainError::io("read", &path))?;
        let kept: String = text.split_inclusive('\n').take(lines).collect();
        weights::write_atomically(&path, kept.as_bytes()).map_err(TrainError::io("write", path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewinding_leaves_what_was_saved() {
        let run = tempfile::tempdir().unwrap();
        for (split, epoch) in [
            ("train", 1),
            ("valid", 1),
            ("train", 2),
            ("valid", 2),
            ("train", 3),
        ] {
            let folder = run.path().join(split).join(format!("epoch-{epoch}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("Loss.log"), "3,64\n2,64\n1,64\n").unwrap();
        }

        rewind(run.path(), 2, 2).unwrap();

        let read = |path: &str| fs::read_to_string(run.path().join(path).join("Loss.log")).ok();
        assert_eq!(read("train/epoch-1").unwrap().lines().count(), 3);
        assert_eq!(read("valid/epoch-1").unwrap().lines().count(), 3);
        assert_eq!(read("train/epoch-2").unwrap(), "3,64\n2,64\n");
        assert_eq!(read("valid/epoch-2"), None);
        assert_eq!(read("train/epoch-3"), None);
        rewind(&run.path().join("new"), 1, 0).unwrap();
    }

    #[test]
    fn a_full_disk_ends_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let stop = Stop::default();
        // A file where a folder should be fails like a full disk, but anywhere.
        let mut log = MetricLog::new(&file, stop.clone());
        let id = MetricId::new(std::sync::Arc::new("Loss".to_owned()));
        log.names.insert(id.clone(), "Loss".to_owned());
        let entry = MetricEntry::new(
            id,
            burn_train::metric::SerializedEntry::new(String::new(), "1".to_owned()),
        );
        log.log(MetricsUpdate::new(vec![entry], vec![]), 1, &Split::Train);
        assert!(
            stop.take_failure()
                .unwrap()
                .to_string()
                .contains("Loss.log")
        );
    }
}
