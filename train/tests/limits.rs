//! What the real program does where the system sets limits, or the environment is odd.

mod common;

use std::fs;
use std::process::Command;

use common::{SMALL, fails, offline, stderr, succeeds, train};

#[test]
fn unknown_values_of_environment_variables_are_wrong_usage() {
    let runs = tempfile::tempdir().unwrap();
    for (variable, value) in [
        ("RESNET_SIMD", "sse9"),
        ("RESNET_SIMD", "AVX2"),
        ("RESNET_KERNELS", "no"),
        ("RAYON_NUM_THREADS", "many"),
        ("RAYON_NUM_THREADS", "-1"),
    ] {
        let mut command = train(runs.path());
        command.env(variable, value);
        fails(&mut command, 2, &[variable, value, "but must be", "hint:"]);
    }
    // Vectors that no CPU has together with these.
    let other = match cfg!(target_arch = "x86_64") {
        true => "neon",
        false => "avx2",
    };
    let mut command = train(runs.path());
    let words = [other, "on this CPU"];
    fails(command.env("RESNET_SIMD", other), 2, &words);
    assert!(fs::read_dir(runs.path()).unwrap().next().is_none());

    for (variable, value) in [
        ("RESNET_SIMD", "portable"),
        ("RESNET_SIMD", ""),
        ("RESNET_KERNELS", "off"),
        ("RESNET_KERNELS", "on"),
        ("RAYON_NUM_THREADS", ""),
        ("RAYON_NUM_THREADS", "0"),
        ("RAYON_NUM_THREADS", "1"),
        ("NO_COLOR", "\u{1b}[2J"),
        ("COLUMNS", "wide"),
        ("COLUMNS", "-1"),
        ("TERM", ""),
        ("TMPDIR", "/nonexistent"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
        offline(&mut command, runs.path());
        for arguments in [&["summary", "resnet8"][..], &["--help"]] {
            succeeds(command.env(variable, value).args(arguments));
            command = Command::new(env!("CARGO_BIN_EXE_train"));
        }
    }
    let mut command = train(runs.path());
    command.env_remove("HOME").env_remove("XDG_CACHE_HOME");
    succeeds(command.args(SMALL).args(["--epochs", "1"]));
}

/// The program under a limit of the shell's, as another user where the tests are root's, whom some limits do not
/// bind.
#[cfg(target_os = "linux")]
fn limited(limit: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", &format!(r#"ulimit {limit}; exec "$0" "$@""#)]);
    command.arg(env!("CARGO_BIN_EXE_train")).args(arguments);
    command
}

#[cfg(target_os = "linux")]
#[test]
fn open_file_limit_is_an_error() {
    let runs = tempfile::tempdir().unwrap();
    let folder = runs.path().to_str().unwrap();
    for files in 3..24 {
        let mut command = limited(
            &format!("-n {files}"),
            &["--runs-dir", folder, "--epochs", "1", "--stem", "imagenet"],
        );
        offline(&mut command, runs.path());
        let output = command.output().unwrap();
        let text = stderr(&output);
        // The loader of programs needs some itself.
        if text.contains("error while loading shared libraries") {
            continue;
        }
        assert!(
            output.status.code().is_some(),
            "{files}: {:?} {text}",
            output.status
        );
        assert!(!text.contains("panicked"), "{files}: {text}");
        if output.status.success() {
            return;
        }
        assert!(text.contains("Too many open files"), "{files}: {text}");
    }
}

/// Threads count as processes; that root has no such limit is why another user runs the program.
#[cfg(target_os = "linux")]
#[test]
fn missing_threads_give_warning() {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout != b"0\n" {
        return; // the user's own processes count too
    }
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("train");
    fs::copy(env!("CARGO_BIN_EXE_train"), &program).unwrap();
    let everyone = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o777);
    fs::set_permissions(folder.path(), everyone).unwrap();
    let mut said = Vec::new();
    for (number, threads) in [1, 2, 3, 4, 5, 6, 8, 12].into_iter().enumerate() {
        let mut command = Command::new("setpriv");
        // A user that has nothing else running.
        let user = format!("--reuid={}", 54_321 + number);
        command.args([&user, "--regid=54321", "--clear-groups", "bash", "-c"]);
        command.arg(format!(r#"ulimit -u {threads} && exec "$0" "$@""#));
        command
            .arg(&program)
            .args(["--epochs", "1", "--threads", "4"]);
        command.args(SMALL).current_dir(folder.path());
        offline(&mut command, folder.path());
        let output = command.output().unwrap();
        let text = stderr(&output);
        if text.contains("setpriv:") || text.contains("bash:") {
            return; // a container that does not allow it
        }
        assert!(
            output.status.code().is_some(),
            "{threads}: {:?} {text}",
            output.status
        );
        assert!(!text.contains("panicked"), "{threads}: {text}");
        assert!(!text.contains("Os {"), "{threads}: {text}");
        said.push(text);
    }
    assert!(said[0].contains("error: "), "{said:?}");
    assert!(
        said.iter().any(|text| text.contains("CPU threads")),
        "{said:?}"
    );
}

#[test]
fn shortened_warmup_is_printed_and_recorded() {
    let runs = tempfile::tempdir().unwrap();
    let warning = "warm-up ends after 0.5 epochs instead of 5";
    for (epochs, is_warned) in [("5", true), ("0.5", false)] {
        let mut command = train(runs.path());
        command
            .args(SMALL)
            .args(["--epochs", "1", "--warmup-epochs", epochs]);
        let output = command.args(["--name", epochs]).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let printed = stderr(&output).contains(&format!("warning: {warning}"));
        let events = fs::read_to_string(runs.path().join(epochs).join("events.jsonl")).unwrap();
        assert_eq!([printed, events.contains(warning)], [is_warned; 2]);
    }
}
