//! Random networks against their summaries: every name, shape and number of parameters.

use burn::module::Module;
use burn::tensor::{Distribution, Tensor};
use burn_flex::Flex;
use model::{
    ActivationOrder, BatchNorm, Block, BlockKind, BottleneckStride, Convolution, Layer, LayerKind,
    Network, NetworkConfig, ResNet, ResNetConfig, ShortcutKind, StemKind, StemPool,
    parameter_count, summary,
};
use proptest::prelude::*;

/// Goes through a real network and compares every tensor with the next layer of its summary.
struct Follow<'a> {
    layers: std::slice::Iter<'a, Layer>,
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
                let strides = stage > 0 && position == 0;
                self.block(&path, block, features, strides);
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

    /// `strides` says that it takes every other pixel, which a single pixel does not show.
    fn block(&mut self, path: &str, block: &Block<Flex>, input: Tensor<Flex, 4>, strides: bool) {
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
                            let pooled = ops::average_pool(input.clone(), 2);
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
                    None if strides || output.dims() != input.dims() => {
                        self.next(&path, &output, 0);
                    }
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
            ShortcutKind::ZeroPadEnd,
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
    let stem_changes = (
        prop::sample::select(vec![None, Some(1), Some(2), Some(3)]),
        prop::sample::select(vec![None, Some(StemPool::None), Some(StemPool::Max)]),
    );
    (kinds, stages, groups, rest, stem_changes).prop_map(
        |(
            (stem, block, bottleneck_stride, activation, shortcut),
            stages,
            (groups, width_per_group),
            (convolution_bias, zero_init_last_norm, input_channels, classes),
            (stem_stride, stem_pool),
        )| {
            let (depths, mut widths): (Vec<_>, Vec<_>) = stages.into_iter().unzip();
            if shortcut.is_zero_pad() {
                widths.sort_unstable();
            }
            let grouped = block == BlockKind::Bottleneck;
            let can_start_at_zero =
                activation == ActivationOrder::Post && shortcut != ShortcutKind::None;
            ResNetConfig::imagenet(block, [1; 4])
                .with_stem(stem)
                .with_stem_stride(stem_stride)
                .with_stem_pool(stem_pool)
                .with_depths(depths)
                .with_widths(widths)
                .with_groups(if grouped { groups } else { 1 })
                .with_width_per_group(if grouped { width_per_group } else { 64 })
                .with_bottleneck_stride(bottleneck_stride)
                .with_activation(activation)
                .with_shortcut(shortcut)
                .with_convolution_bias(convolution_bias)
                .with_zero_init_last_norm(zero_init_last_norm && can_start_at_zero)
                .with_norm_epsilon(1e-3)
                .with_input_channels(input_channels)
                .with_classes(classes)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn summary_matches_network(config in configs(), height in 1..20_usize, width in 1..20_usize) {
        let device = Default::default();
        let images = Tensor::<Flex, 4>::random(
            [2, config.input_channels, height, width],
            Distribution::Default,
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
