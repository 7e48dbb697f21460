//! `train data` of the real program.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{fails, program, says, stderr, stdout, succeeds};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

fn survey(folder: &Path, arguments: &[&str]) -> Command {
    program(folder, &[&["data"], arguments].concat())
}

#[test]
fn sample_is_described_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let text = succeeds(&mut survey(folder.path(), &["sample"]));
    let expected = "\
sample: 10 classes, images of 1x28x28

class        train   test
T-shirt/top    600    100
Trouser        600    100
Pullover       600    100
Dress          600    100
Coat           600    100
Sandal         600    100
Shirt          600    100
Sneaker        600    100
Bag            600    100
Ankle boot     600    100
total        6,000  1,000

brightness of training images, 0 to 1: mean 0.2869, standard deviation 0.3538

same pixels     images  of other class  first
twice in train       0               0
test in train        0               0
twice in test        0               0
";
    assert_eq!(text, expected);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// An image of one color.
fn save(path: PathBuf, color: [u8; 3]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_pixel(20, 16, Rgb(color)).save(path).unwrap();
}

/// Four training, two validation and three test images, some of them the same, one damaged.
fn folder(root: &Path) -> String {
    let images = root.join("images");
    for (name, color) in [
        ("train/cat/1.png", [10, 20, 30]),
        ("train/cat/2.bmp", [10, 20, 30]),
        ("train/dog/1.png", [200, 0, 0]),
        ("train/dog/2.png", [210, 220, 230]),
        ("val/cat/1.png", [1, 1, 1]),
        ("val/dog/1.png", [2, 2, 2]),
        ("test/cat/1.png", [200, 0, 0]),
        ("test/dog/1.png", [10, 20, 30]),
        ("test/dog/2.png", [2, 2, 2]),
    ] {
        save(images.join(name), color);
    }
    fs::write(images.join("train/dog/2.png"), "no image").unwrap();
    format!("folder:{}", images.display())
}

#[test]
fn folder_reports_duplicate_and_unreadable_images() {
    let root = tempfile::tempdir().unwrap();
    let data = folder(root.path());
    let text = succeeds(&mut survey(root.path(), &[&data, "--image-size", "8"]));
    let rest = text.strip_prefix(&data).unwrap();
    let broken = root.path().join("images/train/dog/2.png");
    let expected = format!(
        "\
: 2 classes, images of 3x8x8

class  train  validation  test
cat        2           1     1
dog        1           1     2
total      3           2     3

brightness of training images, 0 to 1: mean 0.2876 0.0523 0.0784, standard deviation 0.3512 0.0370 0.0555

same pixels          images  of other class  first
twice in train            1               0  train/cat/2.bmp = train/cat/1.png
validation in train       0               0
twice in validation       0               0
test in train             2               2  test/cat/1.png = train/dog/1.png, test/dog/1.png = train/cat/1.png
test in validation        1               0  test/dog/2.png = val/dog/1.png
twice in test             0               0

1 image cannot be read:
{} is not an image",
        broken.display()
    );
    assert!(rest.starts_with(&expected), "{text}");

    let json: Value =
        serde_json::from_str(&succeeds(&mut survey(root.path(), &[&data, "--json"]))).unwrap();
    assert_eq!(json["shape"], json!([3, 64, 64]));
    assert_eq!(
        json["parts"][2],
        json!({"name": "test", "images": 3, "classes": [1, 2]})
    );
    let in_train = &json["duplicates"][3];
    assert_eq!(in_train["parts"], json!(["train", "test"]));
    assert_eq!(in_train["first"][0]["indices"], json!([2, 0]));
    assert_eq!(json["unreadable"].as_array().unwrap().len(), 1);
}

