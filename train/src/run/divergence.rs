//! Detecting that training diverges.

use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::backend::Backend;

use super::finite::is_finite;
use crate::error::TrainError;

/// Detects losses and weights that are not finite.
pub(crate) struct LossWatch {
    /// The last checkpoint, if there is one.
    checkpoint: Option<PathBuf>,
}

/// Position of a step in a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepPosition {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The step, counted from 1 since the start of the run.
    pub step: usize,
    pub rate: f64,
}

impl LossWatch {
    pub(crate) fn new(checkpoint: Option<PathBuf>) -> Self {
        Self { checkpoint }
    }

    /// Replaces the last checkpoint.
    pub(crate) fn saved(&mut self, checkpoint: Option<PathBuf>) {
        self.checkpoint = checkpoint;
    }

    /// Returns an error if the loss of a step is not finite.
    pub(crate) fn check_finite(&self, position: StepPosition, loss: f64) -> Result<(), TrainError> {
        match loss.is_finite() {
            true => Ok(()),
            false => Err(self.diverged("the loss", position)),
        }
    }

    /// Returns an error if a weight after a step is not finite, which a finite loss does not rule out.
    pub(crate) fn check_weights<B: Backend, M: Module<B>>(
        &self,
        position: StepPosition,
        network: &M,
    ) -> Result<(), TrainError> {
        match is_finite(network) {
            true => Ok(()),
            false => Err(self.diverged("a weight", position)),
        }
    }

    fn diverged(&self, what: &'static str, position: StepPosition) -> TrainError {
        let StepPosition { epoch, step, rate } = position;
        TrainError::Diverged {
            what,
            step,
            epoch,
            rate,
            checkpoint: self.checkpoint.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diverged_step_is_named() {
        let position = StepPosition {
            epoch: 2,
            step: 12,
            rate: 0.5,
        };
        for bad in [f64::NAN, f64::INFINITY] {
            let mut watch = LossWatch::new(None);
            watch.check_finite(position, 1.0).unwrap();
            let text = watch.check_finite(position, bad).unwrap_err().to_string();
            assert!(text.contains("no checkpoint"), "{text}");

            watch.saved(Some("run/checkpoint/model-10.mpk".into()));
            let error = watch.check_finite(position, bad).unwrap_err();
            let text = error.to_string();
            assert!(
                text.contains("step 12 (epoch 2)") && text.contains("model-10.mpk"),
                "{text}"
            );
            assert!(error.hint().unwrap().contains("--clip"));
        }
    }
}
