//! Help, shell completions and manual pages of the real program.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{fails, says, succeeds};

fn train() -> Command {
    Command::new(env!("CARGO_BIN_EXE_train"))
}

/// Whether a program is on this machine.
fn is_there(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

#[test]
fn short_help_fits_one_screen_and_names_long_help() {
    let commands = [
        &[][..],
        &["summary"],
        &["data"],
        &["eval"],
        &["watch"],
        &["runs"],
        &["report"],
        &["export"],
        &["convert"],
        &["quantize"],
        &["study"],
        &["study", "degradation"],
        &["study", "gradients"],
        &["completions"],
        &["man"],
    ];
    for command in commands {
        let help = succeeds(train().args(command).arg("-h").env("COLUMNS", "80"));
        let lines = help.lines().count();
        assert!(
            (8..=40).contains(&lines),
            "{command:?}, {lines} lines:\n{help}"
        );
        assert!(
            help.lines().all(|line| line.chars().count() <= 80),
            "{help}"
        );
        let long = succeeds(train().args(command).arg("--help"));
        assert!(long.len() >= help.len(), "{command:?}");
    }
    let help = succeeds(train().arg("-h"));
    let words = [
        "Commands:",
        "Start from:",
        "Data and model:",
        "Training:",
        "--data",
        "--help'",
    ];
    says(&help, &words);
    for rare in ["--gradient-checkpointing", "--shift-test", "Examples:"] {
        assert!(!help.contains(rare), "{help}");
        assert!(succeeds(train().arg("--help")).contains(rare));
    }
}

#[test]
fn bash_completes_commands_and_flags() {
    let script = succeeds(train().args(["completions", "bash"]));
    if !is_there("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("train.bash");
    fs::write(&file, script).unwrap();
    let complete = |words: &[&str]| -> String {
        let list = words.join(" ");
        let last = words.len() - 1;
        let order = format!(
            ". {}; COMP_WORDS=({list}); COMP_CWORD={last}; _train train '{}' '{}'; echo \"${{COMPREPLY[@]}}\"",
            file.display(),
            words[last],
            words[last - 1]
        );
        succeeds(Command::new("bash").args(["--norc", "-c", &order]))
    };
    assert_eq!(
        complete(&["train", "--label-s"]).trim(),
        "--label-smoothing"
    );
    assert_eq!(complete(&["train", "ev"]).trim(), "eval");
    assert_eq!(complete(&["train", "eval", "--spl"]).trim(), "--split");
    assert!(complete(&["train", "completions", ""]).contains("fish"));
    for (words, value) in [
        (["train", "--optimizer", "adamw"], "adamw"),
        (["train", "--model", "wide_resnet50"], "wide_resnet50_2"),
        (["train", "--device", "au"], "auto"),
        (["train", "--recipe", "cifar10-r"], "cifar10-resnet20"),
        (["train", "--data", "fash"], "fashion-mnist"),
        (["train", "--storage", "mem"], "memory"),
    ] {
        assert_eq!(complete(&words).trim(), value, "{words:?}");
    }
    assert_eq!(
        complete(&["train", "runs", "--sort", "acc"]).trim(),
        "accuracy"
    );
    // Files are offered for what is one, and not for a number.
    assert_eq!(
        complete(&["train", "--weights", "Car"]).trim(),
        "Cargo.toml"
    );
    assert_eq!(complete(&["train", "--epochs", "''"]).trim(), "");
}

#[test]
fn completions_load_in_other_shells() {
    for (shell, check) in [("zsh", "-n"), ("fish", "--no-execute")] {
        let script = succeeds(train().args(["completions", shell]));
        assert!(script.contains("label-smoothing"), "{script}");
        if is_there(shell) {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("script");
            fs::write(&file, script).unwrap();
            succeeds(Command::new(shell).arg(check).arg(file));
        }
    }
    for shell in ["powershell", "elvish"] {
        assert!(succeeds(train().args(["completions", shell])).contains("label-smoothing"));
    }
    fails(train().args(["completions", "tcsh"]), 2, &["bash", "zsh"]);
}

/// Asserts that `man` has nothing to say against a page.
fn assert_good(page: &Path) {
    let checks: [(&str, &[&str]); 2] = [
        ("mandoc", &["-T", "lint", "-W", "error"]),
        ("man", &["--warnings", "-l", "-Tutf8"]),
    ];
    for (program, arguments) in checks {
        if !is_there(program) {
            continue;
        }
        let output = Command::new(program)
            .args(arguments)
            .arg(page)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.is_empty(),
            "{program}: {said}"
        );
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let said = succeeds(train().arg("man").arg("--output").arg(folder.path()));
    let pages: Vec<&str> = said.lines().collect();
    assert!(pages.len() >= 14, "{said}");
    for name in ["train.1", "train-eval.1", "train-study-degradation.1"] {
        assert!(folder.path().join(name).is_file(), "{name}: {said}");
    }
    pages.iter().for_each(|page| assert_good(Path::new(page)));
    let page = succeeds(train().args(["man", "eval"]));
    assert_eq!(
        page,
        fs::read_to_string(folder.path().join("train-eval.1")).unwrap()
    );
    says(&page, &["EXAMPLES", "calibration"]);
    fails(
        train().args(["man", "evil"]),
        2,
        &["unknown command `evil`"],
    );
}
