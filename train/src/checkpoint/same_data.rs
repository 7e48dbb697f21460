//! Checks that a resumed run uses the images it was started with.

use data::Source;

use super::Checkpoints;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::plan::{Fingerprint, Plan};
use crate::settings::TrainConfig;

impl Plan {
    /// Compares the images with those of a run's last checkpoint, if there is one. If the data has moved, the files
    /// must have the same content. If it has not, changed files only cause the returned warning, because an image may
    /// have been repaired.
    ///
    /// # Errors
    ///
    /// If the images differ, or if the data has moved and it is unknown whether the files differ.
    pub fn check_data(&self, folder: &RunFolder) -> Result<Option<String>, TrainError> {
        let Some(checkpoint) = Checkpoints::new(folder.path()).latest()? else {
            return Ok(None);
        };
        let Some(before) = &checkpoint.state.data else {
            return Ok(None);
        };
        let now = Fingerprint::of(self);
        let data = self.data.name.clone();
        if let Some(difference) = now.difference(before) {
            return Err(TrainError::OtherImages { data, difference });
        }
        let (_, config) = RunFolder::open(folder.path().to_owned())?;
        let place = |config: &TrainConfig| {
            (
                config.data.clone(),
                config.data_dir.clone(),
                config.labels.clone(),
            )
        };
        let is_moved = place(&config) != place(&self.config);
        let difference = "their files have different contents".to_owned();
        match now.has_same_content(before) {
            Some(true) => Ok(None),
            Some(false) if is_moved => Err(TrainError::OtherImages { data, difference }),
            Some(false) => Ok(Some(format!(
                "files of {data} have changed since the last checkpoint"
            ))),
            // Published data sets are checked on loading.
            None if is_moved && matches!(self.config.data, Source::Folder(_)) => {
                Err(TrainError::UnknownImages { data })
            }
            None => Ok(None),
        }
    }
}
