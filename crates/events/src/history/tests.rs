use super::*;
use crate::event::{Ending, Mistake};
use crate::metrics::Metrics;
use crate::metrics::Split;
use crate::thumbnail::Thumbnail;

fn run() -> History {
    let mut history = History::default();
    history.push(Event::Started(Box::new(Started {
        at: "2026-01-01T00:00:00Z".to_owned(),
        epochs: 4,
        steps_per_epoch: 10,
        ..Started::default()
    })));
    for epoch in 1..=2 {
        for step in 1..=10 {
            let step = (epoch - 1) * 10 + step;
            history.push(Event::Step(Step {
                seconds: step as f64 + (epoch - 1) as f64 * 3.0,
                epoch,
                step,
                metrics: Metrics::from_iter([("loss", 1.0)]),
            }));
        }
        history.push(Event::Epoch(Box::new(Epoch {
            epoch,
            step: epoch * 10,
            seconds: epoch as f64 * 13.0,
            took: 13.0,
            best: epoch == 1,
            validation: Metrics::from_iter([("accuracy", 0.5)]),
            ..Epoch::default()
        })));
    }
    history
}

#[test]
fn time_left_includes_steps_and_scoring() {
    let history = run();
    assert_eq!(history.seconds_per_step(), Some(1.0));
    assert_eq!(history.seconds_left(), Some(26.0));
    assert_eq!(history.epoch(), (3, 0.0));
    assert_eq!(history.kept().unwrap().epoch, 1);
    assert_eq!(
        history.charts().into_iter().collect::<Vec<_>>(),
        ["accuracy", "loss"]
    );
}

#[test]
fn last_epoch_is_kept_if_configured() {
    let mut history = run();
    assert_eq!(
        (history.kept().unwrap().epoch, history.keeps_last()),
        (1, false)
    );
    history.started.as_mut().unwrap().keeps_last = true;
    assert_eq!(history.kept().unwrap().epoch, 2);
    assert_eq!(history.name_of(Split::Validation), "validation");
    history.started.as_mut().unwrap().scores_on_test = true;
    assert_eq!(
        Split::ALL.map(|split| history.name_of(split)),
        ["train", "test", "average"]
    );
}

#[test]
fn lowest_loss_breaks_accuracy_ties() {
    let mut history = History::default();
    for (epoch, accuracy, loss) in [
        (1, 0.5, 0.1),
        (2, 0.75, 0.5),
        (3, 0.75, 0.25),
        (4, 0.75, 0.25),
    ] {
        history.push(Event::Epoch(Box::new(Epoch {
            epoch,
            validation: Metrics::from_iter([("accuracy", accuracy), ("loss", loss)]),
            ..Epoch::default()
        })));
    }
    for (metric, best) in [("accuracy", 3), ("loss", 1)] {
        let (epoch, _) = history.best_of(Split::Validation, metric).unwrap();
        assert_eq!(epoch.epoch, best, "{metric}");
    }
}

#[test]
fn resumed_run_may_change_settings() {
    let mut history = run();
    history.push(Event::Resumed(Resumed {
        step: 20,
        epochs_done: 2,
        epochs: Some(7),
        rates: vec![(0.0, 0.5)],
        config: serde_json::json!({ "epochs": 7 }),
        ..Resumed::default()
    }));
    assert!(history.is_replanned);
    assert_eq!(history.planned_steps(), Some(70));
    let started = history.started.as_ref().unwrap();
    assert_eq!(started.rates, [(0.0, 0.5)]);
    assert_eq!(started.config["epochs"], 7);
}

#[test]
fn messages_before_start_belong_to_run() {
    let mut history = History::default();
    let mut said = Vec::new();
    for text in ["a", "b"] {
        history.push(Event::Message(Message {
            seconds: 0.0,
            level: Level::Warning,
            text: text.to_owned(),
        }));
        history.push(Event::Started(Box::default()));
        said.push(
            history
                .messages
                .iter()
                .map(|message| message.text.clone())
                .collect::<String>(),
        );
    }
    // The second start begins a new history.
    assert_eq!(said, ["a", ""]);
}

