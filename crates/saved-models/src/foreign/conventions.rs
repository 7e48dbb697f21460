//! Defaults for weights without a description: class names and preprocessing, chosen by the
//! network's shape.

use data::{CIFAR10_CLASSES, Preprocessing, PreprocessingError};
use model::{NetworkConfig, StemKind};

use super::options::ImportOptions;
use crate::input::InputShape;

/// ImageNet's class names in index order, as in torchvision.
const IMAGENET_CLASSES: &str = include_str!("imagenet_classes.txt");

/// Mean and standard deviation of each channel.
type Statistics = ([f32; 3], [f32; 3]);
const IMAGENET_STATISTICS: Statistics = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
const CIFAR10_STATISTICS: Statistics = ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]);

/// Images for the larger stems have 224 pixels, cropped from 256.
const CROP: usize = 224;
const RESIZE: usize = 256;

/// Class names and the data set they come from.
pub(super) struct Classes {
    pub names: Vec<String>,
    pub trained_on: String,
    /// Whether they were inferred from the number of outputs alone.
    pub are_assumed: bool,
}

fn is_large(config: &NetworkConfig) -> bool {
    matches!(config, NetworkConfig::Resnet(config) if config.stem != StemKind::Cifar)
}

fn is_small(config: &NetworkConfig) -> bool {
    matches!(config, NetworkConfig::Resnet(config) if config.stem == StemKind::Cifar)
}

/// Returns the class names of a network. Networks with an ImageNet or deep stem and 1,000 classes
/// get ImageNet's names; networks with the CIFAR stem, 3 channels and 10 classes get CIFAR-10's.
/// All others get numbered names.
pub(super) fn classes(config: &NetworkConfig) -> Classes {
    match (config.input_channels(), config.classes()) {
        (_, 1000) if is_large(config) => Classes {
            names: IMAGENET_CLASSES.lines().map(str::to_owned).collect(),
            trained_on: "ImageNet's classes".to_owned(),
            are_assumed: true,
        },
        (3, 10) if is_small(config) => Classes {
            names: CIFAR10_CLASSES.map(str::to_owned).to_vec(),
            trained_on: "CIFAR-10's classes".to_owned(),
            are_assumed: true,
        },
        (_, classes) => Classes {
            names: (0..classes).map(|class| format!("class {class}")).collect(),
            trained_on: "classes without names".to_owned(),
            are_assumed: false,
        },
    }
}

