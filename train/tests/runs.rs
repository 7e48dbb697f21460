//! The real program on real images: whole runs, resumed runs, interrupted runs.

mod common;

use std::fs;

use common::{
    SMALL, fails, history, image_folder, says, stderr, succeeds, test_accuracy, train, trained,
};
use events::{History, Lock, State};

#[test]
fn sample_run_learns_and_writes_complete_folder() {
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
    let keys = "data model epochs batch_size lr seed stem validation flip balanced";
    for key in keys.split(' ') {
        says(&config, &[&format!("{key} = ")]);
    }
    let description: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("model.json")).unwrap()).unwrap();
    assert_eq!(description["model"], "resnet8");
    assert_eq!(description["class_names"][9], "Ankle boot");
    assert_eq!(description["preprocessing"]["height"], 28);
    assert_eq!(description["trained_on"], "sample");
    let accuracy = description["accuracy"]["test"].as_f64().unwrap();
    assert!((100.0 * accuracy - test_accuracy(&output)).abs() < 0.01);
    tells_all(&history(&run), accuracy);
    let leftovers: Vec<_> = fs::read_dir(&run)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

/// Asserts that the events of such a run hold what there is to tell.
fn tells_all(history: &History, test_accuracy: f64) {
    let started = history.started.as_ref().unwrap();
    assert_eq!(
        (started.data.as_str(), started.model.as_str()),
        ("sample", "resnet8")
    );
    assert_eq!(started.classes[9], "Ankle boot");
    assert_eq!(started.images.test, 1000);
    assert_eq!(started.config["epochs"], 2);
    assert_eq!(started.command.last().map(String::as_str), Some("2"));
    assert!(started.device.starts_with("flex"));
    assert!(started.rates.len() > 100 && started.parameters > 70_000);
    assert_eq!(history.steps.steps(), (1..=2 * 85).collect::<Vec<u64>>());
    for name in ["accuracy", "loss", "rate"] {
        let figures = history.steps.figures(name).unwrap();
        assert!(figures.iter().all(|figure| figure.is_finite()), "{name}");
    }
    assert_eq!(history.epochs.len(), 2);
    for epoch in &history.epochs {
        let images: u64 = epoch.confusion.iter().map(|cell| cell.2).sum();
        let right = epoch
            .confusion
            .iter()
            .filter(|(class, likeliest, _)| class == likeliest);
        let right: u64 = right.map(|cell| cell.2).sum();
        assert_eq!(images, 600);
        let accuracy = epoch.validation.get("accuracy").unwrap();
        assert!((accuracy - right as f64 / 600.0).abs() < 1e-6);
        assert!(!epoch.mistakes.is_empty());
        for mistake in &epoch.mistakes {
            assert_ne!(mistake.class, mistake.likeliest);
            assert_eq!(
                (mistake.thumbnail.width(), mistake.thumbnail.channels()),
                (28, 1)
            );
        }
    }
    assert_eq!(history.checkpoints.len(), 2);
    assert!(!history.speeds.is_empty() && !history.systems.is_empty());
    let tested = history.tested.as_ref().unwrap();
    assert!((tested.metrics.get("accuracy").unwrap() - test_accuracy).abs() < 1e-6);
    assert_eq!(history.state(false), State::Finished);
    assert_eq!(history.damaged, 0);
}

#[test]
fn folder_run_trains() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 40);
    let runs = root.path().join("runs");
    let data = format!("folder:{}", images.display());
    let mut command = train(&runs);
    command.args(["--data", &data, "--name", "mine", "--image-size", "16"]);
    let output = succeeds(command.args(["--epochs", "4", "--batch-size", "8"]));
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
fn unreadable_images_are_named_and_logged() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 250);
    let bad = ["blue/1.jpg", "blue/4.png", "red/8.png", "red/9.jpg"];
    for name in bad {
        fs::write(images.join(name), "no image").unwrap();
    }
    // Without its end marker, but with all pixels.
    let flawed = images.join("blue/12.png");
    let content = fs::read(&flawed).unwrap();
    fs::write(&flawed, &content[..content.len() - 12]).unwrap();
    let runs = root.path().join("runs");
    let mut command = train(&runs);
    command
        .arg("--data")
        .arg(format!("folder:{}", images.display()))
        .args(["--image-size", "16", "--epochs", "1", "--name", "mine"]);
    let output = command.output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    let warnings: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 2, "{said}");
    assert!(
        warnings[1].starts_with("warning: 1 of 500 images are used although")
            && warnings[1].contains("blue/12.png"),
        "{said}"
    );
    assert!(
        warnings[0].starts_with("warning: 4 of 500 images cannot be read")
            && warnings[0].contains("red/8.png and 1 more"),
        "{said}"
    );
    let log = fs::read_to_string(runs.join("mine/experiment.log")).unwrap();
    for name in bad {
        assert_eq!(log.matches(name).count(), 1, "{log}");
        let history = history(&runs.join("mine"));
        let mut messages = history.messages.iter();
        assert!(
            messages.any(|message| message.text.contains(name)),
            "{name}"
        );
    }
}

