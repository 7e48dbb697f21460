//! Runs that are stopped, killed or computed by more threads end like any other.

#![cfg(unix)]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::records::records;
use common::{SMALL, fails, format_of, history, image_folder, stdout, succeeds, train, trained};
use events::{Epoch, History, State, Tested};
use rustix::process::{Pid, Signal, kill_process};

/// What a run leaves that does not depend on time.
const FILES: [&str; 2] = ["model.safetensors", "test.json"];

fn state(run: &Path) -> Option<serde_json::Value> {
    let bytes = fs::read(run.join("checkpoint/latest.json")).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

/// Asserts that two runs of so many epochs left the same bytes, and the same figures without gaps or
/// repeats.
fn assert_same(runs: &Path, names: [&str; 2], epochs: usize, more: &[&str]) {
    let [one, other] = names;
    for file in FILES.iter().chain(more) {
        let [one, other] = [one, other].map(|run| {
            let path = runs.join(run).join(file);
            fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        });
        assert!(one == other, "{file} differs");
    }
    let [one_figures, other_figures] = names.map(|run| figures(&history(&runs.join(run)), epochs));
    assert!(one_figures == other_figures, "the events differ");
    let [one_lines, other_lines] = names.map(|run| lines(&runs.join(run)));
    for (one, other) in one_lines.iter().zip(&other_lines) {
        assert!(one == other, "a line differs: {one} {other}");
    }
    assert_eq!(one_lines.len(), other_lines.len());
    let [one_records, other_records] = names.map(|run| records(&runs.join(run)));
    assert_eq!(one_records.len(), other_records.len());
    for (one, other) in one_records.iter().zip(&other_records) {
        assert_eq!(one.0, other.0);
        assert!(one == other, "{} differs", one.0);
    }
    let [one, other] = [one, other].map(|run| {
        let mut state = state(&runs.join(run)).unwrap();
        // The records hold random names, so that their checksums differ.
        for key in ["seconds", "sha256"] {
            state.as_object_mut().unwrap().remove(key);
        }
        state
    });
    assert_eq!(one, other);
}

/// The lines of steps, epochs and tests as they stand in the file, without what depends on time.
fn lines(run: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(run.join(events::FILE)).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter(|line: &serde_json::Value| {
            ["step", "epoch", "tested"]
                .map(Into::into)
                .contains(&line["event"])
        })
        .map(|mut line| {
            let entries = line.as_object_mut().unwrap();
            entries.remove("seconds");
            entries.remove("took");
            line
        })
        .collect()
}

/// Everything in the events of a finished run that does not depend on time.
#[derive(PartialEq)]
struct Figures {
    /// Accuracy, loss and rate of every step, bit by bit.
    steps: [Vec<u32>; 3],
    epochs: Vec<Epoch>,
    tested: Option<Tested>,
}

fn figures(history: &History, epochs: usize) -> Figures {
    let started = history.started.as_ref().unwrap();
    let steps = epochs * started.steps_per_epoch;
    let numbers: Vec<u64> = (1..=steps as u64).collect();
    assert_eq!(history.steps.steps(), numbers);
    assert_eq!(history.damaged, 0);
    assert_eq!(history.state(false), State::Finished);
    assert!(history.steps.seconds().is_sorted(), "time runs backwards");
    let mut scored = history.epochs.clone();
    assert_eq!(scored.len(), epochs);
    for epoch in &mut scored {
        (epoch.seconds, epoch.took) = (0.0, 0.0);
    }
    Figures {
        steps: ["accuracy", "loss", "rate"].map(|name| {
            let figures = history.steps.figures(name).unwrap();
            figures.iter().map(|figure| figure.to_bits()).collect()
        }),
        epochs: scored,
        tested: history.tested.clone().map(|tested| Tested {
            seconds: 0.0,
            ..tested
        }),
    }
}

fn start(runs: &Path, arguments: &[&str]) -> Child {
    train(runs)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn interrupted_run_resumes_to_identical_result() {
    for settings in [
        vec!["--optimizer", "sgd", "--pad-crop", "2"],
        vec!["--optimizer", "adamw", "--ema", "0.99"],
    ] {
        let usual = ["--seed", "5"];
        interrupted_and_resumed(&[&SMALL[..], &settings, &usual].concat(), 85);
    }
}

#[test]
fn interrupted_run_from_files_resumes_to_identical_result() {
    let root = tempfile::tempdir().unwrap();
    let images = image_folder(root.path(), 640);
    // Half of a class, and an image that another stands in for.
    for number in 0..320 {
        fs::remove_file(images.join(format!("red/{number}.{}", format_of(number)))).unwrap();
    }
    fs::write(images.join("blue/7.webp"), "no image").unwrap();
    let data = format!("folder:{}", images.display());
    let config = root.path().join("config.toml");
    let text = "[augmentation]\nflip = true\nresized_crop = {}\n[loader]\nbatches_ahead = 2\n";
    fs::write(&config, text).unwrap();
    let flags = "--image-size 16 --storage files --balanced --drop-last --loader-threads 1";
    let settings: Vec<&str> = flags.split(' ').collect();
    // 640 and 320 images, of which 64 and 32 are for the test, and 58 and 29 for validation.
    let steps = (960 - 96 - 87) / 2;
    let config = config.to_str().unwrap();
    let more = ["--batch-size", "2", "--data", &data, "--config", config];
    interrupted_and_resumed(&[&settings[..], &more].concat(), steps);
}

/// Asserts that a run with these settings, of so many steps in an epoch, leaves the same bytes with
/// and without an interruption.
fn interrupted_and_resumed(settings: &[&str], steps_per_epoch: usize) {
    // Steps show in the events a moment after they were taken, so a fast machine is further by then than the test
    // knows.
    const EPOCHS: usize = 3;
    let epochs = EPOCHS.to_string();
    let settings = &[settings, &["--epochs", &epochs]].concat()[..];
    let runs = tempfile::tempdir().unwrap();
    let runs = runs.path();
    succeeds(train(runs).args(settings).args(["--name", "whole"]));

    let mut child = start(runs, &[settings, &["--name", "parts"]].concat());
    let run = runs.join("parts");
    reaches(&run, &mut child, steps_per_epoch + 5);
    interrupt(&mut child);

    let state = state(&run).unwrap();
    let steps = state["step"].as_u64().unwrap() as usize;
    let all = EPOCHS * steps_per_epoch;
    assert!((steps_per_epoch + 5..all).contains(&steps), "{state}");
    assert_eq!(history(&run).step(), steps);
    assert_eq!(history(&run).state(events::is_locked(&run)), State::Stopped);

    // How many threads load has no say.
    succeeds(train(runs).args(["--resume", "parts", "--loader-threads", "3"]));
    assert_same(runs, ["whole", "parts"], EPOCHS, &[]);
}

/// Killed again and again, as often as it can be in the middle of a save.
#[test]
fn killed_run_resumes_to_identical_result() {
    const EPOCHS: usize = 4;
    let runs = tempfile::tempdir().unwrap();
    let runs = runs.path();
    let settings = format!(
        "--stem imagenet --batch-size 250 --accumulate 2 --validation 0.5 --flip --ema 0.9 \
         --epochs {EPOCHS} --optimizer muon"
    );
    let settings: Vec<&str> = settings.split(' ').collect();
    succeeds(train(runs).args(&settings).args(["--name", "whole"]));

    let run = runs.join("killed");
    let mut saves_hit = 0;
    let mut arguments = [&settings[..], &["--name", "killed"]].concat();
    for attempt in 0.. {
        assert!(attempt < 3 * EPOCHS, "no way forward");
        let mut child = start(runs, &arguments);
        let saved = state(&run).map_or(0, |state| state["step"].as_u64().unwrap());
        let hit = loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success());
                break None;
            }
            // Every other time in the middle of a save, else in the middle of the epoch after one.
            let state = state(&run);
            let step = state
                .as_ref()
                .map_or(0, |state| state["step"].as_u64().unwrap());
            let is_due = match attempt % 2 {
                0 => is_saving(&run, step),
                _ => step > saved,
            };
            if is_due {
                child.kill().unwrap();
                child.wait().unwrap();
                assert!(epochs_kept(&run) <= epochs_saved(&run));
                break Some(is_saving(&run, step));
            }
        };
        match hit {
            Some(hit) => saves_hit += usize::from(hit),
            None => break,
        }
        arguments = vec!["--resume", "killed"];
    }
    assert!(saves_hit > 0, "no save was hit");
    for folder in [run.clone(), run.join("raw"), run.join("checkpoint")] {
        let mut entries = fs::read_dir(folder).unwrap().flatten();
        assert!(!entries.any(|entry| entry.file_name().to_string_lossy().starts_with(".writing")));
    }
    let raw = ["raw/model.safetensors", "raw/test.json"];
    assert_same(runs, ["whole", "killed"], EPOCHS, &raw);
}

