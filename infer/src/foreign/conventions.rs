//! What goes with weights that come without a description: class names and preprocessing, by the
//! network's shape.

use data::{CIFAR10_CLASSES, Preprocessing, PreprocessingError};
use model::{NetworkConfig, StemKind};

use crate::benchmark::InputShape;

/// ImageNet's class names in the order of their numbers, as torchvision has them.
const IMAGENET_CLASSES: &str = include_str!("imagenet_classes.txt");

/// Mean and standard deviation of each channel.
type Statistics = ([f32; 3], [f32; 3]);
const IMAGENET_STATISTICS: Statistics = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
const CIFAR10_STATISTICS: Statistics = ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]);

/// Pictures for the larger stems have 224 pixels, cut out of 256.
const CROP: usize = 224;
const RESIZE: usize = 256;

/// What a network's shape says of its classes and pictures.
#[derive(Debug)]
pub(super) struct Conventions {
    pub class_names: Vec<String>,
    pub preprocessing: Preprocessing,
    /// The data set that the classes are those of.
    pub trained_on: String,
}

/// Networks with an ImageNet or deep stem and 1,000 classes go with ImageNet, networks with the CIFAR
/// stem, 3 channels and 10 classes with CIFAR-10. All others have classes without names and ImageNet's
/// statistics; for grey pictures, the mean of the three channels'.
///
/// `resize` is the length of a picture's shorter side before the crop, in pixels.
pub(super) fn conventions(
    config: &NetworkConfig,
    resize: Option<usize>,
) -> Result<Conventions, PreprocessingError> {
    let (channels, classes) = (config.input_channels(), config.classes());
    let is_large = match config {
        NetworkConfig::Resnet(config) => config.stem != StemKind::Cifar,
        NetworkConfig::Digit(_) => false,
    };
    let is_small = matches!(config, NetworkConfig::Resnet(_)) && !is_large;
    let (class_names, statistics, trained_on) = match (is_large, is_small, channels, classes) {
        (true, _, _, 1000) => (
            IMAGENET_CLASSES.lines().map(str::to_owned).collect(),
            IMAGENET_STATISTICS,
            "ImageNet's classes".to_owned(),
        ),
        (_, true, 3, 10) => (
            CIFAR10_CLASSES.map(str::to_owned).to_vec(),
            CIFAR10_STATISTICS,
            "CIFAR-10's classes".to_owned(),
        ),
        _ => (
            (0..classes).map(|class| format!("class {class}")).collect(),
            IMAGENET_STATISTICS,
            "classes without names".to_owned(),
        ),
    };
    let InputShape { height, width, .. } = InputShape::usual(config);
    let usual = match height {
        CROP => RESIZE,
        edge => edge,
    };
    let (mean, deviation) = statistics;
    let of_channels = |values: [f32; 3]| match channels {
        1 => vec![values.iter().sum::<f32>() / 3.0],
        _ => values.to_vec(),
    };
    let preprocessing = Preprocessing::new(
        [channels, height, width],
        resize.unwrap_or(usual),
        of_channels(mean),
        of_channels(deviation),
    )?;
    Ok(Conventions {
        class_names,
        preprocessing,
        trained_on,
    })
}

/// Whose mean and standard deviation the conventions have taken.
pub(super) fn source_of(preprocessing: &Preprocessing) -> &'static str {
    match (preprocessing.mean().len(), preprocessing.mean()) {
        (_, mean) if *mean == CIFAR10_STATISTICS.0 => "those of CIFAR-10",
        (1, _) => "those of ImageNet, averaged over its colours",
        _ => "those of ImageNet",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, channels: usize, classes: usize) -> Conventions {
        let config = model::network(name)
            .unwrap()
            .with_classes(classes)
            .with_input_channels(channels);
        conventions(&config, None).unwrap()
    }

    #[test]
    fn shapes_have_their_data_sets() {
        let imagenet = of("resnet50d", 3, 1000);
        assert_eq!(imagenet.class_names.len(), 1000);
        assert_eq!(imagenet.class_names[0], "tench");
        assert_eq!(imagenet.class_names[999], "toilet tissue");
        assert_eq!(imagenet.preprocessing.shape(), [3, 224, 224]);
        assert_eq!(imagenet.preprocessing.resize(), 256);
        assert_eq!(source_of(&imagenet.preprocessing), "those of ImageNet");
        let cifar = of("resnet20", 3, 10);
        assert_eq!(cifar.class_names[9], "truck");
        assert_eq!(cifar.preprocessing.shape(), [3, 32, 32]);
        assert_eq!(cifar.preprocessing.resize(), 32);
        assert_eq!(source_of(&cifar.preprocessing), "those of CIFAR-10");
        let other = of("resnet20", 1, 10);
        assert_eq!(other.class_names[9], "class 9");
        assert!((other.preprocessing.mean()[0] - 0.449).abs() < 1e-6);
        assert_eq!(of("digit", 1, 10).preprocessing.shape(), [1, 28, 28]);
    }

    #[test]
    fn the_resize_is_a_choice_within_limits() {
        let config = model::network("resnet50").unwrap();
        let chosen = conventions(&config, Some(232)).unwrap();
        assert_eq!(chosen.preprocessing.resize(), 232);
        assert!(matches!(
            conventions(&config, Some(200)).unwrap_err(),
            PreprocessingError::Resize { .. }
        ));
        let config = config.with_input_channels(4);
        assert!(matches!(
            conventions(&config, None).unwrap_err(),
            PreprocessingError::Channels { found: 4 }
        ));
    }
}
