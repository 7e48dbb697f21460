//! Loss and accuracy over many batches.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use burn_train::ClassificationOutput;

/// Loss and accuracy over a set of pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean cross entropy per picture, in nats.
    pub loss: f64,
    /// Share of pictures classified rightly, 0 to 1.
    pub accuracy: f64,
}

/// Sums that stay on the device until they are asked for, so that no step waits for them.
pub(crate) struct Totals<B: Backend> {
    sums: Option<Sums<B>>,
    pictures: usize,
}

struct Sums<B: Backend> {
    loss: Tensor<B, 1>,
    correct: Tensor<B, 1, Int>,
}

impl<B: Backend> Totals<B> {
    pub(crate) fn new() -> Self {
        Self {
            sums: None,
            pictures: 0,
        }
    }

    pub(crate) fn add(&mut self, output: &ClassificationOutput<B>) {
        let [batch, _classes] = output.output.dims();
        let predicted = output.output.clone().argmax(1).reshape([batch]);
        let correct = predicted.equal(output.targets.clone()).int().sum();
        let loss = output.loss.clone().mul_scalar(batch as f64);
        self.sums = Some(match self.sums.take() {
            Some(sums) => Sums {
                loss: sums.loss + loss,
                correct: sums.correct + correct,
            },
            None => Sums { loss, correct },
        });
        self.pictures += batch;
    }

    /// None without a picture.
    pub(crate) fn score(self) -> Option<Score> {
        let sums = self.sums?;
        let loss: f64 = sums.loss.into_data().iter().next()?;
        let correct: i64 = sums.correct.into_data().iter().next()?;
        Some(Score {
            loss: loss / self.pictures as f64,
            accuracy: correct as f64 / self.pictures as f64,
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
        let mut totals = Totals::<Flex>::new();
        assert!(Totals::<Flex>::new().score().is_none());
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
        let score = totals.score().unwrap();
        assert_eq!(
            score,
            Score {
                loss: 2.0,
                accuracy: 0.75
            }
        );
    }
}
