//! Runs go on with their images in another place, and data are found by what is meant.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{fails, format_of, image_folder, program, says, stderr, succeeds, train, trained_on};
use serde_json::Value;

const FAST: [&str; 6] = ["--batch-size", "8", "--epochs", "1", "--seed", "3"];

fn folder(path: &Path) -> String {
    format!("folder:{}", path.display())
}

fn state(runs: &Path) -> Value {
    let path = runs.join("mine/checkpoint/latest.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn resumed(runs: &Path, data: &str, epochs: &str) -> Command {
    let mut command = train(runs);
    command.args(["--resume", "mine", "--data", data, "--epochs", epochs]);
    command
}

fn config(runs: &Path) -> String {
    fs::read_to_string(runs.join("mine/config.toml")).unwrap()
}

/// Moves what a folder holds into a new one.
fn move_to(from: &Path, to: PathBuf) -> PathBuf {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(from, &to).unwrap();
    to
}

#[test]
fn run_resumes_with_moved_images() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path();
    for storage in ["memory", "files"] {
        let before = image_folder(runs, 12);
        let settings = [&FAST[..], &["--storage", storage]].concat();
        trained_on(runs, &before, &settings);
        let now = move_to(&before, runs.join("other place/photos"));
        let mut resume = train(runs);
        resume.args(["--resume", "mine", "--epochs", "2"]);
        let words = ["the images of this run are missing", "--data folder:PATH"];
        fails(&mut resume, 1, &words);
        succeeds(&mut resumed(runs, &folder(&now), "2"));
        assert!(config(runs).contains("other place"), "{}", config(runs));
        // From now on, it is found there, and one level deeper too.
        succeeds(train(runs).args(["--resume", "mine", "--epochs", "3"]));
        let deeper = move_to(&now, runs.join("wrapped/photos/dataset"));
        succeeds(&mut resumed(runs, &folder(deeper.parent().unwrap()), "4"));
        assert_eq!(state(runs)["history"].as_array().unwrap().len(), 4);
        for folder in ["mine", "wrapped"] {
            fs::remove_dir_all(runs.join(folder)).unwrap();
        }
    }
}

#[test]
fn different_images_at_new_path_are_rejected() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path();
    let before = image_folder(runs, 12);
    trained_on(runs, &before, &FAST);
    let saved = config(runs);
    let now = move_to(&before, runs.join("now"));
    let refused = |words: &[&str]| {
        fails(&mut resumed(runs, &folder(&now), "2"), 1, words);
        assert_eq!(config(runs), saved);
    };
    // One byte of one image, of the same size.
    let image = now.join(format!("red/5.{}", format_of(5)));
    let whole = fs::read(&image).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(&image, &changed).unwrap();
    refused(&["their files have different contents", "hint:"]);
    fs::write(&image, &whole).unwrap();
    // One image less, and another class.
    fs::rename(&image, runs.join("elsewhere")).unwrap();
    refused(&["images, and now there are"]);
    fs::rename(runs.join("elsewhere"), &image).unwrap();
    fs::rename(now.join("red"), now.join("pink")).unwrap();
    refused(&["their classes differ"]);
    fs::rename(now.join("pink"), now.join("red")).unwrap();
    let third = now.join("third");
    fs::create_dir(&third).unwrap();
    for number in 0..4 {
        fs::copy(&image, third.join(format!("{number}.{}", format_of(5)))).unwrap();
    }
    refused(&["the images of"]);
    fs::remove_dir_all(third).unwrap();
    // Data of another kind.
    let words = ["only its path can change"];
    fails(&mut resumed(runs, "sample", "2"), 2, &words);
    succeeds(&mut resumed(runs, &folder(&now), "2"));
}

#[test]
fn checkpoints_without_checksum_resume_at_same_path() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path();
    let before = image_folder(runs, 12);
    trained_on(runs, &before, &FAST);
    let mut old = state(runs);
    assert!(old["data"]["content"].is_string());
    old["data"].as_object_mut().unwrap().remove("content");
    // As a version that kept no checksums wrote it.
    old.as_object_mut().unwrap().remove("sha256");
    fs::write(runs.join("mine/checkpoint/latest.json"), old.to_string()).unwrap();
    let copy = runs.join("copy");
    let copied = Command::new("cp").arg("-r").args([&before, &copy]).status();
    assert!(copied.unwrap().success());
    let words = ["cannot tell whether", "at the old path"];
    fails(&mut resumed(runs, &folder(&copy), "2"), 1, &words);
    succeeds(train(runs).args(["--resume", "mine", "--epochs", "2"]));
    assert!(state(runs)["data"]["content"].is_string());
    succeeds(&mut resumed(runs, &folder(&copy), "3"));
}

