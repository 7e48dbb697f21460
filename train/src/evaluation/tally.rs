//! Metrics over a whole set of images.

use std::io;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use data::ImageDataset;
use events::{Confusion, accuracy_interval};
use files::write_atomically;
use serde::{Deserialize, Serialize};

use super::totals::Score;
use crate::error::TrainError;

/// Number of confidence bins for the calibration error, as in Guo et al.
const BINS: usize = 15;
/// Number of mistakes kept.
const MISSED: usize = 12;
/// Number of likeliest classes that count for `top5`.
const GUESSES: usize = 5;

/// Metrics over a set of images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Number of images.
    pub images: usize,
    /// Mean cross entropy per image, in nats.
    pub loss: f64,
    /// Fraction of images classified correctly, 0 to 1.
    pub accuracy: f64,
    /// Wilson 95% confidence interval of the accuracy; missing in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_interval: Option<[f64; 2]>,
    /// Fraction of images whose class is among the five likeliest, 0 to 1; 1 for five classes or fewer.
    pub top5: f64,
    /// Expected calibration error, 0 to 1: absolute difference between confidence and accuracy, as the mean over 15
    /// confidence bins weighted by images (Guo et al. 2017, <https://arxiv.org/abs/1706.04599>).
    pub calibration_error: f64,
    /// Metrics of each class.
    pub classes: Vec<ClassEvaluation>,
    /// Number of images, indexed by `[true class][likeliest class]`.
    pub confusion: Vec<Vec<u64>>,
    /// The images misclassified with the highest probability, in descending order.
    #[serde(default)]
    pub mistakes: Vec<Misclassified>,
}

/// A misclassified image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misclassified {
    /// Its index in the scored set, counted from 0.
    pub image: usize,
    /// Its file, if the images of the data set are separate files. Bytes that are not UTF-8 are written as `\xFF`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its class.
    pub class: String,
    /// The predicted class.
    pub predicted: String,
    /// The probability of the predicted class, 0 to 1.
    pub probability: f64,
}

/// Metrics of a class. A fraction of zero images is 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassEvaluation {
    /// Its name.
    pub name: String,
    /// Number of its images.
    pub images: u64,
    /// Fraction of the images predicted as this class that belong to it, 0 to 1.
    pub precision: f64,
    /// Fraction of its images that were predicted as this class, 0 to 1.
    pub recall: f64,
    /// Harmonic mean of precision and recall, 0 to 1.
    pub f1: f64,
}

impl Evaluation {
    /// Returns loss and accuracy.
    pub fn score(&self) -> Score {
        Score {
            loss: self.loss,
            accuracy: self.accuracy,
        }
    }
}

/// Running sums for an [`Evaluation`], in double precision and image by image, so that the batch size does not affect
/// the result.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    loss: f64,
    among_top: usize,
    bins: [Bin; BINS],
    confusion: Vec<Vec<u64>>,
    /// The network's class index for each class of the images, if they differ.
    classes: Option<Vec<usize>>,
    /// The images. Unreadable ones do not count.
    images: Option<Arc<ImageDataset>>,
    /// Images seen.
    seen: usize,
    missed: Vec<Missed>,
}

/// An image that was predicted as another class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Missed {
    /// Index among the scored images, counted from 0.
    pub image: usize,
    pub class: usize,
    pub likeliest: usize,
    /// Probability of the likeliest class, 0 to 1.
    pub confidence: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    images: usize,
    correct: usize,
    confidence: f64,
}

impl Evaluation {
    /// Writes the evaluation as JSON.
    pub(crate) fn write(&self, path: &Path) -> Result<(), TrainError> {
        serde_json::to_string_pretty(self)
            .map_err(io::Error::other)
            .and_then(|json| write_atomically(path, (json + "\n").as_bytes()))
            .map_err(TrainError::io("write", path))
    }
}

