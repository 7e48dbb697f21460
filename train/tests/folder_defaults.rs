//! What a run on a folder of images does without other settings.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::{
    image_folder, lacks, offline, program, says, stderr, stdout, succeeds, test_accuracy, train,
};

/// A run of one epoch on a folder, or as many as the flags say.
fn run(root: &Path, name: &str, flags: &[&str]) -> Output {
    let data = format!("folder:{}", root.join("images").display());
    let epochs: &[&str] = match flags.contains(&"--epochs") {
        true => &[],
        false => &["--epochs", "1"],
    };
    let output = train(root)
        .args(["--batch-size", "8", "--data", &data])
        .args(epochs)
        .args(["--name", name])
        .args(flags)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

fn config(root: &Path, name: &str) -> toml::Table {
    let text = fs::read_to_string(root.join(name).join("config.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

#[test]
fn folders_are_augmented_and_few_images_give_hint() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    image_folder(root, 20);
    let output = run(root, "plain", &["--model", "resnet8"]);
    let talk = stderr(&output);
    let words = ["augmentation: flips and random crops of 35 to 100 %"];
    says(&talk, &words);
    let augmentation = &config(root, "plain")["augmentation"];
    assert_eq!(augmentation["flip"].as_bool(), Some(true));
    assert_eq!(
        augmentation["resized_crop"]["scale"][0].as_float(),
        Some(0.35)
    );

    // The command that is suggested is one that the program takes: without a network it ends at the download.
    let hint = talk
        .lines()
        .find(|line| line.starts_with("hint: "))
        .unwrap();
    says(hint, &["training images of 2 classes are few"]);
    let (_, command) = hint.rsplit_once("weights: ").unwrap();
    assert!(
        command.ends_with(" --pretrained resnet18 --freeze"),
        "{command}"
    );
    lacks(command, &["--model", "--name"]);
    let words = shlex::split(command).unwrap();
    let mut suggested = Command::new(&words[0]);
    offline(&mut suggested, root);
    let output = suggested.args(&words[1..]).output().unwrap();
    let talk = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{talk}");
    assert!(talk.contains("resnet18-f37072fd.pth"), "{talk}");
}

#[test]
fn flags_and_files_override_folder_defaults() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    image_folder(root, 12);
    let output = run(root, "none", &["--flip", "false", "--pad-crop", "0"]);
    lacks(&stderr(&output), &["augmentation:"]);
    let none = &config(root, "none")["augmentation"];
    assert_eq!(none["flip"].as_bool(), Some(false));
    assert!(none.get("resized_crop").is_none(), "{none}");

    run(root, "padded", &["--pad-crop", "4"]);
    let padded = &config(root, "padded")["augmentation"];
    assert_eq!(
        (padded["flip"].as_bool(), padded["pad_crop"].as_integer()),
        (Some(true), Some(4))
    );
    assert!(padded.get("resized_crop").is_none(), "{padded}");

    let file = root.join("own.toml");
    fs::write(&file, "seed = 2\n").unwrap();
    let output = run(root, "own", &["--config", file.to_str().unwrap()]);
    let talk = stderr(&output);
    lacks(&talk, &["augmentation:", "hint:"]);
    let own = &config(root, "own")["augmentation"];
    assert_eq!(own["flip"].as_bool(), Some(false));
    assert!(own.get("resized_crop").is_none(), "{own}");
}

#[test]
fn few_test_images_have_an_interval_and_mistakes_have_files() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    // Half of the test images are in the wrong folder.
    image_folder(root, 20);
    let images = root.join("images");
    for (class, from) in [("blue", "red"), ("red", "blue")] {
        let (test, train) = (images.join("test").join(class), images.join("train"));
        fs::create_dir_all(&test).unwrap();
        fs::create_dir_all(&train).unwrap();
        for number in [0, 4, 8, 12] {
            let own = images.join(class).join(format!("{number}.png"));
            fs::copy(own, test.join(format!("right {number}.png"))).unwrap();
            let other = images.join(from).join(format!("{number}.png"));
            fs::copy(other, test.join(format!("wrong {number}.png"))).unwrap();
        }
    }
    for class in ["blue", "red"] {
        fs::rename(images.join(class), images.join("train").join(class)).unwrap();
    }
    let output = run(root, "mine", &["--epochs", "4"]);
    let line = stdout(&output);
    let line = line.lines().last().unwrap();
    says(line, &[" % (95 % interval ", ", 16 images), average"]);
    assert!((20.0..=80.0).contains(&test_accuracy(line)), "{line}");

    let test: serde_json::Value =
        serde_json::from_slice(&fs::read(root.join("mine/test.json")).unwrap()).unwrap();
    let of_runs = |arguments: &str| {
        let arguments: Vec<_> = arguments.split(' ').collect();
        succeeds(program(root, &arguments).arg("--runs-dir").arg(root))
    };
    let evaluated = of_runs("eval mine --json");
    let evaluated: serde_json::Value = serde_json::from_str(&evaluated).unwrap();
    for json in [&test, &evaluated] {
        let interval = json["accuracy_interval"].as_array().unwrap();
        let accuracy = json["accuracy"].as_f64().unwrap();
        assert!(interval[0].as_f64() < Some(accuracy) && interval[1].as_f64() > Some(accuracy));
        let mistake = &json["mistakes"][0];
        let path = mistake["path"].as_str().unwrap();
        assert!(Path::new(path).is_file(), "{path}");
        let class = mistake["class"].as_str().unwrap();
        assert!(path.contains(&format!("test/{class}/")), "{mistake}");
        assert_ne!(mistake["class"], mistake["predicted"]);
        assert!(mistake["probability"].as_f64() >= Some(0.5), "{mistake}");
    }
    let text = of_runs("eval mine");
    says(&text, &["95 % interval", "worst mistakes"]);
    assert!(
        text.contains("\ntest/blue/wrong ") || text.contains("\ntest/red/wrong "),
        "{text}"
    );

    let page = of_runs("report mine -o -");
    assert!(
        page.contains(">test/blue/wrong ") || page.contains(">test/red/wrong "),
        "{page}"
    );
    lacks(&page, &[&format!("{}/images", root.display())]);
    says(&page, &["95 % interval", "model of epoch"]);
}
