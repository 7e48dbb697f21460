//! Loss and accuracy over many batches.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use burn_train::ClassificationOutput;
use serde::{Deserialize, Serialize};

/// Loss and accuracy over a set of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean cross entropy per picture, in nats.
    pub loss: f64,
    /// Share of pictures classified rightly, 0 to 1.
    pub accuracy: f64,
}

/// What a [`Score`] is made of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sums {
    /// Cross entropy of all pictures, in nats.
    pub loss: f64,
    /// Pictures classified rightly.
    pub correct: i64,
    pub pictures: usize,
}

impl Sums {
    /// None without a picture.
    pub(crate) fn score(&self) -> Option<Score> {
        (self.pictures > 0).then(|| Score {
            loss: self.loss / self.pictures as f64,
            accuracy: self.correct as f64 / self.pictures as f64,
        })
    }
}

/// Sums that stay on the device until they are asked for, so that no step waits for them.
pub(crate) struct Totals<B: Backend> {
    tensors: Option<(Tensor<B, 1>, Tensor<B, 1, Int>)>,
    pictures: usize,
    earlier: Option<Sums>,
}

impl<B: Backend> Totals<B> {
    /// Goes on from sums, if there are any.
    pub(crate) fn resumed(earlier: Option<Sums>) -> Self {
        Self {
            tensors: None,
            pictures: 0,
            earlier,
        }
    }

    pub(crate) fn add(&mut self, output: &ClassificationOutput<B>) {
        let [batch, _classes] = output.output.dims();
        let predicted = output.output.clone().argmax(1).reshape([batch]);
        let correct = predicted.equal(output.targets.clone()).int().sum();
        let loss = output.loss.clone().mul_scalar(batch as f64);
        // Going on adds the same numbers in the same order as never having stopped.
        let earlier = self.earlier.take().map(|sums| {
            self.pictures = sums.pictures;
            let device = loss.device();
            (
                Tensor::from_data([sums.loss], &device),
                Tensor::from_data([sums.correct], &device),
            )
        });
        self.tensors = Some(match self.tensors.take().or(earlier) {
            Some((losses, corrects)) => (losses + loss, corrects + correct),
            None => (loss, correct),
        });
        self.pictures += batch;
    }

    /// None if nothing was added.
    pub(crate) fn sums(&self) -> Option<Sums> {
        let Some((loss, correct)) = self.tensors.clone() else {
            return self.earlier;
        };
        Some(Sums {
            loss: loss.into_data().iter().next()?,
            correct: correct.into_data().iter().next()?,
            pictures: self.pictures,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    #[test]
    fn batches_count_by_their_size() {
        let device = Default::default();
        let mut totals = Totals::<Flex>::resumed(None);
        assert!(Totals::<Flex>::resumed(None).sums().is_none());
        totals.add(&ClassificationOutput::new(
            Tensor::from_floats([1.0], &device),
            Tensor::from_floats([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], &device),
            Tensor::from_ints([1, 0, 0], &device),
        ));
        totals.add(&ClassificationOutput::new(
            Tensor::from_floats([5.0], &device),
            Tensor::from_floats([[0.0, 1.0]], &device),
            Tensor::from_ints([1], &device),
        ));
        let sums = totals.sums().unwrap();
        let score = sums.score().unwrap();
        assert_eq!(
            score,
            Score {
                loss: 2.0,
                accuracy: 0.75
            }
        );

        let mut resumed = Totals::<Flex>::resumed(Some(sums));
        resumed.add(&ClassificationOutput::new(
            Tensor::from_floats([3.0], &device),
            Tensor::from_floats([[0.0, 1.0]], &device),
            Tensor::from_ints([0], &device),
        ));
        let sums = resumed.sums().unwrap();
        assert_eq!((sums.loss, sums.correct, sums.pictures), (11.0, 3, 5));
        assert_eq!(Totals::<Flex>::resumed(Some(sums)).sums(), Some(sums));
    }
}
