//! Networks as users name them.

use std::str::FromStr;

use model::{NetworkConfig, UnknownNetwork};

/// A network of the registry.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedNetwork {
    /// Its name.
    pub name: String,
    /// Configuration that the name stands for.
    pub config: NetworkConfig,
}

impl FromStr for NamedNetwork {
    type Err = UnknownNetwork;

    fn from_str(name: &str) -> Result<Self, UnknownNetwork> {
        Ok(Self {
            name: name.to_owned(),
            config: model::NetworkConfig::named(name)?,
        })
    }
}
