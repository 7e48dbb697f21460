//! The path around a block's convolutions.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::config::ShortcutKind;
use crate::convolution::{Convolution, ConvolutionSpec, Norm};
use crate::ops::{self, ResidualBackend};

/// Carries a block's input to its output: unchanged where the shape stays, else subsampled and
/// padded with zero channels, or projected by a 1x1 convolution.
#[derive(Module, Debug)]
pub struct Shortcut<B: Backend> {
    /// The 1x1 convolution; without one the shortcut has no parameters.
    pub projection: Option<Convolution<B>>,
    pub(crate) stride: usize,
    pub(crate) padding: [usize; 2],
}

impl<B: ResidualBackend> Shortcut<B> {
    pub(crate) fn new(
        kind: ShortcutKind,
        in_channels: usize,
        out_channels: usize,
        stride: usize,
        device: &B::Device,
    ) -> Self {
        let same_shape = in_channels == out_channels && stride == 1;
        let norm = match kind {
            ShortcutKind::Projection => Some(Norm::Batch),
            ShortcutKind::PlainProjection => Some(Norm::None),
            ShortcutKind::ZeroPad => None,
        };
        let projection = norm.filter(|_| !same_shape).map(|norm| {
            ConvolutionSpec {
                in_channels,
                out_channels,
                kernel: 1,
                stride,
                bias: kind == ShortcutKind::PlainProjection,
                norm,
            }
            .init(device)
        });
        let added = out_channels.saturating_sub(in_channels);
        Self {
            projection,
            stride,
            padding: [added / 2, added - added / 2],
        }
    }

    /// `[batch, in_channels, height, width]` to the shape of the block's output.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        if let Some(projection) = &self.projection {
            return projection.forward(input);
        }
        zero_pad(input, self.stride, self.padding)
    }
}

/// The shortcut without parameters: the input itself where its shape stays.
pub(crate) fn zero_pad<B: ResidualBackend>(
    input: Tensor<B, 4>,
    stride: usize,
    padding: [usize; 2],
) -> Tensor<B, 4> {
    if stride == 1 && padding == [0, 0] {
        return input;
    }
    ops::zero_pad_shortcut(input, stride, padding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    #[test]
    fn zero_pad_subsamples_and_pads_both_sides() {
        let device = Default::default();
        let shortcut = Shortcut::<Flex>::new(ShortcutKind::ZeroPad, 1, 4, 2, &device);
        let input = Tensor::from_data(
            [[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]],
            &device,
        );

        let output = shortcut.forward(input);

        let zeros = [[0.0, 0.0], [0.0, 0.0]];
        let expected: Tensor<Flex, 4> =
            Tensor::from_data([[zeros, [[1.0, 3.0], [7.0, 9.0]], zeros, zeros]], &device);
        output.into_data().assert_eq(&expected.into_data(), true);
    }

    #[test]
    fn equal_shapes_need_no_projection() {
        let device = Default::default();
        for kind in [
            ShortcutKind::Projection,
            ShortcutKind::PlainProjection,
            ShortcutKind::ZeroPad,
        ] {
            assert!(
                Shortcut::<Flex>::new(kind, 8, 8, 1, &device)
                    .projection
                    .is_none()
            );
        }
        assert!(
            Shortcut::<Flex>::new(ShortcutKind::Projection, 8, 8, 2, &device)
                .projection
                .is_some()
        );
    }
}
