use std::fs;
use std::path::Path;

use events::{
    Ended, Ending, Epoch, Event, Follower, Lock, Metrics, Progress, Resumed, Speed, Started, Step,
    System, Tested, Work,
};
use proptest::prelude::*;

use super::*;
use crate::synthetic::Plan;

fn lines(events: &[Event]) -> String {
    let line = |event| serde_json::to_string(event).unwrap() + "\n";
    events.iter().map(line).collect()
}

fn write(folder: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(events::FILE), text).unwrap();
}

fn ended(ending: Ending, reason: Option<&str>) -> Event {
    Event::Ended(Ended {
        seconds: 1.5,
        ending,
        hint: None,
        reason: reason.map(str::to_owned),
    })
}

/// Returns states and names of all runs, sorted by name.
fn states(folder: &Path) -> Vec<(String, RunState)> {
    let mut runs = find(folder).unwrap();
    sort(&mut runs, Column::Name, false);
    runs.into_iter().map(|run| (run.name, run.state)).collect()
}

#[test]
fn every_kind_of_run_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path();
    let started = &Plan::resumed().events()[..60];
    let with = |last: Event| lines(&[started, &[last]].concat());
    write(&runs.join("crashed"), lines(started));
    write(&runs.join("stopped"), with(ended(Ending::Stopped, None)));
    write(
        &runs.join("failed"),
        with(ended(Ending::Failed, Some("no space left"))),
    );
    write(&runs.join("finished"), lines(&Plan::resumed().events()));
    write(&runs.join("running"), lines(started));
    let _lock = Lock::take(&runs.join("running")).unwrap();
    write(&runs.join("empty"), "");
    write(
        &runs.join("damaged"),
        b"\xff\xfe\n{\"event\":\"step\",\n\0\n{}\n",
    );
    write(&runs.join("study/plain-20"), lines(started));
    write(&runs.join("study/deeper/no-run"), lines(started));
    // Subfolders of a run are not searched.
    write(&runs.join("finished/inner"), lines(started));
    write(&runs.join(".hidden"), lines(started));
    fs::create_dir(runs.join("nothing")).unwrap();
    fs::write(runs.join("file"), "").unwrap();
    fs::create_dir_all(runs.join("strange").join(events::FILE)).unwrap();

    let expected = [
        ("crashed", RunState::Crashed),
        ("damaged", RunState::Crashed),
        ("empty", RunState::Crashed),
        ("failed", RunState::Failed),
        ("finished", RunState::Finished),
        ("running", RunState::Running),
        ("stopped", RunState::Stopped),
        ("strange", RunState::Unreadable),
        ("study/plain-20", RunState::Crashed),
    ];
    assert_eq!(
        states(runs),
        expected.map(|(name, state)| (name.to_owned(), state))
    );

    let summary = |name: &str| RunSummary::read(name.to_owned(), &runs.join(name));
    assert_eq!(summary("failed").reason.as_deref(), Some("no space left"));
    assert!(summary("strange").reason.unwrap().contains("is not a file"));
    let mut finished = serde_json::to_value(summary("finished")).unwrap();
    finished["folder"] = "runs/finished".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&finished).unwrap(), @r#"
    {
      "accuracy": 0.9247829661333354,
      "data": "fashion-mnist",
      "device": "flex",
      "epochs": 5,
      "epochs_done": 5,
      "folder": "runs/finished",
      "kept_epoch": 4,
      "loss": 0.2279304056565594,
      "model": "resnet20",
      "name": "finished",
      "reason": null,
      "seconds": 97.5,
      "seed": 1,
      "started": "2026-01-02T03:04:05+00:00",
      "state": "finished",
      "test_accuracy": 0.9115829661333354,
      "test_loss": 0.2679304056565594
    }
    "#);

    let missing = find(&runs.join("nowhere")).unwrap_err();
    assert!(missing.to_string().contains("nowhere"));
}

