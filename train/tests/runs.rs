//! The real program on real pictures: whole runs, resumed runs, interrupted runs.

mod common;

use std::fs;
use std::path::Path;

use common::{SMALL, fails, format_of, picture_folder, stderr, succeeds, test_accuracy, train};

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

#[test]
fn a_short_run_on_the_sample_learns_and_leaves_a_whole_folder() {
    let runs = tempfile::tempdir().unwrap();
    let output = succeeds(
        train(runs.path())
            .args(SMALL)
            .args(["--name", "mine", "--epochs", "2"]),
    );

    // Ten classes: guessing gives 10 %.
    assert!(test_accuracy(&output) > 60.0, "{output}");
    assert_eq!(
        output
            .lines()
            .filter(|line| line.starts_with("epoch "))
            .count(),
        2,
        "{output}"
    );
    let run = runs.path().join("mine");
    assert!(
        output
            .lines()
            .last()
            .unwrap()
            .ends_with(&format!("run {}", run.display()))
    );

    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    for key in [
        "data",
        "model",
        "epochs",
        "batch_size",
        "lr",
        "seed",
        "stem",
        "validation",
    ] {
        assert!(
            config.contains(&format!("{key} = ")),
            "no {key} in {config}"
        );
    }
    let description: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("model.json")).unwrap()).unwrap();
    assert_eq!(description["model"], "resnet8");
    assert_eq!(description["class_names"][9], "Ankle boot");
    assert_eq!(description["preprocessing"]["height"], 28);
    assert_eq!(description["trained_on"], "sample");
    let accuracy = description["accuracy"]["test"].as_f64().unwrap();
    assert!((100.0 * accuracy - test_accuracy(&output)).abs() < 0.01);
    assert_eq!(lines(&run.join("train/epoch-2/Loss.log")), 85);
    assert_eq!(lines(&run.join("valid/epoch-2/Accuracy.log")), 10);
    let leftovers: Vec<_> = fs::read_dir(&run)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[test]
fn a_run_on_a_folder_of_pictures() {
    let root = tempfile::tempdir().unwrap();
    let pictures = picture_folder(root.path(), 40);
    let runs = root.path().join("runs");
    let output = succeeds(
        train(&runs)
            .arg("--data")
            .arg(format!("folder:{}", pictures.display()))
            .args([
                "--image-size",
                "16",
                "--epochs",
                "4",
                "--batch-size",
                "8",
                "--name",
                "mine",
            ]),
    );
    assert!(test_accuracy(&output) >= 75.0, "{output}");
    let description: serde_json::Value =
        serde_json::from_slice(&fs::read(runs.join("mine/model.json")).unwrap()).unwrap();
    assert_eq!(
        description["class_names"],
        serde_json::json!(["blue", "red"])
    );
    assert_eq!(description["preprocessing"]["channels"], 3);
}

#[test]
fn pictures_that_cannot_be_read_are_named_and_logged() {
    let root = tempfile::tempdir().unwrap();
    let pictures = picture_folder(root.path(), 250);
    let bad = ["blue/1.jpg", "blue/4.png", "red/8.png", "red/9.jpg"];
    for name in bad {
        fs::write(pictures.join(name), "no picture").unwrap();
    }
    let runs = root.path().join("runs");
    let mut command = train(&runs);
    command
        .arg("--data")
        .arg(format!("folder:{}", pictures.display()))
        .args(["--image-size", "16", "--epochs", "1", "--name", "mine"]);
    let output = command.output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    let warnings: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 1, "{said}");
    assert!(
        warnings[0].starts_with("warning: 4 of 500 pictures cannot be read")
            && warnings[0].contains("red/8.png and 1 more"),
        "{said}"
    );
    let log = fs::read_to_string(runs.join("mine/experiment.log")).unwrap();
    for name in bad {
        assert_eq!(log.matches(name).count(), 1, "{log}");
    }
}

