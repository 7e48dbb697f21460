//! Keeping the best network of a run.

use std::fs;
use std::path::Path;

use burn::tensor::backend::Backend;
use infer::{Accuracy, SavedModel};
use model::Network;

use crate::checkpoint::Best;
use crate::error::TrainError;
use crate::plan::Plan;
use crate::totals::Score;

/// Saves the network of an epoch into a folder if it is better than the best so far, or if the last
/// epoch is kept; whether it did.
pub(crate) fn keep<B: Backend>(
    plan: &Plan,
    folder: &Path,
    network: &Network<B>,
    epoch: usize,
    score: Score,
    best: &mut Option<Best>,
) -> Result<bool, TrainError> {
    let is_best =
        plan.config.keeps_last_epoch() || best.is_none_or(|best| score.accuracy > best.accuracy);
    if is_best {
        let accuracy = Accuracy {
            validation: plan.validated(score.accuracy),
            test: None,
        };
        fs::create_dir_all(folder).map_err(TrainError::io("create", folder))?;
        SavedModel::save(folder, network, &plan.description(epoch, accuracy))?;
        *best = Some(Best {
            epoch,
            accuracy: score.accuracy,
        });
    }
    Ok(is_best)
}
