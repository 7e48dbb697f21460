//! The convolutions that a network has.

use std::fmt;

use model::{ConfigError, LayerKind, NetworkConfig};

/// A convolution in one group with square images, kernels and strides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Convolution {
    pub batch: usize,
    pub in_channels: usize,
    pub out_channels: usize,
    /// Pixels of the input in height and width.
    pub size: usize,
    pub kernel: usize,
    pub stride: usize,
}

impl Convolution {
    /// Zeros around the input, as many as keep the size at stride 1.
    pub fn padding(&self) -> usize {
        self.kernel / 2
    }

    /// Pixels of the output in height and width.
    pub fn output_size(&self) -> usize {
        (self.size + 2 * self.padding() - self.kernel) / self.stride + 1
    }

    /// Of each pass, with a multiply-add as two.
    pub fn floating_point_operations(&self) -> u64 {
        let outputs = self.batch * self.out_channels * self.output_size().pow(2);
        2 * outputs as u64 * (self.in_channels * self.kernel.pow(2)) as u64
    }
}

impl fmt::Display for Convolution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            in_channels,
            out_channels,
            size,
            kernel,
            stride,
            ..
        } = self;
        write!(
            formatter,
            "{kernel}x{kernel} stride {stride}, {in_channels} to {out_channels} channels, {size} px"
        )
    }
}

/// The convolutions of a network, from the first to the last, for square images.
pub fn convolutions(
    config: &NetworkConfig,
    batch: usize,
    size: usize,
) -> Result<Vec<Convolution>, ConfigError> {
    let layers = model::summary(config, [size, size])?.layers;
    let convolutions = layers.iter().filter_map(|layer| match layer.kind {
        LayerKind::Convolution { kernel, stride, .. } => Some(Convolution {
            batch,
            in_channels: layer.input[0],
            out_channels: layer.output[0],
            size: layer.input[1],
            kernel,
            stride,
        }),
        _ => None,
    });
    Ok(convolutions.collect())
}
