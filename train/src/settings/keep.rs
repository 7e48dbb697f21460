//! Which epoch's network is kept.

use serde::{Deserialize, Serialize};

/// Which epoch's network is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// That with the best validation accuracy; of several, the first with the lowest loss.
    #[default]
    Best,
    /// The last. Where few images are held back, the best of many scores is mostly luck.
    Last,
}

impl Keep {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Best, Self::Last];

    /// Its name in commands and configs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
        }
    }
}
