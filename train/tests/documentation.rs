//! Every `train` command of README.md, CONTRIBUTING.md and docs/ runs as it stands there, with less to compute.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::pages::{Documented, commands, root};
use common::{image_folder, offline, stderr, stdout, succeeds};

/// Instead of longer values.
const SMALLER: [(&str, &str); 6] = [
    ("--epochs", "1"),
    ("--depths", "8"),
    ("--batch-size", "8"),
    ("--repeats", "1"),
    ("--batches", "1"),
    ("--image-size", "16"),
];

/// How a command ends without a network and without GPUs.
#[derive(Debug, PartialEq)]
enum End {
    Succeeds,
    /// With this exit code, and an error that has these words.
    Fails(i32, &'static str),
}

#[test]
fn documented_commands_print_documented_output() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let mut count = 0;
    for command in commands() {
        if let Some(arguments) = command.arguments_of("train") {
            check(&command, arguments, folder.path());
            count += 1;
        }
    }
    assert!(count > 20, "{count} commands");
}

/// Packages, benchmarks and scripts that other commands name are there, with the flags that are given to scripts.
#[test]
fn documented_targets_exist() {
    let is_program = |command: &Documented| {
        ["train", "infer"]
            .iter()
            .any(|program| command.arguments_of(program).is_some())
    };
    for command in commands().iter().filter(|command| !is_program(command)) {
        let words = command.words.iter().map(String::as_str);
        let words: Vec<&str> = words.skip_while(|word| word.contains('=')).collect();
        let after = |flag: &str| {
            let place = words.iter().position(|word| *word == flag)?;
            words.get(place + 1).copied()
        };
        let script = match words[0] {
            "cargo" => {
                let package = after("-p").map_or(root(), |package| root().join(package));
                assert!(package.join("Cargo.toml").is_file(), "{}", command.place);
                if let Some(name) = after("--bench") {
                    let bench = package.join("benches").join(name).with_extension("rs");
                    assert!(bench.is_file(), "{}", command.place);
                }
                continue;
            }
            "python3" => words[1],
            script => script,
        };
        let text = fs::read_to_string(root().join(script));
        let text = text.unwrap_or_else(|error| panic!("{}: {script}: {error}", command.place));
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(
                text.contains(&format!("\"{flag}\"")),
                "{}: {flag}",
                command.place
            );
        }
    }
}

/// What pages take for granted: images, a table of their labels, weights and runs.
fn prepare(folder: &Path) {
    let images = image_folder(folder, 30);
    let mut labels = String::new();
    for (from, class) in [("blue", "cat"), ("red", "dog")] {
        for name in ["photos", "NEW"] {
            copy(&images.join(from), &folder.join(name).join(class));
        }
        for number in 0..30 {
            let ending = common::format_of(number);
            labels += &format!("{class}/{number}.{ending},{class}\n");
        }
    }
    fs::write(folder.join("photos/labels.csv"), labels).unwrap();
    // The classes of the weights.
    for class in 0..5 {
        copy(
            &images.join("red"),
            &folder.join(format!("imagenet/{class}")),
        );
    }
    fs::copy(
        root().join("infer/tests/references/torchvision-bottleneck.safetensors"),
        folder.join("resnet50.pth"),
    )
    .unwrap();
    for name in ["mine", "other"] {
        succeeds(train(folder).args(["--data", "folder:photos", "--name", name, "--epochs", "1"]));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

/// The program in the folder, where it keeps its runs as it does by default.
fn train(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
    command.current_dir(folder);
    offline(&mut command, folder);
    command
}

fn check(command: &Documented, arguments: Vec<String>, folder: &Path) {
    let (arguments, end) = lessened(arguments);
    let output = train(folder).args(&arguments).output().unwrap();
    let (printed, said) = (stdout(&output), stderr(&output));
    let context = format!("{}: {arguments:?}\n{printed}\n{said}", command.place);
    match end {
        End::Succeeds => assert!(output.status.success(), "{context}"),
        End::Fails(code, words) => {
            assert_eq!(output.status.code(), Some(code), "{context}");
            assert!(said.contains(words), "{context}");
        }
    }
    // Figures differ; what stands around them does not.
    let found: Vec<String> = said.lines().chain(printed.lines()).map(shape).collect();
    for line in command
        .output
        .iter()
        .filter(|line| !line.is_empty() && *line != "...")
    {
        let expected = shape(line);
        let is_there = found.iter().any(|found| found.starts_with(&expected));
        assert!(is_there, "no line as `{line}` in {context}");
    }
}

/// The arguments with less to compute, and how the command then ends.
fn lessened(mut arguments: Vec<String>) -> (Vec<String>, End) {
    for (flag, value) in SMALLER {
        if let Some(place) = arguments.iter().position(|argument| argument == flag) {
            value.clone_into(&mut arguments[place + 1]);
        }
    }
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let mut add = Vec::new();
    let mut end = End::Succeeds;
    if has("--bench") {
        add = vec!["--repeats", "1", "--input", "3x32x32"];
    } else if has("study") {
        add = vec!["--data", "folder:photos"];
    } else if has("cuda") {
        end = End::Fails(2, "--features cuda");
    } else if has("cifar10") || has("cifar10-resnet20") {
        end = End::Fails(1, "hint: put ");
    } else if has("--pretrained") {
        end = End::Fails(1, "hint: ");
    } else if arguments.is_empty() || has("--resume") {
        add = vec!["--epochs", "2"];
    }
    arguments.extend(add.into_iter().map(str::to_owned));
    (arguments, end)
}

/// A line with every number, and the name of a run, as one sign, and spaces as one; up to the names of files, if it has
/// any.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    let line = match line.contains(".jpg") {
        true => line.split("  ").next().unwrap_or_default(),
        false => line,
    };
    for word in line.split_whitespace() {
        let is_run = word.starts_with("runs/");
        let mut digits = false;
        for character in if is_run { "RUN" } else { word }.chars() {
            let is_number = character.is_ascii_digit() || (digits && ".:-e".contains(character));
            if !(is_number && digits) {
                shape.push(if is_number { '#' } else { character });
            }
            digits = is_number;
        }
        shape.push(' ');
    }
    shape
}
