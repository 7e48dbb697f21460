//! Rounding a saved model to 8-bit integers.

use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use burn::data::dataloader::DataLoader as _;
use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;
use data::{BatchLoader, ImageBatch, ImageBatcher, ImageDataset};
use model::int8::{Calibration, Quantization, RangeRule};
use model::{FoldedNetwork, ResidualBackend};
use saved_models::{SavedModel, Stored};
use serde::Serialize;

use super::evaluate::{EvaluationPlan, SetPart, images};
use crate::error::TrainError;
use crate::evaluation::Evaluation;

/// Rules for ranges, of which the one with the most similar predictions is used.
const RULES: [RangeRule; 5] = [
    RangeRule::LeastError,
    RangeRule::Percentile(0.999),
    RangeRule::Percentile(0.9999),
    RangeRule::Percentile(0.999_99),
    RangeRule::Percentile(1.0),
];
/// Time for measuring the speed of one form of a model, and most predictions in it.
const MEASURING: Duration = Duration::from_secs(1);
const MOST_PREDICTIONS: usize = 50;

/// A model before and after rounding.
#[derive(Clone, Debug)]
pub struct Quantized {
    /// The model of integers.
    pub saved: SavedModel,
    /// Number of images that ranges were measured on.
    pub images: usize,
    /// The rule for ranges, in words.
    pub rule: String,
    /// Mean divergence of the integers' probabilities from the floats', in nats per image (Kullback and
    /// Leibler), on the same images.
    pub divergence: f64,
    /// The floats on the evaluated images.
    pub before: Form,
    /// The integers on the evaluated images.
    pub after: Form,
}

/// What one form of a model is worth.
#[derive(Clone, Debug, Serialize)]
pub struct Form {
    /// Fraction of images classified correctly.
    pub accuracy: f64,
    /// Mean cross entropy, in nats.
    pub loss: f64,
    /// Size of the weights in a file, in bytes.
    pub bytes: usize,
    /// Median time of a prediction of one image, in seconds.
    pub seconds: f64,
    /// Number of images evaluated.
    pub images: usize,
}

/// What rounding a model is doing; the numbers are images done and in all.
#[derive(Clone, Copy, Debug)]
pub enum QuantizeProgress {
    /// Measuring ranges on training images.
    Calibrating(usize, usize),
    /// Comparing rules for ranges.
    Comparing(usize, usize),
    /// Evaluating the floats.
    Before(usize, usize),
    /// Evaluating the integers.
    After(usize, usize),
}

impl EvaluationPlan {
    /// Rounds the model to 8-bit integers, with ranges measured on at most `count` training images, and
    /// evaluates both forms.
    ///
    /// # Errors
    ///
    /// If the model holds integers already, the backend cannot compute with them, the weights are
    /// damaged or an image cannot be read.
    pub fn quantize<B: ResidualBackend>(
        &self,
        device: &B::Device,
        count: NonZeroUsize,
        progress: &mut dyn FnMut(QuantizeProgress),
    ) -> Result<Quantized, TrainError> {
        let model = || self.saved.description.model.clone();
        if !B::HAS_INT8 {
            return Err(TrainError::NoIntegers);
        }
        if self.saved.stored() == Some(Stored::Int8) {
            return Err(TrainError::Quantized { model: model() });
        }
        let network = self.saved.network::<B>(device)?;
        let sample = self.sample(count)?;
        let total = sample.len();
        let mut calibration = Calibration::new(&network);
        let mut expected = Vec::new();
        let mut done = 0;
        self.each_batch(&sample, device, |batch| {
            done += batch.images.dims()[0];
            expected.push(calibration.add(batch.images));
            progress(QuantizeProgress::Calibrating(done, total));
        })?;
        if expected.is_empty() {
            return Err(TrainError::NoImages {
                data: self.data.name.clone(),
                part: SetPart::Train.name(),
            });
        }
        let mut best: Option<(f64, RangeRule, Quantization)> = None;
        for (index, rule) in RULES.into_iter().enumerate() {
            let quantization = calibration.quantize(&network, rule);
            let integers = self.integers(&quantization, device)?;
            let mut sum = 0.0;
            let mut expected = expected.iter();
            self.each_batch(&sample, device, |batch| {
                if let Some(expected) = expected.next() {
                    sum += divergence(expected.clone(), integers.forward(batch.images));
                }
            })?;
            progress(QuantizeProgress::Comparing(index + 1, RULES.len()));
            let mean = sum / total as f64;
            if best.as_ref().is_none_or(|(least, ..)| mean < *least) {
                best = Some((mean, rule, quantization));
            }
        }
        let Some((divergence, rule, quantization)) = best else {
            return Err(TrainError::Diverging { model: model() });
        };
        let saved = self.saved.clone().with_quantization(&quantization)?;
        let floats = network.fold();
        let integers = self.integers(&quantization, device)?;
        let total = self.images();
        let before = self.run_on(&floats, device, &mut |done| {
            progress(QuantizeProgress::Before(done, total));
        })?;
        let after = self.run_on(&integers, device, &mut |done| {
            progress(QuantizeProgress::After(done, total));
        })?;
        let form = |evaluation: &Evaluation, saved: &SavedModel, network: &FoldedNetwork<B>| Form {
            accuracy: evaluation.accuracy,
            loss: evaluation.loss,
            bytes: saved.bytes(),
            seconds: self.seconds(network, device),
            images: evaluation.images,
        };
        Ok(Quantized {
            images: sample.len(),
            rule: words(rule),
            divergence,
            before: form(&before, &self.saved, &floats),
            after: form(&after, &saved, &integers),
            saved,
        })
    }

