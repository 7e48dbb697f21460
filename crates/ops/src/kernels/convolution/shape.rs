//! Sizes of a convolution.

/// Sizes of a convolution from `[batch, height, width, in_channels]` to
/// `[batch, out_height, out_width, out_channels]` in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConvolutionShape {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub in_channels: usize,
    pub out_channels: usize,
    /// Divides both channel counts.
    pub groups: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
}

impl ConvolutionShape {
    /// Returns `[out_height, out_width]`; zero where the kernel does not fit even once.
    pub(crate) fn output_size(&self) -> [usize; 2] {
        let size = |axis: usize, length: usize| {
            (length + 2 * self.padding[axis])
                .checked_sub(self.kernel[axis])
                .map_or(0, |room| room / self.stride[axis] + 1)
        };
        [size(0, self.height), size(1, self.width)]
    }

    pub(crate) fn input_len(&self) -> usize {
        self.batch * self.height * self.width * self.in_channels
    }

    pub(crate) fn output_len(&self) -> usize {
        let [height, width] = self.output_size();
        self.batch * height * width * self.out_channels
    }

    /// Returns the operations of each of the three passes. A multiply-add counts as two.
    pub(crate) fn floating_point_operations(&self) -> u64 {
        2 * self.output_len() as u64 * (self.taps() * self.in_channels / self.groups) as u64
    }

    pub(crate) fn weight_len(&self) -> usize {
        self.taps() * self.in_channels / self.groups * self.out_channels
    }

    pub(in crate::kernels) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Returns the channels per group of the input and of the output.
    pub(in crate::kernels) fn channels_per_group(&self) -> [usize; 2] {
        [self.in_channels, self.out_channels].map(|channels| channels / self.groups)
    }
}

/// Sums over a window that moves over images: the common form of the forward pass and of each phase
/// of the input gradient.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Walk {
    pub batch: usize,
    /// Size of the input images.
    pub height: usize,
    pub width: usize,
    pub in_channels: usize,
    /// Distance between input pixels, and offset of the first channel to read, in values.
    pub pixel: usize,
    pub first_channel: usize,
    /// Number of positions of the window.
    pub rows: usize,
    pub columns: usize,
    pub out_channels: usize,
    /// Size of the window.
    pub taps: [usize; 2],
    /// Distance between positions, in pixels.
    pub step: [usize; 2],
    /// Upper left pixel of the first position. Pixels outside the image are zero.
    pub origin: [isize; 2],
    pub target: Target,
}

/// Location of the results, in values: the first one, and the distances between images, rows and
/// pixels. Channels are contiguous.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Target {
    pub start: usize,
    pub image: usize,
    pub row: usize,
    pub pixel: usize,
}

impl Walk {
    /// Reshapes the walk to rows that fill whole tiles, if the window is a single pixel that visits
    /// every pixel once. Rows and images have no meaning afterward.
    pub(in crate::kernels) fn flattened(self) -> Self {
        /// A multiple of every tile width.
        const TILES: usize = 112;
        let target = self.target;
        let row = self.columns * target.pixel;
        let is_flat = self.pixel == self.in_channels
            && self.taps == [1, 1]
            && self.step == [1, 1]
            && self.origin == [0, 0]
            && [self.rows, self.columns] == [self.height, self.width]
            && (target.row, target.image) == (row, self.rows * row);
        let pixels = self.batch * self.rows * self.columns;
        if !is_flat || pixels == 0 {
            return self;
        }
        let columns = match pixels {
            _ if pixels.is_multiple_of(TILES) => TILES,
            _ if self.rows * self.columns <= 2 * TILES => self.rows * self.columns,
            _ => self.columns,
        };
        let rows = pixels / columns;
        Self {
            batch: 1,
            height: rows,
            width: columns,
            rows,
            columns,
            target: Target {
                row: columns * target.pixel,
                image: pixels * target.pixel,
                ..target
            },
            ..self
        }
    }

    /// Returns the number of values under one row of the window.
    pub(in crate::kernels) fn run(&self) -> usize {
        self.taps[1] * self.in_channels
    }

    /// Returns the number of image rows under `rows` positions.
    pub(in crate::kernels) fn rows_under(&self, rows: usize) -> usize {
        (rows.max(1) - 1) * self.step[0] + self.taps[0]
    }

    /// Returns the number of image columns under all positions of a row.
    pub(in crate::kernels) fn columns_under(&self) -> usize {
        (self.columns.max(1) - 1) * self.step[1] + self.taps[1]
    }

    /// Returns the number of values in an input image.
    pub(in crate::kernels) fn image_len(&self) -> usize {
        self.height * self.width * self.pixel
    }

    /// Returns whether the walk reads all channels of the input and no position reaches outside the
    /// image.
    pub(in crate::kernels) fn is_inside(&self) -> bool {
        let inside = |origin: isize, under: usize, length: usize| {
            origin >= 0 && origin as usize + under <= length
        };
        self.taps.contains(&0)
            || (self.pixel == self.in_channels
                && inside(self.origin[0], self.rows_under(self.rows), self.height)
                && inside(self.origin[1], self.columns_under(), self.width))
    }
}
