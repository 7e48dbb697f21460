//! Folded networks against the networks they are made of.

use burn::module::{Param, RunningState};
use burn::tensor::{Distribution, Tensor, backend::Backend as _};
use burn_flex::Flex;
use model::{
    ActivationOrder, BatchNorm, BlockKind, BottleneckStride, Convolution, Network, NetworkConfig,
    ResNetConfig, ShortcutKind, StemKind, StemPool,
};

/// As after training: nothing is at its start any more.
struct Trained;

impl Trained {
    fn random<const D: usize>(shape: [usize; D], low: f64, high: f64) -> Tensor<Flex, D> {
        let distribution = Distribution::Uniform(low, high);
        Tensor::random(shape, distribution, &Default::default())
    }

    fn norm(norm: &mut BatchNorm<Flex>) {
        let shape = norm.gamma.dims();
        norm.gamma = Param::from_tensor(Self::random(shape, 0.3, 1.5));
        norm.beta = Param::from_tensor(Self::random(shape, -0.5, 0.5));
        norm.running_mean = RunningState::new(Self::random(shape, -0.5, 0.5));
        norm.running_var = RunningState::new(Self::random(shape, 0.5, 2.0));
    }

    fn convolution(convolution: &mut Convolution<Flex>) {
        if let Some(bias) = &mut convolution.conv.bias {
            *bias = Param::from_tensor(Self::random(bias.dims(), -0.5, 0.5));
        }
        convolution.norm.iter_mut().for_each(Self::norm);
    }

    fn network(network: &mut Network<Flex>) {
        let Network::ResNet(network) = network else {
            return;
        };
        let stem = &mut network.stem;
        stem.deep.iter_mut().flatten().for_each(Self::convolution);
        Self::convolution(&mut stem.convolution);
        let stages = network.stages.iter_mut();
        for block in stages.flat_map(|stage| &mut stage.blocks) {
            block.pre_activation.iter_mut().for_each(Self::norm);
            block.branch.iter_mut().for_each(Self::convolution);
            if let Some(shortcut) = &mut block.shortcut {
                shortcut.projection.iter_mut().for_each(Self::convolution);
            }
        }
        network.head.norm.iter_mut().for_each(Self::norm);
    }
}

fn assert_folds(what: &str, config: &NetworkConfig, edge: usize) {
    let device = Default::default();
    let mut network = config.init::<Flex>(&device).unwrap();
    Trained::network(&mut network);
    let images = Tensor::random(
        [2, config.input_channels(), edge, edge],
        Distribution::Normal(0.0, 1.0),
        &device,
    );

    let expected = network.forward(images.clone());
    let found = network.fold().forward(images);

    let largest: f32 = expected.clone().abs().max().into_scalar();
    let difference: f32 = (found - expected).abs().max().into_scalar();
    assert!(largest > 1e-3, "{what}: {largest} is no test");
    assert!(
        difference < 1e-4 * largest,
        "{what}: {difference} of {largest}"
    );
}

#[test]
fn folding_matches_within_rounding() {
    Flex::seed(&Default::default(), 1);
    for (name, edge) in [
        ("resnet18", 32),
        ("resnet50", 32),
        ("resnet20", 32),
        ("resnet18-tutorial", 32),
        ("resnext50_32x4d", 32),
        ("resnet18d", 37),
        ("preresnet18", 32),
        ("preresnet164", 16),
        ("plain20", 32),
        ("digit", 28),
    ] {
        assert_folds(name, &NetworkConfig::named(name).unwrap(), edge);
    }
}

#[test]
fn every_kind_folds() {
    Flex::seed(&Default::default(), 2);
    let shortcuts = [
        ShortcutKind::ZeroPad,
        ShortcutKind::ZeroPadEnd,
        ShortcutKind::Projection,
        ShortcutKind::ProjectionAlways,
        ShortcutKind::AveragePoolProjection,
        ShortcutKind::PlainProjection,
        ShortcutKind::None,
    ];
    for activation in [ActivationOrder::Post, ActivationOrder::Pre] {
        for shortcut in shortcuts {
            for stem in [StemKind::ImageNet, StemKind::Deep, StemKind::Cifar] {
                for block in [BlockKind::Basic, BlockKind::Bottleneck] {
                    let grouped = block == BlockKind::Bottleneck;
                    let config = ResNetConfig::cifar(1)
                        .with_stem(stem)
                        .with_stem_stride(Some(1))
                        .with_stem_pool(Some(StemPool::Max))
                        .with_norm_epsilon(0.1)
                        .with_block(block)
                        .with_depths(vec![2, 1])
                        .with_widths(vec![8, 12])
                        .with_groups(if grouped { 2 } else { 1 })
                        .with_width_per_group(if grouped { 32 } else { 64 })
                        .with_bottleneck_stride(BottleneckStride::First)
                        .with_activation(activation)
                        .with_shortcut(shortcut)
                        .with_convolution_bias(true);
                    let what = format!("{config:?}");
                    assert_folds(&what, &NetworkConfig::Resnet(config), 13);
                }
            }
        }
    }
}
