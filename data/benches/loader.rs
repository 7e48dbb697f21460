//! Images a second that a loader delivers: `cargo bench -p data`, with `-- NAME` for what has
//! this in its name.
//!
//! JPEG files are also decoded without a loader, by the same decoder on one thread, as what a
//! loader can reach at best. They lie in a temporary folder, that is, in memory after the first
//! time.
#![allow(
    missing_docs,
    reason = "a program, of which criterion prints what it measures"
)]

use std::error::Error;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use burn::data::dataloader::DataLoader;
use burn_flex::Flex;
use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use data::{
    Affine, Augmentation, BatchLoader, ImageBatcher, ImageDataset, ImageFiles, ImageStore,
    PackedImages, Preprocessing, ResizedCrop, open_image,
};
use image::{Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Width and height of an ordinary image of ImageNet.
const PHOTO: [u16; 2] = [500, 375];
const QUALITY: u8 = 90;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    small(&mut criterion)?;
    let folder = tempfile::tempdir()?;
    large(&mut criterion, folder.path())?;
    criterion.final_summary();
    Ok(())
}

/// Images of CIFAR's and of MNIST's size, in memory.
fn small(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let none = Augmentation::default;
    let shift = none().with_pad_crop(4).with_flip(true);
    let trivial = shift.clone().with_trivial(true);
    let mixed = shift.clone().with_mixup(0.2).with_cutmix(1.0);
    let digits = none().with_affine(Some(
        Affine::default()
            .with_rotation(10.0)
            .with_shift(0.1)
            .with_scale([0.9, 1.1])
            .with_shear(10.0),
    ));
    for (name, shape, augmentation) in [
        ("32 px, as they are", [3, 32, 32], none()),
        ("32 px, pad-crop and flip", [3, 32, 32], shift),
        ("32 px, and TrivialAugment", [3, 32, 32], trivial),
        ("32 px, and mixup and CutMix", [3, 32, 32], mixed),
        ("28 px gray, affine", [1, 28, 28], digits),
    ] {
        let store = ImageStore::from(Arc::new(noise(shape, 4096)?));
        let group = &mut criterion.benchmark_group(name);
        loaders(group, &store, preparation(shape)?, 128, &augmentation)?;
    }
    Ok(())
}

/// Images of ImageNet's size, in memory and in files.
fn large(criterion: &mut Criterion, folder: &Path) -> Result<(), Box<dyn Error>> {
    let shape = [3, 224, 224];
    let flip = Augmentation::default().with_flip(true);
    let crop = flip.clone().with_resized_crop(Some(ResizedCrop::default()));
    let packed = ImageStore::from(Arc::new(noise(shape, 256)?));
    let paths = photos(folder, 64)?;
    let files = ImageFiles::new(paths.clone(), vec![0; paths.len()])?;
    let files = ImageStore::from(Arc::new(files));
    for (name, store, augmentation) in [
        ("224 px in memory, flip", &packed, &flip),
        ("224 px in memory, crop and flip", &packed, &crop),
        ("224 px from JPEG, crop and flip", &files, &crop),
    ] {
        let group = &mut criterion.benchmark_group(name);
        loaders(group, store, preparation(shape)?, 32, augmentation)?;
    }
    let mut group = criterion.benchmark_group("JPEG decoder alone");
    group.throughput(Throughput::Elements(paths.len() as u64));
    group.bench_function("1 thread", |bencher| {
        bencher.iter(|| {
            for photo in &paths {
                black_box(open_image(photo).is_ok());
            }
        });
    });
    Ok(())
}

/// Whole epochs of a loader, without and with threads.
fn loaders(
    group: &mut BenchmarkGroup<'_, WallTime>,
    store: &ImageStore,
    preprocessing: Preprocessing,
    batch_size: usize,
    augmentation: &Augmentation,
) -> Result<(), Box<dyn Error>> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut counts = vec![0, 1, cores];
    counts.dedup();
    for threads in counts {
        let loader = BatchLoader::<Flex>::new(
            Arc::new(ImageDataset::all(store.clone())),
            Arc::new(ImageBatcher::new(preprocessing.clone())),
            NonZeroUsize::new(batch_size).unwrap_or(NonZeroUsize::MIN),
            Some(1),
            Default::default(),
        )
        .with_augmentation(augmentation.clone(), 1)?
        .with_threads(threads);
        group.throughput(Throughput::Elements(store.len() as u64));
        group.bench_function(format!("{threads} threads"), |bencher| {
            bencher.iter(|| loader.iter().for_each(|batch| drop(black_box(batch))));
        });
    }
    Ok(())
}

fn preparation([channels, height, width]: [usize; 3]) -> Result<Preprocessing, Box<dyn Error>> {
    let (mean, std) = (vec![0.45; channels], vec![0.25; channels]);
    Ok(Preprocessing::new(
        [channels, height, width],
        height.max(width),
        mean,
        std,
    )?)
}

/// Images without any meaning: times do not depend on it.
fn noise(shape: [usize; 3], count: usize) -> Result<PackedImages, Box<dyn Error>> {
    let bytes = count * shape.iter().product::<usize>();
    let pixels = (0..bytes)
        .map(|place| (place.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    Ok(PackedImages::new(shape, pixels, vec![0; count])?)
}

/// JPEG files of waves of every length, with a little noise: about as many bytes as of a photo.
fn photos(folder: &Path, count: u32) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let paths = (0..count).map(|number| -> Result<PathBuf, Box<dyn Error>> {
        let path = folder.join(format!("{number}.jpg"));
        let photo = RgbImage::from_fn(PHOTO[0].into(), PHOTO[1].into(), |x, y| {
            let (across, down) = (x as f32 + number as f32, y as f32);
            let wave = |length: f32| (across / length).sin() + (down / length * 1.3).cos();
            let grain = (x.wrapping_mul(7919) ^ y.wrapping_mul(104_729)) % 17;
            let light = 120.0 + 25.0 * (wave(90.0) + wave(23.0)) + 6.0 * wave(3.0) + grain as f32;
            Rgb([light, light * 0.9 + 10.0 * wave(40.0), light * 0.7].map(|value| value as u8))
        });
        let mut encoder = Encoder::new_file(&path, QUALITY)?;
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.encode(&photo, PHOTO[0], PHOTO[1], ColorType::Rgb)?;
        Ok(path)
    });
    paths.collect()
}
