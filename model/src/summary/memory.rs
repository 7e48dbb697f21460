//! Memory required by training.

use serde::{Deserialize, Serialize};

use super::walk::product;
use super::{Layer, LayerKind, Summary};
use ops::Optimizer;

/// Bytes of an `f32`.
const VALUE: u64 = size_of::<f32>() as u64;

/// Memory that training holds at once, in bytes of `f32`.
///
/// This is an estimate: kernels need additional working memory, and the backward pass holds the
/// gradients of a few layers' outputs at a time. Backends that cache freed memory hold more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingMemory {
    /// Trained values and running statistics.
    pub parameters: u64,
    /// One value per trained value.
    pub gradients: u64,
    /// State of the optimizer per trained value: one value with momentum, two with Adam; with Muon,
    /// one for each weight of a convolution and two for all others.
    pub optimizer_state: u64,
    /// The images of a batch and the outputs that this crate's backward steps keep (see
    /// [`Layer::kept`](super::Layer::kept)): convolutions, linear layers and batch norms keep their
    /// input, layers that end with a ReLU their output, max pools both, and all others nothing. An
    /// output that several layers keep counts once.
    pub activations: u64,
}

impl TrainingMemory {
    /// Returns the sum of all four.
    pub fn total(&self) -> u64 {
        let parts = [self.gradients, self.optimizer_state, self.activations];
        parts.into_iter().fold(self.parameters, u64::saturating_add)
    }
}

impl Summary {
    /// Returns the memory required to train with batches of `batch` images.
    ///
    /// ```
    /// use ops::{Optimizer, Sgd};
    ///
    /// let resnet20 = model::NetworkConfig::named("resnet20")?;
    /// let summary = model::summary(&resnet20, [32, 32])?;
    /// let sgd = Optimizer::Sgd(Sgd { momentum: 0.9, ..Sgd::default() });
    /// let memory = summary.training_memory(128, &sgd);
    /// assert_eq!(memory.gradients, 4 * summary.parameters);
    /// assert_eq!(memory.total() / 1_000_000, 197); // megabytes
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn training_memory(&self, batch: usize, optimizer: &Optimizer) -> TrainingMemory {
        let remembered = match optimizer {
            Optimizer::Sgd(sgd) if sgd.momentum == 0.0 => 0,
            Optimizer::Sgd(_) => self.parameters,
            Optimizer::Adam(_) => 2 * self.parameters,
            Optimizer::Muon(_) => 2 * self.parameters - self.convolution_weights(),
        };
        let kept = self.layers.iter().filter(|layer| layer.kept);
        let kept = kept.map(|layer| product(&layer.output));
        let values = kept.fold(product(&self.input), u64::saturating_add);
        TrainingMemory {
            parameters: VALUE * (self.parameters + self.running_statistics),
            gradients: VALUE * self.parameters,
            optimizer_state: VALUE * remembered,
            activations: values.saturating_mul(batch as u64).saturating_mul(VALUE),
        }
    }

    /// Returns the number of trained values in convolutions, without biases.
    fn convolution_weights(&self) -> u64 {
        let weights = |layer: &Layer| match layer.kind {
            LayerKind::Convolution { kernel, groups, .. } => {
                (kernel * kernel * layer.output[0] * layer.input[0] / groups) as u64
            }
            _ => 0,
        };
        self.layers.iter().map(weights).sum()
    }
}
