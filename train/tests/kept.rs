//! Which epoch's network a run keeps, and what is said of it.

mod common;

use std::fs;
use std::path::Path;

use common::{
    SMALL, fails, format_of, history, image_folder, program, says, succeeds, test_accuracy, train,
};

#[test]
fn averaged_weights_are_scored_and_saved() {
    let runs = tempfile::tempdir().unwrap();
    let output = succeeds(
        train(runs.path())
            .args(SMALL)
            .args(["--name", "mine", "--epochs", "2", "--ema", "0.95"])
            .args(["--label-smoothing", "0.1", "--flip-test"]),
    );
    let epoch = output.lines().find(|line| line.starts_with("epoch 2"));
    assert!(epoch.unwrap().contains("  avg "), "{output}");
    assert!(output.contains("without averaging"), "{output}");

    let run = runs.path().join("mine");
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(run.join(name)).unwrap()).unwrap()
    };
    let accuracy = |name: &str| read(name)["accuracy"].as_f64().unwrap();
    assert!((100.0 * accuracy("test.json") - test_accuracy(&output)).abs() < 0.01);
    assert!(accuracy("raw/test.json") > 0.5);
    assert_eq!(
        read("model.json")["accuracy"]["test"].as_f64().unwrap(),
        accuracy("test.json")
    );
    let weights = |name: &str| fs::read(run.join(name)).unwrap();
    assert!(weights("model.safetensors") != weights("raw/model.safetensors"));

    let test = read("test.json");
    assert_eq!(test["images"], 1000);
    let confusion = test["confusion"].as_array().unwrap();
    let counted: u64 = confusion
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(counted, 1000);
    assert_eq!(test["classes"][9]["name"], "Ankle boot");
}

/// A checkpoint comes first: what it says is to be kept may not have been, where the run was killed.
#[test]
fn killed_run_keeps_its_best_model_after_resume() {
    const FILES: [&str; 4] = [
        "model.safetensors",
        "model.json",
        "test.json",
        "raw/model.safetensors",
    ];
    let runs = tempfile::tempdir().unwrap();
    let settings = ["--name", "mine", "--epochs", "1", "--ema", "0.9"];
    let output = succeeds(train(runs.path()).args(SMALL).args(settings));
    let files = FILES.map(|name| runs.path().join("mine").join(name));
    let before: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    for path in &files {
        fs::remove_file(path).unwrap();
    }
    let resumed = succeeds(train(runs.path()).args(["--resume", "mine"]));
    assert_eq!(test_accuracy(&resumed), test_accuracy(&output));
    for (path, before) in files.iter().zip(before) {
        assert!(fs::read(path).unwrap() == before, "{}", path.display());
    }
}

/// Images of two classes for training and validation, so many of each class.
fn train_and_validation(root: &Path, [train, validation]: [usize; 2]) -> String {
    let photos = root.join("photos");
    fs::create_dir(&photos).unwrap();
    for (part, images) in [("train", train), ("val", validation), ("test", 2)] {
        fs::rename(image_folder(root, images), photos.join(part)).unwrap();
    }
    format!("folder:{}", photos.display())
}

#[test]
fn partial_score_saves_no_model() {
    // Those that cannot be read are the last, and more than one in a hundred.
    let root = tempfile::tempdir().unwrap();
    let data = train_and_validation(root.path(), [20, 8]);
    for number in [6, 7] {
        let name = format!("photos/val/red/{number}.{}", format_of(number));
        fs::write(root.path().join(name), "no image").unwrap();
    }
    let settings = "--storage files --image-size 16 --batch-size 2 --epochs 2 --name mine";
    let mut command = train(root.path());
    command.args(settings.split(' ')).args(["--data", &data]);
    fails(&mut command, 1, &["val/red", "hint:"]);
    let run = root.path().join("mine");
    assert!(history(&run).epochs.is_empty());
    assert!(!run.join("model.safetensors").exists());
}

#[test]
fn run_ends_if_no_scored_image_is_readable() {
    let root = tempfile::tempdir().unwrap();
    let data = train_and_validation(root.path(), [150, 1]);
    for class in ["red", "blue"] {
        let name = format!("photos/val/{class}/0.{}", format_of(0));
        fs::write(root.path().join(name), "no image").unwrap();
    }
    let settings = "--storage files --image-size 16 --batch-size 50 --epochs 2 --name mine";
    let mut command = train(root.path());
    command.args(settings.split(' ')).args(["--data", &data]);
    let words = ["none of the validation images", "can be read", "hint:"];
    fails(&mut command, 1, &words);
}

#[test]
fn run_ends_early_after_patience() {
    let runs = tempfile::tempdir().unwrap();
    // A rate this small changes no weight, and there are no norms with statistics.
    for keep in ["best", "last"] {
        let output = succeeds(
            train(runs.path())
                .args(["--name", keep, "--keep", keep, "--model", "digit"])
                .args(["--epochs", "9", "--patience", "1", "--batch-size", "64"])
                .args(["--lr", "1e-30", "--schedule", "constant"]),
        );
        let epochs = output.lines().filter(|line| line.starts_with("epoch "));
        assert_eq!(epochs.count(), 2, "{output}");
        let model = fs::read_to_string(runs.path().join(keep).join("model.json")).unwrap();
        let epoch = if keep == "best" { 1 } else { 2 };
        assert!(model.contains(&format!("\"epochs\": {epoch},")), "{model}");
        says(&output, &["no epoch was better than epoch 1"]);
        let history = history(&runs.path().join(keep));
        assert_eq!(history.kept().unwrap().epoch, epoch);
        assert!(
            history
                .messages
                .iter()
                .any(|message| message.text.contains("ended early"))
        );
        // There is none left for a resumed run either.
        let resumed = succeeds(train(runs.path()).args(["--resume", keep]));
        assert_eq!(test_accuracy(&resumed), test_accuracy(&output));
        assert!(resumed.contains("--patience"), "{resumed}");
    }
}

#[test]
fn scores_on_test_images_are_not_called_validation() {
    let runs = tempfile::tempdir().unwrap();
    let settings = "--validation 0 --epochs 2 --batch-size 500 --name mine";
    let output = succeeds(train(runs.path()).args(settings.split(' ')));
    assert!(output.contains("  test "), "{output}");
    let run = runs.path().join("mine");
    let history = history(&run);
    let images = history.started.as_ref().unwrap().images;
    assert_eq!(
        (images.train, images.validation, images.test),
        (6000, 0, 1000)
    );
    assert!(history.scores_on_test());
    assert_eq!(history.kept().unwrap().epoch, 2);
    let listed = about("runs", runs.path(), &["--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert!(
        listed[0]["accuracy"].is_null() && listed[0]["test_accuracy"].is_f64(),
        "{listed}"
    );
    assert_eq!(listed[0]["kept_epoch"], 2);
    let page = runs.path().join("mine.html");
    about(
        "report",
        runs.path(),
        &["mine", "--output", page.to_str().unwrap()],
    );
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("test, kept epoch 2") && !page.contains("best validation"));
}

/// What a command says about runs.
fn about(command: &str, runs: &Path, arguments: &[&str]) -> String {
    let mut program = program(runs, &[command, "--runs-dir"]);
    program.arg(runs).args(arguments);
    succeeds(&mut program)
}
