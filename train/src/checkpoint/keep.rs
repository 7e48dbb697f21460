//! Saves the network of the best or last epoch.

use std::fs;
use std::path::Path;

use burn::tensor::backend::Backend;
use model::Network;
use saved_models::{Accuracy, SavedModel};

use crate::checkpoint::{Best, RunState};
use crate::error::TrainError;
use crate::folder::{RAW_FOLDER, TEST_FILE};
use crate::plan::Plan;

/// Saves the network of the epoch that `state` has just completed, and its average if there is one, if `state`
/// selects that epoch.
///
/// Called when a checkpoint with this state is complete, and again when a run resumes from one. A saved network
/// therefore never belongs to an epoch that must be trained again, perhaps with a different result.
pub(crate) fn keep<B: Backend>(
    plan: &Plan,
    folder: &Path,
    state: &RunState,
    network: &Network<B>,
    average: Option<&Network<B>>,
) -> Result<(), TrainError> {
    if state.steps_in_epoch > 0 {
        return Ok(()); // within an epoch, or not yet scored
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

/// Checks the saved networks of earlier epochs, so that a resumed run does not discover only at its end that the
/// network to test is damaged.
pub(crate) fn check_kept(plan: &Plan, folder: &Path, state: &RunState) -> Result<(), TrainError> {
    let check = |folder: &Path| SavedModel::open(folder)?.check_weights();
    // The network of the epoch just completed is about to be saved again, as is that of a run that keeps its last
    // epoch.
    let is_last = plan.config.keeps_last_epoch();
    let is_earlier =
        |kept: &Best| !is_last && (state.steps_in_epoch > 0 || kept.epoch + 1 < state.epoch);
    if state
        .kept(&plan.config)
        .is_some_and(|kept| is_earlier(&kept))
    {
        check(folder)?;
    }
    if plan.config.ema.is_some()
        && state
            .kept_raw(&plan.config)
            .is_some_and(|kept| is_earlier(&kept))
    {
        check(&folder.join(RAW_FOLDER))?;
    }
    Ok(())
}

fn save<B: Backend>(
    plan: &Plan,
    folder: &Path,
    network: &Network<B>,
    kept: Best,
) -> Result<(), TrainError> {
    fs::create_dir_all(folder).map_err(TrainError::io("create", folder))?;
    // The file holds test metrics of a different network.
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
