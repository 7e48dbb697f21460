//! Parts of a network that are frozen during training.

use std::fmt;
use std::str::FromStr;

use burn::module::Module as _;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::NetworkConfig;
use crate::network::Network;
use ops::ResidualBackend;

/// A part that [`Network::freeze`] freezes. As text (and in serde): `all`, `stem`, `stage1`,
/// `stage2` and so on.
///
/// ```
/// use model::NetworkPart;
///
/// assert_eq!("stage3".parse::<NetworkPart>()?, NetworkPart::Stage(3));
/// assert_eq!(NetworkPart::All.to_string(), "all");
/// # Ok::<(), model::UnknownPart>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum NetworkPart {
    /// Everything before the last linear layer.
    All,
    /// The layers before the first stage.
    Stem,
    /// A stage, counted from 1.
    Stage(usize),
}

/// The text does not name a part, or the network lacks that part.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown part `{part}`, known parts are {known}")]
pub struct UnknownPart {
    /// Requested part.
    pub part: String,
    /// Available parts.
    pub known: String,
}

const STAGE: &str = "stage";

impl FromStr for NetworkPart {
    type Err = UnknownPart;

    fn from_str(text: &str) -> Result<Self, UnknownPart> {
        let stage = || text.strip_prefix(STAGE)?.parse().ok();
        match text {
            "all" => Ok(Self::All),
            "stem" => Ok(Self::Stem),
            _ => match stage() {
                Some(stage) if stage > 0 => Ok(Self::Stage(stage)),
                _ => Err(UnknownPart {
                    part: text.to_owned(),
                    known: "all, stem, stage1, stage2 and so on".to_owned(),
                }),
            },
        }
    }
}

impl fmt::Display for NetworkPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => formatter.write_str("all"),
            Self::Stem => formatter.write_str("stem"),
            Self::Stage(stage) => write!(formatter, "{STAGE}{stage}"),
        }
    }
}

impl TryFrom<String> for NetworkPart {
    type Error = UnknownPart;

    fn try_from(text: String) -> Result<Self, UnknownPart> {
        text.parse()
    }
}

impl From<NetworkPart> for String {
    fn from(part: NetworkPart) -> Self {
        part.to_string()
    }
}

impl NetworkConfig {
    /// Checks that the network has these parts.
    ///
    /// # Errors
    ///
    /// The first missing part, with the available ones.
    pub fn check_parts(&self, parts: &[NetworkPart]) -> Result<(), UnknownPart> {
        let known = match self {
            Self::Resnet(config) => {
                let stages = (1..=config.depths.len()).map(NetworkPart::Stage);
                [NetworkPart::All, NetworkPart::Stem]
                    .into_iter()
                    .chain(stages)
                    .collect()
            }
            Self::Digit(_) => vec![NetworkPart::All],
        };
        match parts.iter().find(|part| !known.contains(part)) {
            None => Ok(()),
            Some(part) => Err(UnknownPart {
                part: part.to_string(),
                known: known
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }
}

impl<B: ResidualBackend> Network<B> {
    /// Freezes parts: their parameters take no gradient, and their norms use the running statistics
    /// without updating them, as in prediction. Missing parts are ignored;
    /// [`NetworkConfig::check_parts`] finds them.
    #[must_use]
    pub fn freeze(self, parts: &[NetworkPart]) -> Self {
        let all = parts.contains(&NetworkPart::All);
        match self {
            Self::ResNet(mut network) => {
                if all || parts.contains(&NetworkPart::Stem) {
                    network.stem = network.stem.no_grad();
                }
                network.stages = network
                    .stages
                    .into_iter()
                    .enumerate()
                    .map(|(index, stage)| {
                        if all || parts.contains(&NetworkPart::Stage(index + 1)) {
                            stage.no_grad()
                        } else {
                            stage
                        }
                    })
                    .collect();
                if all {
                    network.head.norm = network.head.norm.no_grad();
                }
                Self::ResNet(network)
            }
            Self::Digit(mut network) if all => {
                let linear = network.linear.clone();
                network = network.no_grad();
                network.linear = linear;
                Self::Digit(network)
            }
            network => network,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Autodiff;
    use burn::module::{ModuleVisitor, Param};
    use burn::tensor::backend::AutodiffBackend;
    use burn::tensor::{Distribution, Tensor, TensorData};
    use burn_flex::Flex;

    type Train = Autodiff<Flex>;

    /// Path, gradient (if any) and value of every parameter and statistic in a network.
    struct Visit<'a> {
        gradients: &'a <Train as AutodiffBackend>::Gradients,
        path: Vec<String>,
        with_gradient: Vec<String>,
        values: Vec<(String, TensorData)>,
    }

    impl ModuleVisitor<Train> for Visit<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<Train, D>>) {
            let path = self.path.join(".");
            let tensor = parameter.val();
            if tensor.grad(self.gradients).is_some() {
                self.with_gradient.push(path.clone());
            }
            self.values.push((path, tensor.into_data()));
        }
    }

    fn visit<'a>(
        network: &Network<Train>,
        gradients: &'a <Train as AutodiffBackend>::Gradients,
    ) -> Visit<'a> {
        let mut visit = Visit {
            gradients,
            path: Vec::new(),
            with_gradient: Vec::new(),
            values: Vec::new(),
        };
        let _ = network.clone().into_record(); // updates the running statistics
        network.visit(&mut visit);
        visit
    }

