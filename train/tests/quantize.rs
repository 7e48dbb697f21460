//! `train quantize` on the built-in sample.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{fails, program, stderr, stdout, succeeds, trained};
use serde_json::Value;

/// Trains a small network for an epoch and rounds it; returns the report.
fn quantized(root: &Path, more: &[&str]) -> (PathBuf, Value) {
    let run = trained(root, "mine", &["--seed", "3"]);
    let arguments = [&["quantize", "mine", "--runs-dir", ".", "--json"], more].concat();
    let report = succeeds(&mut program(root, &arguments));
    (run, serde_json::from_str(&report).unwrap())
}

#[test]
fn integers_predict_like_floats_on_every_cpu() {
    let root = tempfile::tempdir().unwrap();
    let (run, report) = quantized(root.path(), &["--images", "200"]);
    assert_eq!(report["output"], "mine-int8");
    assert_eq!(report["images"], 200);
    let number = |form: &str, key: &str| report[form][key].as_f64().unwrap();
    let difference = number("before", "accuracy") - number("after", "accuracy");
    assert!(difference.abs() <= 0.01, "{report}");
    assert!(
        (number("before", "loss") - number("after", "loss")).abs() < 0.02,
        "{report}"
    );
    assert!(report["divergence"].as_f64().unwrap() < 0.01, "{report}");
    assert!(
        number("after", "bytes") < 0.4 * number("before", "bytes"),
        "{report}"
    );
    assert_eq!(report["after"]["images"], 1000);

    // The new folder is used like a run's: its data is known, and it can be evaluated.
    let new = root.path().join("mine-int8");
    for file in ["model.json", "model.safetensors", "source.toml"] {
        assert!(new.join(file).is_file(), "{file} is missing");
    }
    let eval = ["eval", "mine-int8", "--runs-dir", ".", "--json"];
    let mut results = Vec::new();
    for level in ["portable", "avx2", ""] {
        let mut command = program(root.path(), &eval);
        let output = command.env("RESNET_SIMD", level).output().unwrap();
        if output.status.success() {
            let text = stdout(&output);
            let result: Value = serde_json::from_str(&text).unwrap();
            results.push((result["accuracy"].clone(), result["loss"].clone()));
        } else {
            assert!(
                stderr(&output).contains("on this CPU"),
                "{}",
                stderr(&output)
            );
        }
    }
    assert!(results.len() >= 2);
    assert!(
        results.iter().all(|result| *result == results[0]),
        "{results:?}"
    );
    assert_eq!(results[0].0, report["after"]["accuracy"]);
    assert_eq!(results[0].1, report["after"]["loss"]);

    // The same images give the same integers.
    let again = [
        "quantize",
        "mine",
        "--runs-dir",
        ".",
        "--images",
        "200",
        "--output",
        "again",
    ];
    let text = succeeds(&mut program(root.path(), &again));
    for words in ["float32", "accuracy", "size of weights", "saved: again"] {
        assert!(text.contains(words), "{text}");
    }
    let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    assert!(weights(&new) == weights(&root.path().join("again")));
    assert!(weights(&run) != weights(&new));
}

#[test]
fn integers_become_floats_for_other_programs() {
    let root = tempfile::tempdir().unwrap();
    let (_, report) = quantized(root.path(), &["--images", "64", "--output", "small"]);
    let convert = ["convert", "small", "small.safetensors"];
    succeeds(&mut program(root.path(), &convert));
    let eval = [
        "eval",
        "--weights",
        "small.safetensors",
        "--data",
        "sample",
        "--json",
    ];
    let result: Value = serde_json::from_str(&succeeds(&mut program(root.path(), &eval))).unwrap();
    let loss = |value: &Value| value["loss"].as_f64().unwrap();
    assert!(
        (loss(&result) - loss(&report["after"])).abs() < 0.02,
        "{result}"
    );
    // A copy keeps the integers, and one of half precision does not.
    succeeds(&mut program(root.path(), &["convert", "small", "copy"]));
    succeeds(&mut program(
        root.path(),
        &["convert", "small", "half", "--half"],
    ));
    let size = |name: &str| {
        let file = root.path().join(name).join("model.safetensors");
        fs::metadata(file).unwrap().len()
    };
    assert_eq!(size("copy"), size("small"));
    assert!(size("half") > size("small"));
}

#[test]
fn what_cannot_be_rounded_is_refused() {
    let root = tempfile::tempdir().unwrap();
    quantized(root.path(), &["--images", "16"]);
    let quantize = |more: &[&str]| {
        let arguments = [&["quantize", "--runs-dir", "."], more].concat();
        program(root.path(), &arguments)
    };
    let words = ["mine-int8 already exists", "--overwrite"];
    fails(&mut quantize(&["mine"]), 1, &words);
    succeeds(&mut quantize(&["mine", "--overwrite", "--images", "16"]));
    let words = ["8-bit integers already", "the run that it was made from"];
    fails(&mut quantize(&["mine-int8"]), 1, &words);
    // No run: training on would replace the integers.
    let before = fs::read(root.path().join("mine-int8/model.safetensors")).unwrap();
    let resume = ["--resume", "mine-int8", "--runs-dir", "."];
    fails(
        &mut program(root.path(), &resume),
        1,
        &["mine-int8", "config.toml"],
    );
    let after = fs::read(root.path().join("mine-int8/model.safetensors")).unwrap();
    assert!(before == after);
    let runs = succeeds(&mut program(root.path(), &["runs", "--runs-dir", "."]));
    assert!(!runs.contains("int8"), "{runs}");
    // A folder without a name of its own.
    let mut command = program(
        &root.path().join("mine"),
        &["quantize", ".", "--images", "16"],
    );
    fails(&mut command, 1, &["mine-int8 already exists"]);
    fails(&mut quantize(&["nothing"]), 1, &["nothing"]);
    fails(&mut quantize(&["mine", "--images", "0"]), 2, &["--images"]);
    let file = root.path().join("mine-int8/model.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let eval = ["eval", "mine-int8", "--runs-dir", "."];
    fails(&mut program(root.path(), &eval), 1, &["checksum"]);
}