#[test]
fn finished_run_resumes_with_more_epochs() {
    let runs = tempfile::tempdir().unwrap();
    trained(runs.path(), "mine", &[]);
    let output = succeeds(train(runs.path()).args(["--resume", "mine", "--epochs", "3"]));

    let epochs: Vec<_> = output
        .lines()
        .filter(|line| line.starts_with("epoch "))
        .collect();
    assert_eq!(epochs.len(), 2, "{output}");
    assert!(epochs[0].starts_with("epoch 2/3"), "{output}");
    let history = history(&runs.path().join("mine"));
    assert_eq!(history.step(), 3 * 85);
    assert_eq!(history.epochs.len(), 3);
    assert_eq!(history.sittings.len(), 2);
    let started = history.started.as_ref().unwrap();
    assert_eq!((started.epochs, &started.config["epochs"]), (3, &3.into()));

    // What is trained cannot be taken back, and the settings stay what they were.
    fails(
        train(runs.path()).args(["--resume", "mine", "--epochs", "2"]),
        1,
        &["must be at least 3", "--epochs 3"],
    );
    let config = fs::read_to_string(runs.path().join("mine/config.toml")).unwrap();
    assert!(config.contains("epochs = 3"), "{config}");
}

#[test]
fn run_is_locked_by_one_process() {
    let runs = tempfile::tempdir().unwrap();
    let run = trained(runs.path(), "mine", &[]);
    let config = fs::read(run.join("config.toml")).unwrap();
    let lock = Lock::take(&run).unwrap();
    let resume = ["--resume", "mine", "--epochs", "2"];
    let words = ["another program is training the run", "mine"];
    fails(train(runs.path()).args(resume), 1, &words);
    assert_eq!(fs::read(run.join("config.toml")).unwrap(), config);
    drop(lock);
    succeeds(train(runs.path()).args(resume));
    assert_eq!(history(&run).epochs.len(), 2);
}

#[test]
fn partial_last_step_is_taken_or_dropped() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 20);
    let data = format!("folder:{}", images.display());
    // 16 of each class to train on, and 12 images in a step.
    let settings = "--epochs 2 --image-size 16 --batch-size 4 --accumulate 3";
    for (name, flags, steps) in [("taken", &[][..], 3), ("dropped", &["--drop-last"], 2)] {
        let arguments = ["--data", &data, "--name", name];
        let mut train = train(root.path());
        succeeds(train.args(settings.split(' ')).args(arguments).args(flags));
        let history = history(&root.path().join(name));
        assert_eq!(history.started.as_ref().unwrap().images.train, 32);
        assert_eq!(history.started.as_ref().unwrap().steps_per_epoch, steps);
        assert_eq!(history.step(), 2 * steps);
    }
}

#[test]
fn resolved_folder_settings_are_in_config() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 20);
    let data = format!("folder:{}", images.display());
    let settings = ["--epochs", "1", "--data", &data, "--name", "mine"];
    succeeds(train(root.path()).args(settings));
    let config = root.path().join("mine/config.toml");
    let (config, text) = (
        config.to_str().unwrap(),
        fs::read_to_string(&config).unwrap(),
    );
    let words = [
        "image_size = 64",
        "lr = 0.1",
        "model = \"resnet8\"",
        "[augmentation]",
        "[loader]",
    ];
    says(&text, &words);
    // It says all that the run was, so it gives the same run.
    succeeds(train(root.path()).args(["--config", config, "--name", "again"]));
    let [one, other] = ["mine", "again"].map(|run| {
        let run = root.path().join(run);
        [
            fs::read(run.join("model.safetensors")).unwrap(),
            fs::read(run.join("test.json")).unwrap(),
        ]
    });
    assert!(one == other, "the runs differ");
}

#[test]
fn flags_change_recipe_and_config_is_written() {
    let runs = tempfile::tempdir().unwrap();
    trained(runs.path(), "mine", &["--recipe", "sample"]);
    let config = fs::read_to_string(runs.path().join("mine/config.toml")).unwrap();
    let words = ["data = \"sample\"", "epochs = 1", "batch_size = 64"];
    says(&config, &words);
    let words = ["unknown recipe `imagenet`", "cifar10-resnet20"];
    fails(train(runs.path()).args(["--recipe", "imagenet"]), 2, &words);
}

#[test]
fn taken_name_is_rejected_and_untouched() {
    let runs = tempfile::tempdir().unwrap();
    let taken = runs.path().join("mine");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("precious"), "keep").unwrap();
    let words = ["not empty", "hint:"];
    fails(train(runs.path()).args(["--name", "mine"]), 1, &words);
    assert_eq!(fs::read_dir(&taken).unwrap().count(), 1);
}
