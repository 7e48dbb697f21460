//! Registry of well-known networks by name.

use thiserror::Error;

use crate::config::{
    ActivationOrder, BlockKind, BottleneckStride, DigitConfig, NetworkConfig, ResNetConfig,
    ShortcutKind, StemKind,
};

/// Block and depths of the ImageNet networks of He et al., by number of layers.
const IMAGENET: [(&str, BlockKind, [usize; 4]); 5] = [
    ("18", BlockKind::Basic, [2, 2, 2, 2]),
    ("34", BlockKind::Basic, [3, 4, 6, 3]),
    ("50", BlockKind::Bottleneck, [3, 4, 6, 3]),
    ("101", BlockKind::Bottleneck, [3, 4, 23, 3]),
    ("152", BlockKind::Bottleneck, [3, 8, 36, 3]),
];
/// Torchvision's names for ImageNet networks with other bottlenecks: layers, groups, width of each
/// group.
const WIDE: [(&str, &str, usize, usize); 5] = [
    ("wide_resnet50_2", "50", 1, 128),
    ("wide_resnet101_2", "101", 1, 128),
    ("resnext50_32x4d", "50", 32, 4),
    ("resnext101_32x8d", "101", 32, 8),
    ("resnext101_64x4d", "101", 64, 4),
];
/// Pre-activation networks of bottlenecks for CIFAR: blocks in each of three stages, a ninth of the
/// number of layers minus two (He et al. 2016, <https://arxiv.org/abs/1603.05027>).
const PRE_ACTIVATION_BOTTLENECKS: [(&str, usize); 2] = [("164", 18), ("1001", 111)];
const TUTORIAL: &str = "resnet18-tutorial";
const DIGIT: &str = "digit";
/// Deeper networks would only run out of memory.
const MAX_CIFAR_BLOCKS: usize = 1000;

/// All known names in shell notation; `(6n+2)` stands for any number of that form.
pub const PATTERNS: [&str; 12] = [
    "resnet(6n+2)",
    "resnet{18,34,50,101,152}",
    "resnet{18,34,50,101,152}{c,d}",
    "resnet{50,101,152}a",
    "wide_resnet{50,101}_2",
    "resnext{50_32x4d,101_32x8d,101_64x4d}",
    "preresnet(6n+2)",
    "preresnet{164,1001}",
    "preresnet{18,34,50,101,152}",
    "plain(6n+2)",
    "plain{18,34}",
    "{resnet18-tutorial,digit}",
];

/// Every fixed name and, for families of any depth, the published names, from shallow to deep.
const NAMES: [&str; 49] = [
    "resnet8",
    "resnet20",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
    "resnet1202",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnet50a",
    "resnet101a",
    "resnet152a",
    "resnet18c",
    "resnet34c",
    "resnet50c",
    "resnet101c",
    "resnet152c",
    "resnet18d",
    "resnet34d",
    "resnet50d",
    "resnet101d",
    "resnet152d",
    "wide_resnet50_2",
    "wide_resnet101_2",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "preresnet20",
    "preresnet56",
    "preresnet110",
    "preresnet164",
    "preresnet1001",
    "preresnet18",
    "preresnet34",
    "preresnet50",
    "preresnet101",
    "preresnet152",
    "plain20",
    "plain32",
    "plain44",
    "plain56",
    "plain110",
    "plain18",
    "plain34",
    TUTORIAL,
    DIGIT,
];

/// No network has the requested name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown network `{name}`; {}", suggestion(.nearest))]
pub struct UnknownNetwork {
    /// Requested name.
    pub name: String,
    /// Closest known name, if one is close enough.
    pub nearest: Option<&'static str>,
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "known networks are resnet20, resnet50, wide_resnet50_2, resnext50_32x4d, preresnet110, plain20 and others of these families".to_owned(),
    }
}

