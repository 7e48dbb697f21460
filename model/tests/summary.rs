//! Summaries against published figures and against the networks themselves.

use burn::module::Module;
use burn::tensor::Tensor;
use burn_flex::Flex;
use model::{
    ActivationOrder, Adam, BatchNorm, BlockKind, BottleneckStride, Convolution, LayerKind, Network,
    NetworkConfig, Optimizer, ResNet, ResNetConfig, Sgd, ShortcutKind, StemKind, Summary, network,
    parameter_count, summary,
};
use proptest::prelude::*;

/// Parameters and multiply-adds as torchvision's classes have them with 1,000 classes at 224
/// pixels: convolutions and linear layers counted. Its documentation of the models gives the same
/// to the digits it has.
const TORCHVISION: [(&str, u64, u64); 10] = [
    ("resnet18", 11_689_512, 1_814_073_344),
    ("resnet34", 21_797_672, 3_663_761_408),
    ("resnet50", 25_557_032, 4_089_184_256),
    ("resnet101", 44_549_160, 7_801_405_440),
    ("resnet152", 60_192_808, 11_513_626_624),
    ("wide_resnet50_2", 68_883_240, 11_398_021_120),
    ("wide_resnet101_2", 126_886_696, 22_753_050_624),
    ("resnext50_32x4d", 25_028_904, 4_230_479_872),
    ("resnext101_32x8d", 88_791_336, 16_414_015_488),
    ("resnext101_64x4d", 83_455_272, 15_460_270_080),
];

#[test]
fn torchvision_family() {
    for (name, parameters, multiply_adds) in TORCHVISION {
        let summary = summary(&network(name).unwrap(), [224, 224]).unwrap();
        assert_eq!(summary.parameters, parameters, "{name}");
        assert_eq!(summary.multiply_adds, multiply_adds, "{name}");
    }
}

/// As they are published: parameters rounded to so many digits.
#[test]
fn millions_of_parameters() {
    for (name, size, millions) in [
        // timm
        ("resnet18d", 224, "11.71"),
        ("resnet34d", 224, "21.82"),
        ("resnet50c", 224, "25.58"),
        ("resnet50d", 224, "25.58"),
        ("resnet101d", 224, "44.57"),
        ("resnet152d", 224, "60.21"),
        // He et al. 2015, table 6
        ("resnet20", 32, "0.27"),
        ("resnet32", 32, "0.46"),
        ("resnet44", 32, "0.66"),
        ("resnet56", 32, "0.85"),
        ("resnet110", 32, "1.7"),
        ("resnet1202", 32, "19.4"),
        // He et al. 2016, table 4; 10.2 there for the last, whose layers have 10.3
        ("preresnet164", 32, "1.7"),
        ("preresnet1001", 32, "10.3"),
    ] {
        let summary = summary(&network(name).unwrap(), [size, size]).unwrap();
        let decimals = millions.split('.').nth(1).unwrap().len();
        let found = summary.parameters as f64 / 1e6;
        assert_eq!(format!("{found:.decimals$}"), millions, "{name}");
    }
}

/// The published multiply-adds of the CIFAR networks count projections, as re-implementations have
/// them; shortcut A costs none.
#[test]
fn cifar_multiply_adds() {
    for (blocks, with_projections, with_zeros) in [
        (3, "40.8", "40.6"),
        (5, "69.1", "68.9"),
        (7, "97.4", "97.2"),
        (9, "125.7", "125.5"),
    ] {
        for (shortcut, expected) in [
            (ShortcutKind::Projection, with_projections),
            (ShortcutKind::ZeroPad, with_zeros),
        ] {
            let config = NetworkConfig::Resnet(ResNetConfig {
                shortcut,
                ..ResNetConfig::cifar(blocks)
            });
            let found = summary(&config, [32, 32]).unwrap().multiply_adds as f64 / 1e6;
            assert_eq!(format!("{found:.1}"), expected, "{blocks} blocks");
        }
    }
}

#[test]
fn sizes_out_of_range_are_errors() {
    let config = network("resnet18").unwrap();
    for size in [[0, 224], [224, 0], [usize::MAX, 224]] {
        assert!(summary(&config, size).is_err(), "{size:?}");
    }
    assert!(summary(&network("digit").unwrap(), [32, 32]).is_err());
    // The largest of all is no overflow.
    let config = NetworkConfig::Resnet(ResNetConfig {
        depths: vec![1000; 16],
        widths: vec![16_384; 16],
        ..ResNetConfig::imagenet(BlockKind::Bottleneck, [1; 4])
    });
    let summary = summary(&config, [65_535, 65_535]).unwrap();
    let memory = summary.training_memory(usize::MAX, &Optimizer::Adam(Adam::default()));
    assert_eq!(memory.total(), u64::MAX);
}

