use super::*;
use crate::synthetic::Plan;
use events::{Epoch, Event, Metrics, Resumed, Started, Step, System};
use messages::Value;
use proptest::prelude::*;

/// Returns the records of a part with their values.
fn read(run: &Path, part: &str) -> Vec<messages::Event> {
    let entries = fs::read_dir(run.join(part)).unwrap();
    let mut files = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    let file = files.next().unwrap();
    assert_eq!(files.next(), None);
    records::read(&fs::read(file).unwrap())
}

fn points(events: &[messages::Event], tag: &str) -> Vec<(f64, i64, f32)> {
    let value = |value: &Value| (value.tag == tag).then_some(value.simple_value?);
    let of = |event: &messages::Event| {
        event
            .summary
            .iter()
            .find_map(|s| s.value.iter().find_map(value))
    };
    let points = events
        .iter()
        .filter_map(|event| Some((event.wall_time, event.step, of(event)?)));
    points.collect()
}

fn tags(events: &[messages::Event]) -> Vec<String> {
    let summaries = events.iter().filter_map(|event| event.summary.as_ref());
    let mut tags: Vec<String> = summaries
        .flat_map(|summary| summary.value.iter().map(|value| value.tag.clone()))
        .collect();
    tags.sort();
    tags.dedup();
    tags
}

#[test]
fn every_point_of_run_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::resumed();
    let mut history = plan.finished();
    history.epochs[0].average = None;
    let run = write(folder.path(), "study/plain-20", &history).unwrap();
    assert_eq!(run, folder.path().join("study/plain-20"));

    let train = read(&run, "train");
    assert_eq!(train[0].file_version.as_deref(), Some("brain.Event:2"));
    let losses = history.steps.figures("loss").unwrap();
    let points_of_loss = points(&train, "loss");
    assert_eq!(points_of_loss.len(), losses.len());
    for (row, (_, step, loss)) in points_of_loss.iter().enumerate() {
        assert_eq!(
            (*step as u64, *loss),
            (history.steps.steps()[row], losses[row])
        );
    }
    let second: jiff::Timestamp = history.sittings[1].at.parse().unwrap();
    let first_after = points_of_loss[history.sittings[1].step];
    let expected = second.as_second() as f64 + 0.1;
    assert!((first_after.0 - expected).abs() < 1e-6);

    let accuracies = points(&read(&run, "validation"), "accuracy");
    for (epoch, (_, step, accuracy)) in history.epochs.iter().zip(accuracies) {
        assert_eq!(epoch.step, step as usize);
        assert_eq!(epoch.validation.get("accuracy").unwrap() as f32, accuracy);
    }
    // The first epoch has no average.
    assert_eq!(
        points(&read(&run, "average"), "loss").len(),
        plan.epochs - 1
    );
    let test = points(&read(&run, "test"), "accuracy");
    let tested = history.tested.as_ref().unwrap();
    assert_eq!(tested.epoch, plan.epochs - 1);
    assert_eq!(test[0].1 as usize, tested.epoch * plan.steps_per_epoch);
    assert_eq!(test[0].2, tested.metrics.get("accuracy").unwrap() as f32);
    insta::assert_snapshot!(tags(&read(&run, "")).join("\n"), @r"
    _hparams_/session_end_info
    _hparams_/session_start_info
    config
    run
    speed/backward_seconds
    speed/forward_seconds
    speed/images_per_second
    speed/optimizer_seconds
    speed/rest_seconds
    speed/waiting_seconds
    system/cpu
    system/cpu_machine
    system/memory_bytes
    system/memory_machine_bytes
    ");
}

