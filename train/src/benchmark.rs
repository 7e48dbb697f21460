//! Benchmark of a training step, for `train --bench`.

use std::num::NonZeroUsize;

use burn::backend::Autodiff;
use burn::tensor::backend::Backend as _;
use burn::tensor::{Distribution, Int, Tensor, TensorData};
use command_line::benchmark::{
    BenchmarkError, Measurement, ProgramStart, Setting, measure, memory_now,
};
use data::ImageBatch;
use device::SelectedDevice;
use model::{NetworkConfig, ResidualBackend};
use saved_models::InputShape;

use crate::error::ConfigError;
use crate::settings::TrainConfig;
use crate::step::{Classifier, Laps, Trainee};

/// Learning rate, low enough to keep weights finite however often the same batch is learned.
const RATE: f64 = 1e-5;

/// Benchmark of a training step: forward pass, cross entropy, backward pass and optimizer step, on random images.
#[derive(Clone, Debug)]
pub struct StepBenchmark {
    config: TrainConfig,
    network: NetworkConfig,
    input: InputShape,
}

impl StepBenchmark {
    /// Takes model, stem, batch size, optimizer and seed from the settings. `input` and `classes` default to the
    /// network's own.
    ///
    /// # Errors
    ///
    /// If a setting is out of range, or the network does not take images of this shape.
    pub fn new(
        config: TrainConfig,
        input: Option<InputShape>,
        classes: Option<usize>,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        let own = config.own_network()?;
        let input = input.unwrap_or_else(|| InputShape::usual(&own));
        let network = config.network(
            input.channels,
            [input.height, input.width],
            classes.unwrap_or(own.classes()),
        )?;
        Ok(Self {
            config,
            network,
            input,
        })
    }

    /// Returns the description of the benchmark for a report.
    pub fn setting(&self, device: &SelectedDevice) -> Setting {
        Setting::train_step(
            device,
            self.config.model_name().to_owned(),
            self.input,
            self.config.batch_size.get(),
            self.config.optimizer.name(),
        )
    }

    /// Runs the benchmark. [`measure`] documents the arguments.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn run<B: ResidualBackend>(
        &self,
        device: &B::Device,
        start: &ProgramStart,
        repeats: Option<NonZeroUsize>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Measurement, BenchmarkError> {
        let memory_before = memory_now();
        Autodiff::<B>::seed(device, self.config.seed);
        let network = self
            .network
            .init(device)
            .map_err(|error| BenchmarkError::Input {
                model: self.config.model_name().to_owned(),
                input: self.input,
                reason: error.to_string(),
            })?;
        let trainee = Trainee {
            model: Classifier {
                network,
                label_smoothing: 0.0,
                gradient_checkpointing: self.config.gradient_checkpointing,
            },
            optimizer: self.config.new_optimizer().into(),
            clip: None,
            average: None,
            steps: 0,
        };
        let batch = self.batch::<B>(device);
        measure(
            start,
            memory_before,
            repeats,
            progress,
            trainee,
            |trainee| {
                let (trainee, output) = trainee.step(vec![batch.clone()], RATE, &mut Laps::start());
                output.loss.try_into_data()?;
                // An asynchronous device returns the loss before the backward pass ends.
                B::sync(device)?;
                Ok(trainee)
            },
        )
    }

    fn batch<B: ResidualBackend>(&self, device: &B::Device) -> ImageBatch<Autodiff<B>> {
        let [channels, height, width] = self.input.into();
        let images = self.config.batch_size.get();
        let classes = self.network.classes();
        let targets: Vec<i64> = (0..images).map(|index| (index % classes) as i64).collect();
        ImageBatch {
            images: Tensor::random(
                [images, channels, height, width],
                Distribution::Normal(0.0, 1.0),
                device,
            ),
            targets: Tensor::<_, 1, Int>::from_data(TensorData::new(targets, [images]), device),
            mixed: None,
            outliers: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::OptimizerKind;
    use model::StemKind;

    fn config(model: &str) -> TrainConfig {
        TrainConfig {
            model: Some(model.to_owned()),
            ..TrainConfig::default()
        }
    }

    #[test]
    fn stem_determines_usual_input_shape() {
        let resnet18 = StepBenchmark::new(config("resnet18"), None, None).unwrap();
        assert_eq!(resnet18.input.to_string(), "3x224x224");
        assert_eq!(resnet18.network.classes(), 1000);
        let small = TrainConfig {
            stem: Some(StemKind::Cifar),
            ..config("resnet18")
        };
        let small = StepBenchmark::new(small, None, Some(10)).unwrap();
        assert_eq!(small.input.to_string(), "3x32x32");
        assert_eq!(small.network.classes(), 10);
    }

    #[test]
    fn mismatched_input_is_rejected() {
        let input = Some("1x32x32".parse().unwrap());
        let error = StepBenchmark::new(config("digit"), input, None).unwrap_err();
        assert!(error.to_string().contains("28x28"), "{error}");
        let adam = TrainConfig {
            optimizer: OptimizerKind::Adam,
            momentum: 1.0,
            ..config("digit")
        };
        let error = StepBenchmark::new(adam, None, None).unwrap_err();
        assert!(error.to_string().contains("`momentum` is 1"), "{error}");
        let error = StepBenchmark::new(config("resnet8"), None, Some(0)).unwrap_err();
        assert!(error.to_string().contains("`classes` is 0"), "{error}");
    }
}
