//! `train study` of the real program.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{fails, image_folder, program, says, succeeds};

fn study(name: &str, output: &Path) -> Command {
    let arguments = ["study", name, "--depths", "8,14", "--output"];
    let mut command = program(output.parent().unwrap(), &arguments);
    command.arg(output);
    command
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn degradation_trains_all_networks_and_resumes() {
    let root = tempfile::tempdir().unwrap();
    let output = root.path().join("study");
    let data = format!("folder:{}", image_folder(root.path(), 20).display());
    let degradation = || {
        let mut command = study("degradation", &output);
        command.args(["--epochs", "2", "--batch-size", "8", "--data", &data]);
        command
    };
    let said = succeeds(&mut degradation());

    let table = read(&output, "degradation.md");
    assert!(said.contains(table.trim_end()), "{said}");
    let networks: Vec<&str> = table
        .lines()
        .skip(2)
        .map(|line| line.split('|').nth(1).unwrap().trim())
        .collect();
    assert_eq!(networks, ["plain8", "resnet8", "plain14", "resnet14"]);
    assert_eq!(read(&output, "degradation.csv").lines().count(), 1 + 2 * 4);
    let chart = read(&output, "degradation.svg");
    for network in networks {
        assert!(chart.contains(&format!(">{network}</text>")));
        let run = output.join("runs").join(network);
        assert!(run.join("model.safetensors").is_file());
        // All training images, and nothing chosen by the test images.
        let description = read(&run, "model.json");
        says(&description, &["\"validation\": null"]);
    }

    // Without two of its runs, it trains these again and comes to the same.
    for network in ["resnet8", "plain14"] {
        fs::remove_dir_all(output.join("runs").join(network)).unwrap();
    }
    let trained = succeeds(&mut degradation());
    assert_eq!(
        trained
            .lines()
            .filter(|line| line.starts_with("epoch "))
            .count(),
        2 * 2
    );
    assert_eq!(read(&output, "degradation.md"), table);

    // Data may be elsewhere by now.
    let elsewhere = root.path().join("elsewhere");
    succeeds(degradation().arg("--data-dir").arg(&elsewhere));
    let config = read(&output.join("runs/plain8"), "config.toml");
    assert!(config.contains(elsewhere.to_str().unwrap()), "{config}");

    let words = ["plain8", "other settings", "--output"];
    fails(degradation().args(["--lr", "0.05"]), 1, &words);
}

#[test]
fn gradients_cover_every_convolution() {
    let root = tempfile::tempdir().unwrap();
    let output = root.path().join("study");
    let settings = "--data sample --batches 2 --batch-size 32";
    succeeds(study("gradients", &output).args(settings.split(' ')));
    assert_eq!(
        read(&output, "gradients.csv").lines().count(),
        1 + 2 * (7 + 13)
    );
    assert_eq!(read(&output, "gradients.md").lines().count(), 2 + 4);
    assert!(read(&output, "gradients.svg").contains(">plain14</text>"));
}

#[test]
fn failed_start_leaves_no_files() {
    let root = tempfile::tempdir().unwrap();
    for name in ["degradation", "gradients"] {
        let output = root.path().join(name);
        let arguments = ["study", name, "--depths", "21", "--output"];
        let mut command = program(root.path(), &arguments);
        command.arg(&output);
        fails(&mut command, 2, &["`depths` is 21"]);
        let words = ["--batch-size"];
        fails(study(name, &output).args(["--batch-size", "0"]), 2, &words);
        let nowhere = root.path().join("nowhere");
        let mut without_data = study(name, &output);
        let words = ["cifar-10-binary.tar.gz", "nowhere"];
        fails(without_data.arg("--data-dir").arg(&nowhere), 1, &words);
        assert!(!output.exists(), "nothing was begun");
    }
}
