//! Folders of class folders.

use std::fs;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use data::{
    DataError, DataSet, DecodeError, Flaw, ImageError, ImageStore, LoadOptions, LoadProgress,
    Source, Storage,
};
use image::{Rgb, RgbImage};
use tempfile::TempDir;

fn load(folder: &Path) -> Result<DataSet, DataError> {
    load_with(folder, |_| {})
}

/// Loads with other options than those of [`load`].
fn load_with<'a>(
    folder: &Path,
    change: impl FnOnce(&mut LoadOptions<'a>),
) -> Result<DataSet, DataError> {
    let mut options = LoadOptions::default().with_image_size(Some(8));
    change(&mut options);
    Source::Folder(folder.to_owned()).load(&options)
}

fn load_files(folder: &Path) -> Result<DataSet, DataError> {
    load_with(folder, |options| options.storage = Storage::Files)
}

/// Saves an image of one gray value and gives its path.
fn save(folder: &Path, name: &str, value: u8) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    let image = RgbImage::from_pixel(12, 10, Rgb([value; 3]));
    if matches!(name.rsplit('.').next(), Some("JPG" | "jpeg" | "jfif")) {
        let encoder = jpeg_encoder::Encoder::new_file(&path, 95).unwrap();
        let colors = jpeg_encoder::ColorType::Rgb;
        encoder.encode(&image, 12, 10, colors).unwrap();
    } else {
        image.save(&path).unwrap();
    }
    path
}

/// `classes` folders of `each` images; the value of an image is `10 * class + place`.
fn make(root: &Path, classes: &[&str], each: u8) {
    for (class, name) in (0..).zip(classes) {
        for place in 0..each {
            save(
                &root.join(name),
                &format!("{place:02}.png"),
                10 * class + place,
            );
        }
    }
}

