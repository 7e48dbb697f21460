//! Every augmentation, on images of any size and as images to look at.
//!
//! `tests/sheets` holds a row of images for each augmentation, the first row without any. After
//! a change that is meant, `cargo test -p data --test augmentation -- --ignored` writes them anew.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn_flex::Flex;
use data::{
    Affine, Augmentation, BatchLoader, ColorJitter, ErasedFilling, ImageBatch, ImageBatcher,
    ImageDataset, PackedImages, Preprocessing, RandomErasing, ResizedCrop,
};
use image::{GrayImage, RgbImage};
use proptest::prelude::*;

/// Images in a row of a sheet.
const COLUMNS: usize = 8;
const SIDE: usize = 32;

/// The only batch of images, changed; its values are bytes less 127.5.
fn batch(images: PackedImages, augmentation: Augmentation, seed: u64) -> ImageBatch<Flex> {
    let shape = images.shape();
    let (mean, std) = (vec![0.5; shape[0]], vec![1.0 / 255.0; shape[0]]);
    let preprocessing = Preprocessing::new(shape, shape[1].max(shape[2]), mean, std).unwrap();
    let loader = BatchLoader::new(
        Arc::new(ImageDataset::all(Arc::new(images))),
        Arc::new(ImageBatcher::new(preprocessing)),
        NonZeroUsize::new(COLUMNS).unwrap(),
        None,
        Default::default(),
    )
    .with_augmentation(augmentation, seed)
    .unwrap()
    .with_threads(0);
    loader.iter().next().unwrap()
}

fn bytes(batch: &ImageBatch<Flex>) -> Vec<u8> {
    let values: Vec<f32> = batch.images.to_data().to_vec().unwrap();
    values
        .iter()
        .map(|value| (value + 127.5).round() as u8)
        .collect()
}

/// A disc on a gradient with a bar to the upper left, of other colors for each number.
fn motif(channels: usize, number: usize) -> Vec<u8> {
    let pixel = |channel: usize, row: usize, column: usize| {
        let from_center = |place: usize, center: f32| (place as f32 - center).powi(2);
        let disc = from_center(row, 18.0) + from_center(column, 18.0) < 90.0;
        let bar = (4..7).contains(&row) && column < 16 || column < 6 && (4..14).contains(&row);
        match (disc, bar) {
            (true, _) => [230, 60 + 20 * number, 20][(channel + number) % 3] as u8,
            (_, true) => [250, 240, 120][(channel + number / 3) % 3],
            _ => (40 + 3 * row + 2 * column * (channel % 2) + 10 * channel) as u8,
        }
    };
    let places = (0..channels * SIDE * SIDE)
        .map(|place| (place / (SIDE * SIDE), place / SIDE % SIDE, place % SIDE));
    places
        .map(|(channel, row, column)| pixel(channel, row, column))
        .collect()
}

fn rows() -> Vec<Augmentation> {
    let none = Augmentation::default;
    vec![
        none(),
        none().with_pad_crop(4).with_flip(true),
        none().with_resized_crop(Some(ResizedCrop::default())),
        none().with_affine(Some(
            Affine::default()
                .with_rotation(15.0)
                .with_shift(0.1)
                .with_scale([0.8, 1.2])
                .with_shear(10.0),
        )),
        none().with_trivial(true),
        none().with_color(Some(
            ColorJitter::default()
                .with_brightness(0.4)
                .with_contrast(0.4)
                .with_saturation(0.8),
        )),
        none().with_erasing(Some(RandomErasing::default().with_probability(0.75))),
        none().with_erasing(Some(
            RandomErasing::default().with_filling(ErasedFilling::Mean),
        )),
        none().with_mixup(0.8),
        none().with_cutmix(1.0),
    ]
}

/// `[row * side, column * side, channels]` of a sheet.
fn sheet(channels: usize) -> Vec<u8> {
    let rows: Vec<Vec<u8>> = rows()
        .into_iter()
        .map(|augmentation| {
            let pixels = (0..COLUMNS)
                .flat_map(|number| motif(channels, number))
                .collect();
            let labels = (0..COLUMNS as u32).collect();
            let images = PackedImages::new([channels, SIDE, SIDE], pixels, labels).unwrap();
            bytes(&batch(images, augmentation, 1))
        })
        .collect();
    let mut sheet = Vec::new();
    for row in 0..rows.len() * SIDE {
        for column in 0..COLUMNS * SIDE {
            for channel in 0..channels {
                let plane = column / SIDE * channels + channel;
                let place = (plane * SIDE + row % SIDE) * SIDE + column % SIDE;
                sheet.push(rows[row / SIDE][place]);
            }
        }
    }
    sheet
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/sheets")
        .join(name)
}

