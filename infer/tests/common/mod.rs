//! Helpers shared by the tests of the program.

#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part"
)]

pub mod tensors;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use saved_models::SavedModel;

/// Returns a command that runs the program with the given runs folder.
pub fn infer(runs_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_infer"));
    command.arg("--runs-dir").arg(runs_dir);
    // Cargo sets it for tests too, and commands in messages would start with `cargo run`.
    command.env_remove("CARGO_MANIFEST_DIR");
    command.env("RUST_BACKTRACE", "1"); // errors for the user must still have no backtrace
    command
}

/// Returns the path of the image in the workspace folder: an ankle boot.
pub fn image_png() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../image.png")
}

/// Asserts that the command succeeds, and returns its output.
pub fn succeeds(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub fn fails(command: &mut Command, code: i32, words: &[&str]) {
    let output = command.output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("error:"))
            .count(),
        1,
        "{text}"
    );
    says(&text, words);
    for sign in ["panicked", "stack backtrace", "RUST_BACKTRACE"] {
        assert!(!text.contains(sign), "{text}");
    }
}

/// Creates a run's folder with the shipped model, whose description says that it was trained on the sample.
pub fn run_folder(runs: &Path, name: &str) -> PathBuf {
    run_with(runs, name, 0.5)
}

/// Like [`run_folder`], with the given validation accuracy.
pub fn run_with(runs: &Path, name: &str, validation: f64) -> PathBuf {
    let folder = runs.join(name);
    fs::create_dir(&folder).unwrap();
    let mut saved = SavedModel::shipped().unwrap();
    saved.description.trained_on = "sample".to_owned();
    saved.description.accuracy.validation = Some(validation);
    saved.write(&folder).unwrap();
    folder
}

/// Asserts that a text contains all of these words.
#[track_caller]
pub fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in: {text}");
    }
}

/// Asserts that a text contains none of these words.
#[track_caller]
pub fn lacks(text: &str, words: &[&str]) {
    for word in words {
        assert!(!text.contains(word), "`{word}` in: {text}");
    }
}
