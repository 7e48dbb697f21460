//! Benchmark behind `infer --bench`.

use std::num::NonZeroUsize;

use burn::tensor::{Distribution, Tensor};
use command_line::benchmark::{
    BenchmarkError, Measurement, ProgramStart, SEED, measure, memory_now,
};
use model::int8::{Calibration, Quantization, QuantizationError, RangeRule};
use model::{FoldedNetwork, Network, NetworkConfig, ResidualBackend};
use saved_models::{InputShape, NamedNetwork, SavedModel, Stored};

/// Numbers that a prediction computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Floats of 32 bits.
    Float32,
    /// Integers of 8 bits.
    Int8,
}

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
    precision: Option<Precision>,
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
            precision: None,
        })
    }

    /// Computes with other numbers than the model holds. A model of floats is calibrated on random
    /// images, as its speed does not depend on its accuracy.
    #[must_use]
    pub fn with_precision(self, precision: Option<Precision>) -> Self {
        Self { precision, ..self }
    }

    /// Returns the numbers that the prediction computes with.
    pub fn precision(&self) -> Precision {
        let own = match &self.subject {
            Subject::Saved(saved) if saved.stored() == Some(Stored::Int8) => Precision::Int8,
            _ => Precision::Float32,
        };
        self.precision.unwrap_or(own)
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

    fn config(&self) -> &NetworkConfig {
        match &self.subject {
            Subject::Untrained(network) => &network.config,
            Subject::Saved(saved) => &saved.description.network,
        }
    }

    fn wrong(&self, reason: String) -> BenchmarkError {
        BenchmarkError::Input {
            model: self.model().to_owned(),
            input: self.input,
            reason,
        }
    }

    fn integers<B: ResidualBackend>(
        &self,
        integers: Result<Quantization, QuantizationError>,
        device: &B::Device,
    ) -> Result<FoldedNetwork<B>, BenchmarkError> {
        let folded = integers.and_then(|integers| integers.folded(self.config(), device));
        let folded = folded.map_err(|error| self.wrong(error.to_string()))?;
        folded.ok_or(BenchmarkError::NoIntegers)
    }

    fn network<B: ResidualBackend>(
        &self,
        device: &B::Device,
    ) -> Result<Network<B>, BenchmarkError> {
        match &self.subject {
            Subject::Untrained(network) => {
                let network = network.config.init(device);
                network.map_err(|error| self.wrong(error.to_string()))
            }
            Subject::Saved(saved) => Ok(saved.network(device)?),
        }
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
        let [channels, height, width] = self.input.into();
        let random = |batch| {
            let shape = [batch, channels, height, width];
            Tensor::<B, 4>::random(shape, Distribution::Normal(0.0, 1.0), device)
        };
        let network = match (&self.subject, self.precision()) {
            (Subject::Saved(saved), Precision::Int8) if saved.stored() == Some(Stored::Int8) => {
                saved.folded(device)?
            }
            (_, Precision::Float32) => self.network::<B>(device)?.fold(),
            (Subject::Untrained(network), Precision::Int8) => {
                let integers = Quantization::untrained::<B>(&network.config, device);
                self.integers(integers, device)?
            }
            (_, Precision::Int8) => {
                let network = self.network::<B>(device)?;
                let mut calibration = Calibration::new(&network);
                calibration.add(random(1));
                let integers = calibration.quantize(&network, RangeRule::Percentile(1.0));
                self.integers(Ok(integers), device)?
            }
        };
        let images = random(self.batch.get());
        measure(start, memory_before, repeats, progress, (), |()| {
            network.forward(images.clone()).try_into_data()?;
            Ok(())
        })
    }
}
