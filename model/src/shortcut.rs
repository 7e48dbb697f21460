//! The path around a block's convolutions.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::convolution::Convolution;
use crate::layout::ShortcutLayout;
use crate::norm::Pass;
use ops::ResidualBackend;

/// Edge length of the average pool's windows before a projection without stride.
pub(crate) const AVERAGE_POOL: usize = 2;

/// Carries a block's input to its output: unchanged if the shape stays the same, otherwise
/// subsampled and padded with zero channels, or projected by a 1x1 convolution, optionally after an
/// average pool.
#[derive(Module, Debug)]
pub struct Shortcut<B: Backend> {
    /// The 1x1 convolution; without it the shortcut has no parameters.
    pub projection: Option<Convolution<B>>,
    pub(crate) average_pool: bool,
    pub(crate) stride: usize,
    pub(crate) padding: [usize; 2],
}

impl<B: ResidualBackend> Shortcut<B> {
    pub(crate) fn new(layout: &ShortcutLayout, device: &B::Device) -> Self {
        let projection = layout.projection.as_ref();
        Self {
            projection: projection.map(|projection| projection.init(device)),
            average_pool: layout.average_pool,
            stride: layout.stride,
            padding: layout.padding,
        }
    }

    /// Maps `[batch, in_channels, height, width]` to the shape of the block's output.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        self.run(input, Pass::Learning)
    }

    /// Returns whether the shortcut carries its input unchanged.
    pub(crate) fn is_identity(&self) -> bool {
        self.projection.is_none() && self.stride == 1 && self.padding == [0, 0]
    }

    pub(crate) fn run(&self, input: Tensor<B, 4>, pass: Pass) -> Tensor<B, 4> {
        match &self.projection {
            Some(projection) => {
                let input = match self.average_pool {
                    true => ops::average_pool(input, AVERAGE_POOL),
                    false => input,
                };
                projection.run(input, None, false, pass)
            }
            None if self.is_identity() => input,
            None => ops::zero_pad_shortcut(input, self.stride, self.padding),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ResNetConfig, ShortcutKind};
    use burn::tensor::TensorData;
    use burn_flex::Flex;

    fn shortcut(kind: ShortcutKind, channels: [usize; 2], stride: usize) -> Shortcut<Flex> {
        let config = ResNetConfig {
            shortcut: kind,
            ..ResNetConfig::cifar(1)
        };
        let [in_channels, out_channels] = channels;
        let layout = ShortcutLayout::new(&config, in_channels, out_channels, stride).unwrap();
        Shortcut::new(&layout, &Default::default())
    }

    fn image() -> Tensor<Flex, 4> {
        Tensor::from_data(
            [[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]],
            &Default::default(),
        )
    }

    #[test]
    fn zero_pad_subsamples_and_pads_both_sides() {
        let output = shortcut(ShortcutKind::ZeroPad, [1, 4], 2).forward(image());

        let zeros = [[0.0, 0.0], [0.0, 0.0]];
        let expected = TensorData::from([[zeros, [[1.0f32, 3.0], [7.0, 9.0]], zeros, zeros]]);
        output.into_data().assert_eq(&expected, true);
    }

    #[test]
    fn zero_pad_end_appends_channels() {
        let output = shortcut(ShortcutKind::ZeroPadEnd, [1, 3], 2).forward(image());

        let zeros = [[0.0, 0.0], [0.0, 0.0]];
        let expected = TensorData::from([[[[1.0f32, 3.0], [7.0, 9.0]], zeros, zeros]]);
        output.into_data().assert_eq(&expected, true);
    }

    #[test]
    fn average_pool_excludes_padding() {
        let mut shortcut = shortcut(ShortcutKind::AveragePoolProjection, [1, 1], 2);
        let projection = shortcut.projection.as_mut().unwrap();
        projection.norm = None;
        let one = Tensor::ones([1, 1, 1, 1], &Default::default());
        projection.conv.weight = burn::module::Param::from_tensor(one);

        let output = shortcut.forward(image());

        let expected = TensorData::from([[[[3.0f32, 4.5], [7.5, 9.0]]]]);
        output.into_data().assert_eq(&expected, true);
    }

    #[test]
    fn equal_shapes_need_no_projection() {
        for kind in [
            ShortcutKind::Projection,
            ShortcutKind::PlainProjection,
            ShortcutKind::AveragePoolProjection,
            ShortcutKind::ZeroPad,
        ] {
            assert!(shortcut(kind, [8, 8], 1).projection.is_none());
        }
        for (kind, stride) in [
            (ShortcutKind::Projection, 2),
            (ShortcutKind::ProjectionAlways, 1),
            (ShortcutKind::AveragePoolProjection, 2),
        ] {
            assert!(shortcut(kind, [8, 8], stride).projection.is_some());
        }
    }
}