impl Tally {
    pub(crate) fn new(classes: usize) -> Self {
        Self {
            loss: 0.0,
            among_top: 0,
            bins: [Bin::default(); BINS],
            confusion: vec![vec![0; classes]; classes],
            classes: None,
            images: None,
            seen: 0,
            missed: Vec::new(),
        }
    }

    /// Sets the network's class index for each class of the images, if they are numbered differently.
    pub(crate) fn with_classes(mut self, classes: Vec<usize>) -> Self {
        self.classes = Some(classes);
        self
    }

    /// Sets the images, all of which are added in their order.
    pub(crate) fn of(mut self, images: &Arc<ImageDataset>) -> Self {
        self.images = Some(Arc::clone(images));
        self
    }

    /// Adds logits `[batch, classes]` with the true classes `[batch]`.
    pub(crate) fn add<B: Backend>(&mut self, logits: Tensor<B, 2>, targets: Tensor<B, 1, Int>) {
        let [_, classes] = logits.dims();
        let logits: Vec<f64> = logits.into_data().iter().collect();
        let targets: Vec<usize> = targets
            .into_data()
            .iter::<i64>()
            .map(|target| usize::try_from(target).unwrap_or(usize::MAX))
            .collect();
        for (logits, target) in logits.chunks_exact(classes.max(1)).zip(targets) {
            let target = match &self.classes {
                Some(classes) => classes.get(target).copied().unwrap_or(usize::MAX),
                None => target,
            };
            self.add_image(logits, target);
        }
    }

    fn add_image(&mut self, logits: &[f64], target: usize) {
        let image = self.seen;
        self.seen += 1;
        let is_readable = |images: &Arc<ImageDataset>| images.is_readable(image);
        if !self.images.as_ref().is_none_or(is_readable) {
            return;
        }
        let Some(&own) = logits.get(target) else {
            return;
        };
        // Ties go to the first class; NaN is never the likeliest.
        let mut likeliest = 0;
        for (class, &logit) in logits.iter().enumerate() {
            if logit > logits[likeliest] || logits[likeliest].is_nan() {
                likeliest = class;
            }
        }
        let highest = logits[likeliest];
        let sum: f64 = logits.iter().map(|logit| (logit - highest).exp()).sum();
        self.loss += highest + sum.ln() - own;
        let better = logits.iter().filter(|&&logit| logit > own).count();
        self.among_top += usize::from(better < GUESSES);

        let confidence = 1.0 / sum;
        // Bins exclude their lower bound and include their upper bound; a confidence is never 0.
        let bin = (confidence * BINS as f64).ceil() as usize;
        let bin = &mut self.bins[bin.clamp(1, BINS) - 1];
        bin.images += 1;
        bin.correct += usize::from(likeliest == target);
        bin.confidence += confidence;
        self.confusion[target][likeliest] += 1;
        if likeliest != target {
            self.miss(Missed {
                image,
                class: target,
                likeliest,
                confidence,
            });
        }
    }

    /// Keeps the mistakes with the highest confidence; ties go to the earlier image.
    fn miss(&mut self, missed: Missed) {
        let place = self
            .missed
            .partition_point(|other| other.confidence >= missed.confidence);
        self.missed.insert(place, missed);
        self.missed.truncate(MISSED);
    }

    /// Returns the images predicted as another class with the highest confidence, in descending order.
    pub(crate) fn missed(&self) -> &[Missed] {
        &self.missed
    }

    /// Returns the metrics, or `None` without images.
    pub(crate) fn score(&self) -> Option<Score> {
        let images = self.images();
        let correct = self.correct();
        (images > 0).then(|| Score {
            loss: self.loss / images as f64,
            accuracy: correct as f64 / images as f64,
        })
    }

    fn correct(&self) -> usize {
        self.bins.iter().map(|bin| bin.correct).sum()
    }

    fn images(&self) -> usize {
        self.bins.iter().map(|bin| bin.images).sum()
    }

