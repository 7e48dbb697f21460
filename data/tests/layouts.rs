//! Folders that lie in other ways than one folder for each class.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use data::{DataError, DataSet, ImageStore, LoadOptions, Source, Storage};
use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// Writes images, of which each has another value, and gives their folder.
fn images(root: &Path, names: &[&str]) {
    for (value, name) in (1..).zip(names) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let image = RgbImage::from_pixel(4, 4, Rgb([value; 3]));
        let format = match name.to_lowercase().ends_with("jpeg") {
            true => "png", // decoders go by the content
            false => name.rsplit('.').next().unwrap(),
        };
        let format = image::ImageFormat::from_extension(format).unwrap();
        image.save_with_format(path, format).unwrap();
    }
}

/// Images `CLASS/INNER0.png` and so on.
fn classes(root: &Path, classes: &[&str], inner: &str, each: usize) {
    let names: Vec<String> = classes
        .iter()
        .flat_map(|class| (0..each).map(move |place| format!("{class}/{inner}{place}.png")))
        .collect();
    images(root, &names.iter().map(String::as_str).collect::<Vec<_>>());
}

fn load_with(path: &Path, labels: Option<&str>) -> Result<DataSet, DataError> {
    let load = |storage| {
        Source::Folder(path.to_owned()).load(
            &LoadOptions::default()
                .with_image_size(Some(4))
                .with_labels(labels.map(PathBuf::from))
                .with_storage(storage),
        )
    };
    let (memory, files) = (load(Storage::Memory), load(Storage::Files));
    match (&memory, &files) {
        (Ok(memory), Ok(files)) => {
            assert_eq!(memory.class_names, files.class_names);
            for (one, other) in [(&memory.train, &files.train), (&memory.test, &files.test)] {
                assert_eq!(one.labels(), other.labels());
            }
            assert_eq!(memory.reading, files.reading);
            assert_eq!(memory.content, files.content);
        }
        (Err(memory), Err(files)) => assert_eq!(memory.to_string(), files.to_string()),
        _ => panic!("{memory:?} {files:?}"),
    }
    if let Err(error) = &files {
        let (text, hint) = (error.to_string(), error.hint().unwrap_or_default());
        let shown = text.replace(&*path.to_string_lossy(), "");
        assert!(shown.chars().count() <= 300, "{shown}");
        for word in ["delete", "remove", "take it away"] {
            assert!(!hint.contains(word), "{hint}");
        }
    }
    files
}

fn load(path: &Path) -> Result<DataSet, DataError> {
    load_with(path, None)
}

/// Asserts that a folder is refused with these words.
#[track_caller]
fn refused(path: &Path, words: &str) -> DataError {
    let error = load(path).unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    error
}

/// The class of each image of a part, by its path in the folder.
fn labels(data: &DataSet, store: &ImageStore, root: &Path) -> BTreeMap<String, String> {
    let ImageStore::Files(files) = store else {
        panic!("not in files");
    };
    let paths = files.paths().iter().map(|path| {
        let path = path.strip_prefix(root).unwrap_or(path);
        path.to_string_lossy().into_owned()
    });
    let names = store
        .labels()
        .iter()
        .map(|&label| data.class_names[label as usize].clone());
    paths.zip(names).collect()
}

fn said(data: &DataSet, words: &str) {
    let all = [data.reading.notes.as_slice(), &data.reading.warnings].concat();
    assert!(
        all.iter().any(|line| line.contains(words)),
        "{words}: {all:?}"
    );
}

