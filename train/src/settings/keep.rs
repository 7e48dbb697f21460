//! The choice of the epoch to keep.

use serde::{Deserialize, Serialize};

/// The epoch whose network is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// The epoch with the best validation accuracy; among several, the first with the lowest loss.
    #[default]
    Best,
    /// The last epoch. With few held-back images, the best of many scores is mostly luck.
    Last,
}

impl Keep {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Best, Self::Last];

    /// Returns the name in commands and configs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
        }
    }
}
