//! Contact sheets: images of each class side by side.

use std::sync::Arc;

use image::{Rgb, RgbImage};

use crate::assembly::{Assembly, BatchParts};
use crate::augment::{Augmentation, Augmenter};
use crate::dataset::ImageDataset;
use crate::epoch::EpochItem;
use crate::error::DataError;
use crate::set::DataSet;

/// Maximum number of classes, and of examples of each, on a sheet.
const MOST: usize = 100;
/// Pixels between images.
const GAP: u32 = 4;
/// Smaller images are enlarged by the largest whole factor that fits into this number of pixels.
const SMALL: usize = 64;
/// Maximum size of a sheet in bytes.
const MAX_BYTES: u64 = 1 << 30;
const BACKGROUND: Rgb<u8> = Rgb([255; 3]);
/// Training counts epochs from 1.
const FIRST_EPOCH: usize = 1;

/// Returns a sheet of training images: one row for each of the first 100 classes, with up to
/// `examples` (at most 100) images spread evenly over the class.
///
/// Images are shown as the model sees them, without normalization: at the model's input size and,
/// with an augmentation, changed as in the first epoch of a run with this seed, but mixed among
/// themselves. Images listed in [`DataSet::unreadable`] are left out, so a row may be empty.
///
/// # Errors
/// [`DataError`] if an augmentation setting is out of range, images cannot be read, or the sheet
/// would take more than 1 GiB.
pub fn contact_sheet(
    data: &DataSet,
    examples: usize,
    augmentation: &Augmentation,
    seed: u64,
) -> Result<RgbImage, DataError> {
    let rows = rows(data, examples.clamp(1, MOST));
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let preprocessing = &data.preprocessing;
    let [channels, height, width] = preprocessing.shape();
    let scale = (SMALL / height.max(width)).max(1);
    let side =
        |count: usize, length: usize| (count * length * scale) as u32 + GAP * (count as u32 + 1);
    let (right, bottom) = (side(columns, width), side(rows.len(), height));
    let bytes = 3 * u64::from(right) * u64::from(bottom);
    if bytes > MAX_BYTES {
        return Err(DataError::TooManyBytes {
            images: rows.len() * columns,
            side: height.max(width),
            bytes,
            limit: MAX_BYTES,
        });
    }
    let assembly = Assembly {
        outliers: None,
        dataset: Arc::new(ImageDataset::new(data.train.clone(), rows.concat())?),
        preprocessing: preprocessing.clone(),
        augmenter: Augmenter::new(augmentation.clone(), seed, preprocessing)?,
    };
    let pixels = pixels(&assembly)?;
    let mut sheet = RgbImage::from_pixel(right, bottom, BACKGROUND);
    let mut images = pixels.chunks_exact(assembly.image_bytes());
    for (row, examples) in rows.iter().enumerate() {
        for (column, image) in (0..examples.len()).zip(images.by_ref()) {
            let (left, top) = (side(column, width), side(row, height));
            for (y, x) in (0..height * scale).flat_map(|y| (0..width * scale).map(move |x| (y, x)))
            {
                let at = |channel| image[(channel * height + y / scale) * width + x / scale];
                let color = match channels {
                    1 => [at(0); 3],
                    _ => [0, 1, 2].map(at),
                };
                sheet.put_pixel(left + x as u32, top + y as u32, Rgb(color));
            }
        }
    }
    Ok(sheet)
}

/// Returns, for each class, the indices of its examples among the training images.
fn rows(data: &DataSet, examples: usize) -> Vec<Vec<usize>> {
    let classes = data.class_names.len().min(MOST);
    let mut members = vec![Vec::new(); classes];
    let images = ImageDataset::all(data.train.clone());
    for (index, &label) in data.train.labels().iter().enumerate() {
        if !images.is_readable(index) {
            continue;
        }
        if let Some(members) = members.get_mut(label as usize) {
            members.push(index);
        }
    }
    let spread = |members: Vec<usize>| {
        let count = examples.min(members.len());
        (0..count)
            .map(|number| members[number * members.len() / count])
            .collect()
    };
    members.into_iter().map(spread).collect()
}

