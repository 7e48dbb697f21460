//! Runs that start from trained weights.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{fails, image_folder, says, stderr, stdout, succeeds, test_accuracy, train, trained};
use weights::{Entry, Precision, StateDict, WeightsFile, write_safetensors};

/// Every tensor of a file of weights, as bits.
fn tensors(path: &Path) -> Vec<(String, Vec<u32>)> {
    let file = WeightsFile::read(path).unwrap();
    let bits = |entry: &Entry| match entry {
        Entry::Float(tensor) => tensor
            .values()
            .iter()
            .map(|value| value.to_bits())
            .collect(),
        Entry::Integer { .. } => Vec::new(),
    };
    let tensors = file.state_dict.iter();
    tensors
        .map(|(name, entry)| (name.to_owned(), bits(entry)))
        .collect()
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn frozen_weights_stay_and_head_is_new() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path();
    trained(runs, "first", &[]);
    let images = image_folder(runs, 20);
    let weights = runs.join("first");

    let mut fine_tune = train(runs);
    fine_tune.arg("--weights").arg(&weights).arg("--freeze");
    fine_tune.args(["--epochs", "2", "--batch-size", "8", "--name", "second"]);
    let data = format!("folder:{}", images.display());
    let output = fine_tune.args(["--data", &data]).output().unwrap();

    let talk = stderr(&output);
    assert!(output.status.success(), "{talk}");
    let words = [
        "first trained on sample",
        "head: replaced by a new one for 2 classes, because that of the weights has 10",
        "first convolution: its weights for 1 channels are shared out to 3",
        "frozen: all but the head",
    ];
    says(&talk, &words);
    let before = tensors(&weights.join("model.safetensors"));
    let after = tensors(&runs.join("second/model.safetensors"));
    assert_eq!(before.len(), after.len());
    for ((name, before), (other, after)) in before.iter().zip(&after) {
        assert_eq!(name, other);
        let changes = name.starts_with("head.") || name == "stem.convolution.conv.weight";
        assert_eq!(before != after, changes, "{name}");
    }
    let [first, second] = ["first", "second"].map(|run| json(&runs.join(run).join("model.json")));
    assert_eq!(second["network"]["classes"], 2);
    assert_eq!(second["preprocessing"]["height"], 28, "that of the weights");
    assert_eq!(
        second["preprocessing"]["mean"][2], first["preprocessing"]["mean"][0],
        "normalized as for the weights"
    );
}

#[test]
fn frozen_parts_stay_while_others_learn() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path();
    trained(runs, "first", &[]);
    // As a file of PyTorch's layout, under no name that says what it is.
    let file = runs.join("weights.safetensors");
    let first = runs.join("first");
    let mut convert = Command::new(env!("CARGO_BIN_EXE_train"));
    succeeds(convert.arg("convert").args([&first, &file]));

    let mut fine_tune = train(runs);
    fine_tune.arg("--weights").arg(&file);
    fine_tune.args(["--freeze", "stem,stage2", "--batch-size", "64"]);
    fine_tune.args(["--epochs", "1", "--name", "second"]);
    let output = fine_tune.output().unwrap();

    let talk = stderr(&output);
    assert!(output.status.success(), "{talk}");
    assert!(talk.contains("frozen: stem, stage2"), "{talk}");
    assert!(!talk.contains("replaced"), "{talk}");
    assert!(test_accuracy(&stdout(&output)) > 60.0);
    let before = tensors(&runs.join("first/model.safetensors"));
    let after = tensors(&runs.join("second/model.safetensors"));
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        let is_frozen = name.starts_with("stem.") || name.starts_with("stages.1.");
        assert_eq!(before == after, is_frozen, "{name}");
    }
    // The report says which network the weights are of, and the rate without its rounding error.
    let mut report = Command::new(env!("CARGO_BIN_EXE_train"));
    report.args(["report", "-o", "-"]).arg(runs.join("second"));
    let page = succeeds(&mut report);
    let model = json(&runs.join("second/model.json"))["model"].to_string();
    let model = model.replace('"', "&quot;");
    let row = format!("model</th><td class=\"text\"><code>{model}</code>");
    assert!(page.contains(&row), "no {row} in {page}");
    says(&page, &["lr</th><td class=\"text\"><code>0.01</code>"]);

    let config = fs::read_to_string(runs.join("second/config.toml")).unwrap();
    // A tenth of the usual rate.
    says(&config, &["freeze = [\"stem\", \"stage2\"]", "lr = 0.01\n"]);
}

