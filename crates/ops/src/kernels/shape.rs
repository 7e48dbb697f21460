//! Memory layout of images in a slice.

/// Images in channels-last order: `[batch, height, width, channels]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) batch: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
}

impl Shape {
    /// Returns the number of values in all images.
    ///
    /// # Panics
    ///
    /// Panics if the number overflows, so that no other product of these numbers does.
    pub(crate) fn values(&self) -> usize {
        let pixels = self.width.checked_mul(self.channels.max(1));
        let image = pixels.and_then(|pixels| pixels.checked_mul(self.height.max(1)));
        let values = image.and_then(|image| image.checked_mul(self.batch));
        assert!(values.is_some(), "too many values: {self:?}");
        self.batch * self.image()
    }

    /// Returns the number of values in an image.
    pub(crate) fn image(&self) -> usize {
        self.height * self.line()
    }

    /// Returns the number of values in a line of an image.
    pub(crate) fn line(&self) -> usize {
        self.width * self.channels
    }
}