#[test]
fn runs_without_events_are_summarized_from_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("older");
    fs::create_dir_all(run.join("checkpoint")).unwrap();
    let config = "data = \"cifar10\"\nmodel = \"resnet20\"\nepochs = 3\nseed = 7\ndevice = \"auto\"\n[schedule]\nkind = \"cosine\"\n";
    fs::write(run.join(CONFIG), config).unwrap();
    fs::write(
        run.join("model.json"),
        r#"{"accuracy":{"validation":0.5,"test":0.4}}"#,
    )
    .unwrap();
    let read = || RunSummary::read("older".to_owned(), &run);
    let first = read();
    assert_eq!(first.state, RunState::Unknown);
    assert_eq!(first.data.as_deref(), Some("cifar10"));
    assert_eq!(first.model.as_deref(), Some("resnet20"));
    assert_eq!(
        (first.epochs, first.seed, first.device),
        (Some(3), Some(7), None)
    );
    assert_eq!(first.accuracy, Some(0.5));
    assert!(first.started.is_some());

    // A run that starts from trained weights takes its network from them.
    fs::write(
        run.join(CONFIG),
        config.replace("model = \"resnet20\"\n", ""),
    )
    .unwrap();
    let described = r#"{"model":"resnet18","accuracy":{"validation":0.5,"test":0.4}}"#;
    fs::write(run.join("model.json"), described).unwrap();
    assert_eq!(read().model.as_deref(), Some("resnet18"));
    fs::write(run.join(CONFIG), config).unwrap();

    let scored =
        |accuracy: f64| format!(r#"{{"validation":{{"accuracy":{accuracy},"loss":1.5}}}}"#);
    let history = [0.25, 0.75, 0.5].map(scored).join(",");
    let latest = format!(r#"{{"step":9,"history":[{history}],"seconds":12.5}}"#);
    fs::write(run.join("checkpoint/latest.json"), latest).unwrap();
    fs::write(
        run.join("test.json"),
        r#"{"images":10,"loss":1.25,"accuracy":0.625}"#,
    )
    .unwrap();
    let second = read();
    assert_eq!(second.state, RunState::Finished);
    assert_eq!((second.epochs_done, second.kept_epoch), (3, Some(2)));
    assert_eq!((second.accuracy, second.loss), (Some(0.75), Some(1.5)));
    assert_eq!(
        (second.test_accuracy, second.test_loss),
        (Some(0.625), Some(1.25))
    );
    assert_eq!(second.seconds, Some(12.5));
    assert_eq!(
        states(folder.path()),
        [("older".to_owned(), RunState::Finished)]
    );

    let _lock = Lock::take(&run).unwrap();
    assert_eq!(read().state, RunState::Running);
    for damaged in [
        "config.toml",
        "model.json",
        "test.json",
        "checkpoint/latest.json",
    ] {
        fs::write(run.join(damaged), b"\xff[").unwrap();
    }
    assert_eq!(read().model, None);
}

#[test]
fn truncated_events_are_completed_from_settings() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), lines(&Plan::resumed().events()[1..60]));
    fs::write(
        folder.path().join(CONFIG),
        "model = \"plain8\"\nepochs = 2\n",
    )
    .unwrap();
    let run = RunSummary::read("late".to_owned(), folder.path());
    assert_eq!(
        (run.model.as_deref(), run.epochs),
        (Some("plain8"), Some(2))
    );
    assert_eq!(run.state, RunState::Crashed);
}

#[test]
fn hostile_names_are_escaped_in_table() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("\u{1b}]0;title\u{7}\n\u{202e}");
    let started = Event::Started(Box::new(Started {
        model: "\u{9b}31m<b>".to_owned(),
        data: "x".repeat(100_000),
        epochs: usize::MAX,
        ..Started::default()
    }));
    write(
        &run,
        lines(&[started, ended(Ending::Failed, Some("\u{1b}[2J\r"))]),
    );
    let table = listing(&find(folder.path()).unwrap());
    assert_eq!(table.lines().count(), 2);
    assert!(!table.contains(|letter: char| letter.is_control() && letter != '\n'));
    assert!(table.len() < 1000);
}

/// Something that happens to a run.
#[derive(Clone, Debug)]
enum Turn {
    Steps(usize),
    Epoch(u8),
    Averaged(u8),
    Measured,
    Scoring,
    /// The run ends in the given way, or crashes, and continues from the last checkpoint.
    Resumed(Option<Ending>),
    Tested,
    Ended(Ending),
}