impl NetworkConfig {
    /// Returns the config of a known network, one of [`PATTERNS`]:
    ///
    /// | Name | Network |
    /// |---|---|
    /// | `resnet18` to `resnet152` | He et al. 2015, ImageNet, as in torchvision (stride on the 3x3 of a bottleneck) |
    /// | `resnet50a` to `resnet152a` | same, with the stride on the first 1x1, as published |
    /// | `resnet18c` to `resnet152c` | same, with a deep stem, as in timm |
    /// | `resnet18d` to `resnet152d` | same as `c`, with average pools in the shortcuts, as in timm |
    /// | `wide_resnet50_2`, `resnext50_32x4d`, etc. | as in torchvision |
    /// | `resnet20` and any other 6n+2 layers | He et al. 2015, CIFAR, shortcut A |
    /// | `preresnet18` to `preresnet152` | He et al. 2016, ImageNet |
    /// | `preresnet110` and any other 6n+2 layers but 164 | He et al. 2016, CIFAR, basic blocks, shortcut A |
    /// | `preresnet164`, `preresnet1001` | He et al. 2016, CIFAR, bottlenecks, shortcut B |
    /// | `plain18`, `plain34` | no shortcuts, ImageNet |
    /// | `plain20` and any other 6n+2 layers | no shortcuts, CIFAR |
    /// | `resnet18-tutorial`, `digit` | [`ResNetConfig::tutorial`], [`DigitConfig`] |
    ///
    /// The numbers of ImageNet networks are reserved for them.
    ///
    /// # Errors
    ///
    /// [`UnknownNetwork`], with the known names and the closest one.
    ///
    /// ```
    /// use model::NetworkConfig;
    ///
    /// let network = NetworkConfig::named("resnet50")?.with_classes(10);
    /// assert_eq!(network.classes(), 10);
    /// # Ok::<(), model::UnknownNetwork>(())
    /// ```
    pub fn named(name: &str) -> Result<Self, UnknownNetwork> {
        let digit = (name == DIGIT).then_some(Self::Digit(DigitConfig {
            input_channels: 1,
            classes: 10,
        }));
        digit
            .or_else(|| resnet(name).map(Self::Resnet))
            .ok_or_else(|| UnknownNetwork {
                name: name.to_owned(),
                nearest: nearest(name),
            })
    }
}

/// Returns the names of the known networks, from shallow to deep.
pub fn names() -> Vec<&'static str> {
    NAMES.to_vec()
}

fn resnet(name: &str) -> Option<ResNetConfig> {
    if name == TUTORIAL {
        return Some(ResNetConfig::tutorial());
    }
    if let Some((_, layers, groups, width_per_group)) =
        WIDE.into_iter().find(|(known, ..)| *known == name)
    {
        return Some(ResNetConfig {
            groups,
            width_per_group,
            ..imagenet(layers)?
        });
    }
    if let Some(layers) = name.strip_prefix("preresnet") {
        return pre_activation(layers);
    }
    if let Some(layers) = name.strip_prefix("plain") {
        return plain(layers);
    }
    let layers = name.strip_prefix("resnet")?;
    imagenet(layers)
        .or_else(|| cifar(layers))
        .or_else(|| tweaked(layers))
}

fn imagenet(layers: &str) -> Option<ResNetConfig> {
    IMAGENET
        .into_iter()
        .find(|(known, ..)| *known == layers)
        .map(|(_, block, depths)| ResNetConfig::imagenet(block, depths))
}

/// Returns the CIFAR network with 6n+2 layers.
fn cifar(layers: &str) -> Option<ResNetConfig> {
    if !layers.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let convolutions = layers.parse::<usize>().ok()?.checked_sub(2)?;
    let blocks = convolutions / 6;
    (convolutions % 6 == 0 && (1..=MAX_CIFAR_BLOCKS).contains(&blocks))
        .then(|| ResNetConfig::cifar(blocks))
}

/// Returns the variants that He et al. 2018 ("Bag of Tricks", <https://arxiv.org/abs/1812.01187>)
/// call ResNet-A, -C and -D; names without a letter are ResNet-B.
fn tweaked(layers: &str) -> Option<ResNetConfig> {
    if let Some(layers) = layers.strip_suffix('a') {
        return imagenet(layers)
            // A basic block always has its stride on the first convolution.
            .filter(|config| config.block == BlockKind::Bottleneck)
            .map(|config| ResNetConfig {
                bottleneck_stride: BottleneckStride::First,
                ..config
            });
    }
    let deep = |layers| {
        imagenet(layers).map(|config| ResNetConfig {
            stem: StemKind::Deep,
            ..config
        })
    };
    if let Some(layers) = layers.strip_suffix('c') {
        return deep(layers);
    }
    deep(layers.strip_suffix('d')?).map(|config| ResNetConfig {
        shortcut: ShortcutKind::AveragePoolProjection,
        ..config
    })
}

fn pre_activation(layers: &str) -> Option<ResNetConfig> {
    let bottlenecks = PRE_ACTIVATION_BOTTLENECKS
        .into_iter()
        .find(|(known, _)| *known == layers)
        .map(|(_, blocks)| ResNetConfig {
            block: BlockKind::Bottleneck,
            shortcut: ShortcutKind::Projection,
            ..ResNetConfig::cifar(blocks)
        });
    let config = bottlenecks
        .or_else(|| imagenet(layers))
        .or_else(|| cifar(layers))?;
    Some(ResNetConfig {
        activation: ActivationOrder::Pre,
        ..config
    })
}

