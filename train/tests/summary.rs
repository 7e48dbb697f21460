//! `train summary` of the real program.

mod common;

use std::process::Command;

use common::{fails, succeeds};
use serde_json::Value;

fn summary(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
    command.arg("summary").args(arguments);
    command
}

#[test]
fn summary_lists_layers_and_totals() {
    let text = succeeds(&mut summary(&["resnet18", "--batch-size", "16"]));
    let line = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for expected in [
        "stem.convolution.conv convolution 7x7, stride 2 64x112x112 9,408 118,013,952 6.5 %",
        "stem.max_pool max pool 3x3, stride 2 64x56x56",
        "stages.0.blocks.0.branch.1.norm batch norm, add, ReLU 64x56x56 128",
        "head.linear linear 1000 513,000 512,000 0.0 %",
        "total 11,689,512 1,814,073,344",
    ] {
        let (name, _) = expected.split_once(' ').unwrap();
        assert_eq!(line(&format!("{name} ")), expected);
    }
    assert!(line("training ").contains("with sgd on batches of 16"));
}

#[test]
fn json_reports_other_input_shape() {
    let arguments = "resnet20 --input 1x28x28 --classes 7 --optimizer adam --json";
    let arguments: Vec<_> = arguments.split(' ').collect();
    let text = succeeds(&mut summary(&arguments));
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["input"], serde_json::json!([1, 28, 28]));
    let layers = json["layers"].as_array().unwrap();
    assert_eq!(layers.last().unwrap()["output"], serde_json::json!([7]));
    let sum: u64 = layers
        .iter()
        .map(|layer| layer["parameters"].as_u64().unwrap())
        .sum();
    assert_eq!(json["parameters"], sum);
    let memory = &json["training_memory"];
    assert_eq!(memory["optimizer_state"], 8 * sum);
    let total: u64 = memory
        .as_object()
        .unwrap()
        .values()
        .map(|part| part.as_u64().unwrap())
        .sum();
    assert_eq!(json["training_memory_total"], total);
}

#[test]
fn invalid_arguments_are_wrong_usage() {
    for (arguments, reason) in [
        (vec!["resnet19"], "did you mean"),
        (vec!["digit", "--input", "1x32x32"], "28x28"),
        (vec!["resnet18", "--classes", "0"], "classes"),
        (vec!["resnet18", "--epochs", "3"], "--epochs"),
    ] {
        fails(&mut summary(&arguments), 2, &[reason]);
    }
}
