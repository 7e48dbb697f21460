//! The residual block, basic and bottleneck.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::config::{BlockKind, ResNetConfig};
use crate::convolution::{Convolution, ConvolutionSpec, Norm};
use crate::ops::{self, ResidualBackend};
use crate::shortcut::Shortcut;

/// `relu(branch(x) + shortcut(x))`, with a ReLU between the branch's convolutions (He et al. 2015,
/// <https://arxiv.org/abs/1512.03385>, figures 2 and 5).
#[derive(Module, Debug)]
pub struct Block<B: Backend> {
    /// Basic: 3x3, 3x3. Bottleneck: 1x1, 3x3, 1x1. The stride is on the first 3x3.
    pub branch: Vec<Convolution<B>>,
    /// The path around them.
    pub shortcut: Shortcut<B>,
}

impl<B: ResidualBackend> Block<B> {
    /// A block of `width` channels in its 3x3 convolutions; see [`BlockKind::out_channels`].
    pub(crate) fn new(
        config: &ResNetConfig,
        in_channels: usize,
        width: usize,
        stride: usize,
        device: &B::Device,
    ) -> Self {
        let out_channels = config.block.out_channels(width);
        // (in, out, kernel, stride) of each convolution of the branch
        let layout = match config.block {
            BlockKind::Basic => vec![(in_channels, width, 3, stride), (width, width, 3, 1)],
            BlockKind::Bottleneck => vec![
                (in_channels, width, 1, 1),
                (width, width, 3, stride),
                (width, out_channels, 1, 1),
            ],
        };
        let last = layout.len() - 1;
        let branch = layout
            .into_iter()
            .enumerate()
            .map(|(index, (in_channels, out_channels, kernel, stride))| {
                let spec = ConvolutionSpec {
                    in_channels,
                    out_channels,
                    kernel,
                    stride,
                    bias: config.convolution_bias,
                    norm: if index == last && config.zero_init_last_norm {
                        Norm::BatchFromZero
                    } else {
                        Norm::Batch
                    },
                };
                spec.init(device)
            })
            .collect();
        let shortcut = Shortcut::new(config.shortcut, in_channels, out_channels, stride, device);
        Self { branch, shortcut }
    }

    /// `[batch, in_channels, height, width]` to
    /// `[batch, out_channels, ceil(height / stride), ceil(width / stride)]`.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        let Some((last, earlier)) = self.branch.split_last() else {
            return ops::add_relu(input.clone(), self.shortcut.forward(input));
        };
        let features = earlier.iter().fold(input.clone(), |features, convolution| {
            convolution.forward_fused(features, None, true)
        });
        let shortcut = self.shortcut.forward(input);
        last.forward_fused(features, Some(shortcut), true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ShortcutKind;
    use burn::tensor::Distribution;
    use burn_flex::Flex;

    fn output_shape(in_channels: usize, width: usize, stride: usize) -> [usize; 4] {
        let device = Default::default();
        let config = ResNetConfig {
            shortcut: ShortcutKind::PlainProjection,
            ..ResNetConfig::tutorial()
        };
        let block = Block::<Flex>::new(&config, in_channels, width, stride, &device);
        block
            .forward(Tensor::zeros([4, in_channels, 6, 6], &device))
            .dims()
    }

    #[test]
    fn shapes_of_the_tutorial_block() {
        assert_eq!(output_shape(3, 3, 1), [4, 3, 6, 6]);
        assert_eq!(output_shape(3, 6, 2), [4, 6, 3, 3]);
        assert_eq!(output_shape(3, 6, 1), [4, 6, 6, 6]);
    }

    #[test]
    fn a_block_that_starts_at_zero_is_its_shortcut() {
        let device = Default::default();
        let config = ResNetConfig {
            zero_init_last_norm: true,
            ..ResNetConfig::imagenet(BlockKind::Bottleneck, [1, 1, 1, 1])
        };
        let block = Block::<Flex>::new(&config, 16, 4, 1, &device);
        let input =
            Tensor::<Flex, 4>::random([2, 16, 5, 5], Distribution::Uniform(0.0, 1.0), &device);

        let output = block.forward(input.clone());

        output.into_data().assert_eq(&input.into_data(), true);
    }
}
