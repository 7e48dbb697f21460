//! Network with its loss, as burn-train's `Learner` takes it.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::GradientsParams;
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor};
use burn_train::metric::ItemLazy;
use burn_train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use data::{ImageBatch, Mixed, OutlierPart};
use model::{Network, ResidualBackend};

use super::laps::{Laps, StepPart};
use crate::settings::TrainConfig;

/// Backend for training. It records gradients; its inner backend does not and is used for validation.
pub(crate) trait TrainBackend:
    ResidualBackend + AutodiffBackend<InnerBackend: ResidualBackend>
{
}

impl<B> TrainBackend for B where B: ResidualBackend + AutodiffBackend<InnerBackend: ResidualBackend> {}

/// Network followed by softmax and cross entropy.
#[derive(Module, Debug)]
pub(crate) struct Classifier<B: Backend> {
    pub network: Network<B>,
    /// Share of the target that is spread evenly over all classes in training, 0 to below 1.
    pub label_smoothing: f64,
    /// Whether training recomputes blocks instead of keeping their activations.
    pub gradient_checkpointing: bool,
}

/// Output in host memory. burn-train would fetch it on a separate thread, but a lazy backend may lose a tensor that two
/// threads hold at the same time, so the computing thread fetches it.
pub(crate) type Fetched<B> = <ClassificationOutput<B> as ItemLazy>::ItemSync;

/// Returns logits `[batch, classes]` with their mean cross entropy `[1]`.
pub(crate) fn classified<B: Backend>(
    logits: Tensor<B, 2>,
    targets: Tensor<B, 1, Int>,
) -> ClassificationOutput<B> {
    let loss = CrossEntropyLossConfig::new()
        .init(&logits.device())
        .forward(logits.clone(), targets.clone());
    ClassificationOutput::new(loss, logits, targets)
}

/// Like [`classified`], for training: a share `smoothing` of each target is spread evenly over all classes, and an
/// image mixed with a partner counts toward both classes in proportion to their shares.
fn learned<B: Backend>(
    logits: Tensor<B, 2>,
    targets: Tensor<B, 1, Int>,
    mixed: Option<Mixed<B>>,
    smoothing: f64,
) -> ClassificationOutput<B> {
    if mixed.is_none() && smoothing == 0.0 {
        return classified(logits, targets);
    }
    let logarithms = log_softmax(logits.clone(), 1); // [batch, classes]
    let of = |classes: Tensor<B, 1, Int>| -> Tensor<B, 1> {
        logarithms
            .clone()
            .gather(1, classes.unsqueeze_dim(1)) // [batch, 1]
            .squeeze_dim(1)
    };
    let own = of(targets.clone());
    let likelihood = match mixed {
        Some(mixed) => {
            let rest = mixed.share.clone().neg().add_scalar(1.0);
            own * mixed.share + of(mixed.partners) * rest
        }
        None => own,
    };
    let loss = match smoothing {
        0.0 => likelihood.mean(),
        smoothing => {
            let uniform = logarithms.mean().mul_scalar(smoothing);
            likelihood.mean().mul_scalar(1.0 - smoothing) + uniform
        }
    };
    ClassificationOutput::new(loss.neg(), logits, targets)
}

/// Returns the mean cross entropy `[1]` between the uniform distribution and the softmax of logits
/// `[outliers, classes]`.
fn uniform<B: Backend>(logits: Tensor<B, 2>) -> Tensor<B, 1> {
    log_softmax(logits, 1).mean().neg()
}

impl<B: Backend> Classifier<B> {
    pub(crate) fn new(network: Network<B>, config: &TrainConfig) -> Self {
        Self {
            network,
            label_smoothing: config.label_smoothing,
            gradient_checkpointing: config.gradient_checkpointing,
        }
    }
}

