//! Nothing that the real program prints acts on a terminal or goes on without end, whatever it is given.
#![cfg(unix)]

mod common;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::process::{Command, Output};

use common::{image_folder, program, stdout, train};

const LONGEST: usize = 300;
const LONGEST_HINT: usize = 1000;
const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\u{9b}31m\u{202e}gnp\u{2066}\u{200b}";

fn check(output: &Output, what: &str) {
    let text = str::from_utf8(&output.stderr).unwrap();
    for text in [text, &stdout(output)] {
        let is_safe = |character| character == '\n' || files::is_printable(character);
        assert!(text.chars().all(is_safe), "{what}: {text:?}");
    }
    let errors: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("error:"))
        .collect();
    assert!(errors.len() <= 1, "{what}: {text}");
    for line in text.lines() {
        // A hint may name files, their addresses or a whole command.
        let longest = match line.contains("hint:") {
            true => LONGEST_HINT,
            false => LONGEST,
        };
        assert!(line.chars().count() <= longest, "{what}: {line}");
    }
    assert!(!text.contains("panicked"), "{what}: {text}");
    assert!(
        output.status.code().is_some(),
        "{what}: {:?}",
        output.status
    );
}

fn nasty() -> Vec<OsString> {
    let long = "x".repeat(100_000);
    let words = "a b ".repeat(25_000);
    let mut values: Vec<OsString> = [EVIL, &long, &words, &EVIL.repeat(3000), "", "\n\nerror: a"]
        .map(OsString::from)
        .into();
    values.push(OsString::from_vec(b"\xff\xfe\x1b[2J".to_vec()));
    values
}

/// The flags of a command that take a value, as its help shows them.
fn flags(command: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_train"))
        .args(command)
        .arg("--help")
        .output()
        .unwrap();
    let help = stdout(&output);
    let words = help.lines().filter_map(|line| {
        let (_, flag) = line.trim_start().split_once("--")?;
        let (flag, value) = flag.split_once([' ', '[', '='])?;
        let starts = line.trim_start().starts_with('-');
        (starts && value.contains('<') || value.starts_with('<')).then(|| format!("--{flag}"))
    });
    words.collect()
}

#[test]
fn nasty_arguments_give_short_printable_errors() {
    let root = tempfile::tempdir().unwrap();
    // What would work otherwise ends at a folder of images that is not there.
    let commands: [(&[&str], &[&str]); 9] = [
        (&[], &["--data", "folder:none"]),
        (&["summary"], &["resnet8"]),
        (&["data"], &["folder:none"]),
        (&["eval"], &[]),
        (&["runs"], &[]),
        (&["report"], &[]),
        (&["export"], &["--csv", "none/x"]),
        (&["convert"], &["none", "other"]),
        (&["study", "gradients"], &["--data", "folder:none"]),
    ];
    let mut tried = 0;
    for (command, rest) in commands {
        let run = |arguments: &[&OsStr], what: &str| {
            let mut program = program(root.path(), command);
            check(&program.args(arguments).output().unwrap(), what);
        };
        let flags = flags(command);
        for (number, value) in nasty().into_iter().enumerate() {
            // Each flag gets some of the values, since each takes a process.
            for (_, flag) in flags
                .iter()
                .enumerate()
                .filter(|(index, _)| (index + number) % 3 == 0)
            {
                let rest = rest.iter().filter(|_| !rest.contains(&flag.as_str()));
                let rest: Vec<&OsStr> = rest.map(OsStr::new).collect();
                let given = [OsStr::new(flag), &value];
                run(
                    &[&rest[..], &given].concat(),
                    &format!("{command:?} {flag}"),
                );
                tried += 1;
            }
            run(&[&value], &format!("{command:?} alone"));
            if value.is_empty() {
                continue; // no flag
            }
            let prefixed = [b"--".as_slice(), value.as_bytes()].concat();
            run(
                &[OsStr::from_bytes(&prefixed)],
                &format!("{command:?} as a flag"),
            );
        }
    }
    assert!(tried > 130, "{tried}");
}

#[test]
fn nasty_files_give_short_printable_errors() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path().join("runs");
    let long = "y".repeat(100_000);
    let configs = [
        format!("model = \"{long}\""),
        "model = \"\\u001b[2J\\u202e\"".to_owned(),
        format!("{long} = 1"),
        format!("epochs = \"{long}\""),
        "\"\\u001b[2J\" = 1".to_owned(),
        format!("epochs = 1\n{EVIL}"),
        format!("data = \"folder:\\u001b[2J{}\"", &long[..9000]),
    ];
    for (number, config) in configs.iter().enumerate() {
        let file = root.path().join(format!("{number}.toml"));
        fs::write(&file, config).unwrap();
        let output = train(&runs).arg("--config").arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{number}: {output:?}");
        check(&output, &format!("config {number}"));
    }
    for (name, content) in [
        ("model.json", format!("{{\"version\": \"{long}\"}}")),
        ("model.json", format!("{{\"{long}\": 1}}")),
        (
            "model.json",
            "{\"version\": \"\\u001b[2J\", \"model\": 5}".to_owned(),
        ),
    ] {
        let run = root.path().join(EVIL.replace(['/', '\0'], ""));
        fs::create_dir_all(&run).unwrap();
        fs::write(run.join(name), content).unwrap();
        fs::write(run.join("model.safetensors"), "").unwrap();
        let output = train(&runs)
            .args(["--data", "sample", "--weights"])
            .arg(&run)
            .output()
            .unwrap();
        assert_ne!(output.status.code(), Some(0), "{output:?}");
        check(&output, name);
    }
}

#[test]
fn nasty_names_are_printed_escaped() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 24);
    let evil = EVIL.replace('/', "");
    let folder = root.path().join(format!("a{evil}"));
    fs::rename(&images, &folder).unwrap();
    for class in ["red", "blue"] {
        fs::rename(folder.join(class), folder.join(format!("{class}{evil}"))).unwrap();
    }
    let data = format!("folder:{}", folder.display());
    let run = |arguments: &[&str]| {
        let output = program(root.path(), arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        check(&output, arguments[0]);
        stdout(&output)
    };
    let name = format!("n{evil}");
    let settings = ["--image-size", "16", "--epochs", "1", "--batch-size", "16"];
    let json = run(&[&["--json", "--data", &data, "--name", &name], &settings[..]].concat());
    let started: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert!(started.to_string().contains("gnp"), "{started}");
    let text = run(&["--resume", &name, "--epochs", "2"]);
    assert!(text.contains("\\u{1b}[2J"), "{text}");
    for arguments in [
        &["data", &data][..],
        &["data", &data, "--json"],
        &["runs"],
        &["runs", "--json"],
        &["eval", &name],
        &["eval", &name, "--json"],
        &["report", &name],
        &["report", &name, "-o", "-"],
        &["export", &name, "--csv", "tables", "--tensorboard", "logs"],
    ] {
        run(arguments);
    }
    let found: serde_json::Value = serde_json::from_str(&run(&["eval", &name, "--json"])).unwrap();
    let class = found["classes"][0]["name"].as_str().unwrap();
    assert!(class.ends_with(&evil), "the data of JSON stays: {class:?}");
    let table = Path::new("tables").join(&name).join("classes.csv");
    let table = fs::read_to_string(root.path().join(table)).unwrap();
    assert!(table.contains("\\u{202e}"), "{table}");
}
