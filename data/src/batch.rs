//! Batches of images.

use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Int, Tensor, TensorData};

use crate::assembly::HostBatch;
use crate::outliers::OutlierPart;
use crate::preprocessing::Preprocessing;
use crate::shelf::{Shelf, lend};

/// A batch of normalized images with their classes.
#[derive(Clone, Debug)]
pub struct ImageBatch<B: Backend> {
    /// `[batch + outliers, channels, height, width]`.
    pub images: Tensor<B, 4>,
    /// `[batch]`, each an index into the data set's class names.
    pub targets: Tensor<B, 1, Int>,
    /// How the images are mixed, if they are; `targets` then belong to the first image of each
    /// pair.
    pub mixed: Option<Mixed<B>>,
    /// Images without a class; only used in training with [`Outliers`](crate::Outliers).
    pub outliers: Option<OutlierPart>,
}

/// The partners in a batch of images that are mixed in pairs by mixup or CutMix.
///
/// The loss of an image is `share` times the loss for its target, plus `1 - share` times the loss
/// for its partner's target.
#[derive(Clone, Debug)]
pub struct Mixed<B: Backend> {
    /// `[batch]`, the class of each partner.
    pub partners: Tensor<B, 1, Int>,
    /// `[batch]`, the share of the first image, 0 to 1.
    pub share: Tensor<B, 1>,
}

impl HostBatch {
    /// Uploads a batch of images of `shape`, `[channels, height, width]`, to a device; its memory
    /// is returned to `shelf` later.
    pub(crate) fn upload<B: Backend>(
        self,
        [channels, height, width]: [usize; 3],
        shelf: &Arc<Shelf<f32>>,
        device: &B::Device,
    ) -> ImageBatch<B> {
        let batch = self.targets.len();
        let outliers = self.outliers.map_or(0, |outliers| outliers.count);
        let shape = [batch + outliers, channels, height, width];
        let images = TensorData::from_bytes(lend(self.values, shelf), shape, DType::F32);
        let classes = |classes| Tensor::from_data(TensorData::new(classes, [batch]), device);
        let mixed = self.mixed.map(|mixed| Mixed {
            partners: classes(mixed.partners),
            share: Tensor::from_data(TensorData::new(mixed.shares, [batch]), device),
        });
        ImageBatch {
            images: Tensor::from_data(images, device),
            targets: classes(self.targets),
            mixed,
            outliers: self.outliers,
        }
    }
}

/// Makes batches: normalizes images and stacks them.
#[derive(Clone, Debug)]
pub struct ImageBatcher {
    preprocessing: Preprocessing,
}

impl ImageBatcher {
    /// Creates a batcher for images prepared with `preprocessing`.
    pub fn new(preprocessing: Preprocessing) -> Self {
        Self { preprocessing }
    }

    /// Returns the preprocessing of the images.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// Normalizes and stacks prepared images, `[channels, height, width]` bytes each, to
    /// `[batch, channels, height, width]`.
    ///
    /// # Panics
    /// If the number of bytes of an image differs from the preprocessing's output.
    pub fn images<B: Backend, P: AsRef<[u8]>>(
        &self,
        images: &[P],
        device: &B::Device,
    ) -> Tensor<B, 4> {
        let [channels, height, width] = self.preprocessing.shape();
        let size = channels * height * width;
        let mut values = Vec::with_capacity(images.len() * size);
        for image in images {
            let image = image.as_ref();
            assert_eq!(image.len(), size, "an image was prepared at another size");
            self.preprocessing.normalize_into(image, &mut values);
        }
        let shape = [images.len(), channels, height, width];
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    #[test]
    fn batch_is_normalized_and_in_order() {
        let mean = vec![0.1, 0.2, 0.3];
        let preprocessing = Preprocessing::new([3, 2, 1], 2, mean, vec![0.5, 0.25, 0.2]).unwrap();
        let batcher = ImageBatcher::new(preprocessing.clone());
        let bytes = [[60, 70, 80, 90, 100, 110], [120, 130, 140, 150, 160, 170]];
        let images = batcher.images::<Flex, _>(&bytes, &Default::default());
        assert_eq!(images.dims(), [2, 3, 2, 1]);
        let values: Vec<f32> = images.into_data().iter().collect();
        assert_eq!(values, preprocessing.normalize(bytes.as_flattened()));
    }
}