#[test]
fn a_finished_run_goes_on_to_more_epochs() {
    let runs = tempfile::tempdir().unwrap();
    succeeds(
        train(runs.path())
            .args(SMALL)
            .args(["--name", "mine", "--epochs", "1"]),
    );
    let output = succeeds(train(runs.path()).args(["--resume", "mine", "--epochs", "3"]));

    let epochs: Vec<_> = output
        .lines()
        .filter(|line| line.starts_with("epoch "))
        .collect();
    assert_eq!(epochs.len(), 2, "{output}");
    assert!(epochs[0].starts_with("epoch 2/3"), "{output}");
    for epoch in 1..=3 {
        let log = format!("mine/train/epoch-{epoch}/Loss.log");
        assert_eq!(lines(&runs.path().join(log)), 85, "epoch {epoch}");
        let log = format!("mine/valid/epoch-{epoch}/Loss.log");
        assert_eq!(lines(&runs.path().join(log)), 10, "epoch {epoch}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_saves_and_ends_like_one_that_was_not() {
    for optimizer in ["sgd", "adamw"] {
        let settings = ["--epochs", "2", "--seed", "5", "--optimizer", optimizer];
        interrupted_and_resumed(&[&SMALL[..], &settings].concat(), 85);
    }
}

#[cfg(unix)]
#[test]
fn so_does_one_that_opens_files_balances_classes_and_drops_the_last_step() {
    let root = tempfile::tempdir().unwrap();
    let pictures = picture_folder(root.path(), 640);
    // Half of a class, and a picture that another stands in for.
    for number in 0..320 {
        fs::remove_file(pictures.join(format!("red/{number}.{}", format_of(number)))).unwrap();
    }
    fs::write(pictures.join("blue/7.webp"), "no picture").unwrap();
    let data = format!("folder:{}", pictures.display());
    let config = root.path().join("config.toml");
    fs::write(
        &config,
        "[augmentation]\nflip = true\nresized_crop = {}\n[loader]\nbatches_ahead = 2\n",
    )
    .unwrap();
    let flags =
        "--epochs 2 --image-size 16 --storage files --balanced --drop-last --loader-threads 1";
    let settings: Vec<&str> = flags.split(' ').collect();
    // 640 and 320 pictures, of which 64 and 32 are for the test, and 58 and 29 for validation.
    let steps = (960 - 96 - 87) / 2;
    interrupted_and_resumed(
        &[
            &settings[..],
            &["--batch-size", "2", "--data", &data, "--config"],
            &[config.to_str().unwrap()],
        ]
        .concat(),
        steps,
    );
}

/// Asserts that a run with these settings, of so many steps in an epoch, leaves the same bytes with
/// and without an interruption.
#[cfg(unix)]
fn interrupted_and_resumed(settings: &[&str], steps_per_epoch: usize) {
    use std::time::{Duration, Instant};

    let runs = tempfile::tempdir().unwrap();
    succeeds(train(runs.path()).args(settings).args(["--name", "whole"]));

    let mut child = train(runs.path())
        .args(settings)
        .args(["--name", "parts"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let run = runs.path().join("parts");
    let started = Instant::now();
    while lines(&run.join("train/epoch-2/Loss.log")) < 5 {
        assert!(
            started.elapsed() < Duration::from_secs(300),
            "no second epoch"
        );
        assert!(child.try_wait().unwrap().is_none(), "ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));

    let state: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("checkpoint/latest.json")).unwrap()).unwrap();
    assert_eq!(state["epoch"], 2);
    let steps = state["steps_in_epoch"].as_u64().unwrap() as usize;
    assert!((5..steps_per_epoch).contains(&steps), "{state}");
    assert_eq!(lines(&run.join("train/epoch-2/Loss.log")), steps);

    // How many threads load has no say.
    succeeds(train(runs.path()).args(["--resume", "parts", "--loader-threads", "3"]));
    assert_eq!(lines(&run.join("train/epoch-2/Loss.log")), steps_per_epoch);
    for file in [
        "model.safetensors",
        "train/epoch-1/Loss.log",
        "train/epoch-2/Loss.log",
        "valid/epoch-2/Loss.log",
    ] {
        let [whole, parts] =
            ["whole", "parts"].map(|name| fs::read(runs.path().join(name).join(file)).unwrap());
        assert!(
            whole == parts,
            "{file} differs between a whole and a resumed run"
        );
    }
}

#[test]
fn a_taken_name_is_refused_and_untouched() {
    let runs = tempfile::tempdir().unwrap();
    let taken = runs.path().join("mine");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("precious"), "keep").unwrap();
    fails(
        train(runs.path()).args(["--name", "mine"]),
        1,
        &["not empty", "hint:"],
    );
    assert_eq!(fs::read_dir(&taken).unwrap().count(), 1);
}
