//! Helpers shared by the tests of the program.

#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part"
)]

pub mod pages;
pub mod records;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use events::{Follower, History};

/// Returns a command that runs the program outside any terminal, with the given runs folder.
pub fn train(runs_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
    command.arg("--runs-dir").arg(runs_dir);
    command.env("RUST_BACKTRACE", "1"); // errors for the user must still have no backtrace
    offline(&mut command, runs_dir);
    command
}

/// Returns a command that runs the program offline in a folder; its runs are in the subfolder `runs`.
pub fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
    command.args(arguments).current_dir(folder);
    offline(&mut command, folder);
    command
}

/// Keeps a program from using the network and the machine's data sets, by placing the user's folders in `folder`.
pub fn offline(command: &mut Command, folder: &Path) {
    for variable in ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(variable);
        command.env_remove(variable.to_lowercase());
    }
    command.env("ALL_PROXY", "http://127.0.0.1:9"); // nothing listens here
    // Cargo sets it for tests too, and commands in messages would start with `cargo run`.
    command.env_remove("CARGO_MANIFEST_DIR");
    for variable in ["HOME", "XDG_CACHE_HOME", "XDG_DATA_DIRS"] {
        command.env(variable, folder.join("home"));
    }
}

/// Returns the history of a run, read from its events.
pub fn history(run: &Path) -> History {
    let mut follower = Follower::open(run);
    follower.poll().unwrap();
    follower.into_history()
}

/// Fast settings for images of 28 pixels.
pub const SMALL: [&str; 4] = ["--stem", "imagenet", "--batch-size", "64"];

/// Trains a small network on the sample for one epoch, with additional arguments, and returns the run's folder.
pub fn trained(runs: &Path, name: &str, more: &[&str]) -> PathBuf {
    let mut command = train(runs);
    command.args(SMALL).args(["--epochs", "1", "--name", name]);
    succeeds(command.args(more));
    runs.join(name)
}

/// Trains on a folder of images as the run "mine", with additional arguments, and returns the run's folder.
pub fn trained_on(runs: &Path, images: &Path, more: &[&str]) -> PathBuf {
    let data = format!("folder:{}", images.display());
    let mut command = train(runs);
    command.args(["--data", &data, "--name", "mine", "--image-size", "16"]);
    succeeds(command.args(more));
    runs.join("mine")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Asserts that the command succeeds, and returns standard output.
pub fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        stdout(&output),
        stderr(&output)
    );
    stdout(&output)
}

/// Asserts that the program ends with this exit code and one error line, that standard error contains these words and
/// nothing that looks like a panic, and returns standard error.
pub fn fails(command: &mut Command, code: i32, words: &[&str]) -> String {
    let output = command.output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    let errors: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("error:"))
        .collect();
    assert_eq!(errors.len(), 1, "{text}");
    says(&text, words);
    for sign in ["panicked", "stack backtrace", "RUST_BACKTRACE"] {
        assert!(!text.contains(sign), "{text}");
    }
    text
}

/// Returns the number in `test accuracy 87.10 %, ...` or `test accuracy 87.10 % (95 % interval ...`.
pub fn test_accuracy(stdout: &str) -> f64 {
    let line = stdout.lines().last().unwrap_or_default();
    let number = line
        .strip_prefix("test accuracy ")
        .filter(|rest| rest.contains(", average test loss "))
        .and_then(|rest| rest.split_once(" %"))
        .map(|(number, _)| number);
    number
        .unwrap_or_else(|| panic!("no final line: {stdout}"))
        .parse()
        .unwrap()
}

/// Creates a folder of class folders with images that are easy to tell apart: red and blue ones.
pub fn image_folder(root: &Path, images: usize) -> PathBuf {
    let folder = root.join("images");
    for (class, color) in [("blue", [20, 30, 200]), ("red", [210, 30, 20])] {
        fs::create_dir_all(folder.join(class)).unwrap();
        for number in 0..images {
            let format = format_of(number);
            let edge = 20 + number as u32 % 5;
            let image = image::RgbImage::from_fn(edge, edge + 3, |x, y| {
                let shade = ((x * 7 + y * 13 + number as u32 * 31) % 40) as u8;
                image::Rgb(color.map(|part: u8| part.saturating_add(shade)))
            });
            let path = folder.join(class).join(format!("{number}.{format}"));
            if format == "jpg" {
                let encoder = jpeg_encoder::Encoder::new_file(path, 75).unwrap();
                let [width, height] = [image.width(), image.height()].map(|side| side as u16);
                let colors = jpeg_encoder::ColorType::Rgb;
                encoder.encode(&image, width, height, colors).unwrap();
            } else {
                image.save(path).unwrap();
            }
        }
    }
    folder
}

/// Returns the file extension of the image with the given number.
pub fn format_of(number: usize) -> &'static str {
    ["png", "jpg", "bmp", "webp"][number % 4]
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