#[test]
fn class_without_readable_image_has_empty_sheet_row() {
    let root = tempfile::tempdir().unwrap();
    let data = folder(root.path());
    let train = root.path().join("images/train");
    fs::write(train.join("dog/1.png"), "no image").unwrap();
    let arguments = [&data, "--image-size", "8", "--sheet", "s.png"];
    let text = succeeds(&mut survey(root.path(), &arguments));
    assert!(text.contains("2 images cannot be read:"), "{text}");
    let sheet = image::open(root.path().join("s.png")).unwrap().into_rgb8();
    // Eight times as large: two cats, and a row for dogs.
    assert_eq!(sheet.dimensions(), (4 + 68 + 68, 4 + 68 + 68));
    assert_eq!(sheet.get_pixel(8, 8).0, [10, 20, 30]);
    let is_white = |y: u32| (0..140).all(|x| sheet.get_pixel(x, y).0 == [255; 3]);
    assert!((72..140).all(is_white));

    // What cannot be drawn is no reason to say nothing of the rest.
    let output = survey(root.path(), &[&data, "--sheet", "missing/folder/a.png"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = stderr(&output);
    says(&said, &["cannot write missing/folder/a.png: "]);
    assert!(!said.contains(".writing"), "{said}");
    for name in ["a.jpg", "a"] {
        let arguments = [&data, "--sheet", name];
        let words = [name, "end in .png"];
        fails(&mut survey(root.path(), &arguments), 2, &words);
        assert!(!root.path().join(name).exists());
    }
    // The destination is checked before anything is computed.
    assert!(stdout(&output).is_empty(), "{output:?}");
}

#[cfg(unix)]
#[test]
fn names_are_escaped_and_other_files_are_counted() {
    let root = tempfile::tempdir().unwrap();
    let data = folder(root.path());
    let class = root.path().join("images/train/a\u{1b}[31mred");
    save(class.join("1.png"), [3, 3, 3]);
    fs::write(class.join("2.png"), "no image").unwrap();
    fs::write(class.join("b.x\u{1b}[2J"), "").unwrap();
    fs::create_dir(class.join("more")).unwrap();
    let text = succeeds(&mut survey(root.path(), &[&data]));
    assert!(!text.contains('\u{1b}'), "{text}");
    says(&text, &["a\\u{1b}[31mred/2.png is not an image"]);
    let counted = "\n1 file was skipped for its ending: .x\\u{1b}[2j 1; \
                   1 folder in a class folder was skipped\n";
    assert!(text.ends_with(counted), "{text}");
    let json = succeeds(&mut survey(root.path(), &[&data, "--json"]));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["passed_over"]["folders"], 1);

    fs::remove_file(class.join("1.png")).unwrap();
    fs::remove_file(class.join("2.png")).unwrap();
    let words = ["a\\u{1b}[31mred holds no images", "hint:"];
    let text = fails(&mut survey(root.path(), &[&data]), 1, &words);
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn sheet_shows_original_or_augmented_examples() {
    let root = tempfile::tempdir().unwrap();
    let sheet = |name: &str, arguments: &[&str]| {
        let more = ["sample", "--sheet", name, "--examples", "4"];
        let output = survey(root.path(), &[&more, arguments].concat())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stderr(&output).contains(&format!("sheet: {name}")));
        assert!(stdout(&output).starts_with("sample: 10 classes"));
        image::open(root.path().join(name)).unwrap().into_rgb8()
    };
    let plain = sheet("plain.png", &[]);
    // Images of 28 pixels twice as large, and 4 pixels around each.
    assert_eq!(plain.dimensions(), (4 * 60 + 4, 10 * 60 + 4));
    let row = |sheet: &RgbImage, from: u32| -> Vec<u8> {
        (0..56)
            .map(|x| sheet.get_pixel(from + x, 30).0[0])
            .collect()
    };
    assert!(row(&plain, 4).iter().any(|&value| value > 100));

    let flipped = sheet("flipped.png", &["--augmented", "--flip"]);
    let mut mirrored = 0;
    for left in [4, 64, 124, 184] {
        let (before, mut after) = (row(&plain, left), row(&flipped, left));
        if before != after {
            after.reverse();
            assert_eq!(before, after, "at {left}");
            mirrored += 1;
        }
    }
    assert!(mirrored > 0, "each has an even chance");

    let config_path = root.path().join("mine.toml");
    fs::write(
        &config_path,
        "seed = 7\nepochs = 3\n[augmentation]\nmixup = 1.0\n",
    )
    .unwrap();
    let config = config_path.to_str().unwrap();
    let mixed = sheet("mixed.png", &["--augmented", "--config", config]);
    assert_ne!(mixed, plain);
    assert_eq!(
        sheet("again.png", &["--augmented", "--config", config]),
        mixed
    );
    let other = ["--augmented", "--config", config, "--seed", "8"];
    assert_ne!(sheet("other.png", &other), mixed);
    // Around clothing on a black ground, the mean color is gray.
    fs::write(&config_path, "normalize = false").unwrap();
    let brightness = sheet(
        "black.png",
        &["--augmented", "--config", config, "--pad-crop", "8"],
    );
    fs::write(&config_path, "").unwrap();
    let normalized = sheet(
        "gray.png",
        &["--augmented", "--config", config, "--pad-crop", "8"],
    );
    assert_ne!(brightness, normalized);
    let recipe = sheet("recipe.png", &["--augmented", "--recipe", "mnist"]);
    assert!(recipe != plain && recipe != mixed);
}

#[test]
fn invalid_survey_arguments_are_wrong_usage() {
    let root = tempfile::tempdir().unwrap();
    let expect = |arguments: &[&str], code, words: &[&str]| {
        fails(&mut survey(root.path(), arguments), code, words);
    };
    expect(&["imagenet"], 2, &["unknown data source `imagenet`"]);
    expect(&["sample", "--examples", "3"], 2, &["--sheet"]);
    let augmented = ["sample", "--sheet", "a.png", "--augmented"];
    expect(&augmented, 2, &["--pad-crop", "--flip", "--config"]);
    let beyond = [&augmented[..], &["--pad-crop", "5000"]].concat();
    expect(&beyond, 2, &["5000", "4096"]);
    let words = ["'0' for '--image-size <N>': must be 1 to 4096"];
    expect(&["sample", "--image-size", "0"], 2, &words);
    expect(&["folder:nowhere"], 1, &["nowhere does not exist"]);
    expect(&["mnist"], 1, &["train-images-idx3-ubyte.gz", "hint: put "]);
    let no_place = ["sample", "--sheet", "missing/folder/a.png"];
    expect(&no_place, 1, &["cannot write missing/folder/a.png"]);
    fs::write(root.path().join("bad.toml"), "seed = true").unwrap();
    let bad = [&augmented[..], &["--config", "bad.toml"]].concat();
    expect(&bad, 1, &["bad.toml", "line 1"]);
}

#[test]
fn damaged_files_with_all_pixels_are_counted() {
    let root = tempfile::tempdir().unwrap();
    for class in ["day", "night"] {
        for number in 0..4_u8 {
            let path = root.path().join(format!("photos/{class}/{number}.png"));
            save(path, [number; 3]);
        }
    }
    let flawed = root.path().join("photos/night/2.png");
    let content = fs::read(&flawed).unwrap();
    fs::write(&flawed, &content[..content.len() - 12]).unwrap();
    let text = succeeds(&mut survey(root.path(), &["folder:photos"]));
    let expected = "\n1 image can be read from a damaged file:\nthe image photos/night/2.png is used, \
                    but its file is incomplete (all pixels are present)\n";
    assert!(text.contains(expected), "{text}");
    let text = succeeds(&mut survey(root.path(), &["folder:photos", "--json"]));
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["flawed"].as_array().unwrap().len(), 1);
    assert_eq!(found["unreadable"], json!([]));

    let limited = ["folder:photos", "--max-pixels", "319", "--json"];
    let output = survey(root.path(), &limited).output().unwrap();
    says(&stderr(&output), &["at most 319 pixels"]);
}
