//! Networks as data.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digit::{DIGIT_SIZE, DigitResNet};
use crate::network::Network;
use crate::ops::ResidualBackend;
use crate::parameters::parameter_count;
use crate::resnet::ResNet;

/// Everything that sets a network's shape. Serialises with a `family` key that tells the variants
/// apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "kebab-case")]
pub enum NetworkConfig {
    /// Stem, stages of residual blocks, head.
    Resnet(ResNetConfig),
    /// The small network for 28x28 digits.
    Digit(DigitConfig),
}

/// A residual network of stages: what stands in it, how deep and how wide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResNetConfig {
    /// What stands before the first stage.
    pub stem: StemKind,
    /// The kind of every block.
    pub block: BlockKind,
    /// Blocks in each stage.
    pub depths: Vec<usize>,
    /// Channels of the 3x3 convolutions in each stage; as many as `depths`.
    pub widths: Vec<usize>,
    /// The path around every block.
    pub shortcut: ShortcutKind,
    /// Whether convolutions before a norm have a bias. The norm undoes it; the tutorial network
    /// has it nonetheless.
    pub convolution_bias: bool,
    /// Whether the last norm of each block starts at zero, so that a block starts as its shortcut.
    pub zero_init_last_norm: bool,
    /// Channels of the images: 1 for grey, 3 for colour.
    pub input_channels: usize,
    /// Number of logits.
    pub classes: usize,
}

/// The digit network; everything but its ends is fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigitConfig {
    /// Channels of the images: 1 for grey, 3 for colour.
    pub input_channels: usize,
    /// Number of logits.
    pub classes: usize,
}

/// What stands before the first stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StemKind {
    /// 7x7 convolution with stride 2, then 3x3 max pool with stride 2: a quarter of the size.
    #[serde(rename = "imagenet")]
    ImageNet,
    /// 3x3 convolution with stride 1: the whole size.
    Cifar,
}

/// The kind of a residual block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockKind {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1, 3x3, 1x1; the last widens four times.
    Bottleneck,
}

impl BlockKind {
    /// Channels that a block of this width hands on.
    pub fn out_channels(self, width: usize) -> usize {
        match self {
            Self::Basic => width,
            Self::Bottleneck => 4 * width,
        }
    }
}

/// The path around a block where its shape changes; elsewhere it is the identity. Letters are
/// those of He et al. 2015, section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShortcutKind {
    /// A: every second pixel, and channels of zeros on both sides.
    ZeroPad,
    /// B: a 1x1 convolution with norm.
    Projection,
    /// B without norm: a 1x1 convolution with bias.
    PlainProjection,
}

/// A config that describes no network, or not one for these images.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// A value is outside its range.
    #[error("`{key}` is {value}, but must be {range}")]
    OutOfRange {
        /// The config's key.
        key: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        range: &'static str,
    },
    /// The network is made for one size of picture.
    #[error(
        "this network takes pictures of {DIGIT_SIZE}x{DIGIT_SIZE} pixels, not {height}x{width}"
    )]
    InputSize {
        /// Pixels.
        height: usize,
        /// Pixels.
        width: usize,
    },
}

impl ResNetConfig {
    /// Four stages of 64 to 512 channels behind the ImageNet stem, as in torchvision: 3 input
    /// channels, 1,000 classes.
    pub fn imagenet(block: BlockKind, depths: [usize; 4]) -> Self {
        Self {
            stem: StemKind::ImageNet,
            block,
            depths: depths.to_vec(),
            widths: vec![64, 128, 256, 512],
            shortcut: ShortcutKind::Projection,
            convolution_bias: false,
            zero_init_last_norm: false,
            input_channels: 3,
            classes: 1000,
        }
    }

    /// Three stages of 16, 32 and 64 channels with `blocks` basic blocks each, which makes
    /// `6 * blocks + 2` layers (He et al. 2015, section 4.2): 3 input channels, 10 classes.
    pub fn cifar(blocks: usize) -> Self {
        Self {
            stem: StemKind::Cifar,
            block: BlockKind::Basic,
            depths: vec![blocks; 3],
            widths: vec![16, 32, 64],
            shortcut: ShortcutKind::ZeroPad,
            convolution_bias: false,
            zero_init_last_norm: false,
            input_channels: 3,
            classes: 10,
        }
    }

