//! The residual block, basic or bottleneck, in both activation orders.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::convolution::Convolution;
use crate::layout::BlockLayout;
use crate::norm::{BatchNorm, Pass};
use crate::shortcut::Shortcut;
use ops::ResidualBackend;

/// Post-activation: `relu(branch(x) + shortcut(x))`, with a ReLU between the branch's convolutions
/// (He et al. 2015, <https://arxiv.org/abs/1512.03385>, figures 2 and 5).
///
/// Pre-activation: `branch(relu(norm(x))) + x` (He et al. 2016,
/// <https://arxiv.org/abs/1603.05027>, figure 4 e), where the shortcut starts at `relu(norm(x))` if
/// it projects.
#[derive(Module, Debug)]
pub struct Block<B: Backend> {
    /// The norm before the branch, followed by a ReLU; only in the pre-activation order. The first
    /// block of the network has none, because the stem ends with it.
    pub pre_activation: Option<BatchNorm<B>>,
    /// Basic: 3x3, 3x3. Bottleneck: 1x1, 3x3, 1x1. In the pre-activation order, each convolution
    /// carries the norm that precedes the next one, and the last has none.
    pub branch: Vec<Convolution<B>>,
    /// The path around the branch; `None` in a plain network.
    pub shortcut: Option<Shortcut<B>>,
    /// Whether a ReLU follows the addition.
    pub(crate) relu: bool,
}

impl<B: ResidualBackend> Block<B> {
    pub(crate) fn new(layout: &BlockLayout, device: &B::Device) -> Self {
        let pre_activation = layout.pre_activation;
        let shortcut = layout.shortcut.as_ref();
        Self {
            pre_activation: pre_activation
                .map(|channels| BatchNorm::from_one(channels, layout.epsilon, device)),
            branch: layout.branch.iter().map(|spec| spec.init(device)).collect(),
            shortcut: shortcut.map(|layout| Shortcut::new(layout, device)),
            relu: layout.relu,
        }
    }

    /// Maps `[batch, in_channels, height, width]` to `[batch, out_channels, ceil(height / stride),
    /// ceil(width / stride)]`.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        self.run(input, Pass::Learning)
    }

    pub(crate) fn run(&self, input: Tensor<B, 4>, pass: Pass) -> Tensor<B, 4> {
        let mut residual = self.shortcut.is_some().then(|| input.clone());
        let mut features = input;
        if let Some(norm) = &self.pre_activation {
            features = norm.run(features, None, true, pass);
            if self.projection().is_some() {
                residual = Some(features.clone());
            }
        }
        let Some((last, earlier)) = self.branch.split_last() else {
            // Every config has at least one convolution in the branch.
            return features;
        };
        let features = earlier.iter().fold(features, |features, convolution| {
            convolution.run(features, None, true, pass)
        });
        let residual = match (&self.shortcut, residual) {
            (Some(shortcut), Some(residual)) => Some(shortcut.run(residual, pass)),
            _ => None,
        };
        last.run(features, residual, self.relu, pass)
    }

    fn projection(&self) -> Option<&Convolution<B>> {
        self.shortcut.as_ref()?.projection.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ActivationOrder, BlockKind, ResNetConfig, ShortcutKind};
    use burn::tensor::Distribution;
    use burn_flex::Flex;

    fn block(
        config: &ResNetConfig,
        in_channels: usize,
        width: usize,
        stride: usize,
    ) -> Block<Flex> {
        let layout = BlockLayout::new(config, in_channels, width, stride);
        Block::new(&layout, &Default::default())
    }

    fn images(channels: usize) -> Tensor<Flex, 4> {
        let distribution = Distribution::Uniform(-1.0, 1.0);
        Tensor::random([2, channels, 5, 5], distribution, &Default::default())
    }

    #[test]
    fn tutorial_block_has_expected_shapes() {
        let output_shape = |in_channels, width, stride| {
            let block = block(&ResNetConfig::tutorial(), in_channels, width, stride);
            let images = Tensor::zeros([4, in_channels, 6, 6], &Default::default());
            block.forward(images).dims()
        };
        assert_eq!(output_shape(3, 3, 1), [4, 3, 6, 6]);
        assert_eq!(output_shape(3, 6, 2), [4, 6, 3, 3]);
        assert_eq!(output_shape(3, 6, 1), [4, 6, 6, 6]);
    }

    #[test]
    fn zero_initialized_block_equals_shortcut() {
        let config = ResNetConfig {
            zero_init_last_norm: true,
            ..ResNetConfig::imagenet(BlockKind::Bottleneck, [1, 1, 1, 1])
        };
        let input = images(16).abs();

        let output = block(&config, 16, 4, 1).forward(input.clone());

        output.into_data().assert_eq(&input.into_data(), true);
    }

    /// With an all-zero branch, only the shortcut remains: the input itself, including negative
    /// values, or a projection of the input after the first norm and ReLU.
    #[test]
    fn pre_activation_shortcut_projects_activated_input() {
        let config = ResNetConfig {
            activation: ActivationOrder::Pre,
            shortcut: ShortcutKind::Projection,
            ..ResNetConfig::cifar(1)
        };
        for (in_channels, stride) in [(4, 1), (3, 2)] {
            let mut block = block(&config, in_channels, 4, stride);
            let last = block.branch.last_mut().unwrap();
            assert!(last.norm.is_none());
            last.conv.weight = last.conv.weight.clone().map(|weight| weight.zeros_like());
            let input = images(in_channels);

            let output = block.forward(input.clone());

            let expected = match &block.shortcut.as_ref().unwrap().projection {
                Some(projection) => {
                    assert!(projection.norm.is_none());
                    let norm = block.pre_activation.as_ref().unwrap();
                    projection.forward(norm.forward_fused(input, None, true))
                }
                None => input,
            };
            output.into_data().assert_eq(&expected.into_data(), true);
        }
    }

    #[test]
    fn plain_block_has_no_shortcut() {
        let config = ResNetConfig {
            shortcut: ShortcutKind::None,
            ..ResNetConfig::cifar(1)
        };
        let block = block(&config, 4, 4, 1);
        let input = images(4);
        let features = block.branch[0].forward_fused(input.clone(), None, true);
        let expected = block.branch[1].forward_fused(features, None, true);
        block
            .forward(input)
            .into_data()
            .assert_eq(&expected.into_data(), true);
    }
}