/// The epoch that the kept model is from; 0 where there is none.
fn epochs_kept(run: &Path) -> u64 {
    let Ok(bytes) = fs::read(run.join("model.json")) else {
        return 0;
    };
    let description: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    description["epochs"].as_u64().unwrap()
}

/// How many epochs the checkpoint stands behind.
fn epochs_saved(run: &Path) -> u64 {
    state(run).map_or(0, |state| state["epoch"].as_u64().unwrap() - 1)
}

/// Whether there is a record of a later step than the last whole checkpoint's.
fn is_saving(run: &Path, step: u64) -> bool {
    let Ok(entries) = fs::read_dir(run.join("checkpoint")) else {
        return false;
    };
    let current = format!("-{step}.mpk");
    entries.flatten().any(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.contains(".mpk") && !name.contains(&current)
    })
}

/// A hang-up stops a run, but not one that `nohup` started.
#[cfg(target_os = "linux")]
#[test]
fn hangup_stops_run_unless_ignored() {
    // The tests themselves may have been started by `nohup`.
    let usual = ["env", "--default-signal=HUP"];
    for (program, minds) in [(&usual[..], true), (&["nohup"], false)] {
        let runs = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new(program[0]);
        command.args(&program[1..]);
        command.arg(env!("CARGO_BIN_EXE_train")).args(SMALL);
        command.args(["--epochs", "500", "--name", "mine", "--runs-dir"]);
        command.arg(runs.path());
        common::offline(&mut command, runs.path());
        command.stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let run = runs.path().join("mine");
        reaches(&run, &mut child, 5);
        kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
        if !minds {
            let step = history(&run).step();
            reaches(&run, &mut child, step + 20);
            kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        }
        assert_eq!(child.wait().unwrap().code(), Some(130), "{program:?}");
        assert_eq!(history(&run).state(events::is_locked(&run)), State::Stopped);
    }
}

