//! The shape of the images that a network takes.

use std::fmt;
use std::str::FromStr;

use data::MAX_SIDE;
use model::{NetworkConfig, StemKind};
use serde::Serialize;
use thiserror::Error;

/// Channels, height and width of an image, written `3x224x224`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "[usize; 3]")]
pub struct InputShape {
    /// 1 for gray, 3 for color.
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

/// The string is not a valid [`InputShape`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be CHANNELSxHEIGHTxWIDTH, such as 3x224x224, each from 1 to {MAX_SIDE}")]
pub struct InputShapeError;

impl InputShape {
    /// Returns the usual input of a network: images of 224 pixels for an ImageNet stem, 32 for the
    /// CIFAR stem, and 28 for the digit network.
    pub fn usual(network: &NetworkConfig) -> Self {
        let edge = match network {
            NetworkConfig::Resnet(config) => match config.stem {
                StemKind::ImageNet | StemKind::Deep => 224,
                StemKind::Cifar => 32,
            },
            NetworkConfig::Digit(_) => 28,
        };
        Self {
            channels: network.input_channels(),
            height: edge,
            width: edge,
        }
    }
}

impl From<InputShape> for [usize; 3] {
    fn from(shape: InputShape) -> Self {
        [shape.channels, shape.height, shape.width]
    }
}

impl From<[usize; 3]> for InputShape {
    fn from([channels, height, width]: [usize; 3]) -> Self {
        Self {
            channels,
            height,
            width,
        }
    }
}

impl fmt::Display for InputShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}x{}x{}",
            self.channels, self.height, self.width
        )
    }
}

impl FromStr for InputShape {
    type Err = InputShapeError;

    fn from_str(text: &str) -> Result<Self, InputShapeError> {
        let sides: Vec<usize> = text
            .split('x')
            .map(|side| side.parse().map_err(|_| InputShapeError))
            .collect::<Result<_, _>>()?;
        match <[usize; 3]>::try_from(sides) {
            Ok(sides) if sides.iter().all(|side| (1..=MAX_SIDE).contains(side)) => Ok(sides.into()),
            _ => Err(InputShapeError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_shapes_parse_and_print() {
        let shape: InputShape = "3x224x200".parse().unwrap();
        assert_eq!(<[usize; 3]>::from(shape), [3, 224, 200]);
        assert_eq!(shape.to_string(), "3x224x200");
        for text in [
            "",
            "3",
            "3x224",
            "3x224x224x1",
            "0x1x1",
            "1x1x5000",
            "axbxc",
        ] {
            assert_eq!(text.parse::<InputShape>(), Err(InputShapeError), "{text}");
        }
    }

    #[test]
    fn every_family_has_its_usual_shape() {
        for (name, shape) in [
            ("resnet50", "3x224x224"),
            ("resnet20", "3x32x32"),
            ("resnet18-tutorial", "1x224x224"),
            ("digit", "1x28x28"),
        ] {
            let network = model::NetworkConfig::named(name).unwrap();
            assert_eq!(InputShape::usual(&network).to_string(), shape, "{name}");
        }
    }
}
