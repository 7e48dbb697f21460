//! The well-known networks by name.

use thiserror::Error;

use crate::config::{BlockKind, DigitConfig, NetworkConfig, ResNetConfig};

/// ImageNet ResNets: name, block, depths. Before the CIFAR rule, because `resnet50` and
/// `resnet152` have 6n+2 layers too.
const IMAGENET: [(&str, BlockKind, [usize; 4]); 5] = [
    ("resnet18", BlockKind::Basic, [2, 2, 2, 2]),
    ("resnet34", BlockKind::Basic, [3, 4, 6, 3]),
    ("resnet50", BlockKind::Bottleneck, [3, 4, 6, 3]),
    ("resnet101", BlockKind::Bottleneck, [3, 4, 23, 3]),
    ("resnet152", BlockKind::Bottleneck, [3, 8, 36, 3]),
];
/// CIFAR ResNets that are listed; every other depth of 6n+2 layers is known too.
const CIFAR: [&str; 7] = [
    "resnet8",
    "resnet20",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
    "resnet1202",
];
const TUTORIAL: &str = "resnet18-tutorial";
const DIGIT: &str = "digit";
/// Deeper ones only run out of memory.
const MAX_CIFAR_BLOCKS: usize = 1000;

/// No network has this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no network is called `{name}`{}; known: {}, and resnet(6n+2)", suggestion(.nearest), names().join(", "))]
pub struct UnknownNetwork {
    /// What was asked for.
    pub name: String,
    /// The known name that is closest to it, if one is close.
    pub nearest: Option<&'static str>,
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |nearest| {
        format!(", did you mean `{nearest}`?")
    })
}

/// The config of a known network: `resnet18` to `resnet152` (ImageNet), `resnet20`, `resnet56` and
/// any other 6n+2 layers (CIFAR), `resnet18-tutorial`, `digit`.
///
/// # Errors
///
/// [`UnknownNetwork`] with the known names and the nearest of them.
pub fn network(name: &str) -> Result<NetworkConfig, UnknownNetwork> {
    if let Some((_, block, depths)) = IMAGENET.into_iter().find(|(known, ..)| *known == name) {
        return Ok(NetworkConfig::Resnet(ResNetConfig::imagenet(block, depths)));
    }
    match name {
        TUTORIAL => return Ok(NetworkConfig::Resnet(ResNetConfig::tutorial())),
        DIGIT => {
            return Ok(NetworkConfig::Digit(DigitConfig {
                input_channels: 1,
                classes: 10,
            }));
        }
        _ => {}
    }
    let layers = name
        .strip_prefix("resnet")
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse::<usize>().ok());
    match layers {
        Some(layers) if layers >= 8 && layers % 6 == 2 && (layers - 2) / 6 <= MAX_CIFAR_BLOCKS => {
            Ok(NetworkConfig::Resnet(ResNetConfig::cifar((layers - 2) / 6)))
        }
        _ => Err(UnknownNetwork {
            name: name.to_owned(),
            nearest: nearest(name),
        }),
    }
}

/// The names of the networks that are known, shallow before deep.
pub fn names() -> Vec<&'static str> {
    let imagenet = IMAGENET.iter().map(|(name, ..)| *name);
    CIFAR
        .into_iter()
        .chain(imagenet)
        .chain([TUTORIAL, DIGIT])
        .collect()
}

fn nearest(name: &str) -> Option<&'static str> {
    names()
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&name.to_lowercase(), known), known))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_is_known() {
        for name in names() {
            network(name).unwrap().validate().unwrap();
        }
    }

    #[test]
    fn any_cifar_depth_is_known() {
        assert_eq!(
            network("resnet14"),
            Ok(NetworkConfig::Resnet(ResNetConfig::cifar(2)))
        );
        for name in [
            "resnet2",
            "resnet21",
            "resnet",
            "resnet-20",
            "resnet+20",
            "resnet99999999998",
        ] {
            assert!(network(name).is_err(), "{name}");
        }
    }

    #[test]
    fn unknown_names_get_the_nearest() {
        let error = network("resnet19").unwrap_err();
        assert!(error.nearest.is_some());
        let error = network("ResNet-50").unwrap_err().to_string();
        assert!(error.contains("did you mean `resnet50`?"), "{error}");
        assert!(error.contains("resnet1202"), "{error}");
        assert_eq!(network("vgg").unwrap_err().nearest, None);
    }
}
