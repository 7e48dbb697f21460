//! Every `infer` command of README.md, CONTRIBUTING.md and docs/ does what its page says.

mod common;
#[path = "../../train/tests/common/pages.rs"]
mod pages;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{stderr, stdout};
use pages::{Documented, commands, root};

#[test]
fn documented_commands_print_documented_output() {
    let folder = tempfile::tempdir().unwrap();
    for (from, name) in [
        ("image.png", "image.png"),
        ("data/sample/images/bag.png", "photo.jpg"),
        ("data/sample/images/coat.png", "other.png"),
        ("image.png", "new-image.jpg"),
        (
            "infer/tests/references/torchvision-bottleneck.safetensors",
            "resnet50.pth",
        ),
    ] {
        fs::copy(root().join(from), folder.path().join(name)).unwrap();
    }
    let mut count = 0;
    for command in commands() {
        if let Some(arguments) = command.arguments_of("infer") {
            check(&command, arguments, folder.path());
            count += 1;
        }
    }
    assert!(count > 6, "{count} commands");
}

fn check(command: &Documented, mut arguments: Vec<String>, folder: &Path) {
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    // The exit code, and words of the error without a network and GPUs.
    let mut end = (0, "");
    let mut less = Vec::new();
    if has("--bench") {
        less = vec!["--input", "3x32x32", "--repeats", "1"];
    } else if has("--pretrained") {
        end = (1, "hint: ");
    } else if has("wgpu") {
        end = (2, "--features wgpu");
    }
    arguments.extend(less.into_iter().map(str::to_owned));
    let output = Command::new(env!("CARGO_BIN_EXE_infer"))
        .current_dir(folder)
        .args(&arguments)
        .env("HTTPS_PROXY", "http://127.0.0.1:9") // where no one listens
        .env("XDG_CACHE_HOME", folder)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let (printed, said) = (stdout(&output), stderr(&output));
    let context = format!("{}: {arguments:?}\n{printed}\n{said}", command.place);
    assert_eq!(output.status.code(), Some(end.0), "{context}");
    assert!(said.contains(end.1), "{context}");
    for line in &command.output {
        // The device has as many threads as the machine, and what can be trained is named as it was started.
        let line = line.split("flex (").next().unwrap_or_default();
        let line = line.split(" (shipped").next().unwrap_or_default();
        let is_there = said
            .lines()
            .chain(printed.lines())
            .any(|found| found.starts_with(line));
        assert!(is_there, "no line as `{line}` in {context}");
    }
}
