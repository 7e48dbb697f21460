//! A network as burn-train's `Learner` wants it.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor};
use burn_train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use data::{ImageBatch, Mixed};
use model::{Network, ResidualBackend};

/// A backend to train on: it records gradients, and validates on one that does not.
pub(crate) trait TrainBackend:
    ResidualBackend + AutodiffBackend<InnerBackend: ResidualBackend>
{
}

impl<B> TrainBackend for B where B: ResidualBackend + AutodiffBackend<InnerBackend: ResidualBackend> {}

/// A network with softmax and cross entropy behind it.
#[derive(Module, Debug)]
pub(crate) struct Classifier<B: Backend> {
    pub network: Network<B>,
}

/// Of logits `[batch, classes]`: themselves and their mean cross entropy `[1]`.
pub(crate) fn classified<B: Backend>(
    logits: Tensor<B, 2>,
    targets: Tensor<B, 1, Int>,
) -> ClassificationOutput<B> {
    let loss = CrossEntropyLossConfig::new()
        .init(&logits.device())
        .forward(logits.clone(), targets.clone());
    ClassificationOutput::new(loss, logits, targets)
}

/// As [`classified`], of pictures that are mixed in pairs: the cross entropy of each is that of its
/// own class and that of its partner's, in proportion to their shares.
fn classified_mixed<B: Backend>(
    logits: Tensor<B, 2>,
    targets: Tensor<B, 1, Int>,
    mixed: Mixed<B>,
) -> ClassificationOutput<B> {
    let logarithms = log_softmax(logits.clone(), 1); // [batch, classes]
    let of = |classes: Tensor<B, 1, Int>| -> Tensor<B, 1> {
        logarithms
            .clone()
            .gather(1, classes.unsqueeze_dim(1)) // [batch, 1]
            .squeeze_dim(1)
    };
    let (own, partner) = (of(targets.clone()), of(mixed.partners));
    let rest = mixed.share.clone().neg().add_scalar(1.0);
    let loss = (own * mixed.share + partner * rest).mean().neg();
    ClassificationOutput::new(loss, logits, targets)
}

impl<B: TrainBackend> TrainStep for Classifier<B> {
    type Input = ImageBatch<B>;
    /// Without gradients, so that nothing keeps the step's graph alive.
    type Output = ClassificationOutput<B::InnerBackend>;

    fn step(&self, batch: ImageBatch<B>) -> TrainOutput<Self::Output> {
        let logits = self.network.forward(batch.images);
        let output = match batch.mixed {
            Some(mixed) => classified_mixed(logits, batch.targets, mixed),
            None => classified(logits, batch.targets),
        };
        let gradients = output.loss.backward();
        let item = ClassificationOutput::new(
            output.loss.inner(),
            output.output.inner(),
            output.targets.inner(),
        );
        TrainOutput::new(self, gradients, item)
    }
}

impl<B: ResidualBackend> InferenceStep for Classifier<B> {
    type Input = ImageBatch<B>;
    type Output = ClassificationOutput<B>;

    fn step(&self, batch: ImageBatch<B>) -> Self::Output {
        classified(self.network.forward(batch.images), batch.targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    #[test]
    fn a_mixed_loss_is_between_those_of_both_classes() {
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
            classified_mixed(logits.clone(), classes(own), mixed)
                .loss
                .into_scalar()
        };
        for share in [0.0, 0.3, 1.0] {
            let expected = share * loss(own) + (1.0 - share) * loss(other);
            assert!((mixed(share) - expected).abs() < 1e-5, "{share}");
        }
    }
}
