//! Why shortcuts: what happens to networks with and without them as they get deeper.
//!
//! [`Degradation`] trains both kinds by one recipe, [`Gradients`] looks at how a gradient comes down
//! to each layer. Each gives a table and a [`Chart`](report::chart::Chart).

mod degradation;
mod gradients;

pub use degradation::{Curve, Degradation};
pub use gradients::{GradientProfile, Gradients};

use model::UnknownNetwork;
use report::chart::Style;

/// With shortcuts and without, as the registry names them.
const KINDS: [&str; 2] = ["plain", "resnet"];

/// The networks of a study, in the order in which they are trained: `plain20`, `resnet20`, and the
/// same for the other depths.
fn networks(depths: &[usize]) -> Result<Vec<String>, UnknownNetwork> {
    let names = depths
        .iter()
        .flat_map(|depth| KINDS.map(|kind| format!("{kind}{depth}")));
    names
        .map(|name| model::NetworkConfig::named(&name).map(|_| name))
        .collect()
}

/// Shortcuts by color and dashes, depths by color.
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
