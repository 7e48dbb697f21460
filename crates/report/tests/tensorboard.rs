//! What TensorBoard's own reader finds in an exported run.

use std::path::Path;
use std::process::Command;

use events::{Epoch, History, Metrics};
use serde_json::{Map, Value, json};

#[path = "../../events/tests/synthetic/mod.rs"]
mod synthetic;

use synthetic::Plan;

/// The name of the run, in parts as a run of a study has it.
const NAME: &str = "study/plain-20";

/// What the script beside this file prints.
fn read(folder: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_tensorboard.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(folder)
        .output()
        .expect("python3 should be on the path");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "a python3 that can import tensorboard should be first on the path\n{errors}"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Points of a tag: time of the day, step, and what is there.
fn points(run: &Value, kind: &str, tag: &str) -> Vec<(f64, u64, Value)> {
    let points = run[kind][tag].as_array();
    let points = points.unwrap_or_else(|| panic!("no {kind} called {tag}"));
    points
        .iter()
        .map(|point| {
            let (time, step) = (point[0].as_f64().unwrap(), point[1].as_u64().unwrap());
            (time, step, point[2].clone())
        })
        .collect()
}

fn assert_points(run: &Value, tag: &str, expected: &[(f64, u64, f64)]) {
    let points = points(run, "scalars", tag);
    assert_eq!(points.len(), expected.len(), "{tag}");
    for ((time, step, figure), wanted) in points.iter().zip(expected) {
        assert_eq!(
            (*step, figure.as_f64().unwrap() as f32),
            (wanted.1, wanted.2 as f32),
            "{tag}"
        );
        assert!((time - wanted.0).abs() < 1e-5, "{tag} {time} {}", wanted.0);
    }
}

/// The time of the day, from the text of the sitting that it is in.
fn wall_time(history: &History, seconds: f64) -> f64 {
    let sitting = &history.sittings[usize::from(seconds > history.sittings[1].seconds)];
    let begin: jiff::Timestamp = sitting.at.parse().unwrap();
    begin.as_millisecond() as f64 / 1000.0 + seconds - sitting.seconds
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
#[ignore = "needs Python with TensorBoard"]
fn tensorboard_reads_exported_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = Plan::resumed().finished();
    history.epochs[0].average = None;
    report::tensorboard::write(folder.path(), NAME, &history).unwrap();
    let everything = read(folder.path());
    let runs = &everything["runs"];
    assert_eq!(
        keys(runs),
        [
            NAME,
            &format!("{NAME}/average"),
            &format!("{NAME}/test"),
            &format!("{NAME}/train"),
            &format!("{NAME}/validation"),
        ]
    );
    let run = |part: &str| &runs[format!("{NAME}{part}")];
    train(run("/train"), &history);
    let validation: fn(&Epoch) -> Option<&Metrics> = |epoch| Some(&epoch.validation);
    scores(run("/validation"), &history, validation);
    scores(run("/average"), &history, |epoch| epoch.average.as_ref());
    images(run("/average"), &history);
    tested(run("/test"), &history);
    whole(run(""), &history);
    session(&everything["sessions"], &history);
}

fn train(run: &Value, history: &History) {
    let steps = &history.steps;
    let mut tags: Vec<String> = steps.names().map(str::to_owned).collect();
    for name in &tags {
        let figures = steps.figures(name).unwrap().iter();
        let places = steps.steps().iter().zip(steps.seconds());
        let expected: Vec<_> = places
            .zip(figures)
            .map(|((&step, &seconds), &figure)| (wall_time(history, seconds), step, figure.into()))
            .collect();
        assert_points(run, name, &expected);
    }
    tags.extend(["accuracy", "loss", "rate"].map(|name| format!("epoch/{name}")));
    tags.sort();
    assert_eq!(keys(&run["scalars"]), tags);
}

fn scores(run: &Value, history: &History, metrics: fn(&Epoch) -> Option<&Metrics>) {
    let names = ["loss", "accuracy", "top5", "calibration_error"];
    for name in names {
        let epochs = history.epochs.iter();
        let expected: Vec<_> = epochs
            .filter_map(|epoch| {
                let figure = metrics(epoch)?.get(name)?;
                Some((wall_time(history, epoch.seconds), epoch.step as u64, figure))
            })
            .collect();
        assert_points(run, name, &expected);
    }
    assert_eq!(run["scalars"].as_object().map(Map::len), Some(names.len()));
}

fn images(run: &Value, history: &History) {
    let epochs: Vec<&Epoch> = history
        .epochs
        .iter()
        .filter(|epoch| epoch.average.is_some())
        .collect();
    let mistakes = points(run, "images", "mistakes");
    assert_eq!(mistakes.len(), epochs.len());
    for (epoch, (_, step, samples)) in epochs.iter().zip(mistakes) {
        assert_eq!(step, epoch.step as u64);
        let expected = epoch
            .mistakes
            .iter()
            .map(|mistake| json!({ "size": [28, 28], "pixels": mistake.thumbnail.pixels() }));
        assert_eq!(samples, Value::from_iter(expected));
    }
    assert_eq!(points(run, "images", "confusion").len(), epochs.len());
    let table = points(run, "texts", "mistakes_table");
    assert!(
        table[0]
            .2
            .as_str()
            .unwrap()
            .contains("| Shirt | T-shirt/top | 99.0 % |")
    );
}

fn tested(run: &Value, history: &History) {
    let tested = history.tested.as_ref().unwrap();
    let time = wall_time(history, tested.seconds);
    let step = (tested.epoch * Plan::default().steps_per_epoch) as u64;
    for (name, figure) in tested.metrics.iter() {
        assert_points(run, name, &[(time, step, figure)]);
    }
}

fn whole(run: &Value, history: &History) {
    let config = points(run, "texts", "config");
    assert!(
        config[0]
            .2
            .as_str()
            .unwrap()
            .contains("| schedule.kind | cosine |")
    );
    let about = points(run, "texts", "run");
    assert!(
        about[0]
            .2
            .as_str()
            .unwrap()
            .contains("| command | train --model resnet20 --ema 0.999 |")
    );
    let speeds: Vec<_> = history
        .speeds
        .iter()
        .map(|speed| {
            (
                wall_time(history, speed.seconds),
                speed.step as u64,
                speed.waiting,
            )
        })
        .collect();
    assert_points(run, "speed/waiting_seconds", &speeds);
    let systems = history
        .systems
        .iter()
        .zip(&history.speeds)
        .map(|(system, speed)| {
            let time = wall_time(history, system.seconds);
            (time, speed.step as u64, system.memory as f64)
        });
    assert_points(run, "system/memory_bytes", &systems.collect::<Vec<_>>());
}

fn session(sessions: &Value, history: &History) {
    let groups = sessions["sessionGroups"].as_array().unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(
        groups[0]["hparams"],
        json!({
            "augmentation": "[\"flip\",\"crop\",\"cutout\"]",
            "batch_size": 128.0,
            "data": "fashion-mnist",
            "device": "flex",
            "label_smoothing": 0.0,
            "model": "resnet20",
            "optimizer.kind": "sgd",
            "optimizer.momentum": 0.9,
            "optimizer.weight_decay": 0.0005,
            "schedule.kind": "cosine",
            "schedule.rate": 0.1,
            "schedule.warm_up": 0.1,
            "seed": 1.0,
            "validation.every": 1.0,
            "validation.share": 0.1,
        })
    );
    let session = &groups[0]["sessions"][0];
    assert_eq!(session["name"], NAME);
    assert_eq!(session["status"], "STATUS_SUCCESS");
    let begin = session["startTimeSecs"].as_f64().unwrap();
    let end = session["endTimeSecs"].as_f64().unwrap();
    assert!((begin - wall_time(history, 0.0)).abs() < 1e-5);
    assert!((end - wall_time(history, history.seconds())).abs() < 1e-5);
    let metric = |group: &str, tag: &str| {
        let values = session["metricValues"].as_array().unwrap();
        let name = json!({ "group": group, "tag": tag });
        let value = values.iter().find(|value| value["name"] == name);
        value.unwrap()["value"].as_f64().unwrap() as f32
    };
    let last = history.epochs.last().unwrap();
    let tested = history.tested.as_ref().unwrap().metrics.get("accuracy");
    assert_eq!(metric("test", "accuracy"), tested.unwrap() as f32);
    let validation = last.validation.get("accuracy").unwrap() as f32;
    assert_eq!(metric("validation", "accuracy"), validation);
}