#[test]
fn run_can_be_stopped_during_test() {
    let root = tempfile::tempdir().unwrap();
    let photos = root.path().join("photos");
    fs::create_dir(&photos).unwrap();
    for (part, images) in [("train", 10), ("test", 300)] {
        fs::rename(image_folder(root.path(), images), photos.join(part)).unwrap();
    }
    let data = format!("folder:{}", photos.display());
    let settings = "--epochs 1 --image-size 32 --model resnet18 --stem cifar --name mine";
    let settings: Vec<_> = settings.split(' ').chain(["--data", &data]).collect();
    let mut child = start(root.path(), &settings);
    let run = root.path().join("mine");
    saves_an_epoch(&run, &mut child);
    interrupt(&mut child);
    assert!(!run.join("test.json").exists());
    assert_eq!(history(&run).state(events::is_locked(&run)), State::Stopped);

    succeeds(train(root.path()).args(["--resume", "mine"]));
    assert!(run.join("test.json").exists());
}

/// The best network of an earlier epoch is not saved again, so it has to be whole.
#[test]
fn run_with_damaged_model_does_not_resume() {
    let runs = tempfile::tempdir().unwrap();
    let forever = ["--keep", "best", "--epochs", "500", "--name", "mine"];
    let mut child = start(runs.path(), &[&SMALL[..], &forever].concat());
    let run = runs.path().join("mine");
    saves_an_epoch(&run, &mut child);
    let step = history(&run).step();
    reaches(&run, &mut child, step + 2);
    interrupt(&mut child);

    let step = history(&run).step();
    let path = run.join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    fs::write(&path, bytes).unwrap();
    let mut resume = train(runs.path());
    resume.args(["--resume", "mine"]);
    fails(&mut resume, 1, &["model.safetensors is damaged", "hint:"]);
    assert_eq!(history(&run).step(), step);
}