#[test]
fn repeated_epoch_replaces_it_and_later_ones() {
    let mut history = run();
    for (number, left) in [(3, 3), (2, 2), (2, 2), (9, 3), (0, 1)] {
        history.push(Event::Epoch(Box::new(Epoch {
            epoch: number,
            ..Epoch::default()
        })));
        assert_eq!(history.epochs.len(), left);
        assert_eq!(history.epochs[left - 1].epoch, number);
    }
}

#[test]
fn absurd_epoch_numbers_are_accepted() {
    let mut history = History::default();
    history.push(Event::Epoch(Box::new(Epoch {
        epoch: usize::MAX,
        step: usize::MAX,
        ..Epoch::default()
    })));
    assert_eq!(history.epoch(), (usize::MAX, 0.0));
}

#[test]
fn resumed_run_drops_discarded_steps() {
    let mut history = run();
    assert_eq!(history.state(true), State::Running);
    assert_eq!(history.state(false), State::Crashed);
    history.push(Event::Resumed(Resumed {
        at: "2026-01-02T00:00:00Z".to_owned(),
        seconds: 17.0,
        step: 14,
        epochs_done: 1,
        command: vec!["train".to_owned()],
        folder: Some("/home/another".to_owned()),
        device: "another".to_owned(),
        ..Resumed::default()
    }));
    let sitting = &history.sittings[1];
    assert_eq!(sitting.command, ["train"]);
    assert_eq!(sitting.folder.as_deref(), Some("/home/another"));
    assert_eq!(history.step(), 14);
    assert_eq!(history.epochs.len(), 1);
    assert_eq!(history.epoch(), (2, 0.4));
    assert_eq!(history.seconds_per_step(), None, "the pause is no step");
    assert_eq!(history.started.as_ref().unwrap().device, "another");
    for (ending, state) in [
        (Ending::Finished, State::Finished),
        (Ending::Stopped, State::Stopped),
        (Ending::Failed, State::Failed),
    ] {
        history.push(Event::Ended(Ended {
            seconds: 20.0,
            ending,
            hint: None,
            reason: None,
        }));
        assert_eq!(history.state(false), state);
    }
    assert_eq!(history.seconds(), 20.0);
}

#[test]
fn images_are_named_by_file_or_index() {
    let mut history = History::default();
    history.push(Event::Started(Box::new(Started {
        data: "folder:/data/photos".to_owned(),
        ..Started::default()
    })));
    let name = |history: &History, path: Option<&str>| {
        history.image_name(&Mistake {
            image: 7,
            path: path.map(str::to_owned),
            class: 0,
            likeliest: 1,
            confidence: 0.5,
            thumbnail: Thumbnail::new([1, 1, 1], vec![0]).unwrap(),
        })
    };
    assert_eq!(name(&history, None), "image 7");
    for (path, shown) in [
        ("/data/photos/test/cat/1.jpg", "test/cat/1.jpg"),
        ("/data/photos2/cat/1.jpg", "/data/photos2/cat/1.jpg"),
        ("/data/photos", "/data/photos"),
        ("elsewhere/1.jpg", "elsewhere/1.jpg"),
    ] {
        assert_eq!(name(&history, Some(path)), shown);
    }
    let path = Some("/data/photos/cat/1.jpg");
    assert_eq!(name(&History::default(), path), "/data/photos/cat/1.jpg");
}

#[test]
fn mistakes_without_path_are_read() {
    let thumbnail = Thumbnail::new([1, 1, 1], vec![0]).unwrap();
    let mistake = Mistake {
        image: 7,
        path: None,
        class: 0,
        likeliest: 1,
        confidence: 0.5,
        thumbnail,
    };
    let json = serde_json::to_string(&mistake).unwrap();
    assert!(!json.contains("path"), "{json}");
    assert_eq!(serde_json::from_str::<Mistake>(&json).unwrap(), mistake);
}
