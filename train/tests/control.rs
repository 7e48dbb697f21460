//! What other processes ask of a run that trains.

mod common;

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{SMALL, history, train};
use events::{History, Request, State, is_locked};

const WAIT: Duration = Duration::from_secs(120);

/// A run that does not outlive its test.
struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        // As a rule, it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn begin(runs: &Path) -> Run {
    let mut train = train(runs);
    train
        .args(SMALL)
        .args(["--name", "mine", "--epochs", "500"]);
    let run = train
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let run = Run(run);
    wait_for(runs, "the first step", |history| history.step() > 0);
    run
}

fn wait_for(runs: &Path, what: &str, is_there: impl Fn(&History) -> bool) {
    let started = Instant::now();
    while !is_there(&history(&runs.join("mine"))) {
        assert!(started.elapsed() < WAIT, "{what} does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn run_saves_and_stops_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path();
    let mine = runs.join("mine");
    let mut run = begin(runs);
    Request::Checkpoint.send(&mine).unwrap();
    // One more than one for each epoch.
    wait_for(runs, "the checkpoint", |history| {
        history.checkpoints.len() > history.epochs.len()
    });
    assert!(!mine.join(Request::Checkpoint.file()).exists());
    Request::StopAfterEpoch.send(&mine).unwrap();
    assert_eq!(run.0.wait().unwrap().code(), Some(130));
    let stopped = history(&mine);
    assert_eq!(stopped.state(is_locked(&mine)), State::Stopped);
    let epoch = stopped.epochs.last().unwrap();
    assert_eq!(
        stopped.step(),
        epoch.step,
        "an epoch was left in its middle"
    );
    let said: Vec<&str> = stopped
        .messages
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    assert!(
        said.iter()
            .any(|said| said.contains("requested: save a checkpoint")),
        "{said:?}"
    );
    assert!(Request::Stop.send(&mine).is_err(), "there is nobody to ask");
}

#[test]
fn stale_request_does_not_stop_run() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path();
    let mine = runs.join("mine");
    let mut run = begin(runs);
    Request::Stop.send(&mine).unwrap();
    assert_eq!(run.0.wait().unwrap().code(), Some(130));

    // As a process leaves it that asked when the run had just ended.
    let request = mine.join(Request::Stop.file());
    std::fs::write(&request, "").unwrap();
    let epochs = history(&mine).epochs.len() + 1;
    let resumed = train(runs)
        .args(["--resume", "mine", "--epochs", &epochs.to_string()])
        .output()
        .unwrap();
    assert!(resumed.status.success(), "{resumed:?}");
    assert_eq!(history(&mine).state(false), State::Finished);
    assert!(!request.exists());
}