/// What is opened for writing may be a pipe that nobody reads.
#[test]
fn pipes_in_run_folder_do_not_block() {
    let runs = tempfile::tempdir().unwrap();
    trained(runs.path(), "mine", &[]);
    for name in ["lock", "experiment.log"] {
        let path = runs.path().join("mine").join(name);
        fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let mut resume = train(runs.path());
        resume.args(["--resume", "mine", "--epochs", "2"]);
        fails(&mut resume, 1, &[name, "a pipe, not a regular file"]);
        fs::remove_file(&path).unwrap();
    }
}

/// Waits until a run has taken so many steps.
fn reaches(run: &Path, child: &mut Child, steps: usize) {
    waits(child, &format!("step {steps}"), || {
        history(run).step() >= steps
    });
}

/// Waits until a run has saved an epoch.
fn saves_an_epoch(run: &Path, child: &mut Child) {
    waits(child, "epoch", || epochs_saved(run) > 0);
}

fn waits(child: &mut Child, what: &str, is_there: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_there() {
        assert!(started.elapsed() < Duration::from_secs(300), "no {what}");
        assert!(child.try_wait().unwrap().is_none(), "ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Stops a run as Ctrl-C does.
fn interrupt(child: &mut Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn run_does_not_resume_with_other_images() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path().join("runs");
    let images = image_folder(root.path(), 20);
    let data = format!("folder:{}", images.display());
    let settings = ["--epochs", "1", "--image-size", "16", "--name", "mine"];
    succeeds(train(&runs).args(settings).args(["--data", &data]));
    let resume = ["--resume", "mine", "--epochs", "2"];
    let image = images.join("red/1.jpg");
    let bytes = fs::read(&image).unwrap();
    for other in ["red/1.gone", "blue/more.jpg"] {
        fs::rename(&image, images.join(other)).unwrap();
        let error = fails(train(&runs).args(resume), 1, &["started with"]);
        assert!(error.contains("--weights"), "{error}");
        fs::remove_file(images.join(other)).unwrap();
        fs::write(&image, &bytes).unwrap();
    }
    let said = train(&runs).args(resume).output().unwrap();
    assert!(said.status.success());
    assert!(stdout(&said).contains("resumed: epoch 2 of 2 is next"));
}

#[test]
fn runs_are_independent_of_thread_count() {
    let runs = tempfile::tempdir().unwrap();
    let runs = runs.path();
    let settings = "--optimizer muon --clip 1 --ema 0.99 --pad-crop 2 --flip --label-smoothing 0.1";
    for threads in ["1", "3"] {
        let more = settings.split(' ').chain(["--threads", threads]);
        trained(runs, threads, &more.collect::<Vec<_>>());
    }
    assert_same(runs, ["1", "3"], 1, &["raw/model.safetensors"]);
}
