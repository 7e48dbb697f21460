//! Whether a run that is resumed has the images that it was started with.

use data::Source;

use super::Checkpoints;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::plan::{Fingerprint, Plan};
use crate::settings::TrainConfig;

impl Plan {
    /// Compares the images with those of a run's last checkpoint, if there is one. In another place
    /// than before, their files have to be the same; in the same place, a warning says that they are
    /// not: an image may have been repaired.
    ///
    /// # Errors
    ///
    /// If they differ, or it is not known whether the files do.
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
            // Published sets are checked as they are loaded.
            None if is_moved && matches!(self.config.data, Source::Folder(_)) => {
                Err(TrainError::UnknownImages { data })
            }
            None => Ok(None),
        }
    }
}
