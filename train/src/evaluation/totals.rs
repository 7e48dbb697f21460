//! Loss and accuracy over many batches.

use burn::tensor::backend::Backend;
use burn_train::ClassificationOutput;
use serde::{Deserialize, Serialize};

/// Loss and accuracy over a set of images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean cross entropy per image, in nats.
    #[serde(with = "crate::evaluation::exact")]
    pub loss: f64,
    /// Fraction of images classified correctly, 0 to 1.
    #[serde(with = "crate::evaluation::exact")]
    pub accuracy: f64,
}

/// Sums for a [`Score`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sums {
    /// Cross entropy of all images, in nats.
    #[serde(with = "crate::evaluation::exact")]
    pub loss: f64,
    /// Images classified correctly.
    pub correct: i64,
    pub images: usize,
    /// Cross entropy of all images without label smoothing, if `loss` uses smoothed labels.
    #[serde(
        default,
        with = "crate::evaluation::exact::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub cross_entropy: Option<f64>,
}

impl Sums {
    /// Returns the means, or `None` without images.
    pub(crate) fn score(&self) -> Option<Score> {
        (self.images > 0).then(|| Score {
            loss: self.loss / self.images as f64,
            accuracy: self.correct as f64 / self.images as f64,
        })
    }

    /// Returns the mean cross entropy without smoothing, if it was added for every image.
    pub(crate) fn cross_entropy(&self) -> Option<f64> {
        let sum = self.cross_entropy.filter(|_| self.images > 0);
        sum.map(|sum| sum / self.images as f64)
    }
}

/// Returns the mean cross entropy of logits `[batch, classes]`, computed on the host; NaN without images.
pub(crate) fn cross_entropy<B: Backend>(output: &ClassificationOutput<B>) -> f64 {
    let [batch, classes] = output.output.dims();
    let logits: Vec<f64> = output.output.to_data().iter().collect();
    let targets = output.targets.to_data();
    let of_each = logits
        .chunks_exact(classes.max(1))
        .zip(targets.iter::<i64>());
    let sum: f64 = of_each
        .map(|(logits, target)| {
            let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = logits.iter().map(|logit| (logit - highest).exp()).sum();
            let target = usize::try_from(target).ok();
            let own = target.and_then(|target| logits.get(target));
            highest + sum.ln() - own.copied().unwrap_or(f64::NAN)
        })
        .sum();
    sum / batch as f64
}

/// Sums over the steps of an epoch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals(Option<Sums>);

impl Totals {
    /// Continues from earlier sums, if any. A resumed epoch adds the same numbers in the same order as an uninterrupted
    /// one.
    pub(crate) fn resumed(earlier: Option<Sums>) -> Self {
        Self(earlier)
    }

    /// Adds an output with its mean loss, and its mean cross entropy if that differs. Returns its accuracy, or NaN
    /// without images.
    pub(crate) fn add<B: Backend>(
        &mut self,
        output: &ClassificationOutput<B>,
        loss: f64,
        cross_entropy: Option<f64>,
    ) -> f64 {
        let [batch, _classes] = output.output.dims();
        let predicted = output.output.clone().argmax(1).reshape([batch]);
        let correct = predicted.equal(output.targets.clone()).int().sum();
        let sums = self.0.get_or_insert(Sums {
            loss: 0.0,
            correct: 0,
            images: 0,
            cross_entropy: Some(0.0),
        });
        sums.loss += loss * batch as f64;
        // An epoch that began without cross entropy does not get one.
        let sum = sums.cross_entropy.zip(cross_entropy);
        sums.cross_entropy = sum.map(|(sum, mean)| sum + mean * batch as f64);
        let correct = correct.into_data().iter::<i64>().next().unwrap_or(0);
        sums.correct += correct;
        sums.images += batch;
        correct as f64 / batch as f64
    }

    /// Returns the sums, or `None` if nothing was added.
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
    fn totals_weigh_batches_by_size() {
        let mut totals = Totals::resumed(None);
        assert!(totals.sums().is_none());
        totals.add(
            &output([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], [1, 0, 0]),
            1.0,
            Some(3.0),
        );
        totals.add(&output([[0.0, 1.0]], [1]), 5.0, Some(7.0));
        let sums = totals.sums().unwrap();
        let score = sums.score().unwrap();
        assert_eq!(
            score,
            Score {
                loss: 2.0,
                accuracy: 0.75
            }
        );

        assert_eq!(sums.cross_entropy(), Some(4.0));

        let mut resumed = Totals::resumed(Some(sums));
        resumed.add(&output([[0.0, 1.0]], [0]), 3.0, None);
        let sums = resumed.sums().unwrap();
        assert_eq!((sums.loss, sums.correct, sums.images), (11.0, 3, 5));
        assert_eq!(sums.cross_entropy(), None);
        assert_eq!(Totals::resumed(Some(sums)).sums(), Some(sums));
    }

    #[test]
    fn epoch_begun_by_older_version_has_no_cross_entropy() {
        let json = r#"{"loss":"2.5","correct":1,"images":2}"#;
        let sums: Sums = serde_json::from_str(json).unwrap();
        assert_eq!(sums.cross_entropy, None);
        let mut totals = Totals::resumed(Some(sums));
        totals.add(&output([[0.0, 1.0]], [0]), 3.0, Some(1.0));
        assert_eq!(totals.sums().unwrap().cross_entropy(), None);
        let sums = Sums {
            cross_entropy: Some(0.1 + 0.2),
            ..sums
        };
        let json = serde_json::to_string(&sums).unwrap();
        assert_eq!(serde_json::from_str::<Sums>(&json).unwrap(), sums);
    }

    #[test]
    fn host_cross_entropy_matches_unsmoothed_loss() {
        let output = output([[1.0, -0.5], [30.0, 2.0], [-4.0, 0.25]], [0, 1, 1]);
        let device = output.output.device();
        let loss = burn::nn::loss::CrossEntropyLossConfig::new()
            .init(&device)
            .forward(output.output.clone(), output.targets.clone());
        let loss = f64::from(loss.into_scalar());
        assert!((cross_entropy(&output) - loss).abs() < 1e-5, "{loss}");
    }
}