#[test]
fn memory_counts_what_is_kept() {
    let config = NetworkConfig::Resnet(ResNetConfig {
        depths: vec![1],
        widths: vec![2],
        ..ResNetConfig::cifar(1)
    });
    let summary = summary(&config, [4, 4]).unwrap();
    // Image; convolution and norm of the stem and of the branch's two; pooled features.
    let kept = 3 * 16 + 3 * 2 * (2 * 16) + 2;
    for (momentum, remembered) in [(0.0, 0), (0.9, 1)] {
        let sgd = Optimizer::Sgd(Sgd {
            momentum,
            ..Sgd::default()
        });
        let memory = summary.training_memory(5, &sgd);
        assert_eq!(memory.activations, 4 * 5 * kept);
        assert_eq!(memory.optimizer_state, remembered * memory.gradients);
        // Three norms of two channels.
        assert_eq!(memory.parameters, memory.gradients + 4 * 12);
    }
    let memory = summary.training_memory(5, &Optimizer::Adam(Adam::default()));
    assert_eq!(memory.optimizer_state, 2 * memory.gradients);
}

#[test]
fn json_round_trip() {
    let summary = summary(&network("preresnet20").unwrap(), [32, 32]).unwrap();
    let text = serde_json::to_string(&summary).unwrap();
    assert!(
        text.contains(r#""name":"stem.convolution.conv","kind":"convolution","kernel":3"#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
}

/// Goes through a real network and compares every tensor with the next layer of its summary.
struct Follow<'a> {
    layers: std::slice::Iter<'a, model::Layer>,
}

impl Follow<'_> {
    /// The next layer has this name and output, and as many parameters.
    fn next<const D: usize>(&mut self, name: &str, output: &Tensor<Flex, D>, parameters: usize) {
        let layer = self.layers.next().unwrap();
        assert_eq!(layer.name, name);
        assert_eq!(layer.output, output.dims()[1..], "{name}");
        assert_eq!(layer.parameters, parameters as u64, "{name}");
    }

    fn norm(
        &mut self,
        path: &str,
        norm: &BatchNorm<Flex>,
        input: Tensor<Flex, 4>,
    ) -> Tensor<Flex, 4> {
        let output = norm.forward_fused(input, None, true);
        self.next(path, &output, parameter_count(norm));
        output
    }

    fn convolution(
        &mut self,
        path: &str,
        convolution: &Convolution<Flex>,
        input: Tensor<Flex, 4>,
        residual: Option<Tensor<Flex, 4>>,
        relu: bool,
    ) -> Tensor<Flex, 4> {
        let adds = residual.is_some();
        let output = convolution.forward_fused(input, residual, relu);
        let of_norm = convolution
            .norm
            .as_ref()
            .map_or(0, parameter_count::<Flex, _>);
        let of_convolution = parameter_count(convolution) - of_norm;
        self.next(&format!("{path}.conv"), &output, of_convolution);
        if convolution.norm.is_some() {
            self.next(&format!("{path}.norm"), &output, of_norm);
        } else if adds {
            self.next(&format!("{path}.addition"), &output, 0);
        }
        output
    }

    fn resnet(&mut self, network: &ResNet<Flex>, images: Tensor<Flex, 4>) {
        let mut features = images.clone();
        for (position, convolution) in network.stem.deep.iter().flatten().enumerate() {
            let path = format!("stem.deep.{position}");
            features = self.convolution(&path, convolution, features, None, true);
        }
        let stem = &network.stem;
        self.convolution("stem.convolution", &stem.convolution, features, None, true);
        let mut features = stem.forward(images);
        if stem.max_pool.is_some() {
            self.next("stem.max_pool", &features, 0);
        }
        for (stage, blocks) in network.stages.iter().enumerate() {
            for (position, block) in blocks.blocks.iter().enumerate() {
                let path = format!("stages.{stage}.blocks.{position}");
                let output = block.forward(features.clone());
                self.block(&path, block, features);
                features = output;
            }
        }
        if let Some(norm) = &network.head.norm {
            self.norm("head.norm", norm, features.clone());
        }
        self.next("head.pool", &network.head.pool(features.clone()), 0);
        let logits = network.head.forward(features);
        self.next(
            "head.linear",
            &logits,
            parameter_count(&network.head.linear),
        );
        assert!(self.layers.next().is_none());
    }

    fn block(&mut self, path: &str, block: &model::Block<Flex>, input: Tensor<Flex, 4>) {
        let mut features = input.clone();
        if let Some(norm) = &block.pre_activation {
            features = self.norm(&format!("{path}.pre_activation"), norm, features);
        }
        let last = block.branch.len() - 1;
        for (position, convolution) in block.branch.iter().enumerate() {
            let branch = format!("{path}.branch.{position}");
            let mut residual = None;
            if let Some(shortcut) = block.shortcut.as_ref().filter(|_| position == last) {
                let path = format!("{path}.shortcut");
                let output = shortcut.forward(input.clone());
                match &shortcut.projection {
                    Some(projection) => {
                        let next = self.layers.clone().next().unwrap();
                        if matches!(next.kind, LayerKind::AveragePool { .. }) {
                            let pooled = model::ops::average_pool(input.clone(), 2);
                            self.next(&format!("{path}.average_pool"), &pooled, 0);
                            self.convolution(
                                &format!("{path}.projection"),
                                projection,
                                pooled,
                                None,
                                false,
                            );
                        } else {
                            self.convolution(
                                &format!("{path}.projection"),
                                projection,
                                input.clone(),
                                None,
                                false,
                            );
                        }
                    }
                    None if output.dims() != input.dims() => self.next(&path, &output, 0),
                    None => {}
                }
                residual = Some(output);
            }
            features = self.convolution(&branch, convolution, features, residual, position < last);
        }
    }
}