#[test]
fn second_export_replaces_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = Plan::resumed().finished();
    let run = write(folder.path(), "mine", &history).unwrap();
    let other = run.join("train/events.out.tfevents.1.host");
    fs::write(&other, "not ours").unwrap();
    write(folder.path(), "mine", &history).unwrap();
    assert_eq!(fs::read_dir(run.join("train")).unwrap().count(), 2);
    assert!(other.exists());

    // Another run of the same name, which has not been tested yet.
    history.tested = None;
    history.sittings[0].at = "2027-01-01T00:00:00Z".to_owned();
    write(folder.path(), "mine", &history).unwrap();
    assert_eq!(fs::read_dir(run.join("train")).unwrap().count(), 2);
    assert_eq!(fs::read_dir(run.join("test")).unwrap().count(), 0);
    let validation = read(&run, "validation");
    assert_eq!(points(&validation, "loss").len(), history.epochs.len());
    let third = "events.out.tfevents.1798761600.000002.resnet-export";
    assert!(run.join("validation").join(third).exists());
}

#[test]
fn exported_paths_stay_inside_folder() {
    let folder = tempfile::tempdir().unwrap();
    let error = write(folder.path(), "../out", &History::default()).unwrap_err();
    assert!(matches!(error, ExportError::Name { .. }));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn unusual_runs_are_exported() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::default();
    let run = write(folder.path(), "empty", &history).unwrap();
    assert_eq!(tags(&read(&run, "")), Vec::<String>::new());
    assert_eq!(fs::read_dir(&run).unwrap().count(), 1);

    history.push(Event::Started(Box::new(Started {
        at: "\u{1b}]0;x\u{7}".to_owned(),
        classes: vec!["<script>".to_owned(); 3],
        ..Started::default()
    })));
    history.push(Event::Step(Step {
        seconds: 1e308,
        epoch: 0,
        step: usize::MAX,
        metrics: Metrics::from_iter([("loss", f64::NAN), ("", 1e300), ("a/../b", 1.0)]),
    }));
    history.push(Event::System(System {
        seconds: -1.0,
        gpu: Some(f64::INFINITY),
        memory: u64::MAX,
        ..System::default()
    }));
    history.push(Event::Epoch(Box::new(Epoch {
        epoch: usize::MAX,
        step: usize::MAX,
        validation: Metrics::from_iter([("loss", f64::INFINITY)]),
        confusion: vec![(usize::MAX, 0, u64::MAX); 3],
        ..Epoch::default()
    })));
    let run = write(folder.path(), "strange", &history).unwrap();
    let train = read(&run, "train");
    assert_eq!(tags(&train), ["a/../b"]);
    assert_eq!(train[2].step, i64::MAX);
    assert!(train[2].wall_time < 1e12);
    assert_eq!(tags(&read(&run, "validation")), ["confusion"]);
}

/// Generates the events of a real run, and steps and resumes with any numbers.
fn event() -> impl Strategy<Value = Event> {
    let step = (any::<f64>(), any::<usize>(), any::<f64>());
    let resumed = ("\\PC*", any::<f64>(), 0..900_usize, 0..9_usize);
    prop_oneof![
        prop::sample::select(Plan::resumed().events()),
        step.prop_map(|(seconds, step, loss)| Event::Step(Step {
            seconds,
            epoch: 1,
            step,
            metrics: Metrics::from_iter([("loss", loss)]),
        })),
        resumed.prop_map(|(at, seconds, step, epochs_done)| Event::Resumed(Resumed {
            at,
            seconds,
            step,
            epochs_done,
            command: vec![],
            folder: None,
            device: String::new(),
            ..Resumed::default()
        })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever happens in a run, its files contain complete records, valid times, and a point for
    /// each figure of a step.
    #[test]
    fn any_run_is_exported_completely(events in prop::collection::vec(event(), 0..60)) {
        let mut history = History::default();
        events.into_iter().for_each(|event| history.push(event));
        let folder = tempfile::tempdir().unwrap();
        let run = write(folder.path(), "run", &history).unwrap();
        for part in LogFolder::ALL.into_iter().filter(|part| part.is_there(&history)) {
            for event in read(&run, part.folder()) {
                prop_assert!((0.0..1e12).contains(&event.wall_time));
                prop_assert!(event.step >= 0);
            }
        }
        if !history.steps.is_empty() {
            let losses = history.steps.figures("loss").unwrap_or_default();
            let finite = losses.iter().filter(|loss| loss.is_finite()).count();
            prop_assert_eq!(points(&read(&run, "train"), "loss").len(), finite);
        }
    }
}
