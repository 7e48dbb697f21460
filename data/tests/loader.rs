//! Batches: which images, in which order, changed how, by how many threads.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use burn::data::dataloader::DataLoader;
use burn_flex::Flex;
use data::{
    Affine, Augmentation, BatchLoader, ColorJitter, DataError, ImageBatch, ImageBatcher,
    ImageDataset, ImageFiles, ImageOpener, ImageStore, Outliers, PackedImages, Preprocessing,
    RandomErasing, ResizedCrop,
};

/// Ten images of one pixel, labeled with their places, in batches of three.
fn loader(shuffle: Option<u64>) -> BatchLoader<Flex> {
    labeled((0..10).collect(), shuffle)
}

/// Images of one pixel in batches of three.
fn labeled(labels: Vec<u32>, shuffle: Option<u64>) -> BatchLoader<Flex> {
    let images = PackedImages::new([1, 1, 1], vec![0; labels.len()], labels).unwrap();
    let preprocessing = Preprocessing::new([1, 1, 1], 1, vec![0.0], vec![1.0]).unwrap();
    BatchLoader::new(
        Arc::new(ImageDataset::all(Arc::new(images))),
        Arc::new(ImageBatcher::new(preprocessing)),
        NonZeroUsize::new(3).unwrap(),
        shuffle,
        Default::default(),
    )
}

fn batches(loader: &dyn DataLoader<Flex, ImageBatch<Flex>>) -> Vec<Vec<i64>> {
    loader
        .iter()
        .map(|batch| batch.targets.into_data().iter::<i64>().collect())
        .collect()
}

#[test]
fn order_without_seed_is_sequential() {
    let loader = loader(None);
    let expected = [vec![0, 1, 2], vec![3, 4, 5], vec![6, 7, 8], vec![9]];
    assert_eq!(batches(&loader), expected);
    loader.position().set(5, 0);
    assert_eq!(batches(&loader), expected);
    assert_eq!((loader.num_items(), loader.num_batches()), (10, 4));
}

#[test]
fn order_depends_only_on_seed_and_epoch() {
    let (first, second) = (loader(Some(1)), loader(Some(1)));
    let epoch_0 = batches(&first);
    first.position().set(1, 0);
    let epoch_1 = batches(&first);
    assert_ne!(epoch_0, epoch_1);
    assert_eq!(epoch_0, batches(&second));
    assert_eq!(epoch_1, batches(&first), "an epoch repeats itself");
    assert_ne!(epoch_0, batches(&loader(Some(2))));
    let mut all = epoch_1.concat();
    all.sort_unstable();
    assert_eq!(all, (0..10).collect::<Vec<_>>());
}

#[test]
fn later_start_yields_rest_of_epoch() {
    let loader = loader(Some(9));
    loader.position().set(4, 0);
    let whole = batches(&loader);
    for first in 0..6 {
        loader.position().set(4, first);
        assert_eq!(batches(&loader), whole[first.min(whole.len())..]);
    }
    loader.position().set(4, usize::MAX);
    assert!(batches(&loader).is_empty());
}

#[test]
fn progress_covers_whole_epoch() {
    let loader = loader(Some(9));
    loader.position().set(0, 2);
    let mut iterator = loader.iter();
    let mut seen = vec![iterator.progress().items_processed];
    while iterator.next().is_some() {
        let progress = iterator.progress();
        assert_eq!(progress.items_total, 10);
        seen.push(progress.items_processed);
    }
    assert_eq!(seen, [6, 9, 10]);
}