#[test]
fn usual_folder_gives_no_messages() {
    let root = TempDir::new().unwrap();
    classes(root.path(), &["0", "1", "10"], "", 3);
    for name in [
        "__MACOSX/cat/1.png",
        ".cache/1.png",
        ".Trash-1000/files/1.png",
        ".hidden/notes.txt",
        "0/.DS_Store",
        "0/._1.png",
    ] {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let data = load(root.path()).unwrap();
    assert_eq!(data.class_names, ["0", "1", "10"]);
    assert_eq!(data.reading, data::Reading::default());
    assert!(data.passed_over.is_empty());
    assert!(data.test_is_split_off);
}

#[test]
fn enclosing_folders_are_skipped() {
    for (outer, test) in [
        ("dataset", None),
        ("a/b/c", None),
        ("photos/train", Some("photos/test")),
        ("train/train", Some("test/test")),
        ("train/train", Some("val")),
        ("x/train/train", Some("x/validation/validation")),
        ("training_set/training_set", Some("test_set/test_set")),
        ("seg_train/seg_train", Some("seg_test/seg_test")),
        ("Training", Some("Testing")),
        ("train", Some("testing")),
        ("train/train", None),
        ("train/train", Some("train/val")),
    ] {
        let root = TempDir::new().unwrap();
        classes(&root.path().join(outer), &["cat", "dog"], "", 3);
        fs::write(root.path().join("readme.txt"), "").unwrap();
        if let Some(test) = test {
            classes(&root.path().join(test), &["dog"], "", 1);
        }
        let data = load(root.path()).unwrap_or_else(|error| panic!("{outer}: {error}"));
        assert_eq!(data.class_names, ["cat", "dog"], "{outer}");
        assert_eq!(
            data.train.len() + data.test.len(),
            6 + usize::from(test.is_some())
        );
        assert_eq!(data.test_is_split_off, test.is_none(), "{outer}");
        if test.is_some() {
            assert_eq!(data.test.labels(), [1], "{outer}");
        }
        assert!(!data.reading.notes.is_empty(), "{outer}");
    }
}

#[test]
fn nested_images_in_classes_are_read() {
    let root = TempDir::new().unwrap();
    classes(&root.path().join("train"), &["n01", "n02"], "images/", 3);
    fs::write(root.path().join("train/n01/n01_boxes.txt"), "").unwrap();
    classes(&root.path().join("val"), &["n02"], "images/", 1);
    let data = load(root.path()).unwrap();
    assert_eq!(data.class_names, ["n01", "n02"]);
    assert_eq!((data.train.len(), data.test.labels()), (6, &[1][..]));
    said(&data, "from the folder `images` in each class folder");

    // Masks are no images of the class.
    let root = TempDir::new().unwrap();
    classes(root.path(), &["ill", "well"], "images/", 3);
    classes(root.path(), &["ill", "well"], "masks/", 3);
    let data = load(root.path()).unwrap();
    assert_eq!(data.train.len() + data.test.len(), 6);
    assert_eq!(data.passed_over.folders, 2);
    said(&data, "from the folder `images` in each class folder");

    // One of two folders has no images.
    let root = TempDir::new().unwrap();
    classes(root.path(), &["cat", "dog"], "a/b/", 3);
    fs::create_dir(root.path().join("cat/boxes")).unwrap();
    fs::write(root.path().join("cat/boxes/1.xml"), "").unwrap();
    assert_eq!(load(root.path()).unwrap().class_names, ["cat", "dog"]);
}

#[test]
fn ambiguous_folders_are_rejected_with_findings() {
    for names in [
        // Two sets of classes.
        &[
            "2020/cat/1.png",
            "2020/dog/1.png",
            "2021/cat/1.png",
            "2021/dog/1.png",
        ][..],
        // Classes of classes.
        &[
            "animal/cat/1.png",
            "animal/dog/1.png",
            "plant/fern/1.png",
            "plant/rose/1.png",
        ],
        &["a/cat/1.png", "b/cat/1.png", "c/dog/1.png"],
    ] {
        let root = TempDir::new().unwrap();
        images(root.path(), names);
        let error = refused(root.path(), "`cat`");
        assert!(matches!(error, DataError::AmbiguousLayout { .. }));
        assert!(error.hint().unwrap().contains("--labels"));
    }

    let root = TempDir::new().unwrap();
    images(root.path(), &["1.png", "2.png"]);
    fs::write(root.path().join("labels.csv"), "1.png,cat\n2.png,dog").unwrap();
    let error = refused(root.path(), "found 2 images and 1 other file");
    assert!(matches!(error, DataError::NoClassFolders { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--labels"));

    let root = TempDir::new().unwrap();
    images(root.path(), &["images/1.png", "images/2.png"]);
    fs::create_dir(root.path().join("annotations")).unwrap();
    let error = load(root.path()).unwrap_err();
    assert!(matches!(error, DataError::OneClass { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--labels"));

    let root = TempDir::new().unwrap();
    classes(root.path(), &["cat", "dog"], "", 3);
    fs::create_dir(root.path().join("notes")).unwrap();
    let error = refused(root.path(), "found nothing");
    assert!(matches!(error, DataError::EmptyClass { .. }), "{error}");
}

#[test]
fn nested_copy_of_set_is_skipped() {
    let root = TempDir::new().unwrap();
    let set = root.path().join("cells");
    for folder in [set.clone(), set.join("cells")] {
        classes(&folder, &["ill", "well"], "", 3);
    }
    let data = load(&set).unwrap();
    assert_eq!(data.class_names, ["ill", "well"]);
    assert_eq!(data.train.len() + data.test.len(), 6);
    said(&data, "second copy");
    fs::remove_file(set.join("cells/ill/1.png")).unwrap();
    assert!(load(&set).is_err());
}

#[test]
fn flat_validation_images_get_labels_from_table() {
    let tiny = "0.JPEG\tn02\t0\t32\t44\t62\n1.JPEG\tn01\t57\t1\t2\t3\n2.JPEG\tn02\t4\t0\t6\t55\n";
    let boxes =
        "ImageId,PredictionString\n2,n02 85 1 499 272\n0,n02 1 2 3 4 n02 5 6 7 8 \n1,n01 1 2 3 4\n";
    let plain = "0.JPEG n02\n1.JPEG n01\n2.JPEG n02\n";
    for (inner, file, text) in [
        ("images/", "val/val_annotations.txt", tiny),
        ("", "LOC_val_solution.csv", boxes),
        ("", "val/labels.csv", boxes),
        ("images/", "val.txt", plain),
        (
            "",
            "val_labels.csv",
            "file;label\n0.jpeg;N02\n1.jpeg;n01\n2.jpeg;n02\n",
        ),
    ] {
        let root = TempDir::new().unwrap();
        let path = root.path();
        classes(&path.join("train"), &["n01", "n02"], "images/", 3);
        let names = [0, 1, 2].map(|place| format!("val/{inner}{place}.JPEG"));
        images(path, &names.each_ref().map(String::as_str));
        images(
            path,
            &["test/images/test_0.JPEG", "test/images/test_1.JPEG"],
        );
        fs::write(path.join(file), text).unwrap();
        fs::write(path.join("train.txt"), "train/n01/images/0.png n01").unwrap();
        let data = load(path).unwrap_or_else(|error| panic!("{file}: {error}"));
        let expected = [(0, "n02"), (1, "n01"), (2, "n02")];
        let expected = expected.map(|(place, class)| (names[place].clone(), class.to_owned()));
        assert_eq!(labels(&data, &data.test, path), expected.into(), "{file}");
        assert_eq!(data.train.len(), 6);
        said(&data, "have their labels from ");
        said(&data, &format!(" of `{file}`"));
        said(&data, "no labels and are skipped");
    }
}

#[test]
fn label_column_is_distinguished_from_similar_ones() {
    let root = TempDir::new().unwrap();
    let path = root.path();
    classes(&path.join("train"), &["0", "1"], "", 3);
    images(path, &["val/a.png", "val/b.png", "val/c.png"]);
    let write = |text: &str| fs::write(path.join("val/labels.csv"), text).unwrap();
    write("file,fold,label\na.png,0,1\nb.png,0,0\nc.png,1,1\n");
    let data = load(path).unwrap();
    let expected = [("a", "1"), ("b", "0"), ("c", "1")];
    let expected = expected.map(|(file, class)| (format!("val/{file}.png"), class.to_owned()));
    assert_eq!(labels(&data, &data.test, path), expected.into());
    said(&data, "labels from `label` of `val/labels.csv`");
    write("file,fold,kind\na.png,0,1\nb.png,0,0\nc.png,1,1\n");
    refused(path, "`fold` and `kind`");
    // Twice the same is no question.
    write("a.png,1,1\nb.png,0,0\nc.png,1,1\n");
    assert_eq!(load(path).unwrap().test.labels(), [0, 1, 1]);
}

#[test]
fn number_column_is_not_file_names() {
    let root = TempDir::new().unwrap();
    let path = root.path();
    images(path, &["0.png", "1.png", "2.png", "3.png"]);
    fs::write(
        path.join("labels.csv"),
        ",id,label\n0,2,cat\n1,3,cat\n2,0,dog\n3,1,dog\n",
    )
    .unwrap();
    let data = load_with(path, Some("labels.csv")).unwrap();
    let mut all = labels(&data, &data.train, path);
    all.extend(labels(&data, &data.test, path));
    let expected = [(0, "dog"), (1, "dog"), (2, "cat"), (3, "cat")];
    let expected = expected.map(|(place, class)| (format!("{place}.png"), class.to_owned()));
    assert_eq!(all, expected.into());
    said(&data, "their file names from `id`");
}

#[test]
fn flat_validation_images_without_labels_are_rejected() {
    for (file, text) in [
        ("val/notes.txt", "nothing of this kind"),
        ("val/val.txt", "0.png 65\n1.png 970\n2.png 230\n"),
        ("val/val.txt", "0.png n01\n"),
        (
            "val/val.txt",
            "0.png n01\n0.png n02\n1.png n01\n2.png n01\n",
        ),
        ("sample_submission.csv", "0.png,n01\n1.png,n01\n2.png,n01\n"),
    ] {
        let root = TempDir::new().unwrap();
        classes(&root.path().join("train"), &["n01", "n02"], "", 3);
        images(root.path(), &["val/0.png", "val/1.png", "val/2.png"]);
        fs::write(root.path().join(file), text).unwrap();
        let error = load(root.path()).unwrap_err();
        let is_ambiguous = matches!(error, DataError::AmbiguousLayout { .. });
        assert!(is_ambiguous, "{file}: {error}");
    }
    // Two files that say different things.
    let root = TempDir::new().unwrap();
    classes(&root.path().join("train"), &["n01", "n02"], "", 3);
    images(root.path(), &["val/0.png", "val/1.png"]);
    fs::write(root.path().join("val/a.txt"), "0.png n01\n1.png n02\n").unwrap();
    fs::write(root.path().join("val/b.txt"), "0.png n02\n1.png n02\n").unwrap();
    refused(root.path(), "differ");
}

#[test]
fn names_differing_in_case_or_form_match_or_are_rejected() {
    for [train, val] in [
        ["Cat", "cat"],
        ["caf\u{e9}", "cafe\u{301}"],
        ["\u{212b}", "\u{c5}"],
    ] {
        let root = TempDir::new().unwrap();
        classes(&root.path().join("train"), &[train, "dog"], "", 3);
        classes(&root.path().join("val"), &[val, "dog"], "", 2);
        let data = load(root.path()).unwrap();
        let label = data.class_names.iter().position(|name| name == train);
        let labels = data.test.labels().iter();
        assert_eq!(
            labels
                .filter(|&&other| Some(other as usize) == label)
                .count(),
            2
        );
        assert_eq!(data.class_names.len(), 2);
        said(&data, "is read as the class");
    }
    let root = TempDir::new().unwrap();
    classes(&root.path().join("train"), &["Cat", "dog"], "", 3);
    classes(&root.path().join("val"), &["Cat", "cat"], "", 2);
    refused(root.path(), "both stand for the training class `Cat`");

    let root = TempDir::new().unwrap();
    classes(&root.path().join("train"), &["A", "a"], "", 3);
    classes(&root.path().join("val"), &["a", "A"], "", 1);
    let data = load(root.path()).unwrap();
    assert_eq!(
        (data.class_names.len(), data.test.labels()),
        (2, &[0, 1][..])
    );
    said(&data, "differ only in case");

    let root = TempDir::new().unwrap();
    classes(root.path(), &["caf\u{e9}", "cafe\u{301}"], "", 3);
    refused(root.path(), "look the same");
}

#[cfg(unix)]
#[test]
fn non_utf8_class_names_stay_distinct() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let root = TempDir::new().unwrap();
    for part in ["train", "test"] {
        for name in [b"caf\xe8", b"caf\xe9"] {
            let class = root.path().join(part).join(OsStr::from_bytes(name));
            classes(&class, &["."], "", 3);
        }
    }
    let data = load(root.path()).unwrap();
    assert_eq!(data.class_names, ["caf\\xE8", "caf\\xE9"]);
    assert_eq!(data.train.labels(), [0, 0, 0, 1, 1, 1]);
    assert_eq!(data.test.labels(), [0, 0, 0, 1, 1, 1]);
}

#[cfg(unix)]
#[test]
fn class_folders_may_be_links_without_cycles() {
    use std::os::unix::fs::symlink;
    let root = TempDir::new().unwrap();
    classes(&root.path().join("far"), &["cats", "dogs"], "", 3);
    let photos = root.path().join("photos");
    fs::create_dir(&photos).unwrap();
    symlink("../far/cats", photos.join("cat")).unwrap();
    symlink(root.path().join("far/dogs"), photos.join("dog")).unwrap();
    symlink(".", photos.join("self")).unwrap();
    symlink("..", photos.join("above")).unwrap();
    symlink("nowhere", photos.join("gone")).unwrap();
    assert_eq!(load(&photos).unwrap().class_names, ["cat", "dog"]);
}

#[test]
fn images_next_to_class_folders_are_reported() {
    let root = TempDir::new().unwrap();
    classes(root.path(), &["cat", "dog"], "", 3);
    images(root.path(), &["stray.png"]);
    let data = load(root.path()).unwrap();
    said(&data, "1 image beside its class folders");
}

#[test]
fn table_gives_labels() {
    for (text, name) in [
        ("1.png,cat\n2.png,dog\n3.png,cat\n4.png,dog\n", "labels.csv"),
        (
            "file;label\n1.png;cat\n2.png;dog\n3.png;cat\n4.png;dog\n",
            "labels.csv",
        ),
        (
            "Label\tImage ID\ncat\t1\ndog\t2\ncat\t3\ndog\t4\n",
            "labels.tsv",
        ),
        (
            "images/1.png cat\nimages/2.png dog\nimages/3.png cat\nimages/4.png dog\n",
            "labels.txt",
        ),
        (
            "id,breed,age\n1,cat,3\n2,dog,4\n3,cat,5\n4,dog,6\n",
            "labels.csv",
        ),
        (
            "1.png,cat\n1.png,cat\n2.png,dog\n3.png,cat\n4.png,dog\n",
            "labels.csv",
        ),
    ] {
        let root = TempDir::new().unwrap();
        images(
            &root.path().join("images"),
            &["1.png", "2.png", "3.png", "4.png"],
        );
        let table = root.path().join(name);
        fs::write(&table, text).unwrap();
        // By its own path, and by its name in the folder.
        for labels_at in [table.to_str().unwrap(), name] {
            let data = load_with(root.path(), Some(labels_at))
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(data.class_names, ["cat", "dog"], "{text}");
            let mut all = labels(&data, &data.train, root.path());
            all.extend(labels(&data, &data.test, root.path()));
            let expected = [(1, "cat"), (2, "dog"), (3, "cat"), (4, "dog")];
            let expected =
                expected.map(|(place, class)| (format!("images/{place}.png"), class.to_owned()));
            assert_eq!(all, expected.into(), "{text}");
            said(&data, "labels of 4 images are from");
        }
        // A folder that the rows do not start from.
        assert!(
            load_with(&root.path().join("images"), table.to_str()).is_ok(),
            "{text}"
        );
    }
}

#[test]
fn table_may_give_parts() {
    let rows = "file,label,split\n1.png,cat,train\n2.png,dog,Train\n3.png,cat,TEST\n4.png,dog,val\n5.png,dog,test\n";
    let bare = rows.split_once('\n').unwrap().1;
    for text in [rows, bare] {
        let root = TempDir::new().unwrap();
        images(
            root.path(),
            &["1.png", "2.png", "3.png", "4.png", "5.png", "6.png"],
        );
        fs::write(root.path().join("labels.csv"), text).unwrap();
        let data = load_with(root.path(), Some("labels.csv")).unwrap();
        assert_eq!(data.train.labels(), [0, 1]);
        assert_eq!(data.validation.as_ref().unwrap().labels(), [1]);
        assert_eq!(data.test.labels(), [0, 1]);
        assert!(!data.test_is_split_off);
        said(&data, "1 of 6 images have no label");
    }
    let root = TempDir::new().unwrap();
    images(root.path(), &["train/1.png", "train/2.png", "test/1.png"]);
    fs::write(
        root.path().join("l.csv"),
        "train/1.png,a\ntrain/2.png,b\ntest/1.png,b\n",
    )
    .unwrap();
    let data = load_with(root.path(), Some("l.csv")).unwrap();
    assert_eq!(
        (data.train.labels(), data.test.labels()),
        (&[0, 1][..], &[1][..])
    );
    said(&data, "parts by folder");
}

#[test]
fn ambiguous_tables_are_rejected() {
    let root = TempDir::new().unwrap();
    let path = root.path();
    images(
        path,
        &["1.png", "2.png", "3.png", "4.png", "a/5.png", "b/5.png"],
    );
    let long = format!("1.png,{}\n2.png,b\n", "x".repeat(1000));
    for (text, words) in [
        ("", "no row names an image"),
        ("no,such\nfiles,here\n", "no row names an image"),
        ("1.png,cat\n2.png,\n", "line 2 has no label"),
        (
            "1.png,cat\n1.png,dog\n2.png,dog\n",
            "lines 1 and 2 disagree about",
        ),
        ("1.png,cat\n2.png,cat\n", "a single class"),
        ("1.png,cat\n2.png,dog\n", "single image"),
        (
            "1.png,a,b\n2.png,c,d\n",
            "several columns that may be labels (column 2, column 3)",
        ),
        (
            "file,left,right\n1.png,a,b\n2.png,c,d\n",
            "(`left`, `right`)",
        ),
        (
            "file,label,split\n1.png,a,train\n2.png,b,maybe\n",
            "line 3 has `maybe`",
        ),
        (
            "file,label,split\n1.png,a,train\n2.png,b,test\n",
            "no row of the training part has the class `b`",
        ),
        (
            "1.png,cat\n2.png,dog\n9.png,dog\n",
            "1 of 3 rows name missing files",
        ),
        ("1.png,cat\n5.png,dog\n", "several files have that name"),
        (
            "1.png,cat\n2.png,Cat \u{200b}\n3.png,cat\u{200b}\n",
            "look the same",
        ),
        ("1.png,cat\n2.png,\u{200b}\n", "no visible character"),
        (long.as_str(), "1000 bytes"),
    ] {
        fs::write(path.join("labels.csv"), text).unwrap();
        let error = load_with(path, Some("labels.csv")).unwrap_err();
        assert!(error.to_string().contains(words), "{text}: {error}");
        assert!(error.to_string().contains("labels.csv"), "{error}");
        assert!(error.hint().is_some());
    }
    fs::write(path.join("labels.csv"), b"1.png,caf\xe8\n2.png,caf\xe9\n").unwrap();
    let error = load_with(path, Some("labels.csv")).unwrap_err().to_string();
    assert!(error.contains("line 1 is not valid UTF-8"), "{error}");
    let error = load_with(path, Some("none.csv")).unwrap_err().to_string();
    assert!(
        error.contains("no such file") && !error.contains("os error"),
        "{error}"
    );
}

#[test]
fn archive_is_read_like_a_folder() {
    let root = TempDir::new().unwrap();
    let photos = root.path().join("photos");
    classes(&photos, &["cat", "dog"], "images/", 3);
    let pack = |name: &str, folder: &str, images: &Path| {
        let archive = root.path().join(name);
        let mut tar = tar::Builder::new(fs::File::create(&archive).unwrap());
        tar.append_dir_all(folder, images).unwrap();
        tar.finish().unwrap();
        archive
    };
    let archive = pack("photos.tar", "photos", &photos);
    let options = LoadOptions::default()
        .with_data_dir(Some(root.path().join("cache")))
        .with_image_size(Some(4));
    let source: Source = format!("folder:{}", archive.display()).parse().unwrap();
    let data = source.load(&options).unwrap();
    assert_eq!(data.class_names, ["cat", "dog"]);
    assert_eq!(data.name, source.to_string());
    assert_eq!(data.content, load(&photos).unwrap().content);
    said(&data, "`photos.tar` holds images only in `photos`");
    assert!(data.root.unwrap().starts_with(root.path().join("cache")));

    // The archive is named, and not the folder that it is unpacked into.
    let photos = root.path().join("flat");
    images(&photos, &["1.png", "2.png"]);
    let archive = pack("flat.tar", "", &photos);
    let error = Source::Folder(archive.clone()).load(&options).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&*archive.to_string_lossy()), "{text}");
    assert!(!text.contains("cache"), "{text}");

    // A folder that holds nothing but an archive.
    let outer = root.path().join("outer");
    fs::create_dir(&outer).unwrap();
    fs::copy(&archive, outer.join("flat.tar")).unwrap();
    let error = refused(&outer, "`flat.tar`");
    assert!(error.hint().unwrap().ends_with("outer/flat.tar"));
}

#[test]
fn class_may_be_named_like_a_part() {
    for names in [
        ["bus", "car", "train"],
        ["train_station", "dev_board", "cup"],
        ["bullet_train", "crash_test", "car"],
        ["test", "bus", "car"],
    ] {
        let root = TempDir::new().unwrap();
        classes(root.path(), &names, "images/", 3);
        classes(root.path(), &names, "masks/", 3);
        let data = load(root.path()).unwrap_or_else(|error| panic!("{names:?}: {error}"));
        let mut names = names.map(str::to_owned);
        names.sort();
        assert_eq!(data.class_names, names);
    }
    for folders in [
        // Images in `train` alone, beside `bus`.
        &["train", "test", "bus"][..],
        &["train/images", "test/images", "bus/images"],
        &["train/cat", "train/dog", "bus"],
        // These are no classes.
        &["train/images", "train/masks", "test/images", "test/masks"],
        &["images", "masks"],
    ] {
        let root = TempDir::new().unwrap();
        classes(root.path(), folders, "", 3);
        let error = load(root.path()).unwrap_err();
        assert!(
            matches!(error, DataError::AmbiguousLayout { .. }),
            "{folders:?}: {error}"
        );
    }
}

#[test]
fn images_next_to_parts_are_reported() {
    let root = TempDir::new().unwrap();
    let path = root.path();
    for part in ["train", "test"] {
        classes(&path.join(part), &["cat", "dog"], "", 3);
    }
    classes(path, &["extra/cat", "extra/dog", "cat"], "", 1);
    images(path, &["1.png"]);
    let data = load(path).unwrap();
    assert_eq!((data.train.len(), data.test.len()), (6, 6));
    said(&data, "`cat`, `extra` hold images and are skipped");
    said(&data, "holds 1 image beside its parts");
    classes(&path.join("training"), &["cat", "dog"], "", 1);
    let error = load(path).unwrap_err();
    assert!(matches!(error, DataError::AmbiguousParts { .. }), "{error}");

    // Parts whose folders lie in folders of the same name.
    let root = TempDir::new().unwrap();
    let path = root.path();
    classes(&path.join("seg_train/seg_train"), &["cat", "dog"], "", 3);
    classes(&path.join("seg_test/seg_test"), &["cat", "dog"], "", 1);
    images(path, &["seg_pred/seg_pred/1.png"]);
    let data = load(path).unwrap();
    assert_eq!((data.train.len(), data.test.len()), (6, 2));
    said(&data, "`seg_pred` holds images and is skipped");
}

#[test]
fn hidden_folders_with_images_are_reported() {
    let root = TempDir::new().unwrap();
    classes(root.path(), &["c", "java", ".net", ".git"], "", 3);
    let data = load(root.path()).unwrap();
    assert_eq!(data.class_names, ["c", "java"]);
    said(&data, "`.net` of ");
    assert_eq!(data.reading.warnings.len(), 1, "{:?}", data.reading);
}

#[test]
fn unsupported_formats_are_named() {
    let root = TempDir::new().unwrap();
    classes(root.path(), &["cat"], "", 3);
    let dog = root.path().join("dog");
    fs::create_dir(&dog).unwrap();
    for name in ["1.heic", "2.heic"] {
        fs::write(dog.join(name), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
    }
    let error = refused(root.path(), "HEIC");
    assert!(error.hint().unwrap().contains("magick"), "{error}");
}

#[test]
fn error_names_folder_of_classes() {
    let root = TempDir::new().unwrap();
    let path = root.path();
    classes(path, &["a/cat", "a/dog", "b/cat", "b/dog"], "", 2);
    let hint = load(path).unwrap_err().hint().unwrap();
    assert!(
        hint.contains(&format!("folder:{}", path.join("a").display())),
        "{hint}"
    );
}
