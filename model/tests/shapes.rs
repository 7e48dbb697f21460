//! Every named network against published shapes and parameter counts.

use burn::tensor::Tensor;
use burn_flex::Flex;
use model::{Network, NetworkConfig, ResNet, parameter_count};

type Shapes = Vec<[usize; 4]>;

fn resnet(name: &str) -> ResNet<Flex> {
    match NetworkConfig::named(name)
        .unwrap()
        .init(&Default::default())
        .unwrap()
    {
        Network::ResNet(resnet) => resnet,
        Network::Digit(_) => panic!("{name} is no ResNet of stages"),
    }
}

/// Shapes after the stem's convolution, the whole stem, each stage.
fn shapes(resnet: &ResNet<Flex>, input: [usize; 4]) -> (Shapes, [usize; 2], [usize; 2]) {
    let images = Tensor::zeros(input, &Default::default());
    let mut shapes = vec![resnet.stem.convolve(images.clone()).dims()];
    let mut features = resnet.stem.forward(images);
    shapes.push(features.dims());
    for stage in &resnet.stages {
        features = stage.forward(features);
        shapes.push(features.dims());
    }
    let pooled = resnet.head.pool(features.clone()).dims();
    (shapes, pooled, resnet.head.forward(features).dims())
}

#[test]
fn tutorial_resnet18_has_expected_shapes() {
    let resnet = resnet("resnet18-tutorial");
    for (size, edges) in [
        (224, [112, 56, 56, 28, 14, 7]),
        (256, [128, 64, 64, 32, 16, 8]),
    ] {
        let (shapes, pooled, logits) = shapes(&resnet, [1, 1, size, size]);
        let channels = [64, 64, 64, 128, 256, 512];
        let expected: Shapes = channels
            .into_iter()
            .zip(edges)
            .map(|(channels, edge)| [1, channels, edge, edge])
            .collect();
        assert_eq!(shapes, expected);
        assert_eq!(pooled, [1, 512]);
        assert_eq!(logits, [1, 10]);
    }
}

/// What [`shapes`] returns for a network for ImageNet, whose maps have these edges.
fn imagenet_shapes(widening: usize, edges: [usize; 6]) -> (Shapes, [usize; 2], [usize; 2]) {
    let widths = [64, 128, 256, 512].map(|width| width * widening);
    let channels = [&[64, 64], &widths[..]].concat();
    let maps = channels.into_iter().zip(edges);
    let maps = maps.map(|(channels, edge)| [1, channels, edge, edge]);
    (maps.collect(), [1, 512 * widening], [1, 1000])
}

#[test]
fn imagenet_family_has_expected_shapes() {
    for (name, widening) in [
        ("resnet18", 1),
        ("resnet34", 1),
        ("resnet50", 4),
        ("resnet101", 4),
        ("resnet152", 4),
    ] {
        // 64 pixels instead of 224: the same layers in a twelfth of the time
        let found = shapes(&resnet(name), [1, 3, 64, 64]);
        assert_eq!(
            found,
            imagenet_shapes(widening, [32, 16, 16, 8, 4, 2]),
            "{name}"
        );
    }
}

#[test]
fn imagenet_family_has_published_parameter_counts() {
    for (name, parameters) in [
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("resnet101", 44_549_160),
        ("resnet152", 60_192_808),
        // torchvision's documentation of its models
        ("resnext50_32x4d", 25_028_904),
    ] {
        let network = NetworkConfig::named(name)
            .unwrap()
            .init::<Flex>(&Default::default())
            .unwrap();
        assert_eq!(parameter_count(&network), parameters, "{name}");
    }
}

#[test]
fn variants_keep_the_shapes() {
    for name in [
        "resnet50a",
        "resnet18c",
        "resnet18d",
        "preresnet18",
        "plain18",
    ] {
        // Odd on the way: 61, 31, 16, 8, 4, 2.
        let found = shapes(&resnet(name), [1, 3, 61, 61]);
        let widening = if name == "resnet50a" { 4 } else { 1 };
        assert_eq!(
            found,
            imagenet_shapes(widening, [31, 16, 16, 8, 4, 2]),
            "{name}"
        );
    }
}

#[test]
fn cifar_family_has_expected_shapes() {
    for (name, blocks, millions) in [
        ("resnet20", 3, "0.27"),
        ("resnet32", 5, "0.46"),
        ("resnet44", 7, "0.66"),
        ("resnet56", 9, "0.85"),
        ("resnet110", 18, "1.7"),
        ("resnet1202", 200, "19.4"),
    ] {
        let resnet = resnet(name);
        let decimals = millions.split('.').nth(1).unwrap().len();
        let count = parameter_count(&resnet) as f64 / 1e6;
        assert_eq!(format!("{count:.decimals$}"), millions, "{name}");
        for stage in &resnet.stages {
            assert_eq!(stage.blocks.len(), blocks, "{name}");
        }
        let (shapes, pooled, logits) = shapes(&resnet, [1, 3, 32, 32]);
        let expected = vec![
            [1, 16, 32, 32],
            [1, 16, 32, 32],
            [1, 16, 32, 32],
            [1, 32, 16, 16],
            [1, 64, 8, 8],
        ];
        assert_eq!(shapes, expected, "{name}");
        assert_eq!(pooled, [1, 64], "{name}");
        assert_eq!(logits, [1, 10], "{name}");
    }
}

#[test]
fn digit_network_has_expected_shapes() {
    let network: NetworkConfig = NetworkConfig::named("digit").unwrap();
    let network = network.init::<Flex>(&Default::default()).unwrap();
    let logits = network.forward(Tensor::zeros([3, 1, 28, 28], &Default::default()));
    assert_eq!(logits.dims(), [3, 10]);
}
