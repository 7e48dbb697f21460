//! A network and its optimizer, one step at a time.

use burn::module::AutodiffModule as _;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{GradientsAccumulator, GradientsParams, Optimizer as _};
use burn::tensor::Tensor;
use burn_train::ClassificationOutput;
use data::ImageBatch;

use super::average::Average;
use super::classifier::{Classifier, TrainBackend};
use super::gradients::clip;
use super::laps::{Laps, StepPart};

/// Optimizer with its state for every parameter.
pub(crate) type Optimizer<B> = OptimizerAdaptor<ops::Optimizer, Classifier<B>, B>;

/// Network in training. Each step takes and returns it by value, because an optimizer can update a parameter in place
/// only if nothing else holds its memory.
pub(crate) struct Trainee<B: TrainBackend> {
    pub model: Classifier<B>,
    pub optimizer: Optimizer<B>,
    /// Maximum norm of the gradient, if it is clipped.
    pub clip: Option<f64>,
    /// The network's moving average, if one is kept.
    pub average: Option<Average<B::InnerBackend>>,
    /// Steps taken.
    pub steps: usize,
}

impl<B: TrainBackend> Trainee<B> {
    /// Runs the forward and backward pass of each batch, and one step of the optimizer with the mean gradient over all
    /// images. The output is from before the optimizer's step.
    pub(crate) fn step(
        mut self,
        batches: Vec<ImageBatch<B>>,
        rate: f64,
        laps: &mut Laps,
    ) -> (Self, ClassificationOutput<B::InnerBackend>) {
        let (mut gradients, output) = learn(&self.model, batches, laps);
        if let Some(longest) = self.clip {
            gradients = clip(&self.model, gradients, longest);
        }
        self.model = self.optimizer.step(rate, self.model, gradients);
        self.steps += 1;
        if let Some(average) = self.average.take() {
            self.average = Some(average.update(&self.model.network.valid(), self.steps));
        }
        laps.lap(StepPart::Optimizer);
        (self, output)
    }
}