#[test]
fn all_formats_are_read_and_other_files_are_counted() {
    let root = TempDir::new().unwrap();
    for class in ["cat", "dog"] {
        for name in ["a.png", "b.JPG", "c.jpeg", "d.WebP", "e.bmp", "f.jfif"] {
            save(
                &root.path().join(class),
                name,
                if class == "cat" { 30 } else { 200 },
            );
        }
        fs::write(root.path().join(class).join(".hidden.png"), "no image").unwrap();
        fs::write(root.path().join(class).join("notes.txt"), "no image").unwrap();
        fs::write(root.path().join(class).join("Thumbs.db"), "of the system").unwrap();
    }
    fs::write(root.path().join("cat/drawing.SVG"), "").unwrap();
    fs::create_dir(root.path().join("dog/more.png")).unwrap();
    fs::create_dir(root.path().join(".cache")).unwrap();
    fs::write(root.path().join("readme.md"), "no class").unwrap();

    let data = load(root.path()).unwrap();
    assert_eq!(data.class_names, ["cat", "dog"]);
    assert_eq!((data.train.len(), data.test.len()), (10, 2));
    let endings = [("svg".to_owned(), 1), ("txt".to_owned(), 2)];
    assert_eq!(data.passed_over.files, endings.into());
    assert_eq!(data.passed_over.folders, 1);
    assert_eq!(data.train.packed().unwrap().shape(), [3, 8, 8]);
    for images in [&data.train, &data.test] {
        for index in 0..images.len() {
            let expected = [30, 200][images.label(index)];
            let pixels = images.packed().unwrap().planes(index);
            assert!(
                pixels.iter().all(|pixel| pixel.abs_diff(expected) < 4),
                "{pixels:?}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn non_regular_files_are_skipped() {
    let root = TempDir::new().unwrap();
    make(root.path(), &["a", "b"], 4);
    let pipe = root.path().join("a/pipe.png");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let link = |target: &Path, name: &str| {
        std::os::unix::fs::symlink(target, root.path().join(name)).unwrap();
    };
    link(&pipe, "b/link.jpg");
    link(Path::new("/dev/zero"), "b/zeros");
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("b/s.bmp")).unwrap();
    for storage in [Storage::Memory, Storage::Files] {
        let data = load_with(root.path(), |options| options.storage = storage).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (6, 2));
        assert_eq!(data.unreadable.count(), 0);
        assert_eq!(data.passed_over.others, 4);
        assert!(data.passed_over.files.is_empty());
    }
}

#[test]
fn images_can_be_kept_in_files() {
    let root = TempDir::new().unwrap();
    make(root.path(), &["a", "b"], 20);
    let (data, packed) = (load_files(root.path()).unwrap(), load(root.path()).unwrap());
    assert_eq!(data.preprocessing, packed.preprocessing);
    for (files, packed) in [(&data.train, &packed.train), (&data.test, &packed.test)] {
        assert!(files.packed().is_none());
        assert_eq!(files.labels(), packed.labels());
        for index in 0..files.len() {
            let image = files.image(index).unwrap();
            let expected = packed.packed().unwrap().planes(index);
            assert_eq!(image.width(), 12, "as it is in its file");
            assert_eq!(data.preprocessing.prepare_bytes(&image).unwrap(), expected);
        }
    }
}

#[test]
fn default_size_is_64() {
    let root = TempDir::new().unwrap();
    make(root.path(), &["a", "b"], 2);
    let source: Source = format!("folder:{}", root.path().display()).parse().unwrap();
    let data = source.load(&LoadOptions::default()).unwrap();
    assert_eq!(data.train.packed().unwrap().shape(), [3, 64, 64]);
    assert_eq!(data.preprocessing.resize(), 64);
    assert_eq!(data.name, source.to_string());
}

#[test]
fn seed_splits_off_a_tenth_of_each_class() {
    let root = TempDir::new().unwrap();
    make(root.path(), &["a", "b"], 20);
    make(root.path(), &["c"], 2);
    let tested = |seed| {
        let data = load_with(root.path(), |options| options.seed = seed).unwrap();
        assert_eq!(data.train.len() + data.test.len(), 42);
        assert_eq!(data.test.labels(), [0, 0, 1, 1, 2]);
        data.test.packed().unwrap().pixels().to_vec()
    };
    assert_eq!(tested(1), tested(1));
    assert!((2..10).any(|seed| tested(seed) != tested(1)));
}

#[test]
fn parts_are_read_from_their_folders() {
    for (test, validation) in [("test", None), ("val", None), ("test", Some("val"))] {
        let root = TempDir::new().unwrap();
        make(&root.path().join("train"), &["a", "b"], 3);
        make(&root.path().join(test), &["b"], 1);
        if let Some(validation) = validation {
            make(&root.path().join(validation), &["a", "b"], 2);
        }
        let data = load(root.path()).unwrap();
        assert_eq!(data.class_names, ["a", "b"]);
        assert_eq!(data.train.labels(), [0, 0, 0, 1, 1, 1]);
        assert_eq!(
            data.test.labels(),
            [1],
            "its class keeps the number it has in training"
        );
        let labels = |store: &ImageStore| store.labels().to_vec();
        assert_eq!(
            data.validation.as_ref().map(labels),
            validation.map(|_| vec![0, 0, 1, 1])
        );
        let files = load_files(root.path()).unwrap();
        assert_eq!(
            files.validation.as_ref().map(labels),
            data.validation.as_ref().map(labels)
        );
        assert_eq!(files.test.labels(), [1]);
        if let Some(ImageStore::Packed(images)) = &data.validation {
            // The values that `make` gives.
            let values = (0..4).map(|index| images.planes(index)[0]);
            assert_eq!(values.collect::<Vec<_>>(), [0, 1, 10, 11]);
        }
    }

    let only_train = TempDir::new().unwrap();
    make(&only_train.path().join("train"), &["a", "b"], 3);
    let data = load(only_train.path()).unwrap();
    assert_eq!((data.train.len(), data.test.len()), (4, 2));

    let class_called_train = TempDir::new().unwrap();
    make(class_called_train.path(), &["plane", "train"], 3);
    assert_eq!(
        load(class_called_train.path()).unwrap().class_names,
        ["plane", "train"]
    );
}

#[test]
fn parts_have_several_names_in_any_case() {
    for [train, validation, test] in [
        ["Train", "valid", "TEST"],
        ["train", "Validation", "test"],
        ["TRAIN", "VAL", "Test"],
    ] {
        let root = TempDir::new().unwrap();
        make(&root.path().join(train), &["a", "b"], 3);
        make(&root.path().join(validation), &["a"], 2);
        let data = load(root.path()).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (6, 2), "{validation}");
        make(&root.path().join(test), &["a", "b"], 4);
        let data = load(root.path()).unwrap();
        assert_eq!(data.class_names, ["a", "b"]);
        assert_eq!((data.train.len(), data.test.len()), (6, 8), "{test}");
        assert_eq!(data.validation.unwrap().len(), 2);
    }
    let classes = TempDir::new().unwrap();
    make(classes.path(), &["invalid", "valid"], 3);
    let data = load(classes.path()).unwrap();
    assert_eq!(data.class_names, ["invalid", "valid"]);
}

