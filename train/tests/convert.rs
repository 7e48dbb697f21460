//! `train convert` of the real program.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{fails, succeeds};
use saved_models::{DESCRIPTION_FILE, SavedModel, WEIGHTS_FILE};

fn convert(input: &Path, output: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
    command.arg("convert").args([input, output]).args(more);
    command
}

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../infer/tests/references")
        .join(name)
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/saved-models/shipped")
}

#[test]
fn converted_run_round_trips_to_same_bytes() {
    let weights = |run: &Path| fs::read(run.join(WEIGHTS_FILE)).unwrap();
    let mut sizes = Vec::new();
    for precision in [&[][..], &["--half"]] {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("there.safetensors");
        let [first, back] = ["first", "runs/back"].map(|name| folder.path().join(name));
        succeeds(&mut convert(&shipped(), &first, precision));
        let said = succeeds(&mut convert(&first, &there, precision));
        let description = SavedModel::shipped().unwrap().description;
        assert!(
            said.contains(&description.model) && said.contains("in PyTorch's names"),
            "{said}"
        );
        succeeds(&mut convert(&there, &back, precision));
        assert!(weights(&back) == weights(&first));
        assert_eq!(SavedModel::open(&back).unwrap().description, description);

        // The record's file stands for its run.
        let again = folder.path().join("again.safetensors");
        succeeds(&mut convert(&back.join(WEIGHTS_FILE), &again, precision));
        assert!(fs::read(&again).unwrap() == fs::read(&there).unwrap());
        sizes.push(weights(&back).len());
    }
    assert!(sizes[1] < sizes[0] * 6 / 10, "{sizes:?}");
}

#[test]
fn pytorch_files_convert_to_runs() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["data-parallel-legacy.pth", "hugging-face-basic.safetensors"] {
        let run = folder.path().join(name).with_extension("");
        succeeds(&mut convert(&reference(name), &run, &[]));
        let saved = SavedModel::open(&run).unwrap();
        assert_eq!(saved.description.class_names.len(), 5);
        saved
            .network::<burn_flex::Flex>(&Default::default())
            .unwrap();
    }
}

#[test]
fn existing_output_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("there.safetensors");
    let input = reference("torchvision-basic.pth");
    fs::write(&file, "mine").unwrap();
    let words = ["already exists", "--overwrite"];
    fails(&mut convert(&input, &file, &[]), 1, &words);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    succeeds(&mut convert(&input, &file, &["--overwrite"]));

    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    fs::write(run.join("notes.txt"), "mine").unwrap();
    succeeds(&mut convert(&input, &run, &[]));
    fails(&mut convert(&file, &run, &[]), 1, &words);
    succeeds(&mut convert(&file, &run, &["--overwrite"]));
    assert!(run.join("notes.txt").is_file() && run.join(DESCRIPTION_FILE).is_file());
}

#[test]
fn unconvertible_files_give_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let input = reference("torchvision-basic.pth");
    let output = folder.path().join("there.safetensors");
    let pth = folder.path().join("there.pth");
    let words = ["must end in .safetensors or be a folder", "hint:"];
    fails(&mut convert(&input, &pth, &[]), 2, &words);
    let none = folder.path().join("none");
    fails(&mut convert(&none, &output, &[]), 1, &["none"]);
    let wrong = ["--model", "resnet18"];
    let words = ["does not fit resnet18"];
    fails(&mut convert(&input, &output, &wrong), 1, &words);
    let nowhere = folder.path().join("no/such/there.safetensors");
    fails(&mut convert(&input, &nowhere, &[]), 1, &["cannot write"]);
    let answer = reference("torchvision-basic.answer.safetensors");
    let words = ["does not hold a known network"];
    fails(&mut convert(&answer, &output, &[]), 1, &words);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn network_flags_are_stored_in_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let flags =
        "--pool max --stem-stride 2 --activation sigmoid --mean 0.5 --std 0.25 --image-size 24";
    let flags: Vec<_> = flags.split(' ').collect();
    succeeds(&mut convert(&reference("cifar-max-pool.pth"), &run, &flags));
    let text = fs::read_to_string(run.join(DESCRIPTION_FILE)).unwrap();
    let description: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(description["network"]["stem_pool"], "max");
    assert_eq!(description["network"]["stem_stride"], 2);
    assert_eq!(description["activation"], "sigmoid");
    assert_eq!(
        description["preprocessing"]["mean"],
        serde_json::json!([0.5, 0.5, 0.5])
    );
    assert_eq!(description["preprocessing"]["height"], 24);
    // A run is changed likewise, and a file for PyTorch remembers.
    let [again, file] = ["again", "file.safetensors"].map(|name| folder.path().join(name));
    succeeds(&mut convert(&run, &file, &["--shortcut", "projection"]));
    succeeds(&mut convert(&file, &again, &["--pool", "none"]));
    let network = SavedModel::open(&again).unwrap().description.network;
    let model::NetworkConfig::Resnet(network) = network else {
        panic!("{network:?}");
    };
    assert_eq!(network.first_pool(), model::StemPool::None);
    assert_eq!(network.first_stride(), 2);
    fails(
        &mut convert(
            &run,
            &folder.path().join("other"),
            &["--bottleneck-stride", "first"],
        ),
        2,
        &["no bottlenecks", "hint:"],
    );
}