fn plain(layers: &str) -> Option<ResNetConfig> {
    let config = imagenet(layers)
        .filter(|config| config.block == BlockKind::Basic)
        .or_else(|| cifar(layers))?;
    Some(ResNetConfig {
        shortcut: ShortcutKind::None,
        ..config
    })
}

/// A name split into letters, the first number and the rest.
struct NameParts<'a> {
    family: &'a str,
    layers: u64,
    suffix: &'a str,
}

impl<'a> NameParts<'a> {
    fn of(name: &'a str) -> Option<Self> {
        let start = name.find(|letter: char| letter.is_ascii_digit())?;
        let (family, rest) = name.split_at(start);
        let end = rest.find(|letter: char| !letter.is_ascii_digit());
        let (layers, suffix) = rest.split_at(end.unwrap_or(rest.len()));
        Some(Self {
            family: family.trim_end_matches(['-', '_', ' ']),
            layers: layers.parse().ok()?,
            suffix,
        })
    }
}

/// Returns the known name that a wrong one most likely stands for: in the family with the most
/// similar letters, the closest number of layers.
fn nearest(name: &str) -> Option<&'static str> {
    /// Similarity (at most 1) below which letters are unlikely to be a typo of others.
    const SIMILAR: f64 = 0.87;
    // No known name is longer; skip the comparisons for longer ones.
    if name.len() > 64 {
        return None;
    }
    let name = name.trim().to_lowercase().replace([' ', '-'], "_");
    let plain = |name: &str| name.replace(['_', '-'], "");
    if let Some(known) = NAMES.into_iter().find(|known| plain(known) == plain(&name)) {
        return Some(known);
    }
    if let Some(known) = slip(&plain(&name)) {
        return Some(known);
    }
    let similarity = |known: &str, name: &str| strsim::jaro_winkler(&plain(known), &plain(name));
    let Some(wanted) = NameParts::of(&name) else {
        // Without a number, only the letters can be compared.
        return NAMES
            .into_iter()
            .map(|known| (similarity(known, &name), known))
            .filter(|(similarity, _)| *similarity > SIMILAR)
            // In a tie, take the first, which is the shallowest.
            .reduce(|best, other| if other.0 > best.0 { other } else { best })
            .map(|(_, known)| known);
    };
    let candidates = NAMES.into_iter().filter_map(|known| {
        let parts = NameParts::of(known)?;
        let similarity = similarity(parts.family, wanted.family);
        (similarity > SIMILAR).then_some((similarity, parts, known))
    });
    let candidates: Vec<_> = candidates.collect();
    let family = candidates.iter().map(|(similarity, ..)| *similarity);
    let family = family.max_by(f64::total_cmp)?;
    candidates
        .into_iter()
        .filter(|(similarity, ..)| *similarity == family)
        // In a tie, take the first.
        .min_by_key(|(_, parts, _)| {
            (
                parts.layers.abs_diff(wanted.layers),
                parts.suffix != wanted.suffix,
            )
        })
        .map(|(_, _, known)| known)
}

