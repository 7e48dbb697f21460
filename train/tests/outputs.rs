//! Where the real program writes its results, and what it does when that fails.
#![cfg(unix)]

mod common;

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use common::{SMALL, fails, program, says, stderr, stdout, succeeds, train, trained};
use serde_json::Value;

/// A folder that has the run `mine` in `runs`.
fn folder_with_run() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    trained(&root.path().join("runs"), "mine", &[]);
    root
}

/// Commands whose last argument is a file to write, and how what they write begins.
const COMMANDS: [(&[&str], &[u8]); 4] = [
    (&["report", "mine", "--output"], b"<!DOCTYPE html>"),
    (&["eval", "mine", "--batch-size", "200", "-o"], b"{"),
    (&["data", "sample", "--sheet"], b"\x89PNG"),
    (&["convert", "runs/mine", "--overwrite"], b""),
];

/// A file of weights begins with the length of its header.
fn is_right(bytes: &[u8], begin: &[u8]) -> bool {
    match begin {
        b"" => bytes.get(8) == Some(&b'{'),
        begin => bytes.starts_with(begin),
    }
}

#[test]
fn output_keeps_pipes_devices_and_links() {
    let root = folder_with_run();
    let path = |name: &str| root.path().join(name);
    fs::create_dir(path("real")).unwrap();
    symlink("/dev/null", path("null")).unwrap();
    let made = Command::new("mkfifo").arg(path("pipe")).status().unwrap();
    assert!(made.success());
    for (number, (command, begin)) in COMMANDS.into_iter().enumerate() {
        let run = |target: &str| program(root.path(), &[command, &[target]].concat());

        let reader = thread::spawn({
            let pipe = path("pipe");
            move || {
                let mut bytes = Vec::new();
                File::open(pipe).unwrap().read_to_end(&mut bytes).unwrap();
                bytes
            }
        });
        succeeds(&mut run("pipe"));
        assert!(is_right(&reader.join().unwrap(), begin), "{command:?}");
        let kind = fs::symlink_metadata(path("pipe")).unwrap().file_type();
        assert!(kind.is_fifo(), "{command:?}");

        // Standard output, by either name, has the file and nothing else.
        for target in ["-", "/dev/stdout"] {
            let output = run(target).output().unwrap();
            assert!(output.status.success(), "{}", stderr(&output));
            assert!(is_right(&output.stdout, begin), "{command:?} {target}");
        }
        // Also where it is a file.
        let file = File::create(path("redirected")).unwrap();
        let status = run("/dev/stdout").stdout(file).status().unwrap();
        assert!(status.success());
        assert!(is_right(&fs::read(path("redirected")).unwrap(), begin));

        for target in ["/dev/null", "null"] {
            succeeds(&mut run(target));
        }
        let null = fs::symlink_metadata("/dev/null").unwrap().file_type();
        assert!(null.is_char_device() && path("null").is_symlink());

        // A name for each kind of file that is written.
        let ending = match begin {
            b"" => "safetensors",
            b"{" => "json",
            b"\x89PNG" => "png",
            _ => "html",
        };
        let [existing, dangling] =
            ["existing", "dangling"].map(|name| format!("{name}{number}.{ending}"));
        fs::write(path("real").join(&existing), "old").unwrap();
        for name in [&existing, &dangling] {
            let target = path("real").join(name);
            symlink(&target, path(name)).unwrap();
            succeeds(&mut run(name));
            assert!(path(name).is_symlink(), "{command:?} {name}");
            assert!(
                is_right(&fs::read(target).unwrap(), begin),
                "{command:?} {name}"
            );
        }
        if !begin.is_empty() {
            let looping = format!("loop.{ending}");
            symlink(&looping, path(&looping)).unwrap();
            fails(&mut run(&looping), 1, &["cannot write loop.", "hint:"]);
            let missing = format!("missing/a.{ending}");
            fails(&mut run(&missing), 1, &[&missing, "hint:"]);
        }
    }
}