fn turn() -> impl Strategy<Value = Turn> {
    let ending = prop::sample::select(vec![Ending::Finished, Ending::Stopped, Ending::Failed]);
    prop_oneof![
        8 => (1_usize..40).prop_map(Turn::Steps),
        4 => any::<u8>().prop_map(Turn::Epoch),
        1 => any::<u8>().prop_map(Turn::Averaged),
        4 => Just(Turn::Measured),
        2 => Just(Turn::Scoring),
        2 => prop::option::of(ending.clone()).prop_map(Turn::Resumed),
        1 => Just(Turn::Tested),
        1 => ending.prop_map(Turn::Ended),
    ]
}

/// Position in a run.
#[derive(Clone, Copy, Default)]
struct Reached {
    seconds: f64,
    step: usize,
    epochs_done: usize,
}

/// Returns the events of a run with these turns; checkpoints are saved after epochs.
fn story(turns: &[Turn]) -> Vec<Event> {
    let mut events = vec![Plan::resumed().events().swap_remove(0)];
    let (mut now, mut saved) = (Reached::default(), Reached::default());
    for turn in turns {
        now.seconds += 0.25;
        let Reached {
            seconds,
            step,
            epochs_done,
        } = now;
        match turn {
            Turn::Steps(count) => {
                for _ in 0..*count {
                    now.step += 1;
                    now.seconds += 0.25;
                    events.push(Event::Step(Step {
                        seconds: now.seconds,
                        epoch: epochs_done + 1,
                        step: now.step,
                        metrics: Metrics::from_iter([("loss", 1.0)]),
                    }));
                }
            }
            Turn::Epoch(score) | Turn::Averaged(score) => {
                now.epochs_done += 1;
                let scores =
                    Metrics::from_iter([("accuracy", f64::from(*score) / 255.0), ("loss", 0.5)]);
                events.push(Event::Epoch(Box::new(Epoch {
                    seconds,
                    epoch: now.epochs_done,
                    step,
                    average: matches!(turn, Turn::Averaged(_)).then(|| scores.clone()),
                    validation: scores,
                    ..Epoch::default()
                })));
                saved = now;
            }
            Turn::Measured => {
                events.push(Event::Speed(Speed {
                    seconds,
                    step,
                    ..Speed::default()
                }));
                events.push(Event::System(System {
                    seconds,
                    ..System::default()
                }));
            }
            Turn::Scoring => events.push(Event::Progress(Progress {
                seconds,
                work: Work::Validation,
                done: 1,
                total: 2,
            })),
            Turn::Resumed(ending) => {
                events.extend(ending.map(|ending| ended(ending, None)));
                now = saved;
                events.push(Event::Resumed(Resumed {
                    at: "2026-01-05T00:00:00Z".to_owned(),
                    seconds: now.seconds,
                    step: now.step,
                    epochs_done: now.epochs_done,
                    command: vec![],
                    folder: None,
                    device: "cuda".to_owned(),
                    ..Resumed::default()
                }));
            }
            Turn::Tested => events.push(Event::Tested(Box::new(Tested {
                seconds,
                metrics: Metrics::from_iter([("accuracy", 0.5)]),
                ..Tested::default()
            }))),
            Turn::Ended(ending) => events.push(Event::Ended(Ended {
                seconds,
                ending: *ending,
                hint: None,
                reason: None,
            })),
        }
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A skimmed run has the same summary as one that is read completely, wherever its file is cut
    /// off.
    #[test]
    fn summary_does_not_read_whole_file(
        turns in prop::collection::vec(turn(), 0..30),
        cut in 0.0..1.2_f64,
    ) {
        let text = lines(&story(&turns));
        let end = (text.len() as f64 * cut.min(1.0)) as usize;
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &text.as_bytes()[..end]);
        let mut follower = Follower::open(folder.path());
        follower.poll().unwrap();
        let whole = RunSummary::of("run".to_owned(), folder.path(), follower.history(), false);
        prop_assert_eq!(RunSummary::read("run".to_owned(), folder.path()), whole);
    }

    /// Arbitrary lines in any order.
    #[test]
    fn any_file_is_summarized_without_panic(
        lines in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40),
                prop::sample::select(lines(&Plan::resumed().events()).lines().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>()),
            ],
            0..30,
        ),
    ) {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("run"), lines.join(&b'\n'));
        let runs = find(folder.path()).unwrap();
        prop_assert_eq!(runs.len(), 1);
        listing(&runs);
        serde_json::to_string(&runs).unwrap();
    }
}