/// Ten images of 5x5, changed by every augmentation there is.
fn changing(seed: u64) -> BatchLoader<Flex> {
    let pixels = (0..750).map(|value| value as u8).collect();
    let images = PackedImages::new([3, 5, 5], pixels, (0..10).collect()).unwrap();
    let preprocessing = Preprocessing::new([3, 5, 5], 5, vec![0.5; 3], vec![0.2; 3]).unwrap();
    let augmentation = Augmentation::default()
        .with_pad_crop(2)
        .with_flip(true)
        .with_resized_crop(Some(ResizedCrop::default()))
        .with_affine(Some(Affine::default().with_rotation(20.0)))
        .with_trivial(true)
        .with_color(Some(
            ColorJitter::default()
                .with_brightness(0.3)
                .with_contrast(0.3)
                .with_saturation(0.3),
        ))
        .with_erasing(Some(RandomErasing::default()))
        .with_mixup(0.2)
        .with_cutmix(1.0);
    BatchLoader::new(
        Arc::new(ImageDataset::all(Arc::new(images))),
        Arc::new(ImageBatcher::new(preprocessing)),
        NonZeroUsize::new(3).unwrap(),
        Some(1),
        Default::default(),
    )
    .with_augmentation(augmentation, seed)
    .unwrap()
}

fn values(loader: &dyn DataLoader<Flex, ImageBatch<Flex>>) -> Vec<Vec<f32>> {
    loader
        .iter()
        .map(|batch| batch.images.into_data().to_vec().unwrap())
        .collect()
}

#[test]
fn augmentation_depends_on_seed_epoch_and_image() {
    let loader = changing(3);
    let epoch_0 = values(&loader);
    assert_eq!(values(&loader), epoch_0, "an epoch repeats itself");
    assert_ne!(values(&changing(4)), epoch_0);
    loader.position().set(1, 0);
    let epoch_1 = values(&loader);
    assert_ne!(epoch_1, epoch_0);
    loader.position().set(1, 2);
    assert_eq!(values(&loader), epoch_1[2..], "a resume changes nothing");
}

#[test]
fn invalid_augmentation_is_rejected() {
    let augmentation = Augmentation::default().with_pad_crop(usize::MAX);
    assert!(loader(None).with_augmentation(augmentation, 1).is_err());
}

#[test]
fn slices_and_devices_share_position() {
    let loader = loader(None);
    let slice = loader.slice(2, 9);
    assert_eq!(slice.num_items(), 7);
    loader.position().set(0, 1);
    assert_eq!(batches(slice.as_ref()), [vec![5, 6, 7], vec![8]]);
    let moved = loader.to_device(&Default::default());
    assert_eq!(batches(moved.as_ref()), batches(&loader));
    assert_eq!(loader.slice(8, 20).num_items(), 2);
}

#[test]
fn batches_are_independent_of_thread_count() {
    let alone = changing(3).with_threads(0);
    alone.position().set(2, 0);
    let expected = values(&alone);
    for threads in [1, 2, 8] {
        for ahead in [1, 2, 9] {
            let loader = changing(3)
                .with_threads(threads)
                .with_batches_ahead(NonZeroUsize::new(ahead).unwrap());
            for first in 0..4 {
                loader.position().set(2, first);
                assert_eq!(values(&loader), expected[first..], "{threads} threads");
            }
        }
    }
}

#[test]
fn iterators_may_be_dropped_or_run_in_parallel() {
    let loader = changing(3).with_threads(2);
    let whole = values(&loader);
    for _ in 0..50 {
        drop(loader.iter());
        let mut left = loader.iter();
        left.next();
        drop(left);
    }
    assert_eq!(values(&loader), whole);
    let pairs = loader
        .iter()
        .zip(loader.clone().iter().skip(1).collect::<Vec<_>>());
    assert_eq!(pairs.count(), 3);
    drop(loader);
}

#[test]
fn last_batch_can_be_dropped() {
    let whole = batches(&loader(Some(4)));
    let loader = loader(Some(4)).with_last_dropped();
    assert_eq!(batches(&loader), whole[..3]);
    assert_eq!((loader.num_items(), loader.num_batches()), (9, 3));
    let few = loader.slice(0, 2);
    assert_eq!((few.num_items(), batches(few.as_ref()).len()), (0, 0));
}