#[test]
fn parts_that_are_missing_or_ambiguous_are_named() {
    let root = TempDir::new().unwrap();
    make(&root.path().join("test"), &["a", "b"], 3);
    make(&root.path().join("valid"), &["a", "b"], 3);
    let error = load(root.path()).unwrap_err();
    let message = format!(
        "{} has `test` and `valid`, but no folder `train`",
        root.path().display()
    );
    assert_eq!(error.to_string(), message);
    assert!(error.hint().unwrap().contains("train"));

    make(&root.path().join("train"), &["a", "b"], 3);
    assert!(load(root.path()).is_ok());
    make(&root.path().join("val"), &["a", "b"], 3);
    let error = load(root.path()).unwrap_err();
    let both = ["val", "valid"].map(|name| root.path().join(name));
    assert!(
        matches!(&error, DataError::AmbiguousParts { folders } if *folders == both),
        "{error}"
    );
}

/// How many images of how many cannot be read.
#[track_caller]
fn unreadable(error: &DataError) -> (usize, usize) {
    match error {
        DataError::UnreadableImages { count, total, .. } => (*count, *total),
        other => panic!("{other}"),
    }
}

fn decode_error(error: &ImageError) -> &DecodeError {
    match error {
        ImageError::Decode { source, .. } => source,
        other => panic!("{other}"),
    }
}

/// The class and the value, which [`make`] gives, of each training image of a folder.
fn values(data: &DataSet) -> Vec<(u32, u8)> {
    let value = |index: usize| match &data.train {
        ImageStore::Packed(images) => images.planes(index)[0],
        _ => 0,
    };
    let labels = data.train.labels().iter();
    labels.copied().zip((0..).map(value)).collect()
}

#[test]
fn files_with_all_pixels_are_used_and_named() {
    let root = TempDir::new().unwrap();
    make(root.path(), &["a", "b"], 20);
    let whole = load(root.path()).unwrap();
    assert_eq!(whole.flawed.count(), 0);
    // Without the end marker, and with a limit that no image exceeds.
    let flawed = [root.path().join("a/07.png"), root.path().join("b/11.png")];
    for path in &flawed {
        let content = fs::read(path).unwrap();
        fs::write(path, &content[..content.len() - 12]).unwrap();
    }
    for storage in [Storage::Memory, Storage::Files] {
        let data = load_with(root.path(), |options| {
            options.storage = storage;
            options.max_pixels = NonZeroU64::new(12 * 10);
        })
        .unwrap();
        assert_eq!(data.unreadable.count(), 0);
        assert_eq!(data.train.len(), whole.train.len());
        if storage == Storage::Files {
            // In files, they are found as they are opened.
            for part in [&data.train, &data.test] {
                (0..part.len()).for_each(|index| drop(part.image(index).unwrap()));
            }
        }
        let expected = flawed.clone().map(|path| (path, Flaw::NoEnd));
        assert_eq!(data.flawed.list(), expected);
    }
    let limit = NonZeroU64::new(12 * 10 - 1);
    let error = load_with(root.path(), |options| options.max_pixels = limit).unwrap_err();
    assert!(error.to_string().contains("at most 119 pixels"), "{error}");
}

