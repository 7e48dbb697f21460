//! Compares networks with and without shortcuts as they get deeper.
//!
//! [`Degradation`] trains both kinds with the same recipe, and [`Gradients`] measures the gradient that reaches each
//! layer. Each returns a table and a [`Chart`](report::chart::Chart).

mod degradation;
mod gradients;

pub use degradation::{Curve, Degradation};
pub use gradients::{GradientProfile, Gradients};

use model::UnknownNetwork;
use report::chart::Style;

/// Name prefixes in the registry of networks without and with shortcuts.
const KINDS: [&str; 2] = ["plain", "resnet"];

/// Returns the names of a study's networks in training order: `plain20`, `resnet20`, and so on for the other depths.
fn networks(depths: &[usize]) -> Result<Vec<String>, UnknownNetwork> {
    let names = depths
        .iter()
        .flat_map(|depth| KINDS.map(|kind| format!("{kind}{depth}")));
    names
        .map(|name| model::NetworkConfig::named(&name).map(|_| name))
        .collect()
}

/// Returns the line style of a network: dashes mark networks without shortcuts, and colors mark depths.
fn style(name: &str, depths: &[usize], marked: bool) -> Style {
    let depth = depths
        .iter()
        .position(|depth| name.ends_with(&depth.to_string()));
    Style {
        color: depth.unwrap_or(0),
        dash: usize::from(name.starts_with(KINDS[0])),
        marked,
    }
}
