//! Optimizers by name.

use serde::{Deserialize, Serialize};

/// Algorithm that updates the weights from their gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Stochastic gradient descent with Nesterov momentum.
    Sgd,
    /// Adam (Kingma and Ba 2014, <https://arxiv.org/abs/1412.6980>).
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2017,
    /// <https://arxiv.org/abs/1711.05101>).
    AdamW,
    /// Muon for the weights of convolutions (Jordan et al. 2024,
    /// <https://kellerjordan.github.io/posts/muon/>), AdamW for all else.
    Muon,
}

impl OptimizerKind {
    /// All optimizers.
    pub const ALL: [Self; 4] = [Self::Sgd, Self::Adam, Self::AdamW, Self::Muon];

    /// Returns the name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sgd => "sgd",
            Self::Adam => "adam",
            Self::AdamW => "adamw",
            Self::Muon => "muon",
        }
    }

    /// Returns the default for the highest learning rate.
    pub(crate) fn usual_rate(self) -> f64 {
        match self {
            Self::Sgd => 0.1,
            Self::Adam | Self::AdamW => 1e-3,
            Self::Muon => 5e-3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optimizer_names_match_settings() {
        for kind in OptimizerKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
