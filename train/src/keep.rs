//! Keeping the network of an epoch.

use std::fs;
use std::path::Path;

use burn::tensor::backend::Backend;
use infer::{Accuracy, SavedModel};
use model::Network;

use crate::checkpoint::{Best, RunState};
use crate::error::TrainError;
use crate::folder::{RAW_FOLDER, TEST_FILE};
use crate::plan::Plan;

/// Saves the network of the epoch that a state stands behind, and its average if there is one, where the
/// state says that they are to be kept.
///
/// It is called when a checkpoint with this state is whole, and again when a run goes on from one. So what is
/// kept is never of an epoch that has to be trained again, perhaps with another end.
pub(crate) fn keep<B: Backend>(
    plan: &Plan,
    folder: &Path,
    state: &RunState,
    network: &Network<B>,
    average: Option<&Network<B>>,
) -> Result<(), TrainError> {
    if state.steps_in_epoch > 0 {
        return Ok(()); // within an epoch, or before its scores
    }
    let is_due = |kept: &Best| kept.epoch + 1 == state.epoch;
    let kept = state.kept(&plan.config).filter(is_due);
    let kept_raw = state.kept_raw(&plan.config).filter(is_due);
    if let (Some(kept), Some(_)) = (kept_raw, average) {
        save(plan, &folder.join(RAW_FOLDER), network, kept)?;
    }
    match kept {
        Some(kept) => save(plan, folder, average.unwrap_or(network), kept),
        None => Ok(()),
    }
}

fn save<B: Backend>(
    plan: &Plan,
    folder: &Path,
    network: &Network<B>,
    kept: Best,
) -> Result<(), TrainError> {
    fs::create_dir_all(folder).map_err(TrainError::io("create", folder))?;
    // What another network came to on the test pictures.
    let test = folder.join(TEST_FILE);
    if test.is_file() {
        fs::remove_file(&test).map_err(TrainError::io("remove", &test))?;
    }
    let accuracy = Accuracy {
        validation: plan.validated(kept.score.accuracy),
        test: None,
    };
    SavedModel::save(folder, network, &plan.description(kept.epoch, accuracy))?;
    Ok(())
}
