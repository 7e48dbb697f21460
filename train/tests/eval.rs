//! The real program evaluates real runs, weights and folders.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{
    fails, image_folder, program, says, stderr, stdout, succeeds, train, trained, trained_on,
};
use data::{ImageStore, LoadOptions, Source, Storage};
use serde_json::Value;
use train::TrainConfig;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// `train eval` in a folder that has the runs in `runs`.
fn eval(folder: &Path, arguments: &[&str]) -> Command {
    program(folder, &[&["eval"], arguments].concat())
}

#[test]
fn eval_matches_test_metrics_for_runs_and_weights() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path().join("runs");
    let run = runs.join("mine");
    trained(&runs, "mine", &["--ema", "0.9"]);
    let eval = |arguments: &[&str]| eval(root.path(), arguments);

    let text = succeeds(&mut eval(&["mine"]));
    says(&text, &["1,000 test images of sample: accuracy "]);
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
    succeeds(&mut eval(&["mine/raw", "--output", "raw.json"]));
    let raw = json(&root.path().join("raw.json"));
    assert_eq!(raw["loss"], json(&run.join("raw/test.json"))["loss"]);

    // What was held back, of which the best epoch's accuracy is known, and what was not.
    let output = eval(&["mine", "--split", "validation", "--json"])
        .output()
        .unwrap();
    let validation: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(validation["images"], 600);
    let description = json(&run.join("model.json"));
    assert_eq!(
        validation["accuracy"],
        description["accuracy"]["validation"]
    );
    let arguments = ["mine", "--split", "train"];
    succeeds(&mut eval(&arguments));
    succeeds(&mut eval(&[&arguments[..], &["--flip-test"]].concat()));
    let [train, mirrored] =
        ["", "-flip"].map(|flip| json(&run.join(format!("eval-sample-train{flip}.json"))));
    for (found, flip) in [(&train, false), (&mirrored, true)] {
        assert_eq!(found["images"], 5400);
        assert_eq!(found["flip_test"], flip);
        assert_eq!(found["seed"], 1);
        assert_eq!(found["validation"], 0.1);
        assert_eq!(found["classes_matched_by"], "name");
    }
    assert_ne!(train["loss"], mirrored["loss"]);
    let both = ["--flip-test", "--shift-test"];
    succeeds(&mut eval(&[&arguments[..], &both].concat()));
    let seen = json(&run.join("eval-sample-train-flip-shift.json"));
    assert_eq!(
        (&seen["flip_test"], &seen["shift_test"]),
        (&true.into(), &true.into())
    );
    assert_ne!(seen["loss"], mirrored["loss"]);

    // The same weights as a file for PyTorch.
    let mut convert = Command::new(env!("CARGO_BIN_EXE_train"));
    convert.args(["convert", "mine", "mine.safetensors"]);
    succeeds(convert.current_dir(&runs));
    let file = |path: &str, more: &[&str]| {
        let arguments = ["--weights", path, "--data", "sample"];
        let output = eval(&[&arguments[..], more].concat()).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        output
    };
    let before = fs::read_dir(root.path()).unwrap().count();
    file("runs/mine.safetensors", &[]);
    let after = fs::read_dir(root.path()).unwrap().count();
    assert_eq!(after, before, "a file was written without --output");
    let output = file("runs/mine.safetensors", &["--output", "mine.json"]);
    assert!(!stderr(&output).contains("normalized"), "{output:?}");
    let saved = json(&root.path().join("mine.json"));
    assert_eq!(saved["confusion"], test["confusion"]);

    // Weights of the same name, which do not say how images are normalized.
    fs::create_dir(root.path().join("other")).unwrap();
    let other = root.path().join("other/mine.safetensors");
    fs::copy(run.join("model.safetensors"), &other).unwrap();
    let output = file("other/mine.safetensors", &["--json"]);
    let said = stderr(&output);
    let words = ["mean 0.449 and standard deviation 0.226, those of ImageNet, averaged"];
    says(&said, &words);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["model"], "other/mine.safetensors");
}

#[test]
fn weight_flags_are_rejected_for_runs() {
    let root = tempfile::tempdir().unwrap();
    for flag in [["--model", "resnet14"], ["--resize", "40"]] {
        fails(&mut eval(root.path(), &flag), 2, &["--weights"]);
        let with_run = ["mine", flag[0], flag[1]];
        fails(&mut eval(root.path(), &with_run), 2, &[flag[0], "RUN"]);
    }
}

