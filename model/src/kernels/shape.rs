//! How images lie in a slice.

/// Images in channels-last order: `[batch, height, width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) batch: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
}

impl Shape {
    /// Values of all images.
    pub(crate) fn values(&self) -> usize {
        self.batch * self.image()
    }

    /// Values of an image.
    pub(crate) fn image(&self) -> usize {
        self.height * self.line()
    }

    /// Values of a line of an image.
    pub(crate) fn line(&self) -> usize {
        self.width * self.channels
    }
}