impl<B: TrainBackend> Classifier<B> {
    /// Runs the forward and backward pass. The loss is multiplied by `share` before its gradient is taken.
    ///
    /// The output covers the images with a class and excludes the outliers' loss. It has no gradients, so that it does
    /// not keep the step's graph alive.
    pub(crate) fn learn(
        &self,
        batch: ImageBatch<B>,
        share: f64,
        laps: &mut Laps,
    ) -> (GradientsParams, ClassificationOutput<B::InnerBackend>) {
        let ImageBatch {
            images,
            targets,
            mixed,
            outliers,
        } = batch;
        let learned = |logits: Tensor<B, 2>| {
            let (logits, unknown) = match outliers {
                Some(OutlierPart { count, weight }) => {
                    let known = logits.dims()[0] - count;
                    let unknown = uniform(logits.clone().narrow(0, known, count));
                    (logits.narrow(0, 0, known), Some(unknown.mul_scalar(weight)))
                }
                None => (logits, None),
            };
            let output = learned(logits, targets, mixed, self.label_smoothing);
            let loss = match unknown {
                Some(unknown) => output.loss.clone() + unknown,
                None => output.loss.clone(),
            };
            let loss = match share {
                1.0 => loss,
                share => loss.mul_scalar(share),
            };
            let item = ClassificationOutput::new(
                output.loss.inner(),
                output.output.inner(),
                output.targets.inner(),
            );
            laps.lap(StepPart::Forward);
            (loss, item)
        };
        let (gradients, item) = if self.gradient_checkpointing {
            self.network.recomputed_gradients(images, learned)
        } else {
            let (loss, item) = learned(self.network.forward(images));
            (GradientsParams::from_grads(loss.backward(), self), item)
        };
        laps.lap(StepPart::Backward);
        (gradients, item)
    }
}

impl<B: TrainBackend> TrainStep for Classifier<B> {
    type Input = ImageBatch<B>;
    type Output = Fetched<B::InnerBackend>;

    fn step(&self, batch: ImageBatch<B>) -> TrainOutput<Self::Output> {
        let (grads, item) = self.learn(batch, 1.0, &mut Laps::start());
        TrainOutput {
            grads,
            item: item.sync(),
        }
    }
}

impl<B: ResidualBackend> InferenceStep for Classifier<B> {
    type Input = ImageBatch<B>;
    type Output = Fetched<B>;

    fn step(&self, batch: ImageBatch<B>) -> Self::Output {
        classified(self.network.forward(batch.images), batch.targets).sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    #[test]
    fn mixed_loss_interpolates_both_classes() {
        let device = Default::default();
        let logits = Tensor::<Flex, 2>::from_floats([[1.0, -0.5, 0.2], [0.3, 2.0, -1.0]], &device);
        let (own, other) = ([0, 2], [1, 2]);
        let classes = |classes: [i32; 2]| Tensor::from_ints(classes, &device);
        let loss = |targets| {
            classified(logits.clone(), classes(targets))
                .loss
                .into_scalar()
        };
        let mixed = |share: f32| {
            let mixed = Mixed {
                partners: classes(other),
                share: Tensor::from_floats([share, share], &device),
            };
            learned(logits.clone(), classes(own), Some(mixed), 0.0)
                .loss
                .into_scalar()
        };
        for share in [0.0, 0.3, 1.0] {
            let expected = share * loss(own) + (1.0 - share) * loss(other);
            assert!((mixed(share) - expected).abs() < 1e-5, "{share}");
        }
    }

    #[test]
    fn outlier_loss_is_minimal_for_uniform_output() {
        let device = Default::default();
        let loss = |logits: [f32; 3]| -> f32 {
            uniform(Tensor::<Flex, 2>::from_floats([logits, [0.0; 3]], &device)).into_scalar()
        };
        assert!((loss([2.0; 3]) - 3_f32.ln()).abs() < 1e-6);
        // Mean over both rows: log(e^3 + 2) - 3 / 3, and log(3).
        let expected = ((3_f32.exp() + 2.0).ln() - 1.0 + 3_f32.ln()) / 2.0;
        assert!((loss([3.0, 0.0, 0.0]) - expected).abs() < 1e-5);
    }

    #[test]
    fn smoothed_loss_matches_pytorch() {
        let device = Default::default();
        let logits = Tensor::<Flex, 2>::from_floats([[1.0, -0.5, 0.2], [0.3, 2.0, -1.0]], &device);
        let targets = || Tensor::<Flex, 1, Int>::from_ints([0, 2], &device);
        // cross_entropy(logits, targets, label_smoothing=...)
        for (smoothing, expected) in [(0.0, SMOOTHED_0), (0.1, SMOOTHED_1), (0.4, SMOOTHED_4)] {
            let loss = learned(logits.clone(), targets(), None, smoothing).loss;
            let loss: f32 = loss.into_scalar();
            assert!((loss - expected).abs() < 1e-5, "{smoothing}: {loss}");
        }
        // With a share of 1, the partner does not count.
        let mixed = Mixed {
            partners: Tensor::from_ints([1, 0], &device),
            share: Tensor::from_floats([1.0, 1.0], &device),
        };
        let loss = learned(logits, targets(), Some(mixed), 0.1).loss;
        let loss: f32 = loss.into_scalar();
        assert!((loss - SMOOTHED_1).abs() < 1e-5, "{loss}");
    }

    const SMOOTHED_0: f32 = 1.861658;
    const SMOOTHED_1: f32 = 1.828325;
    const SMOOTHED_4: f32 = 1.728325;
}