    /// Returns the paths of the parameters with a gradient after a step, and of the statistics that
    /// it updated.
    fn after_a_step(name: &str, parts: &[NetworkPart]) -> [Vec<String>; 2] {
        let device = Default::default();
        let config = NetworkConfig::named(name).unwrap();
        config.check_parts(parts).unwrap();
        let network = config.init::<Train>(&device).unwrap().freeze(parts);
        let shape = match name {
            "digit" => [2, 1, 28, 28],
            _ => [2, 3, 16, 16],
        };
        let empty = Tensor::<Train, 1>::ones([1], &device)
            .require_grad()
            .backward();
        let before = visit(&network, &empty).values;
        let images = Tensor::random(shape, Distribution::Default, &device);
        let gradients = network.forward(images).powi_scalar(2).sum().backward();
        let after = visit(&network, &gradients);
        let moved = before
            .into_iter()
            .zip(after.values)
            .filter(|(before, after)| before.1 != after.1)
            .map(|(before, _)| before.0)
            .collect();
        [after.with_gradient, moved]
    }

    #[test]
    fn frozen_parts_neither_learn_nor_update_statistics() {
        let starts_with = |paths: &[String], start: &str| {
            let start = format!("ResNet.{start}");
            paths.iter().filter(|path| path.starts_with(&start)).count()
        };
        for name in ["resnet8", "preresnet8"] {
            let [learn, moved] = after_a_step(name, &[NetworkPart::Stem, NetworkPart::Stage(2)]);
            for (start, is_frozen) in [
                ("stem", true),
                ("stages.0", false),
                ("stages.1", true),
                ("stages.2", false),
                ("head", false),
            ] {
                assert_eq!(starts_with(&learn, start) == 0, is_frozen, "{name} {start}");
                // A head without a norm has no running statistics.
                if start != "head" {
                    assert_eq!(starts_with(&moved, start) == 0, is_frozen, "{name} {start}");
                }
            }
        }
        for name in ["resnet8", "preresnet8", "digit"] {
            let [learn, moved] = after_a_step(name, &[NetworkPart::All]);
            assert_eq!(learn.len(), 2, "{name}: {learn:?}");
            assert!(learn.iter().all(|path| path.contains("linear")), "{name}");
            assert!(moved.is_empty(), "{name}: {moved:?}");
        }
    }

    #[test]
    fn frozen_network_matches_prediction_logits() {
        use burn::module::AutodiffModule as _;
        let device = Default::default();
        let network = NetworkConfig::named("resnet8")
            .unwrap()
            .init::<Train>(&device)
            .unwrap();
        let images = Tensor::<Train, 4>::random([2, 3, 16, 16], Distribution::Default, &device);
        network.forward(images.clone()); // so that the running statistics are not the identity
        let expected = network.valid().forward(images.clone().inner()).into_data();

        let logits = network.freeze(&[NetworkPart::All]).forward(images);

        logits.into_data().assert_eq(&expected, true);
    }

    #[test]
    fn part_names_are_parsed_and_checked() {
        for text in ["all", "stem", "stage1", "stage12"] {
            assert_eq!(text.parse::<NetworkPart>().unwrap().to_string(), text);
        }
        for text in ["", "stage", "stage0", "stage-1", "head", "Stem"] {
            assert!(text.parse::<NetworkPart>().is_err(), "{text}");
        }
        let error = NetworkConfig::named("resnet8")
            .unwrap()
            .check_parts(&[NetworkPart::Stem, NetworkPart::Stage(4)])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown part `stage4`, known parts are all, stem, stage1, stage2, stage3"
        );
        assert!(
            NetworkConfig::named("digit")
                .unwrap()
                .check_parts(&[NetworkPart::Stem])
                .is_err()
        );
    }
}
