//! How much memory training needs.

use serde::{Deserialize, Serialize};

use super::walk::product;
use super::{Layer, LayerKind, Summary};
use ops::Optimizer;

/// Bytes of an `f32`.
const VALUE: u64 = size_of::<f32>() as u64;

/// What training holds at once, in bytes of `f32`.
///
/// It is an estimate: kernels need working memory besides, and the backward pass holds the
/// gradients of a few layers' outputs at a time. Backends that keep freed memory for later hold
/// more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingMemory {
    /// Trained values and running statistics.
    pub parameters: u64,
    /// One value for each trained one.
    pub gradients: u64,
    /// What the optimizer remembers: one value for each trained one with momentum, two with Adam;
    /// with Muon one for each weight of a convolution and two for all else.
    pub optimizer_state: u64,
    /// The images of a batch and the outputs that this crate's backward steps keep (see
    /// [`Layer::kept`](super::Layer::kept)): convolutions, linear layers and batch norms their
    /// input, whatever ends with a ReLU its output, max pools both, and everything else nothing.
    /// What several of them keep counts once.
    pub activations: u64,
}

impl TrainingMemory {
    /// The sum of all four.
    pub fn total(&self) -> u64 {
        let parts = [self.gradients, self.optimizer_state, self.activations];
        parts.into_iter().fold(self.parameters, u64::saturating_add)
    }
}

impl Summary {
    /// What training with batches of so many images needs.
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

    /// Trained values of convolutions without their biases.
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
