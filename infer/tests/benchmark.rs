//! `--bench` of the real program. What it measures is not judged, only what it says.

mod common;

use common::{fails, infer, says, stdout, succeeds};
use serde_json::{Value, json};

fn bench(arguments: &str) -> String {
    let runs = tempfile::tempdir().unwrap();
    let mut command = infer(runs.path());
    command.args(["--bench", "--repeats", "2"]);
    stdout(&succeeds(command.args(arguments.split_whitespace())))
}

fn number(report: &Value, key: &str) -> f64 {
    report[key]
        .as_f64()
        .unwrap_or_else(|| panic!("no number {key} in {report}"))
}

#[test]
fn json_reports_untrained_network() {
    let text = bench("--json --model resnet8 --input 3x8x12 --batch 3 --threads 1 --device flex");
    let report: Value = serde_json::from_str(&text).unwrap();
    for (key, value) in [
        ("task", json!("predict")),
        ("device", json!("flex (CPU, 1 thread)")),
        ("model", json!("resnet8")),
        ("input", json!([3, 8, 12])),
        ("batch", json!(3)),
        ("threads", json!(1)),
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
    assert!((speed * median / 3000.0 - 1.0).abs() < 1e-6, "{report}");
    if cfg!(target_os = "linux") {
        assert!(number(&report, "peak_memory_bytes") > 1e6, "{report}");
    }
}

#[test]
fn networks_of_integers_are_measured() {
    for model in ["--model resnet8 --input 3x8x12", "--run shipped"] {
        let text = bench(&format!("{model} --precision int8 --json --device flex"));
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["precision"], "int8");
        assert!(report["simd"].is_string(), "{report}");
    }
    let text = bench("--model resnet8 --precision int8");
    says(&text, &["precision  int8", "vectors    "]);
    assert!(!bench("--model resnet8").contains("precision"));
    let runs = tempfile::tempdir().unwrap();
    let mut command = infer(runs.path());
    command.args(["--bench", "--model", "resnet8", "--precision", "int4"]);
    fails(&mut command, 2, &["int4", "float32, int8"]);
}

#[test]
fn chosen_model_is_benchmarked() {
    let text = bench("");
    let words = [
        "resnet14 32-64-128 wide",
        "1x28x28, 1 in a batch",
        "median of 2",
        "images a second",
    ];
    says(&text, &words);
}

#[test]
fn network_gets_its_usual_input_shape() {
    for (model, input) in [("resnet14", "3x32x32"), ("digit", "1x28x28")] {
        let text = bench(&format!("--model {model}"));
        assert!(text.contains(model) && text.contains(input), "{text}");
    }
}

#[test]
fn profile_names_operations() {
    let text = bench("--profile --device flex");
    let words = ["images a second", "convolution 3x3", "GFLOP/s", "other"];
    says(&text, &words);

    let runs = tempfile::tempdir().unwrap();
    let image = concat!(env!("CARGO_MANIFEST_DIR"), "/../image.png");
    let output = infer(runs.path())
        .args(["--profile", "--device", "flex", image])
        .output()
        .unwrap();
    let text = stdout(&output);
    says(&text, &["Ankle boot", "convolution 3x3"]);
}

#[test]
fn wrong_usage_exits_with_code_2() {
    let runs = tempfile::tempdir().unwrap();
    let expect = |arguments: &str, words: &[&str]| {
        fails(infer(runs.path()).args(arguments.split(' ')), 2, words);
    };
    expect("--bench image.png", &["--bench"]);
    expect("--bench --top-k 3", &["--top-k"]);
    expect("--bench --list-devices", &["--list-devices"]);
    let flags = "--model=resnet8 --input=1x28x28 --batch=2 --repeats=2";
    for flag in flags.split(' ') {
        let name = flag.split('=').next().unwrap();
        expect(&format!("{flag} image.png"), &[name]);
        expect(flag, &["--bench"]);
    }
    expect("--bench --model resnt20", &["did you mean `resnet20`?"]);
    expect("--bench --model resnet8 --run mine", &["--run"]);
    expect("--bench --input 28x28", &["28x28", "CHANNELSxHEIGHTxWIDTH"]);
    expect("--bench --profile --json", &["--json"]);
    expect("--bench --batch 0", &["--batch"]);
    expect("--bench --batch 65537", &["65536"]);
    expect("--bench --repeats 0", &["--repeats"]);
    let input = "--bench --model digit --input 1x32x32";
    expect(input, &["digit", "28x28", "hint:"]);
    let words = ["resnet14", "channel count of 1", "hint:"];
    expect("--bench --input 3x28x28", &words);
}