#[test]
fn tables_are_written_through_links_too() {
    let root = folder_with_run();
    let path = |name: &str| root.path().join(name);
    fs::create_dir_all(path("tables/mine")).unwrap();
    symlink("/dev/null", path("tables/mine/steps.csv")).unwrap();
    symlink("../../epochs.csv", path("tables/mine/epochs.csv")).unwrap();
    let export = ["export", "mine", "--csv", "tables"];
    succeeds(&mut program(root.path(), &export));
    for name in ["steps.csv", "epochs.csv"] {
        assert!(path("tables/mine").join(name).is_symlink(), "{name}");
    }
    let table = fs::read_to_string(path("epochs.csv")).unwrap();
    assert!(table.starts_with("epoch,"), "{table}");
}

#[test]
fn output_is_checked_before_work() {
    let root = tempfile::tempdir().unwrap();
    let program = |arguments: &[&str]| program(root.path(), arguments);
    for arguments in [
        &["data", "folder:none", "--sheet", "missing/a.png"][..],
        &["convert", "none.pth", "missing/a.safetensors"],
    ] {
        fails(&mut program(arguments), 1, &["missing/a.", "hint:"]);
    }
    let both = ["data", "sample", "--sheet", "-", "--json"];
    fails(&mut program(&both), 2, &["standard output", "hint:"]);
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_on_stdout_is_an_error() {
    let root = folder_with_run();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let eval = ["eval", "mine", "--batch-size", "200"];
    let commands: [&[&str]; 16] = [
        &["--help"],
        &["--version"],
        &["eval", "--help"],
        &["--list-devices"],
        &["summary", "resnet8"],
        &["summary", "resnet8", "--json"],
        &["runs"],
        &["runs", "--json"],
        &["data", "sample"],
        &["data", "sample", "--json"],
        &eval,
        &["eval", "mine", "--batch-size", "200", "--json"],
        &["report", "mine"],
        &["export", "mine", "--csv", "tables"],
        &["convert", "runs/mine", "copy", "--overwrite"],
        &[
            "--bench",
            "--model=resnet8",
            "--batch-size=1",
            "--repeats=1",
        ],
    ];
    for arguments in commands {
        let words = ["cannot write to standard output: No space left on device"];
        fails(program(root.path(), arguments).stdout(full()), 1, &words);
        // A reader that has enough is no failure.
        let mut child = program(root.path(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(!stderr(&output).contains("error"), "{}", stderr(&output));
    }
    // What is printed is not all that there is.
    let result = root.path().join("runs/mine/eval-sample-test.json");
    fs::remove_file(&result).unwrap();
    program(root.path(), &eval).stdout(full()).status().unwrap();
    assert!(result.is_file());

    // A run goes on, and tells at its end.
    for json in [&[][..], &["--json"]] {
        let name = format!("full{}", json.len());
        let runs = root.path().join("runs");
        let mut command = train(&runs);
        command.args(SMALL).args(["--epochs", "1", "--name", &name]);
        command.args(json).stdout(full());
        fails(&mut command, 1, &["cannot write to standard output"]);
        assert!(runs.join(name).join("test.json").is_file());
    }
}

#[test]
fn unsaved_result_is_printed() {
    let root = folder_with_run();
    let path = |name: &str| -> PathBuf { root.path().join("runs/mine").join(name) };
    // A folder in the file's place stops everyone, unlike a mode.
    fs::create_dir(path("eval-sample-test.json")).unwrap();
    let output = program(root.path(), &["eval", "mine", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(found["images"], 1000);
    says(&stderr(&output), &["error: cannot write "]);
    // The user's own wish is checked first.
    let mut eval = program(root.path(), &["eval", "mine", "--output", "runs"]);
    let output = fails(&mut eval, 1, &["cannot write runs", "hint:"]);
    assert!(!output.contains("saved"), "{output}");

    // A run, too, tells its result before it is written.
    fs::remove_file(path("test.json")).unwrap();
    fs::create_dir(path("test.json")).unwrap();
    let output = train(&root.path().join("runs"))
        .args(["--resume", "mine"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    says(&stdout(&output), &["test accuracy "]);
    assert!(stderr(&output).contains("test.json"), "{}", stderr(&output));
}
