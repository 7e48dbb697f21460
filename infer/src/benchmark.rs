//! Benchmark behind `infer --bench`.

use std::num::NonZeroUsize;

use burn::tensor::{Distribution, Tensor};
use command_line::benchmark::{
    BenchmarkError, Measurement, ProgramStart, SEED, measure, memory_now,
};
use model::ResidualBackend;
use saved_models::InputShape;
use saved_models::{NamedNetwork, SavedModel};

/// Model to measure.
#[derive(Clone, Debug)]
// Only one is held at a time, so the size of the larger variant does not matter.
#[allow(clippy::large_enum_variant)]
pub enum Subject {
    /// A network with random weights.
    Untrained(NamedNetwork),
    /// A trained network.
    Saved(SavedModel),
}

/// A prediction to measure: folded network, random images, logits read back to the host.
#[derive(Clone, Debug)]
pub struct PredictionBenchmark {
    subject: Subject,
    input: InputShape,
    batch: NonZeroUsize,
}

impl PredictionBenchmark {
    /// Builds the network for the given images. Without `input`, uses the image shape that fits the
    /// network.
    ///
    /// # Errors
    ///
    /// If the network does not accept images of this shape.
    pub fn new(
        mut subject: Subject,
        input: Option<InputShape>,
        batch: NonZeroUsize,
    ) -> Result<Self, BenchmarkError> {
        let usual = match &subject {
            Subject::Untrained(network) => InputShape::usual(&network.config),
            Subject::Saved(saved) => saved.description.preprocessing.shape().into(),
        };
        let input = input.unwrap_or(usual);
        let (name, network) = match &mut subject {
            Subject::Untrained(network) => {
                network.config = network.config.clone().with_input_channels(input.channels);
                (&network.name, &network.config)
            }
            Subject::Saved(saved) => (&saved.description.model, &saved.description.network),
        };
        let wrong = |reason: String| BenchmarkError::Input {
            model: name.clone(),
            input,
            reason,
        };
        if network.input_channels() != input.channels {
            return Err(wrong(format!(
                "it was trained on images with a channel count of {}",
                network.input_channels()
            )));
        }
        network
            .validate()
            .and_then(|()| network.check_input(input.height, input.width))
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            subject,
            input,
            batch,
        })
    }

    /// Returns the name of the network.
    pub fn model(&self) -> &str {
        match &self.subject {
            Subject::Untrained(network) => &network.name,
            Subject::Saved(saved) => &saved.description.model,
        }
    }

    /// Returns the shape of the images.
    pub fn input(&self) -> InputShape {
        self.input
    }

    /// Returns the number of images per prediction.
    pub fn batch(&self) -> usize {
        self.batch.get()
    }

    /// Runs the measurement; see [`measure`] for the arguments.
    ///
    /// # Errors
    ///
    /// If the weights are damaged or the device fails.
    pub fn run<B: ResidualBackend>(
        &self,
        device: &B::Device,
        start: &ProgramStart,
        repeats: Option<NonZeroUsize>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Measurement, BenchmarkError> {
        let memory_before = memory_now();
        B::seed(device, SEED);
        let network = match &self.subject {
            Subject::Untrained(network) => {
                let init = network.config.init::<B>(device);
                init.map_err(|error| BenchmarkError::Input {
                    model: network.name.clone(),
                    input: self.input,
                    reason: error.to_string(),
                })?
            }
            Subject::Saved(saved) => saved.network::<B>(device)?,
        };
        let network = network.fold();
        let [channels, height, width] = self.input.into();
        let shape = [self.batch.get(), channels, height, width];
        let images = Tensor::<B, 4>::random(shape, Distribution::Normal(0.0, 1.0), device);
        measure(start, memory_before, repeats, progress, (), |()| {
            network.forward(images.clone()).try_into_data()?;
            Ok(())
        })
    }
}
