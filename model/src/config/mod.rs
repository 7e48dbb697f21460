//! Networks as data.

mod changes;
mod error;
mod kinds;
mod resnet;

use derive_setters::Setters;
use serde::{Deserialize, Serialize};

pub use changes::NetworkChanges;
pub use error::ConfigError;
pub(crate) use error::check;
use error::check_ends;
pub use kinds::{ActivationOrder, BlockKind, BottleneckStride, ShortcutKind, StemKind, StemPool};
pub use resnet::ResNetConfig;

/// Edge length of the only images that the digit network accepts, in pixels.
const DIGIT_SIZE: usize = 28;

/// Everything that determines a network's architecture. Serializes with a `family` key that
/// distinguishes the variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "kebab-case")]
pub enum NetworkConfig {
    /// Stem, stages of residual blocks, head.
    Resnet(ResNetConfig),
    /// The small network for 28x28 digits.
    Digit(DigitConfig),
}

/// The digit network; only its input channels and classes can be changed.
#[derive(Clone, Debug, PartialEq, Eq, Setters, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct DigitConfig {
    /// Channels of the images: 1 for gray, 3 for color.
    pub input_channels: usize,
    /// Number of logits.
    pub classes: usize,
}

impl DigitConfig {
    /// Returns the network for images of `input_channels` channels with `classes` logits.
    pub fn new(input_channels: usize, classes: usize) -> Self {
        Self {
            input_channels,
            classes,
        }
    }
}

