//! Keeping the network of an epoch.

use std::fs;
use std::path::Path;

use burn::tensor::backend::Backend;
use model::Network;
use saved_models::{Accuracy, SavedModel};

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

/// Checks that what was kept of epochs before is whole, so that a resumed run does not find out at its end that
/// the network to test is damaged.
pub(crate) fn check_kept(plan: &Plan, folder: &Path, state: &RunState) -> Result<(), TrainError> {
    let check = |folder: &Path| SavedModel::open(folder)?.check_weights();
    // What is of the last epoch is about to be saved again, and a run that keeps its last one will do so.
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
    // Test metrics of another network.
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