#[test]
fn eval_splits_folder_like_the_run() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 20);
    let runs = root.path().join("runs");
    let run = runs.join("mine");
    let data = format!("folder:{}", images.display());
    let seed = ["--seed", "2", "--ema", "0.9", "--validation", "0.25"];
    let settings = [&seed[..], &["--epochs", "1", "--batch-size", "8"]].concat();
    trained_on(&runs, &images, &settings);
    let output_of = |arguments: &[&str]| {
        let mut command = eval(root.path(), arguments);
        let output = command.args(["--output", "out.json"]).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        (stderr(&output), json(&root.path().join("out.json")))
    };
    for (arguments, tested) in [
        (&["mine/raw"][..], "raw/test.json"),
        (&["--weights", "runs/mine/model.safetensors"], "test.json"),
        (&["--weights", "runs/mine/raw"], "raw/test.json"),
    ] {
        let (said, found) = output_of(arguments);
        for (key, value) in json(&run.join(tested)).as_object().unwrap() {
            assert_eq!(&found[key], value, "{arguments:?}: {key}");
        }
        assert_eq!(found["seed"], 2);
        assert_eq!(found["validation"], 0.25);
        assert!(!said.contains("split by seed"), "{said}");
    }
    let held_back = ["--split", "validation"];
    let (_, validation) = output_of(&[&["mine/raw"][..], &held_back].concat());
    let description = json(&run.join("raw/model.json"));
    assert_eq!(
        validation["accuracy"],
        description["accuracy"]["validation"]
    );

    // Weights that know nothing of the run.
    let mut convert = Command::new(env!("CARGO_BIN_EXE_train"));
    convert.args(["convert", "mine", "mine.safetensors"]);
    succeeds(convert.current_dir(&runs));
    let foreign = ["--weights", "runs/mine.safetensors", "--data", &data];
    let with = |more: &[&str]| output_of(&[&foreign[..], more].concat());
    let (said, found) = with(&[]);
    says(&said, &["images are split by seed 1; --seed changes it"]);
    let test = json(&run.join("test.json"));
    assert_eq!(found["seed"], 1);
    assert_ne!(found["loss"], test["loss"]);
    let (said, found) = with(&["--seed", "2"]);
    assert!(!said.contains("split by seed"), "{said}");
    assert_eq!(found["loss"], test["loss"]);
    let half = ["--seed", "2", "--validation", "0.5"];
    let (_, found) = with(&[&half[..], &held_back].concat());
    assert_eq!(found["images"], 18);

    fails(&mut eval(root.path(), &foreign[..2]), 2, &["--data"]);
    let wrong = [&foreign[..], &["--validation", "0.9"]].concat();
    let words = ["'0.9' for '--validation <X>': must be 0, or 0.01 to 0.5"];
    fails(&mut eval(root.path(), &wrong), 2, &words);
    let words = ["model.json is missing", "or name another run\n"];
    fails(&mut eval(root.path(), &["images"]), 1, &words);
}

#[test]
fn non_images_are_named() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 60);
    trained_on(&root.path().join("runs"), &images, &["--epochs", "1"]);
    fs::write(images.join("red/torn.png"), "no image").unwrap();
    fs::write(images.join("red/notes.txt"), "no image either").unwrap();
    let arguments = ["mine", "--output", "out.json"];
    let output = eval(root.path(), &arguments).output().unwrap();
    let (said, found) = (stderr(&output), json(&root.path().join("out.json")));
    assert!(output.status.success() && said.contains(".txt 1"), "{said}");
    assert!(said.contains("1 of 121 images cannot be read"), "{said}");
    assert_eq!(found["passed_over"]["files"]["txt"], 1, "{found}");
    let torn = found["unreadable"][0].as_str().unwrap();
    says(torn, &["torn.png", "not an image"]);
    assert_eq!(found["unreadable"].as_array().unwrap().len(), 1);
}

/// A folder of two classes with blue and red images, the same for training and test.
fn classes(root: &Path, folder: &str, images: &Path, names: [&str; 2]) -> String {
    let folder = root.join(folder);
    for part in ["train", "test"] {
        for (class, from) in names.iter().zip(["blue", "red"]) {
            let class = folder.join(part).join(class);
            fs::create_dir_all(&class).unwrap();
            for number in 0..4 {
                let file = format!("{number}.{}", common::format_of(number));
                fs::copy(images.join(from).join(&file), class.join(&file)).unwrap();
            }
        }
    }
    format!("folder:{}", folder.display())
}

