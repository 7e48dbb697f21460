//! Which model answers, and what the program says about that.

mod common;

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, SystemTime};

use common::{fails, image_png, infer, run_folder, run_with, says, stderr, succeeds};
use saved_models::{SavedModel, Scoring, Stored, Views};
use serde_json::Value;

fn predicted(runs: &Path, arguments: &[&str]) -> Output {
    succeeds(infer(runs).args(arguments).arg(image_png()))
}

/// The line that names the model.
fn model_line(runs: &Path, arguments: &[&str]) -> String {
    let text = stderr(&predicted(runs, arguments));
    let line = text.lines().find(|line| line.starts_with("model: "));
    line.unwrap_or_else(|| panic!("{text}")).to_owned()
}

fn set_age(folder: &Path, seconds: u64) {
    let file = fs::File::options()
        .append(true)
        .open(folder.join("model.json"))
        .unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds))
        .unwrap();
}

/// A good old run, and a new one that is worth little.
fn two_runs(good: f64) -> tempfile::TempDir {
    let runs = tempfile::tempdir().unwrap();
    set_age(&run_with(runs.path(), "good", good), 100);
    set_age(&run_with(runs.path(), "smoke", 0.3), 10);
    runs
}

#[test]
fn best_run_is_chosen_and_explained() {
    let runs = two_runs(0.999);
    for arguments in [[].as_slice(), &["--run", "best"]] {
        let line = model_line(runs.path(), arguments);
        says(&line, &["good: the highest validation accuracy of 2 runs"]);
    }
    let line = model_line(runs.path(), &["--run", "newest"]);
    assert!(line.contains("smoke: the newest run"), "{line}");
    assert!(model_line(runs.path(), &["--run", "smoke"]).ends_with("smoke)"));
    let line = model_line(runs.path(), &["--run", "shipped"]);
    assert!(line.ends_with("(shipped with this program)"), "{line}");
    let mut command = infer(runs.path());
    let words = ["no run", "other"];
    fails(command.args(["--run", "other"]).arg(image_png()), 1, &words);
}

#[test]
fn shipped_model_is_preferred_to_smoke_test_run() {
    let runs = two_runs(0.6);
    let line = model_line(runs.path(), &[]);
    let words = [
        "shipped with this program",
        "60.0 %",
        "good",
        "--run newest",
    ];
    says(&line, &words);
}

#[test]
fn json_names_model_and_reason() {
    let json = |runs: &Path, arguments: &[&str]| -> Value {
        let arguments = [arguments, &["--json"]].concat();
        serde_json::from_slice(&predicted(runs, &arguments).stdout).unwrap()
    };
    let empty = tempfile::tempdir().unwrap();
    let source = json(empty.path(), &[])["source"].clone();
    assert_eq!(
        (&source["kind"], &source["reason"]),
        (&"shipped".into(), &"no-run".into())
    );
    let runs = two_runs(0.999);
    let source = json(runs.path(), &[])["source"].clone();
    assert_eq!(
        (&source["kind"], &source["reason"]),
        (&"run".into(), &"best".into())
    );
    assert!(source["path"].as_str().unwrap().ends_with("good"));
    assert!(source["why"].as_str().unwrap().contains("99.9 %"));
    let source = json(runs.path(), &["--run", "smoke"])["source"].clone();
    assert_eq!(
        (&source["reason"], &source["why"]),
        (&"named".into(), &Value::Null)
    );
}

#[test]
fn damaged_runs_are_skipped_with_a_warning() {
    let runs = two_runs(0.999);
    let cut = run_with(runs.path(), "cut", 0.9999);
    let weights = fs::read(cut.join("model.safetensors")).unwrap();
    fs::write(cut.join("model.safetensors"), &weights[..1000]).unwrap();
    let output = predicted(runs.path(), &["--json"]);
    let text = stderr(&output);
    says(&text, &["skipped", "does not match its checksum"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        document["source"]["path"]
            .as_str()
            .unwrap()
            .ends_with("good")
    );
    let skipped = &document["source"]["skipped"][0];
    assert!(
        skipped["run"].as_str().unwrap().ends_with("cut"),
        "{skipped}"
    );
    // It is an error for who names it.
    let mut command = infer(runs.path());
    let words = ["does not match its checksum"];
    fails(command.args(["--run", "cut"]).arg(image_png()), 1, &words);
}

#[test]
fn run_named_best_is_given_by_folder() {
    let runs = tempfile::tempdir().unwrap();
    set_age(&run_folder(runs.path(), "best"), 100);
    run_with(runs.path(), "other", 0.999);
    let text = stderr(&predicted(runs.path(), &["--run", "best"]));
    let folder = runs.path().join("best");
    says(&text, &[&format!("--run {}", folder.display())]);
    assert!(text.contains("other: the highest"), "{text}");
    let line = model_line(runs.path(), &["--run", folder.to_str().unwrap()]);
    assert!(line.ends_with("best)"), "{line}");
}

#[test]
fn newest_requires_a_run() {
    let runs = tempfile::tempdir().unwrap();
    let mut command = infer(runs.path());
    command.args(["--run", "newest"]).arg(image_png());
    fails(&mut command, 1, &["no run in"]);
}

#[test]
fn model_line_states_score_and_purpose() {
    let runs = tempfile::tempdir().unwrap();
    let text = stderr(&predicted(runs.path(), &[]));
    let line = "% of its test images right (shipped with this program: no run in";
    assert!(text.contains(line), "{text}");
    let words = ["about: grayscale images of one article of clothing"];
    says(&text, &words);

    let mut saved = SavedModel::shipped().unwrap();
    saved.description.scoring = Some(Scoring {
        data: "fashion-mnist".to_owned(),
        views: Views::default().with_flip(true).with_shift(true),
        precision: Stored::Single,
    });
    let run = runs.path().join("mine");
    fs::create_dir(&run).unwrap();
    saved.write(&run).unwrap();
    let line = model_line(runs.path(), &["--run", "mine"]);
    let words = [
        "right with --flip-test --shift-test",
        "rounded to half precision",
    ];
    says(&line, &words);
}

#[test]
fn views_are_averaged() {
    let empty = tempfile::tempdir().unwrap();
    let probability = |arguments: &[&str]| {
        let arguments = [&["--json"], arguments].concat();
        let output = predicted(empty.path(), &arguments);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let class = &document["predictions"][0]["classes"][0];
        assert_eq!(class["name"], "Ankle boot");
        (
            class["probability"].as_f64().unwrap(),
            document["views"].clone(),
        )
    };
    let [plain, flip, shift, both] = [
        [].as_slice(),
        &["--flip-test"],
        &["--shift-test"],
        &["--flip-test", "--shift-test"],
    ]
    .map(probability);
    let all = [&plain, &flip, &shift, &both];
    for (place, one) in all.iter().enumerate() {
        let others = &all[place + 1..];
        assert!(others.iter().all(|other| other.0 != one.0), "{all:?}");
    }
    assert_eq!(
        (&both.1["flip"], &both.1["shift"]),
        (&true.into(), &true.into())
    );
    assert_eq!(
        (&plain.1["flip"], &plain.1["shift"]),
        (&false.into(), &false.into())
    );
}
