//! `--bench` of the real program. What it measures is not judged, only what it says.

mod common;

use std::path::Path;
use std::process::Command;

use common::{fails, says, stdout, succeeds};
use serde_json::{Value, json};

/// The program in a folder of its own, where it must leave nothing.
fn bench(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
    command
        .current_dir(folder)
        .args(arguments.split_whitespace());
    command
}

fn number(report: &Value, key: &str) -> f64 {
    report[key]
        .as_f64()
        .unwrap_or_else(|| panic!("no number {key} in {report}"))
}

#[test]
fn json_reports_step_with_every_optimizer() {
    for optimizer in ["sgd", "adam", "adamw"] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = format!(
            "--bench --json --model resnet8 --stem imagenet --input 2x16x12 --classes 3 --batch-size 5 \
             --optimizer {optimizer} --threads 1 --device flex --repeats 2"
        );
        let text = succeeds(&mut bench(folder.path(), &arguments));
        let report: Value = serde_json::from_str(&text).unwrap();
        for (key, value) in [
            ("task", json!("train-step")),
            ("device", json!("flex (CPU, 1 thread)")),
            ("model", json!("resnet8")),
            ("input", json!([2, 16, 12])),
            ("batch", json!(5)),
            ("threads", json!(1)),
            ("optimizer", json!(optimizer)),
            ("repeats", json!(2)),
        ] {
            assert_eq!(report[key], value, "{key}");
        }
        assert!(report["simd"].is_string(), "{report}");
        let [cold, low, median, high, speed] = [
            "cold_ms",
            "low_ms",
            "median_ms",
            "high_ms",
            "images_per_second",
        ]
        .map(|key| number(&report, key));
        assert!(
            cold > 0.0 && low > 0.0 && low <= median && median <= high,
            "{report}"
        );
        assert!((speed * median / 5000.0 - 1.0).abs() < 1e-6, "{report}");
        if cfg!(target_os = "linux") {
            assert!(number(&report, "peak_memory_bytes") > 1e6, "{report}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn text_reports_smallest_network() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "--bench --model digit --batch-size 2 --repeats 2";
    let output = bench(folder.path(), arguments).output().unwrap();
    let text = stdout(&output);
    let words = [
        "digit",
        "sgd",
        "1x28x28, 2 in a batch",
        "one training step",
        "median of 2",
    ];
    says(&text, &words);
}

#[test]
fn profile_names_operations() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "--bench --profile --device=flex --model=resnet8 --batch-size=2 --repeats=2";
    let output = bench(folder.path(), arguments).output().unwrap();
    let text = stdout(&output);
    let words = [
        "one training step",
        "convolution 3x3 stride 1, weight gradient",
        "batch norm, backward",
        "sgd step",
        "other",
    ];
    says(&text, &words);
}

#[test]
fn wrong_usage_exits_with_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let expect = |arguments: &str, words: &[&str]| {
        fails(&mut bench(folder.path(), arguments), 2, words);
    };
    for flag in ["--input=1x28x28", "--classes=10", "--repeats=2"] {
        expect(flag, &["--bench"]);
        let name = flag.split('=').next().unwrap();
        expect(&format!("{flag} --epochs 1"), &[name, "--epochs"]);
    }
    let others = "--epochs=1 --data=sample --resume=mine --config=a.toml --runs-dir=r";
    for flag in others.split(' ') {
        let name = flag.split('=').next().unwrap();
        expect(&format!("--bench {flag}"), &[name]);
    }
    expect("--bench --batch-size 0", &["--batch-size", "1 to 65536"]);
    expect("--bench --model resnt20", &["did you mean `resnet20`?"]);
    expect("--bench --classes 0", &["`classes` is 0"]);
    let input = "--bench --model digit --input 1x32x32";
    expect(input, &["digit", "28x28", "hint:"]);
    expect("--bench --model digit --stem cifar", &["stem"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