#[test]
fn classes_fall_back_to_position() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 40);
    let runs = root.path().join("runs");
    trained_on(&runs, &images, &["--epochs", "3", "--batch-size", "8"]);
    let data = |folder: &str, names| classes(root.path(), folder, &images, names);
    let eval = |data: &str| eval(root.path(), &["mine", "--data", data]);
    let found = |name: &str| json(&runs.join("mine").join(name));

    succeeds(&mut eval(&data("named", ["blue", "red"])));
    let named = found("eval-named-test.json");
    assert_eq!(named["classes_matched_by"], "name");
    assert!(named["accuracy"].as_f64().unwrap() > 0.9, "{named}");
    for names in [["0", "1"], ["n01440764", "n01443537"], ["9", "10"]] {
        // The folders have the same name, and are not the same.
        let data = data(&format!("{}/numbered", names[0]), names);
        let output = eval(&data).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let said = stderr(&output);
        says(&said, &["classes are matched by position"]);
        assert!(!said.contains("split by seed"), "{said}");
    }
    for name in ["numbered-test", "numbered-test-2", "numbered-test-3"] {
        let numbered = found(&format!("eval-{name}.json"));
        assert_eq!(numbered["classes_matched_by"], "place");
        assert_eq!(numbered["classes"][0]["name"], "blue");
        assert_eq!(numbered["confusion"], named["confusion"]);
    }
    // The same once more takes its own place.
    let first = format!("folder:{}", root.path().join("0/numbered").display());
    succeeds(&mut eval(&first));
    let fourth = runs.join("mine/eval-numbered-test-4.json");
    assert!(!fourth.exists());

    let words = [
        "does not know `cat`, `dog`; it knows `blue`, `red`",
        "hint:",
    ];
    fails(&mut eval(&data("strange", ["cat", "dog"])), 1, &words);
}

#[test]
fn folders_are_matched_by_class_names() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 40);
    let runs = root.path().join("runs");
    trained_on(&runs, &images, &["--epochs", "3", "--batch-size", "8"]);
    let eval = |arguments: &[&str]| eval(root.path(), arguments);
    fs::create_dir(root.path().join("mine")).unwrap(); // no run, and not in the way of that in `runs`
    succeeds(&mut eval(&["mine"]));
    let test = json(&runs.join("mine/test.json"));
    let found = json(&runs.join("mine/eval-images-test.json"));
    assert_eq!(found["confusion"], test["confusion"]);

    // A class fewer than the model knows, so that the numbers of the classes are others.
    let other = root.path().join("other");
    for class in ["red", "rust"].map(|class| other.join(class)) {
        fs::create_dir_all(&class).unwrap();
        for number in 0..4 {
            let file = format!("{number}.{}", common::format_of(number));
            fs::copy(images.join("red").join(&file), class.join(&file)).unwrap();
        }
    }
    let data = format!("folder:{}", other.display());
    let words = ["does not know `rust`; it knows `blue`, `red`", "hint:"];
    fails(&mut eval(&["mine", "--data", &data]), 1, &words);
    let words = ["1 channels", "takes 3"];
    fails(&mut eval(&["mine", "--data", "sample"]), 1, &words);
    fails(&mut eval(&["nowhere"]), 1, &["nowhere"]);
    let words = ["nowhere.pth"];
    fails(&mut eval(&["--weights", "nowhere.pth"]), 1, &words);
    let lone = root.path().join("lone.safetensors");
    fs::copy(runs.join("mine/model.safetensors"), lone).unwrap();
    let words = ["--data"];
    fails(&mut eval(&["--weights", "lone.safetensors"]), 2, &words);
    let words = ["train, validation, test"];
    fails(&mut eval(&["--split", "tests"]), 2, &words);
}

#[test]
fn unreadable_images_count_neither_in_run_nor_in_eval() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 100);
    let config = TrainConfig::default();
    let whole = Source::Folder(images.clone())
        .load(
            &LoadOptions::default()
                .with_storage(Storage::Files)
                .with_seed(config.seed),
        )
        .unwrap();
    let split = whole.split_training(config.validation, config.seed);
    let (_, validation) = split.unwrap();
    for (store, index) in [(&whole.train, validation[3]), (&whole.test, 4)] {
        let ImageStore::Files(files) = store else {
            panic!("{store:?}");
        };
        fs::write(&files.paths()[index], "no image").unwrap();
    }
    for name in ["blue/a.svg", "red/b.svg", "red/notes.txt"] {
        fs::write(images.join(name), "").unwrap();
    }

    let runs = root.path().join("runs");
    let data = format!("folder:{}", images.display());
    for storage in ["memory", "files"] {
        let mut command = train(&runs);
        let output = command
            .args(["--data", &data, "--storage", storage, "--name", storage])
            .args(["--image-size", "16", "--epochs", "1", "--batch-size", "16"])
            .output()
            .unwrap();
        let said = stderr(&output);
        assert!(output.status.success(), "{said}");
        let warning = "warning: 3 files were skipped for their endings: .svg 2, .txt 1\n";
        assert!(said.contains(warning), "{said}");
        succeeds(&mut eval(root.path(), &[storage, "--split", "validation"]));
        let run = runs.join(storage);
        let found = json(&run.join("eval-images-validation.json"));
        assert_eq!(found["images"], validation.len() - 1, "{storage}");
        let description = json(&run.join("model.json"));
        assert_eq!(found["accuracy"], description["accuracy"]["validation"]);

        succeeds(&mut eval(root.path(), &[storage]));
        let found = json(&run.join("eval-images-test.json"));
        let test = json(&run.join("test.json"));
        assert_eq!(test["images"], whole.test.len() - 1, "{storage}");
        assert_eq!(found["confusion"], test["confusion"], "{storage}");
    }
}