    /// The ResNet-18 of the textbook Dive into Deep Learning (<https://d2l.ai>, section 8.6):
    /// biases everywhere, no norm after the 1x1 convolutions, 1 input channel, 10 classes.
    pub fn tutorial() -> Self {
        Self {
            shortcut: ShortcutKind::PlainProjection,
            convolution_bias: true,
            input_channels: 1,
            classes: 10,
            ..Self::imagenet(BlockKind::Basic, [2, 2, 2, 2])
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        check(
            "depths",
            self.depths.len(),
            1..=16,
            "a list of 1 to 16 stages",
        )?;
        if self.widths.len() != self.depths.len() {
            return Err(ConfigError::OutOfRange {
                key: "widths",
                value: format!("{:?}", self.widths),
                range: "a list as long as `depths`",
            });
        }
        for &depth in &self.depths {
            check("depths", depth, 1..=1000, "1 to 1000 blocks in each stage")?;
        }
        for &width in &self.widths {
            check(
                "widths",
                width,
                1..=16_384,
                "1 to 16384 channels in each stage",
            )?;
        }
        if self.shortcut == ShortcutKind::ZeroPad
            && self.widths.windows(2).any(|pair| pair[1] < pair[0])
        {
            return Err(ConfigError::OutOfRange {
                key: "widths",
                value: format!("{:?}", self.widths),
                range: "never narrower from stage to stage with the zero-pad shortcut",
            });
        }
        check_ends(self.input_channels, self.classes)
    }
}

impl NetworkConfig {
    /// Builds the network with random weights; seed them with `B::seed(&device, seed)` before.
    ///
    /// # Errors
    ///
    /// If a value is out of range.
    pub fn init<B: ResidualBackend>(&self, device: &B::Device) -> Result<Network<B>, ConfigError> {
        self.validate()?;
        let network = match self {
            Self::Resnet(config) => Network::ResNet(ResNet::new(config, device)),
            Self::Digit(config) => Network::Digit(DigitResNet::new(config, device)),
        };
        // Burn draws a parameter when it is first used. Visiting them all draws them now and in
        // one order, so that a seed means the same weights whatever is done first.
        parameter_count(&network);
        Ok(network)
    }

    /// Checks every value's range.
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

    /// Checks that the network takes pictures of this size, in pixels.
    ///
    /// # Errors
    ///
    /// If it is made for another size.
    pub fn check_input(&self, height: usize, width: usize) -> Result<(), ConfigError> {
        match self {
            Self::Digit(_) if (height, width) != (DIGIT_SIZE, DIGIT_SIZE) => {
                Err(ConfigError::InputSize { height, width })
            }
            _ => Ok(()),
        }
    }

    /// Channels of the images.
    pub fn input_channels(&self) -> usize {
        match self {
            Self::Resnet(config) => config.input_channels,
            Self::Digit(config) => config.input_channels,
        }
    }

    /// Number of logits.
    pub fn classes(&self) -> usize {
        match self {
            Self::Resnet(config) => config.classes,
            Self::Digit(config) => config.classes,
        }
    }

    /// The same network for images of so many channels.
    pub fn with_input_channels(mut self, channels: usize) -> Self {
        match &mut self {
            Self::Resnet(config) => config.input_channels = channels,
            Self::Digit(config) => config.input_channels = channels,
        }
        self
    }

    /// The same network for so many classes.
    pub fn with_classes(mut self, classes: usize) -> Self {
        match &mut self {
            Self::Resnet(config) => config.classes = classes,
            Self::Digit(config) => config.classes = classes,
        }
        self
    }
}

fn check_ends(input_channels: usize, classes: usize) -> Result<(), ConfigError> {
    check("input_channels", input_channels, 1..=1024, "1 to 1024")?;
    check("classes", classes, 1..=1_000_000, "1 to 1000000")
}

fn check(
    key: &'static str,
    value: usize,
    range: std::ops::RangeInclusive<usize>,
    text: &'static str,
) -> Result<(), ConfigError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(ConfigError::OutOfRange {
        key,
        value: value.to_string(),
        range: text,
    })
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
    fn out_of_range_names_the_key() {
        let mut config = ResNetConfig::cifar(3);
        config.depths = vec![3, 0, 3];
        let error = NetworkConfig::Resnet(config).validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`depths` is 0, but must be 1 to 1000 blocks in each stage"
        );

        let mut config = ResNetConfig::cifar(3);
        config.widths = vec![64, 32, 16];
        assert!(NetworkConfig::Resnet(config).validate().is_err());
    }

    #[test]
    fn digit_network_takes_one_size() {
        let config = crate::network("digit").unwrap();
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
