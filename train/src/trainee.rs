//! A network and its optimizer, one step at a time.

use burn::optim::Optimizer as _;
use burn::optim::adaptor::OptimizerAdaptor;
use burn_train::{ClassificationOutput, TrainStep as _};
use data::ImageBatch;

use crate::classifier::{Classifier, TrainBackend};

/// An optimizer and what it remembers of every parameter.
pub(crate) type Optimizer<B> = OptimizerAdaptor<model::Optimizer, Classifier<B>, B>;

/// A network in training. It is handed on by value from step to step, because an optimizer can
/// update a parameter in place only where nothing else holds its memory.
pub(crate) struct Trainee<B: TrainBackend> {
    pub model: Classifier<B>,
    pub optimizer: Optimizer<B>,
}

impl<B: TrainBackend> Trainee<B> {
    /// Forward and backward pass and the optimizer's step; the output is that before the step.
    pub(crate) fn step(
        mut self,
        batch: ImageBatch<B>,
        rate: f64,
    ) -> (Self, ClassificationOutput<B::InnerBackend>) {
        let output = self.model.step(batch);
        self.model = self.optimizer.step(rate, self.model, output.grads);
        (self, output.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Autodiff;
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::{Distribution, Tensor};
    use burn_flex::Flex;
    use model::{Adam, Sgd};

    type Train = Autodiff<Flex>;

    /// Where everything that has a gradient lies in memory.
    fn addresses(model: &Classifier<Train>) -> Vec<usize> {
        struct Addresses(Vec<usize>);
        impl ModuleVisitor<Train> for Addresses {
            fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<Train, D>>) {
                let tensor = parameter.val();
                // All but the norms' running statistics, which are no optimizer's business.
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

    #[test]
    fn parameters_stay_where_they_are() {
        let device = Default::default();
        for optimizer in [
            model::Optimizer::Sgd(Sgd {
                momentum: 0.9,
                nesterov: true,
                ..Sgd::default()
            }),
            model::Optimizer::Adam(Adam::default()),
        ] {
            let network = model::network("resnet8").unwrap().init(&device).unwrap();
            let mut trainee = Trainee {
                model: Classifier { network },
                optimizer: optimizer.into(),
            };
            let batch = ImageBatch {
                images: Tensor::random([4, 3, 16, 16], Distribution::Default, &device),
                targets: Tensor::from_ints([0, 1, 2, 3], &device),
                mixed: None,
            };
            // The first step may lay a parameter out as its gradient lies.
            (trainee, _) = trainee.step(batch.clone(), 0.01);
            let before = addresses(&trainee.model);
            (trainee, _) = trainee.step(batch, 0.01);
            assert_eq!(addresses(&trainee.model), before, "{optimizer:?}");
        }
    }
}
