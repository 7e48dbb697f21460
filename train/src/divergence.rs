//! Noticing that training diverges.

use std::path::PathBuf;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_train::ClassificationOutput;

use crate::error::TrainError;

/// Looks at the loss of every step one step later, so that no device has to wait for it.
pub(crate) struct LossWatch<B: Backend> {
    /// The last checkpoint, if there is one.
    checkpoint: Option<PathBuf>,
    pending: Option<(Place, Tensor<B, 1>)>,
}

/// A step of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Counted from 1.
    pub epoch: usize,
    /// Counted from 1 since the start of the run.
    pub step: usize,
    pub rate: f64,
}

impl<B: Backend> LossWatch<B> {
    pub(crate) fn new(checkpoint: Option<PathBuf>) -> Self {
        Self {
            checkpoint,
            pending: None,
        }
    }

    /// Takes in the output of a step, and fails if the loss of the one before was not finite.
    pub(crate) fn next(
        &mut self,
        place: Place,
        output: &ClassificationOutput<B>,
    ) -> Result<(), TrainError> {
        let before = self.pending.replace((place, output.loss.clone()));
        self.check(before)
    }

    /// The last checkpoint is another one now.
    pub(crate) fn saved(&mut self, checkpoint: Option<PathBuf>) {
        self.checkpoint = checkpoint;
    }

    /// The same for the last step.
    pub(crate) fn finish(mut self) -> Result<(), TrainError> {
        let last = self.pending.take();
        self.check(last)
    }

    fn check(&self, step: Option<(Place, Tensor<B, 1>)>) -> Result<(), TrainError> {
        match step {
            Some((place, loss)) => self.check_finite(place, value(loss)),
            None => Ok(()),
        }
    }

    /// Fails if a loss after a step is not finite.
    pub(crate) fn check_finite(&self, place: Place, loss: f64) -> Result<(), TrainError> {
        if loss.is_finite() {
            return Ok(());
        }
        let Place { epoch, step, rate } = place;
        Err(TrainError::Diverged {
            step,
            epoch,
            rate,
            checkpoint: self.checkpoint.clone(),
        })
    }
}

fn value<B: Backend>(loss: Tensor<B, 1>) -> f64 {
    loss.into_data().iter().next().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    fn output(loss: f32) -> ClassificationOutput<Flex> {
        let device = Default::default();
        ClassificationOutput::new(
            Tensor::from_floats([loss], &device),
            Tensor::zeros([1, 2], &device),
            Tensor::from_ints([0], &device),
        )
    }

    fn place(step: usize) -> Place {
        Place {
            epoch: 2,
            step,
            rate: 0.5,
        }
    }

    #[test]
    fn the_step_that_diverged_is_named() {
        for bad in [f32::NAN, f32::INFINITY] {
            let mut watch = LossWatch::new(Some("run/checkpoint/model-10.mpk".into()));
            watch.next(place(11), &output(1.0)).unwrap();
            watch.next(place(12), &output(bad)).unwrap();
            let error = watch.next(place(13), &output(bad)).unwrap_err();
            let text = error.to_string();
            assert!(
                text.contains("step 12 (epoch 2)") && text.contains("model-10.mpk"),
                "{text}"
            );
            assert!(error.hint().unwrap().contains("--clip"));
        }
        let mut watch = LossWatch::new(None);
        watch.next(place(1), &output(f32::NAN)).unwrap();
        let text = watch.finish().unwrap_err().to_string();
        assert!(text.contains("no checkpoint"), "{text}");
    }
}
