//! What `infer --bench` measures.

use std::num::NonZeroUsize;

use burn::tensor::{Distribution, Tensor};
use command_line::benchmark::{
    BenchmarkError, Measurement, ProgramStart, SEED, measure, memory_now,
};
use model::ResidualBackend;
use saved_models::InputShape;
use saved_models::{NamedNetwork, SavedModel};

/// Whose predictions are measured.
#[derive(Clone, Debug)]
// One is held at a time, so the size of the larger variant costs nothing.
#[allow(clippy::large_enum_variant)]
pub enum Subject {
    /// A network with random weights.
    Untrained(NamedNetwork),
    /// A trained one.
    Saved(SavedModel),
}

/// A prediction to be measured: a folded network, random images, logits that were read back.
#[derive(Clone, Debug)]
pub struct PredictionBenchmark {
    subject: Subject,
    input: InputShape,
    batch: NonZeroUsize,
}

impl PredictionBenchmark {
    /// Fits the network to the images, or the images to the network where `input` is left open.
    ///
    /// # Errors
    ///
    /// If the network takes no such images.
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

    /// The network's name.
    pub fn model(&self) -> &str {
        match &self.subject {
            Subject::Untrained(network) => &network.name,
            Subject::Saved(saved) => &saved.description.model,
        }
    }

    /// The images' shape.
    pub fn input(&self) -> InputShape {
        self.input
    }

    /// Images in a prediction.
    pub fn batch(&self) -> usize {
        self.batch.get()
    }

    /// Measures it; what the arguments mean, [`measure`] says.
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