#[test]
fn run_resumes_without_its_initial_weights() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path();
    trained(runs, "first", &[]);
    let fine_tune = |name: &str, epochs: &str| {
        let mut command = train(runs);
        command.arg("--weights").arg(runs.join("first"));
        command.args(["--freeze", "stage1", "--batch-size", "64"]);
        succeeds(command.args(["--epochs", epochs, "--name", name]))
    };
    fine_tune("whole", "2");
    fine_tune("part", "1");
    fs::remove_dir_all(runs.join("first")).unwrap();
    succeeds(train(runs).args(["--resume", "part", "--epochs", "2"]));

    // The schedule of one epoch is not that of two, but what is frozen is the same.
    let [whole, part] =
        ["whole", "part"].map(|run| tensors(&runs.join(run).join("model.safetensors")));
    for ((name, whole), (_, part)) in whole.iter().zip(&part) {
        if name.starts_with("stages.0.") {
            assert_eq!(whole, part, "{name}");
        }
    }
}

#[test]
fn invalid_fine_tuning_is_rejected() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path();
    let weights = trained(runs, "first", &[]);
    let with_weights = || {
        let mut command = train(runs);
        command
            .args(["--name", "second", "--weights"])
            .arg(&weights);
        command
    };
    let words = ["no trained weights", "--weights"];
    fails(train(runs).arg("--freeze"), 2, &words);
    for (flag, value, code, words) in [
        ("--freeze", "stage4", 1, &["stage4", "stage3"][..]),
        ("--freeze", "tail", 2, &["tail", "stem"]),
        ("--stem", "cifar", 1, &["does not fit"]),
        (
            "--model",
            "resnet14",
            1,
            &["does not fit resnet14", "missing"],
        ),
    ] {
        fails(with_weights().args([flag, value]), code, words);
    }
    let missing = runs.join("missing.pth");
    let words = ["missing.pth"];
    fails(train(runs).arg("--weights").arg(&missing), 1, &words);
    // Flags win over a file, whichever of the two settings it has.
    let config = root.path().join("pretrained.toml");
    fs::write(&config, "pretrained = \"resnet18\"").unwrap();
    let mut with_both = train(runs);
    with_both.arg("--config").arg(&config);
    fails(with_both.arg("--weights").arg(&missing), 1, &words);
    let words = ["resnet20", "-v1 of each"];
    fails(train(runs).args(["--pretrained", "resnet20"]), 2, &words);
    // Whatever the network is here, there is nobody at this address.
    let cache = root.path().join("cache");
    let mut download = train(runs);
    download.args(["--pretrained", "resnet18", "--name", "second"]);
    download.env("HTTPS_PROXY", "http://127.0.0.1:9");
    download.env_remove("NO_PROXY").env_remove("no_proxy");
    download.env("XDG_CACHE_HOME", &cache).env("HOME", &cache);
    let address = "https://download.pytorch.org/models/resnet18-f37072fd.pth";
    fails(&mut download, 1, &[address, "put it at"]);
    assert!(!runs.join("second").exists(), "nothing was begun");
}

/// A file of the tests of `infer`.
fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../infer/tests/references")
        .join(name)
}

#[test]
fn backbone_gets_head_and_assumptions_are_printed() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path();
    let images = image_folder(runs, 8);
    let mut backbone = StateDict::new();
    let whole = WeightsFile::read(reference("torchvision-basic.pth")).unwrap();
    for (name, entry) in whole.state_dict {
        if !name.starts_with("fc.") {
            backbone.insert(format!("encoder.{name}"), entry).unwrap();
        }
    }
    let path = runs.join("backbone.safetensors");
    write_safetensors(&path, &backbone, &Default::default(), Precision::Single).unwrap();
    let mut command = train(runs);
    command.arg("--weights").arg(&path).arg("--data");
    command.arg(format!("folder:{}", images.display()));
    command.args(["--image-size", "32", "--epochs", "1", "--batch-size", "8"]);
    command.args(["--pool", "none", "--norm-epsilon", "0.001"]);
    let output = command.args(["--name", "tuned"]).output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    let words = [
        "head: a new one for 2 classes, because the weights have none",
        "assumed: the first convolution has stride 2",
    ];
    says(&said, &words);
    // What was said is not assumed.
    for words in ["--pool", "--norm-epsilon"] {
        assert!(!said.contains(words), "{said}");
    }
    let network = &json(&runs.join("tuned/model.json"))["network"];
    assert_eq!(network["classes"], 2);
    assert_eq!(network["stem_pool"], "none");
    assert_eq!(network["norm_epsilon"], 0.001);
}

#[test]
fn single_class_is_rejected() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 8);
    fs::remove_dir_all(images.join("blue")).unwrap();
    let data = format!("folder:{}", images.display());
    let words = ["single class folder", "hint:"];
    fails(train(root.path()).args(["--data", &data]), 1, &words);
}