/// Returns all images as they would be in a batch, `[image, channels, height, width]`.
fn pixels(assembly: &Assembly) -> Result<Vec<u8>, DataError> {
    let places: Vec<EpochItem> = (0..assembly.dataset.len())
        .map(|item| EpochItem { item, repeat: 0 })
        .collect();
    let mut pixels = Vec::new();
    assembly.pixels_into(&places, FIRST_EPOCH, &mut pixels)?;
    if assembly.augmenter.mixing().is_none() {
        return Ok(pixels);
    }
    // Mixing happens during normalization.
    let parts = BatchParts {
        pixels: &[pixels],
        length: places.len().max(1),
    };
    let batch = assembly.batch(&parts, &places, FIRST_EPOCH, 0, Vec::new());
    let [_, height, width] = assembly.preprocessing.shape();
    let (mean, std) = (assembly.preprocessing.mean(), assembly.preprocessing.std());
    let planes = batch.values.chunks(height * width);
    let scales = mean.iter().zip(std).cycle();
    let bytes = planes.zip(scales).flat_map(|(plane, (mean, std))| {
        plane
            .iter()
            .map(move |value| (255.0 * (value * std + mean)).round() as u8)
    });
    Ok(bytes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::preparation;
    use crate::{ImageFiles, PackedImages};

    /// A set with two classes of three images and one image, 32 by 24 pixels.
    fn set() -> DataSet {
        let images = |values: &[u8], labels| {
            let pixels = values.iter().flat_map(|&value| [value; 32 * 24]).collect();
            PackedImages::new([1, 24, 32], pixels, labels).unwrap()
        };
        DataSet::new(
            "set".to_owned(),
            vec!["a".to_owned(), "b".to_owned()],
            images(&[10, 20, 200, 30], vec![0, 0, 1, 0]),
            images(&[1], vec![0]),
        )
        .unwrap()
    }

    #[test]
    fn sheet_rows_show_evenly_spread_examples() {
        let sheet = contact_sheet(&set(), 2, &Augmentation::default(), 1).unwrap();
        // Enlarged twice, since two images fit into 64 pixels.
        assert_eq!(sheet.dimensions(), (4 + 68 + 68, 4 + 52 + 52));
        let at = |x, y| sheet.get_pixel(x, y).0;
        assert_eq!(
            [at(4, 4), at(67, 51), at(72, 4)],
            [[10; 3], [10; 3], [20; 3]]
        );
        assert_eq!(at(4, 56), [200; 3]);
        assert_eq!([at(0, 0), at(68, 10), at(72, 60)], [[255; 3]; 3]);
    }

    #[test]
    fn oversized_sheet_is_rejected_before_opening_images() {
        let labels: Vec<u32> = (0..24).map(|place| place % 2).collect();
        let files = ImageFiles::new(vec!["nowhere.png".into(); 24], labels).unwrap();
        let data = DataSet {
            train: files.into(),
            preprocessing: preparation(3, 4096).unwrap(),
            ..set()
        };
        let sheet = |examples| contact_sheet(&data, examples, &Augmentation::default(), 1);
        let error = sheet(12).unwrap_err();
        assert!(
            matches!(
                error,
                DataError::TooManyBytes {
                    images: 24,
                    side: 4096,
                    ..
                }
            ),
            "{error}"
        );
        let error = sheet(1).unwrap_err();
        assert!(
            matches!(error, DataError::UnreadableImages { .. }),
            "{error}"
        );
    }

    #[test]
    fn sheet_augments_examples_as_in_training() {
        let mixup = Augmentation {
            mixup: 1.0,
            ..Augmentation::default()
        };
        let sheet = contact_sheet(&set(), 3, &mixup, 3).unwrap();
        let shown: Vec<u8> = [(4, 4), (72, 4), (140, 4), (4, 56)]
            .map(|(x, y)| sheet.get_pixel(x, y).0[0])
            .to_vec();
        assert_ne!(shown, [10, 20, 30, 200]);
        assert!(
            shown.iter().all(|value| (10..=200).contains(value)),
            "{shown:?}"
        );

        let wrong = Augmentation {
            mixup: -1.0,
            ..Augmentation::default()
        };
        assert!(matches!(
            contact_sheet(&set(), 3, &wrong, 3),
            Err(DataError::Augmentation(_))
        ));
    }
}