    fn integers<B: ResidualBackend>(
        &self,
        quantization: &Quantization,
        device: &B::Device,
    ) -> Result<FoldedNetwork<B>, TrainError> {
        let folded = quantization.folded(&self.saved.description.network, device);
        // The integers were made for this network.
        folded.ok().flatten().ok_or(TrainError::NoIntegers)
    }

    /// Returns evenly spaced training images.
    fn sample(&self, count: NonZeroUsize) -> Result<Arc<ImageDataset>, TrainError> {
        let settings = self.settings.clone().with_part(SetPart::Train);
        let all = images(&self.data, &settings)?;
        let taken = count.get().min(all.len());
        let indices = (0..taken).map(|item| all.indices()[item * all.len() / taken]);
        let sample = ImageDataset::new(all.store().clone(), indices.collect())?;
        Ok(Arc::new(sample.for_scoring()))
    }

    fn each_batch<B: ResidualBackend>(
        &self,
        images: &Arc<ImageDataset>,
        device: &B::Device,
        mut each: impl FnMut(ImageBatch<B>),
    ) -> Result<(), TrainError> {
        let preprocessing = self.saved.description.preprocessing.clone();
        let (failed_load, load_failures) = mpsc::channel();
        let loader = BatchLoader::<B>::new(
            Arc::clone(images),
            Arc::new(ImageBatcher::new(preprocessing)),
            self.settings.batch_size,
            None,
            device.clone(),
        )
        .with_failures(failed_load);
        loader.iter().for_each(&mut each);
        match load_failures.try_recv() {
            Ok(error) => Err(error.into()),
            Err(_) => Ok(()),
        }
    }

    /// Returns the median time of predictions of one image.
    fn seconds<B: ResidualBackend>(&self, network: &FoldedNetwork<B>, device: &B::Device) -> f64 {
        let [channels, height, width] = self.saved.description.preprocessing.shape();
        let image = Tensor::<B, 4>::zeros([1, channels, height, width], device);
        let began = Instant::now();
        let mut times = Vec::new();
        while times.len() < MOST_PREDICTIONS && (times.len() < 3 || began.elapsed() < MEASURING) {
            let start = Instant::now();
            network.forward(image.clone()).into_data();
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }
}

/// Returns the divergence of probabilities from the expected ones, summed over a batch of logits.
fn divergence<B: ResidualBackend>(expected: Tensor<B, 2>, logits: Tensor<B, 2>) -> f64 {
    let expected = log_softmax(expected, 1);
    let difference = expected.clone() - log_softmax(logits, 1);
    let sum = (expected.exp() * difference).sum().into_data();
    sum.iter::<f64>().sum()
}

fn words(rule: RangeRule) -> String {
    match rule {
        RangeRule::LeastError => "least squared error".to_owned(),
        RangeRule::Percentile(1.0) => "largest value".to_owned(),
        RangeRule::Percentile(share) => {
            let percent = format!("{:.3}", 100.0 * share);
            format!("percentile {}", percent.trim_end_matches('0'))
        }
    }
}
