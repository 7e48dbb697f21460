//! Which values of a network are codes.

use crate::graph::{Graph, Step};

/// Largest code that a convolution can read.
pub(super) const MOST_FACTOR: u8 = 127;

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Codes of 0 to `most`; `zero` stands for the value zero.
    Codes { most: u8, zero: u8 },
    /// Floats, for sums that a norm reads: each block adds to them, and rounding errors would add up.
    Floats,
}

/// Forms of all values of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Formats {
    /// Value whose form and range each value shares: itself, or the source of a pool or a pad.
    pub roots: Vec<usize>,
    /// Form of each value. Value 0, the images, has one of its own.
    pub formats: Vec<Format>,
}

impl Formats {
    pub(super) fn of(graph: &Graph) -> Self {
        let steps = graph.steps();
        let mut roots = vec![0];
        for (index, step) in steps.iter().enumerate() {
            roots.push(match *step {
                Step::MaxPool { input, .. }
                | Step::AveragePool { input, .. }
                | Step::ZeroPad { input, .. } => roots[input],
                Step::Convolution { .. } | Step::Norm { .. } => index + 1,
            });
        }
        let mut is_factor = vec![false; roots.len()];
        let mut is_normed = vec![false; roots.len()];
        for step in steps {
            match *step {
                Step::Convolution { input, .. } => is_factor[roots[input]] = true,
                Step::Norm { input, .. } => is_normed[roots[input]] = true,
                _ => {}
            }
        }
        let format = |value: &usize| {
            let root = roots[*value];
            let is_positive = match root.checked_sub(1).map(|step| &steps[step]) {
                Some(Step::Convolution { relu, .. }) => *relu,
                _ => true,
            };
            match (is_factor[root], is_normed[root]) {
                (false, true) => Format::Floats,
                (is_factor, _) => {
                    let most = if is_factor { MOST_FACTOR } else { u8::MAX };
                    let zero = if is_positive { 0 } else { most / 2 + 1 };
                    Format::Codes { most, zero }
                }
            }
        };
        let formats = (0..roots.len())
            .collect::<Vec<_>>()
            .iter()
            .map(format)
            .collect();
        Self { roots, formats }
    }
}

impl Format {
    /// Returns the number of codes between zero and the end of the range; 1 for floats.
    pub(super) fn levels(self) -> f32 {
        match self {
            Self::Codes { most, zero } => f32::from(most - zero),
            Self::Floats => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NetworkConfig;
    use burn_flex::Flex;

    fn graph(name: &str) -> Graph {
        let config = NetworkConfig::named(name).unwrap();
        let network = config.undrawn::<Flex>(&Default::default());
        network.trace().graph
    }

    fn formats(name: &str) -> Formats {
        Formats::of(&graph(name))
    }

    const FACTOR: Format = Format::Codes { most: 127, zero: 0 };

    #[test]
    fn outputs_of_relus_are_factors_and_projections_are_signed() {
        let formats = formats("resnet18").formats;
        assert_eq!(formats[1..6], [FACTOR; 5]);
        let signed = Format::Codes {
            most: 255,
            zero: 128,
        };
        assert_eq!(
            formats.iter().filter(|&&format| format == signed).count(),
            3
        );
        assert_eq!(formats.last(), Some(&Format::Codes { most: 255, zero: 0 }));
        assert!(!formats.contains(&Format::Floats));
    }

    #[test]
    fn pools_and_pads_share_the_form_of_their_source() {
        let formats = formats("resnet20");
        let shared = formats
            .roots
            .iter()
            .enumerate()
            .filter(|(value, root)| value != *root);
        assert_eq!(shared.count(), 2);
    }

    #[test]
    fn sums_before_norms_stay_floats() {
        let formats = formats("preresnet20").formats;
        assert_eq!(formats[1], FACTOR);
        assert!(
            formats
                .iter()
                .filter(|&&format| format == Format::Floats)
                .count()
                >= 9
        );
    }

    #[test]
    fn digit_network_has_signed_factors() {
        let formats = formats("digit").formats;
        assert!(formats.contains(&Format::Codes {
            most: 127,
            zero: 64
        }));
    }

    /// The kernels panic otherwise.
    #[test]
    fn convolutions_and_pools_of_all_networks_read_codes() {
        for name in crate::registry::names() {
            let graph = graph(name);
            let Formats { formats, .. } = Formats::of(&graph);
            for step in graph.steps() {
                let (input, largest) = match *step {
                    Step::Convolution { input: 0, .. } => continue, // images
                    Step::Convolution { input, .. } => (input, MOST_FACTOR),
                    Step::MaxPool { input, .. } | Step::AveragePool { input, .. } => {
                        (input, u8::MAX)
                    }
                    Step::Norm { .. } | Step::ZeroPad { .. } => continue,
                };
                let Format::Codes { most, .. } = formats[input] else {
                    panic!("{name}: {step:?} reads floats");
                };
                assert!(most <= largest, "{name}: {step:?}");
            }
            // Features are not negative.
            let last = formats.last();
            assert!(
                matches!(last, Some(Format::Codes { zero: 0, .. })),
                "{name}"
            );
        }
    }
}
