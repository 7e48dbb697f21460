//! Networks of 8-bit integers against their floats.

use burn::tensor::{Distribution, Tensor};
use burn_flex::Flex;
use burn_store::ModuleSnapshot as _;
use model::int8::{Calibration, Int8Network, Quantization, RangeRule};
use model::{Network, NetworkConfig};

fn images(batch: usize, channels: usize, edge: usize) -> Tensor<Flex, 4> {
    let distribution = Distribution::Normal(0.0, 1.0);
    Tensor::random(
        [batch, channels, edge, edge],
        distribution,
        &Default::default(),
    )
}

fn int8(config: &NetworkConfig, quantization: &Quantization) -> Int8Network {
    Int8Network::new::<Flex>(config, quantization, &Default::default()).unwrap()
}

fn quantize(network: &Network<Flex>, images: &Tensor<Flex, 4>, rule: RangeRule) -> Quantization {
    let mut calibration = Calibration::new(network);
    calibration.add(images.clone());
    calibration.quantize(network, rule)
}

fn values(tensor: Tensor<Flex, 2>) -> Vec<f32> {
    tensor.into_data().to_vec().unwrap()
}

/// Returns the cosine of the angle between two sets of logits of as many images, without the means of
/// the images.
fn similarity(a: &[f32], b: &[f32], images: usize) -> f64 {
    let centered = |values: &[f32]| -> Vec<f64> {
        let classes = values.len() / images;
        let mean = |class: usize| {
            let logits = values.iter().skip(class).step_by(classes);
            logits.map(|&logit| f64::from(logit)).sum::<f64>() / images as f64
        };
        let values = values.iter().enumerate();
        values
            .map(|(index, &value)| f64::from(value) - mean(index % classes))
            .collect()
    };
    let (a, b) = (centered(a), centered(b));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

#[test]
fn every_kind_of_network_keeps_its_logits() {
    let device = Default::default();
    for (name, edge) in [
        ("resnet18", 64),
        ("resnet50", 64),
        ("resnet20", 32),
        ("resnet18d", 64),
        ("preresnet20", 32),
        ("preresnet50", 64),
        ("resnext50_32x4d", 64),
        ("plain20", 32),
        ("resnet18-tutorial", 64),
        ("digit", 28),
    ] {
        let Ok(config) = NetworkConfig::named(name) else {
            panic!("{name} is unknown");
        };
        <Flex as burn::tensor::backend::Backend>::seed(&device, 3);
        let network = config.init::<Flex>(&device).unwrap();
        let images = images(4, config.input_channels(), edge);
        for rule in [RangeRule::LeastError, RangeRule::Percentile(0.9999)] {
            let quantization = quantize(&network, &images, rule);
            let int8 = int8(&config, &quantization);
            let expected = values(network.forward(images.clone()));
            let logits = values(int8.forward(images.clone()));
            let similarity = similarity(&logits, &expected, 4);
            assert!(similarity > 0.8, "{name}, {rule:?}: {similarity}");
        }
    }
}

#[test]
fn dequantized_network_resembles_the_original() {
    let device = Default::default();
    for (name, edge) in [("resnet18", 64), ("preresnet20", 32), ("digit", 28)] {
        <Flex as burn::tensor::backend::Backend>::seed(&device, 5);
        let config = NetworkConfig::named(name).unwrap();
        let network = config.init::<Flex>(&device).unwrap();
        let images = images(2, config.input_channels(), edge);
        let quantization = quantize(&network, &images, RangeRule::LeastError);
        let snapshots = quantization.dequantized(&config).unwrap();
        let snapshots: Vec<_> = snapshots
            .into_iter()
            .map(|(tensor, values)| {
                let data = burn::tensor::TensorData::new(values, tensor.shape);
                let path = tensor.name.split('.').map(str::to_owned).collect();
                burn_store::TensorSnapshot::from_data(data, path, Vec::new(), Default::default())
            })
            .collect();
        let mut copy = config.init::<Flex>(&device).unwrap();
        let result = match &mut copy {
            Network::ResNet(network) => network.apply(snapshots, None, None, false),
            Network::Digit(network) => network.apply(snapshots, None, None, false),
        };
        assert!(
            result.errors.is_empty() && result.missing.is_empty(),
            "{result:?}"
        );
        let expected = values(network.forward(images.clone()));
        let similarity = similarity(&values(copy.forward(images)), &expected, 2);
        assert!(similarity > 0.99, "{name}: {similarity}");
    }
}

#[test]
fn parts_of_another_network_are_refused() {
    let device = Default::default();
    let config = NetworkConfig::named("preresnet20").unwrap();
    let network = config.init::<Flex>(&device).unwrap();
    let quantization = quantize(&network, &images(1, 3, 32), RangeRule::LeastError);
    let refused = |change: &dyn Fn(&mut Quantization), words: &str| {
        let mut changed = quantization.clone();
        change(&mut changed);
        let error = Int8Network::new::<Flex>(&config, &changed, &device).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        changed.dequantized(&config).err()
    };
    let errors = [
        refused(
            &|parts| _ = parts.convolutions.pop(),
            "`stages.2.blocks.2.branch.1.conv` is missing",
        ),
        refused(
            &|parts| parts.convolutions.push(parts.convolutions[0].clone()),
            "not part of",
        ),
        refused(
            &|parts| _ = parts.convolutions[3].weight.pop(),
            "stages.0.blocks.1.branch.0.conv",
        ),
        refused(
            &|parts| _ = parts.convolutions[3].bias.pop(),
            "stages.0.blocks.1.branch.0.conv",
        ),
        refused(
            &|parts| parts.convolutions[0].scale[2] = f32::NAN,
            "stem.convolution.conv",
        ),
        refused(
            &|parts| parts.convolutions[0].norm = None,
            "`stem.convolution.norm` is missing",
        ),
        refused(&|parts| parts.linear.shape = [9, 64, 1, 1], "head.linear"),
        refused(&|parts| _ = parts.linear.scale.pop(), "head.linear"),
        refused(&|parts| _ = parts.norms[1].shift.pop(), "pre_activation"),
        refused(
            &|parts| parts.norms[1].name = "else".to_owned(),
            "pre_activation",
        ),
        refused(&|parts| _ = parts.input.step.pop(), "input"),
        refused(&|parts| parts.input.zero[1] = 300.0, "input"),
        refused(&|parts| parts.steps[4] = 0.0, "values.step"),
    ];
    // Floats are refused for the same reasons.
    assert!(errors.iter().all(Option::is_some), "{errors:?}");
    // Orders matter to integers alone.
    refused(&|parts| parts.convolutions.swap(1, 2), "another order");
    refused(&|parts| _ = parts.steps.pop(), "values.step");
    let other = NetworkConfig::named("resnet20").unwrap();
    assert!(Int8Network::new::<Flex>(&other, &quantization, &device).is_err());
}

#[test]
fn untrained_integers_fit_every_kind_of_network() {
    let device = Default::default();
    for name in [
        "resnet50",
        "resnext50_32x4d",
        "preresnet20",
        "resnet18c",
        "digit",
    ] {
        let config = NetworkConfig::named(name).unwrap();
        let quantization = Quantization::untrained::<Flex>(&config, &device).unwrap();
        let edge = if name == "digit" { 28 } else { 32 };
        let logits = int8(&config, &quantization).forward(images(1, config.input_channels(), edge));
        let logits = values(logits);
        assert_eq!(logits.len(), config.classes());
        assert!(logits.iter().all(|logit| logit.is_finite()), "{name}");
        assert!(logits.windows(2).any(|pair| pair[0] != pair[1]), "{name}");
    }
}