/// Returns the mean gradient over the images of all batches, and their combined output.
fn learn<B: TrainBackend>(
    model: &Classifier<B>,
    mut batches: Vec<ImageBatch<B>>,
    laps: &mut Laps,
) -> (GradientsParams, ClassificationOutput<B::InnerBackend>) {
    if batches.len() == 1
        && let Some(batch) = batches.pop()
    {
        return model.learn(batch, 1.0, laps);
    }
    let size = |batch: &ImageBatch<B>| batch.targets.dims()[0] as f64;
    let images: f64 = batches.iter().map(size).sum();
    let mut accumulated = GradientsAccumulator::new();
    let mut outputs = Vec::new();
    for batch in batches {
        let share = size(&batch) / images;
        let (gradients, output) = model.learn(batch, share, laps);
        accumulated.accumulate(model, gradients);
        outputs.push((output, share));
    }
    let loss = outputs
        .iter()
        .map(|(output, share)| output.loss.clone().mul_scalar(*share));
    let loss = Tensor::cat(loss.collect(), 0).sum();
    let (logits, targets) = outputs
        .into_iter()
        .map(|(output, _)| (output.output, output.targets))
        .unzip();
    let output = ClassificationOutput::new(loss, Tensor::cat(logits, 0), Tensor::cat(targets, 0));
    (accumulated.grads(), output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Autodiff;
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::activation::log_softmax;
    use burn::tensor::{Distribution, Int, Tolerance};
    use burn_flex::Flex;
    use data::OutlierPart;
    use model::Network;
    use ops::{Adam, Sgd};

    type Train = Autodiff<Flex>;

    /// Returns the memory address of every parameter that has a gradient.
    fn addresses(model: &Classifier<Train>) -> Vec<usize> {
        struct Addresses(Vec<usize>);
        impl ModuleVisitor<Train> for Addresses {
            fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<Train, D>>) {
                let tensor = parameter.val();
                // Skips the norms' running statistics, which optimizers do not update.
                if tensor.is_require_grad() {
                    let tensor = tensor.inner().into_primitive().tensor();
                    self.0.push(tensor.bytes().as_ptr() as usize);
                }
            }
        }
        let mut addresses = Addresses(Vec::new());
        model.visit(&mut addresses);
        addresses.0
    }

    fn trainee(network: Network<Train>, optimizer: ops::Optimizer) -> Trainee<Train> {
        Trainee {
            model: Classifier {
                network,
                label_smoothing: 0.0,
                gradient_checkpointing: false,
            },
            optimizer: optimizer.into(),
            clip: None,
            average: None,
            steps: 0,
        }
    }

    #[test]
    fn accumulated_batches_equal_one_large_step() {
        let device = Default::default();
        // Without norms, images do not affect each other.
        let network = model::NetworkConfig::named("digit")
            .unwrap()
            .init(&device)
            .unwrap();
        let images = Tensor::<Train, 4>::random([5, 1, 28, 28], Distribution::Default, &device);
        let targets = Tensor::<Train, 1, Int>::from_ints([3, 1, 4, 1, 5], &device);
        let part = |range: std::ops::Range<usize>| ImageBatch {
            images: images.clone().slice([range.clone()]),
            targets: targets.clone().slice([range]),
            mixed: None,
            outliers: None,
        };
        let after = |batches| {
            let sgd = ops::Optimizer::Sgd(Sgd::default());
            let (trainee, output) =
                trainee(network.clone(), sgd).step(batches, 0.1, &mut Laps::start());
            let logits = trainee.model.network.forward(images.clone());
            (
                logits.into_data(),
                output.loss.into_data(),
                output.output.dims(),
            )
        };
        let whole = after(vec![part(0..5)]);
        let parts = after(vec![part(0..2), part(2..5)]);
        let tolerance = Tolerance::absolute(1e-5);
        parts.0.assert_approx_eq::<f32>(&whole.0, tolerance);
        parts.1.assert_approx_eq::<f32>(&whole.1, tolerance);
        assert_eq!(parts.2, whole.2);
    }

    #[test]
    fn outliers_affect_only_outlier_loss() {
        let device = Default::default();
        // Without norms, images do not affect each other.
        let network = model::NetworkConfig::named("digit")
            .unwrap()
            .init(&device)
            .unwrap();
        let images = Tensor::<Train, 4>::random([5, 1, 28, 28], Distribution::Default, &device);
        let after = |weight, outliers: usize| {
            let batch = ImageBatch {
                images: images.clone().narrow(0, 0, 3 + outliers),
                targets: Tensor::from_ints([3, 1, 4], &device),
                mixed: None,
                outliers: (outliers > 0).then_some(OutlierPart {
                    count: outliers,
                    weight,
                }),
            };
            let sgd = ops::Optimizer::Sgd(Sgd::default());
            let (trainee, output) =
                trainee(network.clone(), sgd).step(vec![batch], 0.1, &mut Laps::start());
            assert_eq!(output.output.dims(), [3, 10]);
            let logits = trainee.model.network.forward(images.clone());
            (logits, output.loss.into_scalar())
        };
        let (alone, loss) = after(1.0, 0);
        let (ignored, same) = after(0.0, 2);
        let tolerance = Tolerance::absolute(1e-5);
        ignored
            .into_data()
            .assert_approx_eq::<f32>(&alone.clone().into_data(), tolerance);
        let (pulled, also) = after(1.0, 2);
        assert!((same - loss).abs() < 1e-5 && (also - loss).abs() < 1e-5);
        let distance = |logits: Tensor<Train, 2>| {
            let unknown = log_softmax(logits.narrow(0, 3, 2), 1);
            unknown.mean().neg().into_scalar()
        };
        let (pulled, alone) = (distance(pulled), distance(alone));
        assert!(pulled < alone, "{pulled} with outliers, {alone} without");
    }

    #[test]
    fn parameters_keep_their_memory() {
        let device = Default::default();
        for optimizer in [
            ops::Optimizer::Sgd(Sgd {
                momentum: 0.9,
                nesterov: true,
                ..Sgd::default()
            }),
            ops::Optimizer::Adam(Adam::default()),
        ] {
            let network = model::NetworkConfig::named("resnet8")
                .unwrap()
                .init(&device)
                .unwrap();
            let mut trainee = trainee(network, optimizer);
            let batch = ImageBatch {
                images: Tensor::random([4, 3, 16, 16], Distribution::Default, &device),
                targets: Tensor::from_ints([0, 1, 2, 3], &device),
                mixed: None,
                outliers: None,
            };
            // The first step may change a parameter's memory layout to its gradient's.
            (trainee, _) = trainee.step(vec![batch.clone()], 0.01, &mut Laps::start());
            let before = addresses(&trainee.model);
            (trainee, _) = trainee.step(vec![batch], 0.01, &mut Laps::start());
            assert_eq!(addresses(&trainee.model), before, "{optimizer:?}");
        }
    }
}