/// Any kind of network that is valid and small.
fn configs() -> impl Strategy<Value = ResNetConfig> {
    let kinds = (
        prop::sample::select(vec![StemKind::ImageNet, StemKind::Deep, StemKind::Cifar]),
        prop::sample::select(vec![BlockKind::Basic, BlockKind::Bottleneck]),
        prop::sample::select(vec![BottleneckStride::First, BottleneckStride::Spatial]),
        prop::sample::select(vec![ActivationOrder::Post, ActivationOrder::Pre]),
        prop::sample::select(vec![
            ShortcutKind::ZeroPad,
            ShortcutKind::Projection,
            ShortcutKind::ProjectionAlways,
            ShortcutKind::AveragePoolProjection,
            ShortcutKind::PlainProjection,
            ShortcutKind::None,
        ]),
    );
    let stages = prop::collection::vec((1..3_usize, 1..9_usize), 1..4);
    let groups = (1..4_usize, 64..200_usize);
    let rest = (any::<bool>(), any::<bool>(), 1..4_usize, 1..6_usize);
    (kinds, stages, groups, rest).prop_map(
        |(
            (stem, block, bottleneck_stride, activation, shortcut),
            stages,
            (groups, width_per_group),
            (convolution_bias, zero_init_last_norm, input_channels, classes),
        )| {
            let (depths, mut widths): (Vec<_>, Vec<_>) = stages.into_iter().unzip();
            if shortcut == ShortcutKind::ZeroPad {
                widths.sort_unstable();
            }
            let grouped = block == BlockKind::Bottleneck;
            let can_start_at_zero =
                activation == ActivationOrder::Post && shortcut != ShortcutKind::None;
            ResNetConfig {
                stem,
                block,
                depths,
                widths,
                groups: if grouped { groups } else { 1 },
                width_per_group: if grouped { width_per_group } else { 64 },
                bottleneck_stride,
                activation,
                shortcut,
                convolution_bias,
                zero_init_last_norm: zero_init_last_norm && can_start_at_zero,
                input_channels,
                classes,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_summary_is_the_network(config in configs(), height in 1..20_usize, width in 1..20_usize) {
        let device = Default::default();
        let images = Tensor::<Flex, 4>::random(
            [2, config.input_channels, height, width],
            burn::tensor::Distribution::Default,
            &device,
        );
        let config = NetworkConfig::Resnet(config);
        let summary = summary(&config, [height, width]).unwrap();
        let network = config.init::<Flex>(&device).unwrap();

        prop_assert_eq!(summary.parameters, parameter_count(&network) as u64);
        let all = summary.parameters + summary.running_statistics;
        prop_assert_eq!(all, network.num_params() as u64);
        let logits = network.forward(images.clone());
        prop_assert_eq!(logits.dims(), [2, config.classes()]);

        // A record brings the weights, and nothing else makes the difference between two networks.
        let copy = config.init::<Flex>(&device).unwrap();
        let copy = copy.load_record(network.clone().into_record());
        copy.forward(images.clone()).into_data().assert_eq(&logits.into_data(), true);

        let Network::ResNet(network) = &network else {
            unreachable!();
        };
        let mut follow = Follow { layers: summary.layers.iter() };
        follow.resnet(network, images);
    }
}

#[test]
fn the_digit_network_is_its_summary() {
    let config = network("digit").unwrap();
    let summary = summary(&config, [28, 28]).unwrap();
    assert_eq!(summary.parameters, 42_790);
    assert_eq!(summary.layers.last().unwrap().input, [375]);
    assert_eq!(summary.layers.last().unwrap().output, [10]);
    let outputs = summary.layers.iter().map(|layer| &layer.output[..]);
    let of_convolutions: Vec<_> = outputs.filter(|output| output.len() == 3).collect();
    assert_eq!(of_convolutions[0], [20, 24, 24]);
    assert_eq!(of_convolutions[1], [20, 12, 12]);
    assert_eq!(of_convolutions[3], [30, 12, 12]);
}
