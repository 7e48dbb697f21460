//! The convolutions that a network has.

use std::fmt;

use model::{BlockKind, ResNetConfig, ShortcutKind, StemKind};

/// A convolution with square images, kernels and strides.
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

/// The different convolutions of a network, from the first to the last.
pub fn convolutions(config: &ResNetConfig, batch: usize, size: usize) -> Vec<Convolution> {
    let (kernel, stride) = match config.stem {
        StemKind::ImageNet => (7, 2),
        StemKind::Cifar => (3, 1),
    };
    let mut last = Convolution {
        batch,
        in_channels: config.input_channels,
        out_channels: config.widths[0],
        size,
        kernel,
        stride,
    };
    let mut found = vec![last];
    if config.stem == StemKind::ImageNet {
        // The max pool halves what the next one sees.
        last.size /= 2;
    }
    for (stage, (&depth, &width)) in config.depths.iter().zip(&config.widths).enumerate() {
        for block in 0..depth {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let input = last;
            let mut push = |out_channels, kernel, stride| {
                last = Convolution {
                    batch,
                    in_channels: last.out_channels,
                    out_channels,
                    size: last.output_size(),
                    kernel,
                    stride,
                };
                found.push(last);
            };
            match config.block {
                BlockKind::Basic => {
                    push(width, 3, stride);
                    push(width, 3, 1);
                }
                BlockKind::Bottleneck => {
                    push(width, 1, 1);
                    push(width, 3, stride);
                    push(config.block.out_channels(width), 1, 1);
                }
            }
            let out_channels = config.block.out_channels(width);
            let changes = stride != 1 || input.out_channels != out_channels;
            if changes && config.shortcut != ShortcutKind::ZeroPad {
                found.push(Convolution {
                    batch,
                    in_channels: input.out_channels,
                    out_channels,
                    size: input.output_size(),
                    kernel: 1,
                    stride,
                });
            }
        }
    }
    found
}