/// Returns the known name that a wrong one most likely stands for if letters replace digits, or if
/// one letter is wrong; names of a known family stay in it.
fn slip(name: &str) -> Option<&'static str> {
    let plain = |known: &str| known.replace(['_', '-'], "");
    let is_digit = |letter: char| letter.is_ascii_digit();
    let digits_of = |name: &str| name.matches(is_digit).collect::<String>();
    let start = name.find(is_digit).unwrap_or(name.len());
    let (family, rest) = name.split_at(start);
    let digits = rest.replace('o', "0").replace(['l', 'i'], "1");
    let digits = format!("{family}{digits}");
    let known = |wanted: &str| NAMES.into_iter().find(|known| plain(known) == wanted);
    if let Some(known) = known(&digits) {
        return Some(known);
    }
    let is_of_family = |known: &str| known.split(is_digit).next() == Some(family);
    let is_known_family = NAMES.into_iter().any(|known| is_of_family(&plain(known)));
    NAMES.into_iter().find(|known| {
        let known = plain(known);
        (!is_known_family || is_of_family(&known))
            && digits_of(&known) == digits_of(name)
            && strsim::levenshtein(&known, name) == 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str) -> ResNetConfig {
        match NetworkConfig::named(name) {
            Ok(NetworkConfig::Resnet(config)) => config,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// Expands the braces of a pattern into all names it stands for.
    fn expand(pattern: &str) -> Vec<String> {
        let split = |text: &str| {
            let (before, rest) = text.split_once('{')?;
            let (choices, after) = rest.split_once('}')?;
            Some([before, choices, after].map(str::to_owned))
        };
        match split(pattern) {
            Some([before, choices, after]) => choices
                .split(',')
                .flat_map(|choice| expand(&format!("{before}{choice}{after}")))
                .collect(),
            None => vec![pattern.to_owned()],
        }
    }

    #[test]
    fn every_listed_name_is_known() {
        for name in names() {
            NetworkConfig::named(name).unwrap().validate().unwrap();
        }
    }

    #[test]
    fn patterns_match_known_names() {
        let listed: Vec<String> = PATTERNS.into_iter().flat_map(expand).collect();
        for name in &listed {
            let depth = name.strip_suffix("(6n+2)");
            assert!(
                depth.is_some() || NAMES.contains(&name.as_str()),
                "{name} is in no list of names"
            );
            if let Some(family) = depth {
                assert!(
                    NetworkConfig::named(&format!("{family}26")).is_ok(),
                    "{name}"
                );
            }
        }
        for name in NAMES {
            let layers = name.trim_start_matches(|letter: char| !letter.is_ascii_digit());
            let family = name.strip_suffix(layers).unwrap_or(name);
            let any_depth = format!("{family}(6n+2)");
            assert!(
                listed.iter().any(|known| known == name)
                    || (cifar(layers).is_some() && listed.contains(&any_depth)),
                "{name} is in no pattern"
            );
        }
    }

    #[test]
    fn cifar_depths_are_parsed() {
        assert_eq!(config("resnet14"), ResNetConfig::cifar(2));
        for name in [
            "resnet2",
            "resnet21",
            "resnet",
            "resnet-20",
            "resnet+20",
            "resnet99999999998",
            "plain",
            "plain21",
            "preresnet163",
            "preresnet+20",
            "resnet20d",
            "resnet18a",
            "resnet50b",
            "wide_resnet18_2",
        ] {
            assert!(NetworkConfig::named(name).is_err(), "{name}");
        }
    }

    #[test]
    fn ambiguous_depths_mean_one_network() {
        // These are of the form 6n+2 as well.
        assert_eq!(config("resnet50").depths, [3, 4, 6, 3]);
        assert_eq!(config("preresnet152").depths, [3, 8, 36, 3]);
        let preresnet164 = config("preresnet164");
        assert_eq!(preresnet164.block, BlockKind::Bottleneck);
        assert_eq!(preresnet164.depths, [18; 3]);
        let preresnet110 = config("preresnet110");
        assert_eq!(preresnet110.block, BlockKind::Basic);
        assert_eq!(preresnet110.depths, [18; 3]);
        assert_eq!(config("plain50").depths, [8; 3]);
    }

    #[test]
    fn unknown_names_suggest_nearest() {
        for (name, nearest) in [
            ("ResNet-50", "resnet50"),
            ("ResNeXt50_32x4d", "resnext50_32x4d"),
            ("resnext50", "resnext50_32x4d"),
            ("wide_resnet50", "wide_resnet50_2"),
            ("preresnet163", "preresnet164"),
            ("resnet21", "resnet20"),
            ("resnet19", "resnet20"),
            ("resnet51", "resnet50"),
            ("resnet100", "resnet101"),
            ("resnet151", "resnet152"),
            ("resnet-18", "resnet18"),
            ("ResNet50", "resnet50"),
            ("resnet_34", "resnet34"),
            ("resnet 18", "resnet18"),
            ("resent21", "resnet20"),
            ("resnet51d", "resnet50d"),
            ("resnet50b", "resnet50"),
            ("resnet18a", "resnet18"),
            ("wide_resnet51", "wide_resnet50_2"),
            ("wideresnet50", "wide_resnet50_2"),
            ("wide-resnet-28-10", "wide_resnet50_2"),
            ("resnext101", "resnext101_32x8d"),
            ("resnext50_64x4d", "resnext50_32x4d"),
            ("plain21", "plain20"),
            ("resnet18_tutorial", "resnet18-tutorial"),
            ("digits", "digit"),
            ("resnet5o", "resnet50"),
            ("resnet1o1", "resnet101"),
            ("resnet18-tutoral", "resnet18-tutorial"),
            ("resnet", "resnet8"),
        ] {
            let message = NetworkConfig::named(name)
                .map(|_| ())
                .unwrap_err()
                .to_string();
            assert!(
                message.contains(&format!("did you mean `{nearest}`?")),
                "{message}"
            );
        }
        let error = NetworkConfig::named("vgg").unwrap_err().to_string();
        assert!(error.contains("preresnet110"), "{error}");
        for name in [
            "vgg",
            "vgg16",
            "densenet121",
            "",
            "50",
            &"resnet".repeat(1000),
        ] {
            assert_eq!(
                NetworkConfig::named(name).unwrap_err().nearest,
                None,
                "{name}"
            );
        }
    }
}