#[test]
fn classes_can_be_balanced() {
    let loader = labeled(vec![5, 0, 0, 0, 0, 0, 0, 0, 0], None).with_balanced_classes(6);
    let classes = batches(&loader).concat();
    assert_eq!(classes.len(), 9);
    let rare = classes.iter().filter(|&&class| class == 5).count();
    assert!(rare == 4 || rare == 5, "{classes:?}");
    loader.position().set(0, 2);
    assert_eq!(batches(&loader).concat(), classes[6..]);
}

#[test]
fn empty_set_gives_no_batches() {
    assert!(batches(&labeled(Vec::new(), Some(1))).is_empty());
    assert!(batches(&labeled(Vec::new(), None).with_balanced_classes(1)).is_empty());
}

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/references")
        .join(name)
}

fn from_files(paths: Vec<PathBuf>) -> BatchLoader<Flex> {
    let labels = (0..paths.len() as u32).collect();
    let files = ImageFiles::new(paths, labels).unwrap();
    BatchLoader::new(
        Arc::new(ImageDataset::all(Arc::new(files))),
        Arc::new(ImageBatcher::new(preprocessing())),
        NonZeroUsize::new(2).unwrap(),
        None,
        Default::default(),
    )
    .with_threads(2)
}

fn preprocessing() -> Preprocessing {
    Preprocessing::new([3, 20, 20], 24, vec![0.5; 3], vec![0.2; 3]).unwrap()
}

#[test]
fn files_are_opened_on_demand() {
    let paths = ["rgb.jpg", "gray.png", "tall.png"].map(reference);
    let (failed, failures) = mpsc::channel();
    let loader = from_files(paths.to_vec()).with_failures(failed);
    let found = values(&loader).concat();
    let prepared: Vec<u8> = paths
        .iter()
        .flat_map(|path| {
            preprocessing()
                .prepare_file(&ImageOpener::default(), path)
                .unwrap()
        })
        .collect();
    assert_eq!(found, preprocessing().normalize(&prepared));
    assert!(failures.try_recv().is_err());
}