impl NetworkConfig {
    /// Checks the range of every value.
    ///
    /// # Errors
    ///
    /// The first value that is out of range, with its key.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::Resnet(config) => config.validate(),
            Self::Digit(config) => check_ends(config.input_channels, config.classes),
        }
    }

    /// Checks that the network accepts images of this size, in pixels.
    ///
    /// # Errors
    ///
    /// If the network requires another size.
    pub fn check_input(&self, height: usize, width: usize) -> Result<(), ConfigError> {
        match self {
            Self::Digit(_) if (height, width) != (DIGIT_SIZE, DIGIT_SIZE) => {
                Err(ConfigError::InputSize { height, width })
            }
            _ => Ok(()),
        }
    }

    /// Returns the number of image channels.
    pub fn input_channels(&self) -> usize {
        match self {
            Self::Resnet(config) => config.input_channels,
            Self::Digit(config) => config.input_channels,
        }
    }

    /// Returns the number of logits.
    pub fn classes(&self) -> usize {
        match self {
            Self::Resnet(config) => config.classes,
            Self::Digit(config) => config.classes,
        }
    }

    /// Returns the same network for images with `channels` channels.
    pub fn with_input_channels(mut self, channels: usize) -> Self {
        match &mut self {
            Self::Resnet(config) => config.input_channels = channels,
            Self::Digit(config) => config.input_channels = channels,
        }
        self
    }

    /// Returns the same network for `classes` classes.
    pub fn with_classes(mut self, classes: usize) -> Self {
        match &mut self {
            Self::Resnet(config) => config.classes = classes,
            Self::Digit(config) => config.classes = classes,
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::Module;
    use burn_flex::Flex;

    #[test]
    fn json_round_trip_names_the_family() {
        for config in [
            NetworkConfig::Resnet(ResNetConfig::tutorial()),
            NetworkConfig::Resnet(ResNetConfig {
                stem: StemKind::Deep,
                groups: 2,
                width_per_group: 32,
                bottleneck_stride: BottleneckStride::First,
                activation: ActivationOrder::Pre,
                shortcut: ShortcutKind::AveragePoolProjection,
                ..ResNetConfig::imagenet(BlockKind::Bottleneck, [1, 2, 3, 4])
            }),
            NetworkConfig::Resnet(ResNetConfig {
                stem_stride: Some(2),
                stem_pool: Some(StemPool::Max),
                shortcut: ShortcutKind::ZeroPadEnd,
                norm_epsilon: 1e-3,
                ..ResNetConfig::cifar(1)
            }),
            NetworkConfig::Digit(DigitConfig {
                input_channels: 1,
                classes: 10,
            }),
        ] {
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(
                serde_json::from_str::<NetworkConfig>(&text).unwrap(),
                config
            );
        }
        let error = serde_json::from_str::<NetworkConfig>(
            r#"{"family": "digit", "input_channels": 1, "classes": 10, "width": 3}"#,
        )
        .unwrap_err();
        assert!(error.to_string().contains("width"), "{error}");
    }

    #[test]
    fn out_of_range_error_names_key() {
        let mut config = ResNetConfig::cifar(3);
        config.depths = vec![3, 0, 3];
        let error = NetworkConfig::Resnet(config).validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`depths` is 0, but must be 1 to 1000 blocks in each stage"
        );

        let wrong = |change: &dyn Fn(&mut ResNetConfig), key: &str| {
            for block in [BlockKind::Basic, BlockKind::Bottleneck] {
                let mut config = ResNetConfig {
                    block,
                    ..ResNetConfig::cifar(3)
                };
                change(&mut config);
                let error = NetworkConfig::Resnet(config).validate().unwrap_err();
                assert!(error.to_string().starts_with(key), "{error}");
            }
        };
        wrong(&|config| config.widths = vec![64, 32, 16], "`widths`");
        wrong(&|config| config.stem_stride = Some(0), "`stem_stride` is 0");
        wrong(&|config| config.norm_epsilon = 0.0, "`norm_epsilon`");
        wrong(&|config| config.norm_epsilon = f64::NAN, "`norm_epsilon`");
        wrong(&|config| config.groups = 0, "`groups` is 0");
        wrong(&|config| config.groups = usize::MAX, "`groups`");
        wrong(&|config| config.width_per_group = 0, "`width_per_group`");
        // A quarter of a channel, then too many.
        wrong(&|config| config.width_per_group = 1, "`width_per_group`");
        wrong(
            &|config| {
                config.widths = vec![16_384; 3];
                config.width_per_group = 1024;
            },
            "`width_per_group`",
        );
        let learns_nothing = [
            |config: &mut ResNetConfig| config.activation = ActivationOrder::Pre,
            |config: &mut ResNetConfig| config.shortcut = ShortcutKind::None,
        ];
        for change in learns_nothing {
            let change = |config: &mut ResNetConfig| {
                config.zero_init_last_norm = true;
                change(config);
            };
            wrong(&change, "`zero_init_last_norm` is true");
        }
    }

    #[test]
    fn basic_blocks_have_no_groups() {
        for (groups, width_per_group) in [(2, 64), (1, 128)] {
            let config = NetworkConfig::Resnet(ResNetConfig {
                groups,
                width_per_group,
                ..ResNetConfig::cifar(3)
            });
            let error = config.init::<Flex>(&Default::default()).unwrap_err();
            assert!(error.to_string().contains("with basic blocks"), "{error}");
        }
    }

    /// Written before groups, deep stems and pre-activation existed.
    #[test]
    fn old_description_gives_same_network() {
        let text = r#"{"family": "resnet", "stem": "cifar", "block": "basic", "depths": [3, 3, 3],
            "widths": [16, 32, 64], "shortcut": "zero-pad", "convolution_bias": false,
            "zero_init_last_norm": false, "input_channels": 3, "classes": 10}"#;
        let config = serde_json::from_str::<NetworkConfig>(text).unwrap();
        assert_eq!(config, NetworkConfig::Resnet(ResNetConfig::cifar(3)));
    }

    #[test]
    fn digit_network_accepts_one_size() {
        let config = crate::NetworkConfig::named("digit").unwrap();
        assert!(config.check_input(28, 28).is_ok());
        let error = config.check_input(32, 32).unwrap_err().to_string();
        assert!(
            error.contains("28x28") && error.contains("32x32"),
            "{error}"
        );
        assert_eq!(
            config
                .init::<Flex>(&Default::default())
                .unwrap()
                .num_params(),
            42_790
        );
    }
}
