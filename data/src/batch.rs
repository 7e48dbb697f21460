//! Pictures as Burn's data sets and batches.

use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use burn_dataset::Dataset;

use crate::error::DataError;
use crate::pictures::Pictures;
use crate::preprocessing::Preprocessing;

/// One picture with its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The picture's place in its [`Pictures`], for whatever must be random per picture but the
    /// same when a run is resumed.
    pub index: usize,
    /// The pixels, `[channels, height, width]`, each 0 to 255.
    pub pixels: Vec<u8>,
    /// The class, an index into the data set's class names.
    pub label: usize,
}

/// Some of the pictures of a set, as Burn's data set.
#[derive(Clone, Debug)]
pub struct PictureDataset {
    pictures: Arc<Pictures>,
    indices: Vec<usize>,
}

impl PictureDataset {
    /// The pictures at `indices`, in that order.
    ///
    /// # Errors
    /// [`DataError::IndexOutOfRange`] if an index names no picture.
    pub fn new(pictures: Arc<Pictures>, indices: Vec<usize>) -> Result<Self, DataError> {
        let len = pictures.len();
        match indices.iter().find(|&&index| index >= len) {
            Some(&index) => Err(DataError::IndexOutOfRange { index, len }),
            None => Ok(Self { pictures, indices }),
        }
    }

    /// All pictures, in their order.
    pub fn all(pictures: Arc<Pictures>) -> Self {
        let indices = (0..pictures.len()).collect();
        Self { pictures, indices }
    }

    /// The pictures that this is a part of.
    pub fn pictures(&self) -> &Arc<Pictures> {
        &self.pictures
    }

    /// The place of each picture in [`PictureDataset::pictures`].
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The pictures from `start` to before `end`, as far as there are any.
    pub fn slice(&self, start: usize, end: usize) -> Self {
        let end = end.min(self.indices.len());
        Self {
            pictures: Arc::clone(&self.pictures),
            indices: self.indices[start.min(end)..end].to_vec(),
        }
    }
}

impl Dataset<Sample> for PictureDataset {
    fn get(&self, index: usize) -> Option<Sample> {
        let &index = self.indices.get(index)?;
        Some(Sample {
            index,
            pixels: self.pictures.picture(index).to_vec(),
            label: self.pictures.label(index),
        })
    }

    fn len(&self) -> usize {
        self.indices.len()
    }
}

/// A batch of pictures, normalised, with their classes.
#[derive(Clone, Debug)]
pub struct ImageBatch<B: Backend> {
    /// `[batch, channels, height, width]`.
    pub images: Tensor<B, 4>,
    /// `[batch]`, each an index into the data set's class names.
    pub targets: Tensor<B, 1, Int>,
}

/// Makes batches: normalises pictures and stacks them.
#[derive(Clone, Debug)]
pub struct ImageBatcher {
    preprocessing: Preprocessing,
}

impl ImageBatcher {
    /// A batcher of pictures that were prepared with `preprocessing`.
    pub fn new(preprocessing: Preprocessing) -> Self {
        Self { preprocessing }
    }

    /// How the pictures are prepared.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// Normalises and stacks prepared pictures, `[channels, height, width]` bytes each, to
    /// `[batch, channels, height, width]`.
    ///
    /// # Panics
    /// If a picture has another number of bytes than the preprocessing prepares.
    pub fn images<B: Backend, P: AsRef<[u8]>>(
        &self,
        pictures: &[P],
        device: &B::Device,
    ) -> Tensor<B, 4> {
        let [channels, height, width] = self.preprocessing.shape();
        let size = channels * height * width;
        let mut values = Vec::with_capacity(pictures.len() * size);
        for picture in pictures {
            let picture = picture.as_ref();
            assert_eq!(
                picture.len(),
                size,
                "a picture was prepared at another size"
            );
            self.preprocessing.normalise_into(picture, &mut values);
        }
        let shape = [pictures.len(), channels, height, width];
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

impl<B: Backend> Batcher<B, Sample, ImageBatch<B>> for ImageBatcher {
    /// # Panics
    /// If a picture has another number of bytes than the preprocessing prepares.
    fn batch(&self, samples: Vec<Sample>, device: &B::Device) -> ImageBatch<B> {
        let labels: Vec<i64> = samples.iter().map(|sample| sample.label as i64).collect();
        let shape = [samples.len()];
        let pictures: Vec<&[u8]> = samples.iter().map(|sample| &sample.pixels[..]).collect();
        ImageBatch {
            images: self.images(&pictures, device),
            targets: Tensor::from_data(TensorData::new(labels, shape), device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    fn pictures() -> Arc<Pictures> {
        let pixels = (0..24).map(|value| value * 10).collect();
        Arc::new(Pictures::new([3, 2, 1], pixels, vec![7, 8, 9, 6]).unwrap())
    }

    #[test]
    fn a_dataset_is_a_part_in_order() {
        let dataset = PictureDataset::new(pictures(), vec![3, 1]).unwrap();
        assert_eq!(Dataset::len(&dataset), 2);
        let sample = dataset.get(0).unwrap();
        assert_eq!((sample.index, sample.label), (3, 6));
        assert_eq!(sample.pixels, [180, 190, 200, 210, 220, 230]);
        assert_eq!(dataset.get(2), None);
        assert_eq!(dataset.slice(1, 9).indices(), [1]);
        assert!(dataset.slice(5, 1).indices().is_empty());
        assert!(matches!(
            PictureDataset::new(pictures(), vec![0, 4]),
            Err(DataError::IndexOutOfRange { index: 4, len: 4 })
        ));
    }

    #[test]
    fn a_batch_is_normalised_and_in_order() {
        let mean = vec![0.1, 0.2, 0.3];
        let preprocessing = Preprocessing::new([3, 2, 1], 2, mean, vec![0.5, 0.25, 0.2]).unwrap();
        let batcher = ImageBatcher::new(preprocessing.clone());
        let dataset = PictureDataset::all(pictures());
        let samples: Vec<Sample> = dataset.iter().skip(1).take(2).collect();
        let batch: ImageBatch<Flex> = batcher.batch(samples, &Default::default());
        assert_eq!(batch.images.dims(), [2, 3, 2, 1]);
        assert_eq!(
            batch.targets.into_data().iter::<i64>().collect::<Vec<_>>(),
            [8, 9]
        );
        let values: Vec<f32> = batch.images.into_data().iter().collect();
        assert_eq!(values, preprocessing.normalise(&pictures().pixels()[6..18]));
    }
}