#[test]
fn image_changed_in_place_gives_warning() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path();
    let data = image_folder(runs, 12);
    trained_on(runs, &data, &FAST);
    let other = fs::read(data.join("red/4.png")).unwrap();
    fs::write(data.join("red/0.png"), other).unwrap();
    let output = train(runs)
        .args(["--resume", "mine", "--epochs", "2"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stderr(&output);
    says(&text, &["warning: files of folder:", "have changed"]);
}

/// A flat folder of images and a table of their labels.
fn table(root: &Path) -> PathBuf {
    let classes = image_folder(root, 12);
    let flat = root.join("flat");
    fs::create_dir(&flat).unwrap();
    let mut text = "image,label,split\n".to_owned();
    for class in ["blue", "red"] {
        for number in 0..12 {
            let name = format!("{class}{number}.{}", format_of(number));
            let from = classes.join(format!("{class}/{number}.{}", format_of(number)));
            fs::rename(from, flat.join(&name)).unwrap();
            let split = ["train", "train", "val", "test"][number % 4];
            text += &format!("{name},{class},{split}\n");
        }
    }
    fs::write(flat.join("labels.csv"), text).unwrap();
    flat
}

#[test]
fn label_table_is_a_setting() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path();
    let flat = table(runs);
    let labels = flat.join("labels.csv").display().to_string();
    let mut start = train(runs);
    start
        .args(FAST)
        .args(["--name", "mine", "--image-size", "16"]);
    start.args(["--data", &folder(&flat), "--labels", &labels]);
    let output = start.output().unwrap();
    let text = stderr(&output);
    assert!(output.status.success(), "{text}");
    let words = [
        "layout: labels of 24 images are from `label` of `labels.csv`",
        "2 classes, 12 training, 6 validation and 6 test",
    ];
    says(&text, &words);
    assert!(config(runs).contains("labels = "), "{}", config(runs));

    // In train data, train eval and resumed runs; with the folder, its table moves.
    let flags = ["--labels", "labels.csv", "--json"];
    let mut survey = program(runs, &["data", &folder(&flat)]);
    let json: Value = serde_json::from_str(&succeeds(survey.args(flags))).unwrap();
    assert_eq!(json["class_names"], serde_json::json!(["blue", "red"]));
    assert!(
        json["reading"]["notes"][0]
            .as_str()
            .unwrap()
            .contains("24 images")
    );
    let mut eval = program(runs, &["eval", "--json"]);
    let json = succeeds(eval.arg(runs.join("mine")));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["images"], json["labels"].as_str()),
        (&Value::from(6), Some(labels.as_str()))
    );

    let now = move_to(&flat, runs.join("now"));
    succeeds(&mut resumed(runs, &folder(&now), "2"));
    assert!(config(runs).contains(&now.join("labels.csv").display().to_string()));
    let mut command = train(runs);
    command.args(["--data", "sample", "--labels", "labels.csv"]);
    let words = ["`labels` is set, but sample has labels of its own"];
    fails(&mut command, 2, &words);
}

#[test]
fn existing_names_are_suggested() {
    let root = tempfile::tempdir().unwrap();
    let photos = image_folder(root.path(), 4);
    fs::write(root.path().join("photos.zip"), "no archive").unwrap();
    let program = |arguments: &[&str]| program(root.path(), arguments);
    let absolute = photos.display().to_string();
    for name in ["images", "./images", "images/", &absolute, "photos.zip"] {
        let meant = format!("folder:{name}");
        fails(&mut program(&["data", name]), 2, &[&meant]);
        fails(&mut program(&["--data", name]), 2, &[&meant]);
        fails(&mut program(&["eval", "--data", name]), 2, &[&meant]);
    }
    let words = ["did you mean images?"];
    fails(&mut program(&["data", "folder:image"]), 1, &words);
    let words = ["did you mean `resnet20`?"];
    fails(&mut program(&["--model", "resnet21"]), 2, &words);

    // Where there are no runs yet, nothing speaks in numbers.
    let output = program(&["runs"]).output().unwrap();
    let text = stderr(&output);
    assert!(output.status.success(), "{text}");
    let program_path = env!("CARGO_BIN_EXE_train");
    let words = format!("there are no runs in runs yet: start one with `{program_path}`");
    says(&text, &[&words]);
    assert_eq!(succeeds(&mut program(&["runs", "--json"])).trim(), "[]");
    for arguments in [
        &["watch"][..],
        &["report"],
        &["export", "--csv", "out"],
        &["eval"],
        &["watch", "mine"],
        &["report", "mine"],
        &["--resume", "mine"],
        &["eval", "mine"],
        &["convert", "mine", "mine.safetensors"],
        &["--config", "mine.toml"],
        &["--weights", "mine.pth"],
        &["eval", "--weights", "mine.pth", "--data", "sample"],
        &["data", "folder:nowhere"],
        &["data", "folder:images", "--labels", "none.csv"],
        &["data", "folder:images", "--sheet", "nowhere/a.png"],
        &["runs", "--runs-dir", "photos.zip"],
        &["--runs-dir", "photos.zip"],
    ] {
        let output = program(arguments).output().unwrap();
        let text = stderr(&output);
        assert!(!output.status.success(), "{arguments:?}: {text}");
        assert!(!text.contains("os error"), "{arguments:?}: {text}");
    }
}