#[test]
fn validation_split_ignores_unreadable_images() {
    let root = TempDir::new().unwrap();
    make(root.path(), &["a", "b"], 120);
    make(root.path(), &["c"], 3);
    let whole = load(root.path()).unwrap();
    let listed = load_files(root.path()).unwrap();
    let split = whole.split_training(0.1, 5).unwrap();
    assert_eq!(split, data::split(whole.train.labels(), 0.1, 5).unwrap());
    assert_eq!(split, listed.split_training(0.1, 5).unwrap());
    let ImageStore::Files(files) = &listed.train else {
        panic!("{listed:?}");
    };

    // One of each part, whose places in the class are in its middle.
    let broken = [split.0[40], split.1[4]];
    let wholes = broken.map(|index| fs::read(&files.paths()[index]).unwrap());
    for index in broken {
        fs::write(&files.paths()[index], "no image").unwrap();
    }
    let less = load(root.path()).unwrap();
    assert_eq!(less.train.len(), whole.train.len() - 2);
    let (before, after) = (values(&whole), values(&less));
    let now = less.split_training(0.1, 5).unwrap();
    for (before_part, part) in [(&split.0, &now.0), (&split.1, &now.1)] {
        let kept = before_part.iter().filter(|index| !broken.contains(index));
        let kept: Vec<_> = kept.map(|&index| before[index]).collect();
        let found: Vec<_> = part.iter().map(|&index| after[index]).collect();
        assert_eq!(found, kept);
    }
    let in_files = load_files(root.path()).unwrap();
    assert_eq!(in_files.split_training(0.1, 5).unwrap(), split);

    // The only image of a class that there is to train on.
    for (index, whole) in broken.into_iter().zip(wholes) {
        fs::write(&files.paths()[index], whole).unwrap();
    }
    let last = *split.0.last().unwrap();
    assert_eq!(whole.train.label(last), 2);
    fs::write(&files.paths()[last], "no image").unwrap();
    let less = load(root.path()).unwrap();
    let error = less.split_training(0.1, 5).unwrap_err();
    assert_eq!(unreadable(&error).0, 1);
}

#[test]
fn folders_without_data_set_are_rejected() {
    let root = TempDir::new().unwrap();
    let path = root.path();
    let nowhere = path.join("nowhere");
    assert!(matches!(load(&nowhere), Err(DataError::NotAFolder { path }) if path == nowhere));
    let file = save(path, "image.png", 1);
    assert!(matches!(load(&file), Err(DataError::NotAFolder { .. })));

    let error = load(path).unwrap_err();
    assert!(matches!(error, DataError::NoClassFolders { .. }), "{error}");
    assert!(error.hint().is_some());

    make(path, &["a"], 2);
    assert!(matches!(load(path), Err(DataError::OneClass { class, .. }) if class == "a"));

    let empty = path.join("b");
    fs::create_dir(&empty).unwrap();
    fs::write(empty.join("notes.txt"), "").unwrap();
    assert!(matches!(load(path), Err(DataError::EmptyClass { path, .. }) if path == empty));

    make(path, &["b"], 1);
    assert!(matches!(load(path), Err(DataError::SingleImage { path }) if path == empty));

    make(path, &["a", "b"], 2);
    assert!(load(path).is_ok());
    let parts = TempDir::new().unwrap();
    make(&parts.path().join("train"), &["a", "b"], 1);
    for (part, unknown) in [("test", "c"), ("val", "d")] {
        make(&parts.path().join(part), &["a", unknown], 1);
        let error = load(parts.path()).unwrap_err();
        assert!(
            matches!(&error, DataError::UnknownTestClass { class, .. } if class == unknown),
            "{error}"
        );
    }
}

