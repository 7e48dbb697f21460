//! A network as burn-train's `Learner` wants it.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor};
use burn_train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use data::ImageBatch;
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

impl<B: TrainBackend> TrainStep for Classifier<B> {
    type Input = ImageBatch<B>;
    /// Without gradients, so that nothing keeps the step's graph alive.
    type Output = ClassificationOutput<B::InnerBackend>;

    fn step(&self, batch: ImageBatch<B>) -> TrainOutput<Self::Output> {
        let output = classified(self.network.forward(batch.images), batch.targets);
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