#[test]
fn augmentation_sheets_match_references() {
    let color = data::open_image(path("color.png")).unwrap().to_rgb8();
    let gray = data::open_image(path("gray.png")).unwrap().to_luma8();
    for (channels, expected) in [(3, color.into_raw()), (1, gray.into_raw())] {
        let found = sheet(channels);
        assert_eq!(found.len(), expected.len());
        let differences = found.iter().zip(&expected);
        let most = differences.map(|(left, right)| left.abs_diff(*right)).max();
        assert!(
            most <= Some(1),
            "{channels} channels differ by {most:?} levels"
        );
    }
}

#[test]
#[ignore = "writes the images that the other test compares with"]
fn write_sheets() {
    let (width, height) = ((COLUMNS * SIDE) as u32, (rows().len() * SIDE) as u32);
    let color = RgbImage::from_raw(width, height, sheet(3)).unwrap();
    color.save(path("color.png")).unwrap();
    let gray = GrayImage::from_raw(width, height, sheet(1)).unwrap();
    gray.save(path("gray.png")).unwrap();
}

#[test]
fn gray_images_augment_like_color_images() {
    // The color image of three equal channels must become three equal channels, the same ones.
    for augmentation in rows() {
        let noise = augmentation.erasing.as_ref();
        if noise.is_some_and(|erasing| erasing.filling == ErasedFilling::Noise) {
            continue;
        }
        let gray: Vec<Vec<u8>> = (0..COLUMNS).map(|number| motif(1, number)).collect();
        let color: Vec<u8> = gray.iter().flat_map(|plane| plane.repeat(3)).collect();
        let labels: Vec<u32> = (0..COLUMNS as u32).collect();
        let gray = PackedImages::new([1, SIDE, SIDE], gray.concat(), labels.clone()).unwrap();
        let color = PackedImages::new([3, SIDE, SIDE], color, labels).unwrap();
        let gray = bytes(&batch(gray, augmentation.clone(), 2));
        let expected: Vec<u8> = gray
            .chunks_exact(SIDE * SIDE)
            .flat_map(|plane| plane.repeat(3))
            .collect();
        assert!(
            bytes(&batch(color, augmentation.clone(), 2)) == expected,
            "{augmentation:?}"
        );
    }
}

#[test]
fn mixed_batches_report_labels_and_shares() {
    let uniform = |value: u8| vec![value; 64];
    let pixels = (0..8).flat_map(|number| uniform(number * 30)).collect();
    let images = PackedImages::new([1, 8, 8], pixels, (0..8).collect()).unwrap();
    let augmentation = Augmentation::default().with_mixup(1.0).with_cutmix(1.0);
    let batch = batch(images, augmentation, 3);
    let mixed = batch.mixed.as_ref().unwrap();
    let shares: Vec<f32> = mixed.share.to_data().to_vec().unwrap();
    let partners: Vec<i64> = mixed.partners.to_data().iter().collect();
    let targets: Vec<i64> = batch.targets.to_data().iter().collect();
    let values: Vec<f32> = batch.images.to_data().to_vec().unwrap();
    assert_eq!(targets, (0..8).collect::<Vec<_>>());
    for (place, pixels) in values.chunks_exact(64).enumerate() {
        let mean = pixels.iter().sum::<f32>() / 64.0 + 127.5;
        let [first, second] = [targets[place], partners[place]].map(|class| class as f32 * 30.0);
        let expected = shares[place] * first + (1.0 - shares[place]) * second;
        assert!((mean - expected).abs() < 0.1, "{mean} is not {expected}");
    }
}

prop_compose! {
    fn bounds(least: f64, most: f64)(a in least..=most, b in least..=most) -> [f64; 2] {
        [a.min(b), a.max(b)]
    }
}