#[test]
fn too_many_unreadable_files_end_the_epoch() {
    let names = ["rgb.jpg", "gray.png", "absent.png", "rgb.png", "tall.png"];
    let (failed, failures) = mpsc::channel();
    let loader = from_files(names.map(reference).to_vec()).with_failures(failed);
    assert_eq!(batches(&loader), [[0, 1]]);
    let error = failures.try_recv().unwrap();
    assert!(
        matches!(error, DataError::UnreadableImages { count: 1, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("absent.png"), "{error}");
    assert!(error.hint().is_some());
    assert!(failures.try_recv().is_err());
    loader.position().set(0, 2);
    assert_eq!(
        batches(&loader),
        [[4]],
        "the next iteration is not hindered"
    );
}

#[test]
fn unreadable_file_is_replaced_by_next_of_class() {
    let folder = tempfile::tempdir().unwrap();
    // Two classes in turn; the value of an image is its place.
    let paths: Vec<PathBuf> = (0..200_u8)
        .map(|place| {
            let path = folder.path().join(format!("{place}.png"));
            image::RgbImage::from_pixel(4, 4, image::Rgb([place; 3]))
                .save(&path)
                .unwrap();
            path
        })
        .collect();
    for place in [7, 199] {
        std::fs::write(&paths[place], "no image").unwrap();
    }
    let labels = (0..200).map(|place| place % 2).collect();
    let files = Arc::new(ImageFiles::new(paths, labels).unwrap());
    let loader = |indices: Vec<usize>, threads| {
        let preprocessing = Preprocessing::new([3, 1, 1], 1, vec![0.0; 3], vec![1.0; 3]).unwrap();
        let dataset = ImageDataset::new(Arc::clone(&files), indices).unwrap();
        BatchLoader::<Flex>::new(
            Arc::new(dataset),
            Arc::new(ImageBatcher::new(preprocessing)),
            NonZeroUsize::new(16).unwrap(),
            Some(3),
            Default::default(),
        )
        .with_threads(threads)
    };
    let shown = |loader: &BatchLoader<Flex>| -> Vec<u8> {
        let values = values(loader).concat();
        values
            .chunks(3)
            .map(|pixel| (255.0 * pixel[0]).round() as u8)
            .collect()
    };
    let all = loader((0..200).collect(), 0);
    let first = shown(&all);
    for threads in [1, 4] {
        assert_eq!(shown(&loader((0..200).collect(), threads)), first);
    }
    let count = |value: u8| first.iter().filter(|&&shown| shown == value).count();
    // 9 comes after 7, and 1 is the first of the class of 199.
    assert_eq!([7, 9, 199, 1, 0].map(count), [0, 2, 0, 2, 1]);
    assert_eq!(files.unreadable().count(), 2);

    // A part takes from itself alone: validation images are none that are trained on.
    let mut part = shown(&loader(vec![7, 8, 30, 45], 2));
    part.sort_unstable();
    assert_eq!(part, [8, 30, 45, 45]);

    for place in [20, 21] {
        std::fs::write(&files.paths()[place], "no image").unwrap();
    }
    let (failed, failures) = mpsc::channel();
    shown(&loader((0..200).collect(), 2).with_failures(failed));
    let error = failures.try_recv().unwrap();
    assert!(
        matches!(
            error,
            DataError::UnreadableImages {
                count: 3 | 4,
                total: 200,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn store_shares_its_images() {
    let store = ImageStore::from(Arc::new(
        PackedImages::new([1, 1, 1], vec![9], vec![0]).unwrap(),
    ));
    assert_eq!(store.image(0).unwrap().to_luma8().into_raw(), [9]);
}

#[test]
fn outliers_follow_batches_for_any_threads_and_start() {
    let outliers = Outliers::default().with_share(0.5);
    let shape = [1, 28, 28];
    let pixels = (0..20 * 784_usize).map(|place| (place * 31 % 251) as u8);
    let images = PackedImages::new(shape, pixels.collect(), (0..20).collect()).unwrap();
    let dataset = Arc::new(ImageDataset::all(Arc::new(images)));
    let loader = |threads, mixup| {
        let preprocessing = Preprocessing::new(shape, 28, vec![0.0], vec![1.0]).unwrap();
        let augmentation = Augmentation::default().with_flip(true).with_mixup(mixup);
        BatchLoader::<Flex>::new(
            Arc::clone(&dataset),
            Arc::new(ImageBatcher::new(preprocessing)),
            NonZeroUsize::new(8).unwrap(),
            Some(1),
            Default::default(),
        )
        .with_augmentation(augmentation, 1)
        .unwrap()
        .with_threads(threads)
    };
    let epoch = |loader: &BatchLoader<Flex>| -> Vec<(usize, usize, Vec<f32>)> {
        let batch = |batch: ImageBatch<Flex>| {
            let values = batch.images.into_data().iter().collect();
            let outliers = batch.outliers.map_or(0, |outliers| outliers.count);
            (batch.targets.dims()[0], outliers, values)
        };
        loader.iter().map(batch).collect()
    };
    for mixup in [0.0, 0.5] {
        let with = |threads| {
            loader(threads, mixup)
                .with_outliers(outliers.clone(), 1)
                .unwrap()
        };
        let whole = epoch(&with(0));
        let sizes: Vec<_> = whole
            .iter()
            .map(|(images, outliers, _)| (*images, *outliers))
            .collect();
        assert_eq!(sizes, [(8, 4), (8, 4), (4, 2)]);
        assert_eq!(epoch(&with(3)), whole);
        let resumed = with(2);
        resumed.position().set(0, 1);
        assert_eq!(epoch(&resumed), whole[1..]);
        // The images themselves are those of a loader without outliers.
        for ((_, _, values), (_, none, alone)) in whole.iter().zip(epoch(&loader(0, mixup))) {
            assert_eq!((&values[..alone.len()], none), (&alone[..], 0));
        }
    }
    let wrong = outliers.with_share(2.0);
    assert!(loader(0, 0.0).with_outliers(wrong, 1).is_err());
}
