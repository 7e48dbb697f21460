//! Runs that train on images of no class too.

mod common;

use std::fs;
use std::path::Path;

use common::{SMALL, fails, says, stderr, succeeds, train};

/// A run of one epoch with a config file, and its weights.
fn weights(runs: &Path, name: &str, config: &str, more: &[&str]) -> Vec<u8> {
    let file = runs.join("settings.toml");
    fs::write(&file, config).unwrap();
    succeeds(
        train(runs)
            .arg("--config")
            .arg(&file)
            .args(["--name", name, "--epochs", "1"])
            .args(SMALL)
            .args(more),
    );
    fs::read(runs.join(name).join("model.safetensors")).unwrap()
}

#[test]
fn outlier_runs_are_independent_of_thread_count() {
    let runs = tempfile::tempdir().unwrap();
    let runs = runs.path();
    let outliers = "about = \"clothing\"\nflip_test = true\n[outliers]\nshare = 0.25\n";
    let one = weights(runs, "one", outliers, &["--loader-threads", "0"]);
    let three = weights(runs, "three", outliers, &["--loader-threads", "3"]);
    assert!(one == three, "the number of threads matters");
    let none = weights(runs, "none", "", &[]);
    assert!(one != none, "outliers change nothing");

    let read = |name: &str, file: &str| fs::read_to_string(runs.join(name).join(file)).unwrap();
    let config = read("one", "config.toml");
    says(&config, &["[outliers]", "weight = 0.5"]);
    let model: serde_json::Value = serde_json::from_str(&read("one", "model.json")).unwrap();
    assert_eq!(model["about"], "clothing");
    assert_eq!(model["scoring"]["data"], "sample");
    assert_eq!(model["scoring"]["views"]["flip"], true);
    assert_eq!(model["scoring"]["precision"], "single");
    // Clothing is light, on black, and fills the image.
    assert_eq!(model["images"]["background"], "dark");
    assert_eq!(model["images"]["centered_by"], "box");
    let model: serde_json::Value = serde_json::from_str(&read("none", "model.json")).unwrap();
    assert_eq!(model["scoring"]["views"]["flip"], false);
    assert!(model.get("about").is_none());
}

#[test]
fn settings_out_of_range_are_named() {
    let runs = tempfile::tempdir().unwrap();
    for (config, words) in [
        ("[outliers]\nshare = 0.0\n", ["outliers.share", "above 0"]),
        (
            "[outliers]\nweight = 11.0\n",
            ["outliers.weight", "at most 10"],
        ),
        ("[outliers]\nshares = 0.1\n", ["settings.toml", "shares"]),
        ("about = \"\"\n", ["about", "1 to 500"]),
    ] {
        let file = runs.path().join("settings.toml");
        fs::write(&file, config).unwrap();
        let mut command = train(runs.path());
        let text = fails(command.arg("--config").arg(&file), 1, &words);
        assert!(!text.contains("run:"), "{text}");
    }
    let output = train(runs.path())
        .args(["--recipe", "none"])
        .output()
        .unwrap();
    assert!(stderr(&output).contains("fashion-mnist-outliers"));
}
