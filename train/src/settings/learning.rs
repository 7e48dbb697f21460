//! Learning rate and optimizer of a config.

use model::NetworkPart;
use ops::{Adam, Muon, Optimizer, Sgd};

use super::definitions::TrainConfig;
use super::optimizer::OptimizerKind;

/// Divisor of the default learning rate for fine-tuning. Dividing 0.1 by 10 gives 0.01; multiplying it by 0.1 would
/// give slightly more.
const FINE_TUNING: f64 = 10.0;

impl TrainConfig {
    /// Returns the highest learning rate: the one set, or else the optimizer's default, divided by ten if pretrained
    /// weights are fine-tuned.
    pub fn learning_rate(&self) -> f64 {
        let trained = self.weights.is_some() || self.pretrained.is_some();
        let divisor = match trained && !self.freeze.contains(&NetworkPart::All) {
            true => FINE_TUNING,
            false => 1.0,
        };
        self.lr.unwrap_or(self.optimizer.usual_rate() / divisor)
    }

    /// Creates the optimizer that the settings describe.
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
