//! Loss and accuracy over many batches.

use burn::tensor::backend::Backend;
use burn_train::ClassificationOutput;
use serde::{Deserialize, Serialize};

/// Loss and accuracy over a set of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean cross entropy per picture, in nats.
    #[serde(with = "crate::exact")]
    pub loss: f64,
    /// Share of pictures classified rightly, 0 to 1.
    #[serde(with = "crate::exact")]
    pub accuracy: f64,
}

/// What a [`Score`] is made of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sums {
    /// Cross entropy of all pictures, in nats.
    #[serde(with = "crate::exact")]
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

/// Sums over the steps of an epoch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals(Option<Sums>);

impl Totals {
    /// Goes on from sums, if there are any. That adds the same numbers in the same order as never having stopped.
    pub(crate) fn resumed(earlier: Option<Sums>) -> Self {
        Self(earlier)
    }

    /// Adds an output with its mean loss.
    pub(crate) fn add<B: Backend>(&mut self, output: &ClassificationOutput<B>, loss: f64) {
        let [batch, _classes] = output.output.dims();
        let predicted = output.output.clone().argmax(1).reshape([batch]);
        let correct = predicted.equal(output.targets.clone()).int().sum();
        let sums = self.0.get_or_insert(Sums {
            loss: 0.0,
            correct: 0,
            pictures: 0,
        });
        sums.loss += loss * batch as f64;
        sums.correct += correct.into_data().iter::<i64>().next().unwrap_or(0);
        sums.pictures += batch;
    }

    /// None if nothing was added.
    pub(crate) fn sums(&self) -> Option<Sums> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Tensor;
    use burn_flex::Flex;

    fn output<const N: usize>(
        logits: [[f32; 2]; N],
        targets: [i32; N],
    ) -> ClassificationOutput<Flex> {
        let device = Default::default();
        ClassificationOutput::new(
            Tensor::zeros([1], &device),
            Tensor::from_floats(logits, &device),
            Tensor::from_ints(targets, &device),
        )
    }

    #[test]
    fn batches_count_by_their_size() {
        let mut totals = Totals::resumed(None);
        assert!(totals.sums().is_none());
        totals.add(
            &output([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], [1, 0, 0]),
            1.0,
        );
        totals.add(&output([[0.0, 1.0]], [1]), 5.0);
        let sums = totals.sums().unwrap();
        let score = sums.score().unwrap();
        assert_eq!(
            score,
            Score {
                loss: 2.0,
                accuracy: 0.75
            }
        );

        let mut resumed = Totals::resumed(Some(sums));
        resumed.add(&output([[0.0, 1.0]], [0]), 3.0);
        let sums = resumed.sums().unwrap();
        assert_eq!((sums.loss, sums.correct, sums.pictures), (11.0, 3, 5));
        assert_eq!(Totals::resumed(Some(sums)).sums(), Some(sums));
    }
}