    /// Returns the metrics, or `None` without images.
    pub(crate) fn evaluation(self, class_names: &[String]) -> Option<Evaluation> {
        let score = self.score()?;
        let images = self.images();
        let apart = |bin: &Bin| (bin.correct as f64 - bin.confidence).abs();
        let confusion = Confusion::of_matrix(&self.confusion);
        let class = |(class, name): (usize, &String)| {
            let scores = confusion.scores(class);
            ClassEvaluation {
                name: name.clone(),
                images: scores.images,
                precision: scores.precision.unwrap_or(0.0),
                recall: scores.recall.unwrap_or(0.0),
                f1: scores.f1.unwrap_or(0.0),
            }
        };
        Some(Evaluation {
            images,
            loss: score.loss,
            accuracy: score.accuracy,
            accuracy_interval: accuracy_interval(self.correct() as u64, images as u64),
            top5: self.among_top as f64 / images as f64,
            calibration_error: self.bins.iter().map(apart).sum::<f64>() / images as f64,
            classes: class_names.iter().enumerate().map(class).collect(),
            mistakes: self.mistakes(class_names),
            confusion: self.confusion,
        })
    }

    fn mistakes(&self, class_names: &[String]) -> Vec<Misclassified> {
        let name = |class: usize| match class_names.get(class) {
            Some(name) => name.clone(),
            None => class.to_string(),
        };
        let path = |image: usize| {
            let images = self.images.as_ref()?;
            let index = *images.indices().get(image)?;
            images.store().path(index).map(files::path_text)
        };
        let mistakes = self.missed.iter().map(|missed| Misclassified {
            image: missed.image,
            path: path(missed.image),
            class: name(missed.class),
            predicted: name(missed.likeliest),
            probability: missed.confidence,
        });
        mistakes.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;
    use proptest::prelude::*;

    fn evaluation(logits: &[f32], classes: usize, targets: &[i64], batch: usize) -> Evaluation {
        let device = Default::default();
        let mut tally = Tally::new(classes);
        for (logits, targets) in logits.chunks(batch * classes).zip(targets.chunks(batch)) {
            tally.add(
                Tensor::<Flex, 1>::from_floats(logits, &device).reshape([targets.len(), classes]),
                Tensor::from_ints(targets, &device),
            );
        }
        let names: Vec<String> = (0..classes).map(|class| format!("class {class}")).collect();
        tally.evaluation(&names).unwrap()
    }

    #[test]
    fn metrics_match_hand_computed_values() {
        // Two classes: correct with 0.8, wrong with 0.6, correct with 0.6, wrong with 0.8.
        let logit = |confidence: f32| (confidence / (1.0 - confidence)).ln();
        let logits = [
            logit(0.8),
            0.0, //
            logit(0.6),
            0.0, //
            0.0,
            logit(0.6), //
            0.0,
            logit(0.8),
        ];
        let found = evaluation(&logits, 2, &[0, 1, 1, 0], 3);
        assert_eq!(found.confusion, [[1, 1], [1, 1]]);
        assert_eq!((found.images, found.accuracy, found.top5), (4, 0.5, 1.0));
        let loss = -(0.8_f64.ln() + 0.4_f64.ln() + 0.6_f64.ln() + 0.2_f64.ln()) / 4.0;
        assert!((found.loss - loss).abs() < 1e-6, "{}", found.loss);
        // Half of the images in each bin are correct.
        assert!((found.calibration_error - (0.3 + 0.1) / 2.0).abs() < 1e-6);
        let class = &found.classes[1];
        assert_eq!(
            (class.images, class.precision, class.recall, class.f1),
            (2, 0.5, 0.5, 0.5)
        );
        assert_eq!(class.name, "class 1");
        assert_eq!(found.accuracy_interval, accuracy_interval(2, 4));
        let mistakes: Vec<(usize, &str, &str)> = found
            .mistakes
            .iter()
            .map(|mistake| {
                (
                    mistake.image,
                    mistake.class.as_str(),
                    mistake.predicted.as_str(),
                )
            })
            .collect();
        assert_eq!(
            mistakes,
            [(3, "class 0", "class 1"), (1, "class 1", "class 0")]
        );
        assert!((found.mistakes[0].probability - 0.8).abs() < 1e-6);
    }

    #[test]
    fn older_evaluations_are_read() {
        let mut json = serde_json::to_value(evaluation(&[1.0, 0.0], 2, &[0], 1)).unwrap();
        let fields = json.as_object_mut().unwrap();
        fields.remove("accuracy_interval").unwrap();
        fields.remove("mistakes").unwrap();
        let read: Evaluation = serde_json::from_value(json).unwrap();
        assert_eq!((read.accuracy_interval, read.mistakes), (None, Vec::new()));
    }

    #[test]
    fn most_confident_mistakes_are_kept() {
        let mut tally = Tally::new(2);
        for image in 0..40 {
            // Every second image is correct, and confidence is highest in the middle.
            let certainty = 20.0 - (f64::from(image) - 20.0).abs();
            tally.add_image(&[certainty, 0.0], image as usize % 2);
        }
        let missed = tally.missed();
        assert_eq!(missed.len(), MISSED);
        assert_eq!((missed[0].image, missed[1].image), (19, 21));
        assert_eq!((missed[0].class, missed[0].likeliest), (1, 0));
        assert!(missed.is_sorted_by(|one, next| one.confidence >= next.confidence));
    }

    #[test]
    fn absent_class_does_not_count() {
        let found = evaluation(&[1.0, 0.0, -1.0], 3, &[0], 1);
        let class = &found.classes[2];
        assert_eq!((class.precision, class.recall, class.f1), (0.0, 0.0, 0.0));
        assert!(Tally::new(3).evaluation(&[]).is_none());
    }

    #[test]
    fn class_indices_may_be_mapped() {
        let device = Default::default();
        let mut tally = Tally::new(3).with_classes(vec![2, 0]);
        let logits = Tensor::<Flex, 2>::from_floats([[0.0, 1.0, 5.0], [5.0, 1.0, 0.0]], &device);
        tally.add(logits, Tensor::from_ints([0, 1], &device));
        assert_eq!(tally.score().unwrap().accuracy, 1.0);
    }

    #[test]
    fn top5_counts_five_highest_logits() {
        let logits = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
        assert_eq!(evaluation(&logits, 6, &[4], 1).top5, 1.0);
        assert_eq!(evaluation(&logits, 6, &[5], 1).top5, 0.0);
    }

    #[test]
    fn nan_logits_are_counted_without_panic() {
        let found = evaluation(&[f32::NAN, 1.0, f32::NEG_INFINITY], 3, &[1], 1);
        assert_eq!(found.images, 1);
        assert!(found.loss.is_nan());
    }

    proptest! {
        #[test]
        fn sums_are_independent_of_batching(
            logits in prop::collection::vec(-9.0_f32..9.0, 4 * 24),
            targets in prop::collection::vec(0_i64..4, 24),
            batch in 1_usize..25,
        ) {
            let whole = evaluation(&logits, 4, &targets, 24);
            prop_assert_eq!(&evaluation(&logits, 4, &targets, batch), &whole);
            let diagonal: u64 = (0..4).map(|class| whole.confusion[class][class]).sum();
            prop_assert!((whole.accuracy * 24.0 - diagonal as f64).abs() < 1e-9);
            prop_assert_eq!(whole.confusion.iter().flatten().sum::<u64>(), 24);
            // Accuracy is the mean recall weighted by images.
            let recall: f64 = whole.classes.iter().map(|class| class.recall * class.images as f64).sum();
            prop_assert!((recall / 24.0 - whole.accuracy).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&whole.calibration_error));
            prop_assert!(whole.loss >= 0.0 && whole.top5 >= whole.accuracy);
        }
    }
}