#[test]
fn one_unreadable_image_in_a_hundred_is_skipped() {
    let root = TempDir::new().unwrap();
    make(&root.path().join("train"), &["a", "b"], 90);
    make(&root.path().join("test"), &["a", "b"], 10);
    let whole = load(root.path()).unwrap();
    assert_eq!(whole.unreadable.count(), 0);
    let bad = [
        root.path().join("train/b/05.png"),
        root.path().join("test/a/00.png"),
    ];
    for path in &bad {
        let whole = fs::read(path).unwrap();
        fs::write(path, &whole[..whole.len() - 26]).unwrap();
    }
    let data = load(root.path()).unwrap();
    assert_eq!((data.train.len(), data.test.len()), (179, 19));
    let images = |data: &DataSet| data.train.packed().unwrap().clone();
    let (before, after) = (images(&whole), images(&data));
    assert_eq!(before.pixels()[..95 * 192], after.pixels()[..95 * 192]);
    assert_eq!(before.pixels()[96 * 192..], after.pixels()[95 * 192..]);
    assert_eq!(before.labels()[..179], *after.labels());
    assert_eq!(data.test.packed().unwrap().planes(0)[0], 1);

    assert_eq!(data.unreadable.total(), 200);
    let list = data.unreadable.list();
    let paths: Vec<_> = list.iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(paths, [bad[1].clone(), bad[0].clone()]);
    assert!(matches!(decode_error(&list[0].1), DecodeError::CutOff));

    // A third one is too much, unless any number will do.
    fs::write(root.path().join("test/b/01.png"), "").unwrap();
    let error = load(root.path()).unwrap_err();
    assert_eq!(unreadable(&error), (3, 200));
    let data = load_with(root.path(), |options| options.skip_unreadable = true).unwrap();
    assert_eq!(data.unreadable.count(), 3);
}

#[test]
fn class_of_unreadable_images_is_rejected() {
    let root = TempDir::new().unwrap();
    make(root.path(), &["a", "b"], 100);
    make(root.path(), &["c"], 2);
    for name in ["c/00.png", "c/01.png"] {
        fs::write(root.path().join(name), "no image").unwrap();
    }
    let error = load(root.path()).unwrap_err();
    assert_eq!(unreadable(&error), (2, 202));
    assert!(error.hint().unwrap().contains("never a whole class"));
}

#[test]
fn unreadable_images_are_counted_and_the_first_is_named() {
    let root = TempDir::new().unwrap();
    make(root.path(), &["a", "b"], 4);
    for name in ["a/01.png", "b/02.png"] {
        fs::write(root.path().join(name), "just some text").unwrap();
    }
    let done = AtomicUsize::new(0);
    let progress = |progress: LoadProgress| {
        assert_eq!(progress.total, 8);
        done.fetch_max(progress.done, Ordering::SeqCst);
    };
    let error = load_with(root.path(), |options| options.progress = Some(&progress)).unwrap_err();
    assert_eq!(done.into_inner(), 8);
    assert_eq!(unreadable(&error), (2, 8));
    let DataError::UnreadableImages { first, .. } = &error else {
        panic!("{error}");
    };
    assert!(matches!(decode_error(first), DecodeError::NotAnImage));
    let message = error.to_string();
    assert!(
        message.starts_with("2 of 8 images cannot be read, the first: "),
        "{message}"
    );
    assert!(message.contains(".png is not an image"), "{message}");
}

#[test]
fn oversized_data_set_is_rejected_before_reading() {
    let root = TempDir::new().unwrap();
    // Empty files do: the size is known before an image is opened.
    for class in ["a", "b"] {
        fs::create_dir(root.path().join(class)).unwrap();
        for place in 0..100 {
            fs::write(root.path().join(class).join(format!("{place}.png")), "").unwrap();
        }
    }
    let error = load_with(root.path(), |options| options.image_size = Some(4096)).unwrap_err();
    let DataError::TooManyBytes { images, side, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((images, side), (200, 4096));
}
