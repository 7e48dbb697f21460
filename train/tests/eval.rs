//! The real program evaluates real runs, weights and folders.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{SMALL, fails, offline, picture_folder, stderr, stdout, succeeds, train};
use data::{LoadOptions, PictureStore, Source, Storage};
use serde_json::Value;
use train::TrainConfig;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// `train eval` in a folder that has the runs in `runs`.
fn eval(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
    command.arg("eval").args(arguments).current_dir(folder);
    offline(&mut command, folder);
    command
}

#[test]
fn a_run_is_evaluated_as_it_was_tested_and_any_weights_likewise() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path().join("runs");
    let run = runs.join("mine");
    succeeds(
        train(&runs)
            .args(SMALL)
            .args(["--epochs", "1", "--ema", "0.9", "--name", "mine"]),
    );
    let eval = |arguments: &[&str]| eval(root.path(), arguments);

    let text = succeeds(&mut eval(&["mine"]));
    assert!(
        text.contains("1,000 test pictures of sample: accuracy "),
        "{text}"
    );
    assert!(text.contains("Ankle boot"), "{text}");
    let found = json(&run.join("eval-sample-test.json"));
    let test = json(&run.join("test.json"));
    for (key, value) in test.as_object().unwrap() {
        assert_eq!(&found[key], value, "{key}");
    }
    assert_eq!(found["split"], "test");

    // The newest run, in batches of another size; the weights beside the average.
    succeeds(&mut eval(&["--batch-size", "7", "--output", "small.json"]));
    let small = json(&root.path().join("small.json"));
    assert_eq!(small["confusion"], test["confusion"]);
    succeeds(&mut eval(&[
        "mine/raw", "--data", "sample", "--output", "raw.json",
    ]));
    let raw = json(&root.path().join("raw.json"));
    assert_eq!(raw["loss"], json(&run.join("raw/test.json"))["loss"]);

    // What was held back, of which the best epoch's accuracy is known, and what was not.
    let output = eval(&["mine", "--split", "validation", "--json"])
        .output()
        .unwrap();
    let validation: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(validation["pictures"], 600);
    let description = json(&run.join("model.json"));
    assert_eq!(
        validation["accuracy"],
        description["accuracy"]["validation"]
    );
    succeeds(&mut eval(&["mine", "--split", "train", "--flip-test"]));
    assert_eq!(json(&run.join("eval-sample-train.json"))["pictures"], 5400);

    // The same weights as a file for PyTorch.
    let mut convert = Command::new(env!("CARGO_BIN_EXE_train"));
    convert.args(["convert", "mine", "mine.safetensors"]);
    succeeds(convert.current_dir(&runs));
    succeeds(&mut eval(&[
        "--weights",
        "runs/mine.safetensors",
        "--data",
        "sample",
    ]));
    let file = json(&root.path().join("mine-eval-sample-test.json"));
    assert_eq!(file["confusion"], test["confusion"]);
}

#[test]
fn folders_are_matched_by_the_names_of_their_classes() {
    let root = tempfile::tempdir().unwrap();
    let pictures = picture_folder(root.path(), 40);
    let runs = root.path().join("runs");
    let data = format!("folder:{}", pictures.display());
    succeeds(
        train(&runs)
            .args(["--data", &data, "--name", "mine"])
            .args(["--image-size", "16", "--epochs", "3", "--batch-size", "8"]),
    );
    let eval = |arguments: &[&str]| eval(root.path(), arguments);
    succeeds(&mut eval(&["mine"]));
    let test = json(&runs.join("mine/test.json"));
    let found = json(&runs.join("mine/eval-pictures-test.json"));
    assert_eq!(found["confusion"], test["confusion"]);

    // A class fewer than the model knows, so that the numbers of the classes are others.
    let other = root.path().join("other");
    for class in ["red", "rust"] {
        fs::create_dir_all(other.join(class)).unwrap();
    }
    for number in 0..4 {
        let name = common::format_of(number);
        let file = format!("{number}.{name}");
        fs::copy(
            pictures.join("red").join(&file),
            other.join("red").join(&file),
        )
        .unwrap();
        fs::copy(
            pictures.join("red").join(&file),
            other.join("rust").join(&file),
        )
        .unwrap();
    }
    let data = format!("folder:{}", other.display());
    fails(
        &mut eval(&["mine", "--data", &data]),
        1,
        &["class `rust`", "hint:"],
    );
    fails(
        &mut eval(&["mine", "--data", "sample"]),
        1,
        &["1 channels", "takes 3"],
    );
    fails(&mut eval(&["nowhere"]), 1, &["nowhere"]);
    fails(&mut eval(&["--weights", "a.pth"]), 2, &["--data"]);
    fails(
        &mut eval(&["--split", "tests"]),
        2,
        &["train, validation, test"],
    );
}

#[test]
fn what_cannot_be_read_counts_neither_in_a_run_nor_in_its_evaluation() {
    let root = tempfile::tempdir().unwrap();
    let pictures = picture_folder(root.path(), 100);
    let config = TrainConfig::default();
    let whole = Source::Folder(pictures.clone())
        .load(&LoadOptions {
            storage: Storage::Files,
            seed: config.seed,
            ..LoadOptions::default()
        })
        .unwrap();
    let split = whole.split_training(config.validation, config.seed);
    let (_, validation) = split.unwrap();
    for (store, index) in [(&whole.train, validation[3]), (&whole.test, 4)] {
        let PictureStore::Files(files) = store else {
            panic!("{store:?}");
        };
        fs::write(&files.paths()[index], "no picture").unwrap();
    }
    for name in ["blue/a.gif", "red/b.gif", "red/notes.txt"] {
        fs::write(pictures.join(name), "").unwrap();
    }

    let runs = root.path().join("runs");
    let data = format!("folder:{}", pictures.display());
    for storage in ["memory", "files"] {
        let mut command = train(&runs);
        let output = command
            .args(["--data", &data, "--storage", storage, "--name", storage])
            .args(["--image-size", "16", "--epochs", "1", "--batch-size", "16"])
            .output()
            .unwrap();
        let said = stderr(&output);
        assert!(output.status.success(), "{said}");
        let warning = "warning: 3 files were passed over for their endings: .gif 2, .txt 1\n";
        assert!(said.contains(warning), "{said}");
        succeeds(&mut eval(root.path(), &[storage, "--split", "validation"]));
        let run = runs.join(storage);
        let found = json(&run.join("eval-pictures-validation.json"));
        assert_eq!(found["pictures"], validation.len() - 1, "{storage}");
        let description = json(&run.join("model.json"));
        assert_eq!(found["accuracy"], description["accuracy"]["validation"]);

        succeeds(&mut eval(root.path(), &[storage]));
        let found = json(&run.join("eval-pictures-test.json"));
        let test = json(&run.join("test.json"));
        assert_eq!(test["pictures"], whole.test.len() - 1, "{storage}");
        assert_eq!(found["confusion"], test["confusion"], "{storage}");
    }
}