/// Returns the default preprocessing of a network, changed as the options say. The stem determines
/// the image size. Networks whose classes are assumed to be CIFAR-10's get its statistics, all
/// others ImageNet's; gray images get the mean over the three channels.
///
/// `resize` is the length of an image's shorter side before the crop, unless the options set it.
pub(super) fn preprocessing(
    config: &NetworkConfig,
    options: &ImportOptions,
    resize: Option<usize>,
) -> Result<Preprocessing, PreprocessingError> {
    let channels = config.input_channels();
    let statistics = match is_small(config) && [channels, config.classes()] == [3, 10] {
        true => CIFAR10_STATISTICS,
        false => IMAGENET_STATISTICS,
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
    with_options(&preprocessing, options)
}

/// Returns the preprocessing, changed as the options say.
pub(super) fn with_options(
    usual: &Preprocessing,
    options: &ImportOptions,
) -> Result<Preprocessing, PreprocessingError> {
    let [channels, height, width] = usual.shape();
    let [height, width] = options.image_size.map_or([height, width], |size| [size; 2]);
    let resize = options.resize.unwrap_or(match options.image_size {
        // Crops the same fraction.
        Some(size) => size * usual.resize() / usual.height().max(usual.width()),
        None => usual.resize(),
    });
    let mut resampling = usual.resampling();
    resampling.stretch = match (resampling.stretch, options.image_size) {
        _ if options.resize.is_some() => None,
        (Some(sides), Some(size)) => {
            let longer = usual.height().max(usual.width());
            Some(sides.map(|side| (size * side / longer).max(size)))
        }
        (stretch, _) => stretch,
    };
    let fit = |chosen: &Option<Vec<f32>>, usual: &[f32]| match chosen.as_deref() {
        Some(&[value]) => vec![value; channels],
        Some(values) => values.to_vec(),
        None => usual.to_vec(),
    };
    Preprocessing::new(
        [channels, height, width],
        resize,
        fit(&options.mean, usual.mean()),
        fit(&options.std, usual.std()),
    )?
    .with_resampling(resampling)
}

/// Returns the data set whose mean and standard deviation were used.
pub(super) fn source_of(preprocessing: &Preprocessing) -> &'static str {
    match (preprocessing.mean().len(), preprocessing.mean()) {
        (_, mean) if *mean == CIFAR10_STATISTICS.0 => "those of CIFAR-10",
        (1, _) => "those of ImageNet, averaged over its colors",
        _ => "those of ImageNet",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str, channels: usize, classes: usize) -> NetworkConfig {
        let config = model::NetworkConfig::named(name).unwrap();
        config.with_classes(classes).with_input_channels(channels)
    }

    fn of(name: &str, channels: usize, classes: usize) -> Preprocessing {
        let config = config(name, channels, classes);
        preprocessing(&config, &ImportOptions::default(), None).unwrap()
    }

    #[test]
    fn input_shapes_map_to_data_sets() {
        let imagenet = classes(&config("resnet50d", 3, 1000));
        assert_eq!(imagenet.names.len(), 1000);
        assert_eq!(imagenet.names[0], "tench");
        assert_eq!(imagenet.names[999], "toilet tissue");
        let imagenet = of("resnet50d", 3, 1000);
        assert_eq!(imagenet.shape(), [3, 224, 224]);
        assert_eq!(imagenet.resize(), 256);
        assert_eq!(source_of(&imagenet), "those of ImageNet");
        assert_eq!(source_of(&of("resnet20", 3, 100)), "those of ImageNet");
        let cifar = of("resnet20", 3, 10);
        assert_eq!(classes(&config("resnet20", 3, 10)).names[9], "truck");
        assert_eq!(cifar.shape(), [3, 32, 32]);
        assert_eq!(cifar.resize(), 32);
        assert_eq!(source_of(&cifar), "those of CIFAR-10");
        let other = of("resnet20", 1, 10);
        assert_eq!(classes(&config("resnet20", 1, 10)).names[9], "class 9");
        assert!((other.mean()[0] - 0.449).abs() < 1e-6);
        assert_eq!(of("digit", 1, 10).shape(), [1, 28, 28]);
    }

    #[test]
    fn options_override_conventions_within_limits() {
        let config = model::NetworkConfig::named("resnet50").unwrap();
        let with = |options: &ImportOptions| preprocessing(&config, options, Some(232));
        let chosen = with(&ImportOptions {
            image_size: Some(112),
            mean: Some(vec![0.5]),
            std: Some(vec![0.1, 0.2, 0.3]),
            ..ImportOptions::default()
        });
        let chosen = chosen.unwrap();
        assert_eq!((chosen.shape(), chosen.resize()), ([3, 112, 112], 116));
        assert_eq!(chosen.mean(), [0.5; 3]);
        assert_eq!(chosen.std(), [0.1, 0.2, 0.3]);
        let resize = |resize| ImportOptions {
            resize: Some(resize),
            ..ImportOptions::default()
        };
        assert_eq!(with(&resize(240)).unwrap().resize(), 240);
        assert!(matches!(
            with(&resize(200)).unwrap_err(),
            PreprocessingError::Resize { .. }
        ));
        let config = config.with_input_channels(4);
        assert!(matches!(
            preprocessing(&config, &ImportOptions::default(), None).unwrap_err(),
            PreprocessingError::Channels { found: 4 }
        ));
    }
}