prop_compose! {
    fn crops_and_affines()(
        scale in bounds(0.0001, 1.0),
        ratio in bounds(0.1, 10.0),
        rotation in 0.0_f64..=180.0,
        shift in 0.0_f64..=1.0,
        growth in bounds(0.1, 10.0),
        shear in 0.0_f64..=80.0,
    ) -> (ResizedCrop, Affine) {
        let crop = ResizedCrop::default().with_scale(scale).with_ratio(ratio);
        let affine = Affine::default()
            .with_rotation(rotation)
            .with_shift(shift)
            .with_scale(growth)
            .with_shear(shear);
        (crop, affine)
    }
}

prop_compose! {
    fn colors_and_erasings()(
        [brightness, contrast, saturation] in [0.0_f64..=10.0, 0.0..=10.0, 0.0..=10.0],
        probability in 0.0_f64..=1.0,
        area in bounds(0.0001, 1.0),
        ratio in bounds(0.1, 10.0),
        filling in prop::sample::select(vec![ErasedFilling::Noise, ErasedFilling::Mean]),
    ) -> (ColorJitter, RandomErasing) {
        let color = ColorJitter::default()
            .with_brightness(brightness)
            .with_contrast(contrast)
            .with_saturation(saturation);
        let erasing = RandomErasing::default()
            .with_probability(probability)
            .with_area(area)
            .with_ratio(ratio)
            .with_filling(filling);
        (color, erasing)
    }
}

prop_compose! {
    fn augmentations()(
        pad_crop in prop::sample::select(vec![0, 1, 4, 9, 4096]),
        [flip, trivial] in prop::array::uniform2(any::<bool>()),
        [cropped, moved, colored, erased] in prop::array::uniform4(any::<bool>()),
        (crop, affine) in crops_and_affines(),
        (color, erasing) in colors_and_erasings(),
        [mixup, cutmix] in prop::array::uniform2(prop::sample::select(vec![0.0, 1e-9, 0.3, 100.0])),
    ) -> Augmentation {
        Augmentation::default()
            .with_pad_crop(pad_crop)
            .with_flip(flip)
            .with_trivial(trivial)
            .with_mixup(mixup)
            .with_cutmix(cutmix)
            .with_resized_crop(cropped.then_some(crop))
            .with_affine(moved.then_some(affine))
            .with_color(colored.then_some(color))
            .with_erasing(erased.then_some(erasing))
    }
}

proptest! {
    #[test]
    fn any_image_can_be_augmented(
        channels in prop::sample::select(vec![1_usize, 3]),
        height in 1_usize..20,
        width in 1_usize..20,
        count in 1_usize..5,
        augmentation in augmentations(),
        seed: u64,
    ) {
        let text = serde_json::to_string(&augmentation).unwrap();
        let read: Augmentation = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read.validate(), Ok(()));
        let images = || {
            let pixels = (0..count * channels * height * width).map(|value| value as u8).collect();
            PackedImages::new([channels, height, width], pixels, vec![0; count]).unwrap()
        };
        let first = batch(images(), augmentation.clone(), seed);
        prop_assert_eq!(first.images.dims(), [count, channels, height, width]);
        let values: Vec<f32> = first.images.to_data().to_vec().unwrap();
        prop_assert!(values.iter().all(|value| value.abs() < 127.6));
        let again = batch(images(), augmentation, seed);
        prop_assert_eq!(again.images.to_data().to_vec::<f32>().unwrap(), values);
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let none = Augmentation::default;
    for (setting, bad) in [
        (
            "the padding of images is 5000 pixels",
            none().with_pad_crop(5000),
        ),
        ("`mixup` is -0.1", none().with_mixup(-0.1)),
        ("`cutmix` is NaN", none().with_cutmix(f64::NAN)),
        (
            "`resized_crop.scale` is 0, but must",
            none().with_resized_crop(Some(ResizedCrop::default().with_scale([0.0, 1.0]))),
        ),
        (
            "`affine.shift` is 2, but must",
            none().with_affine(Some(Affine::default().with_shift(2.0))),
        ),
        (
            "`color.brightness` is -1, but must",
            none().with_color(Some(ColorJitter::default().with_brightness(-1.0))),
        ),
        (
            "`erasing.area` is 0.5 to 0.1, but must",
            none().with_erasing(Some(RandomErasing::default().with_area([0.5, 0.1]))),
        ),
    ] {
        let message = bad.validate().unwrap_err().to_string();
        assert!(message.contains(setting), "{message}");
    }
}
