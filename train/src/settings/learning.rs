//! Learning rate and optimizer that the settings describe.

use model::NetworkPart;
use ops::{Adam, Muon, Optimizer, Sgd};

use super::definitions::TrainConfig;
use super::optimizer::OptimizerKind;

/// Trained weights move at the usual rate divided by this. A division gives 0.01 of 0.1, where a product with 0.1 is a
/// trifle more.
const FINE_TUNING: f64 = 10.0;

impl TrainConfig {
    /// The highest learning rate, as it is set or as is usual for the optimizer; a tenth of that
    /// where trained weights are to change.
    pub fn learning_rate(&self) -> f64 {
        let trained = self.weights.is_some() || self.pretrained.is_some();
        let divisor = match trained && !self.freeze.contains(&NetworkPart::All) {
            true => FINE_TUNING,
            false => 1.0,
        };
        self.lr.unwrap_or(self.optimizer.usual_rate() / divisor)
    }

    /// The optimizer that the settings describe.
    pub fn new_optimizer(&self) -> Optimizer {
        match self.optimizer {
            OptimizerKind::Sgd => Optimizer::Sgd(Sgd {
                momentum: self.momentum,
                dampening: 0.0,
                nesterov: self.momentum > 0.0,
                weight_decay: self.weight_decay,
                vectors_decay: self.decay_vectors,
            }),
            kind @ (OptimizerKind::Adam | OptimizerKind::AdamW) => Optimizer::Adam(Adam {
                weight_decay: self.weight_decay,
                decoupled: kind == OptimizerKind::AdamW,
                vectors_decay: self.decay_vectors,
                ..Adam::default()
            }),
            OptimizerKind::Muon => Optimizer::Muon(Muon {
                momentum: self.momentum,
                nesterov: self.momentum > 0.0,
                weight_decay: self.weight_decay,
                vectors_decay: self.decay_vectors,
            }),
        }
    }
}
