//! Keeping the network of an epoch.

use std::fs;
use std::path::Path;

use burn::tensor::backend::Backend;
use infer::{Accuracy, SavedModel};
use model::Network;

use crate::checkpoint::Best;
use crate::error::TrainError;
use crate::plan::Plan;
use crate::totals::Score;

/// Saves the network of an epoch into a folder if it scored better than all before, or if the last epoch
/// is to be kept; whether it scored better.
pub(crate) fn keep<B: Backend>(
    plan: &Plan,
    folder: &Path,
    network: &Network<B>,
    epoch: usize,
    score: Score,
    best: &mut Option<Best>,
) -> Result<bool, TrainError> {
    let is_best = best.is_none_or(|best| best.is_beaten_by(score));
    if is_best || plan.config.keeps_last_epoch() {
        let accuracy = Accuracy {
            validation: plan.validated(score.accuracy),
            test: None,
        };
        fs::create_dir_all(folder).map_err(TrainError::io("create", folder))?;
        SavedModel::save(folder, network, &plan.description(epoch, accuracy))?;
    }
    if is_best {
        *best = Some(Best { epoch, score });
    }
    Ok(is_best)
}
