use super::*;
use crate::metrics::Metrics;

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
fn time_left_counts_steps_and_scores() {
    let history = run();
    assert_eq!(history.seconds_per_step(), Some(1.0));
    assert_eq!(history.seconds_left(), Some(26.0));
    assert_eq!(history.epoch(), (3, 0.0));
    assert_eq!(history.best().unwrap().epoch, 1);
    assert_eq!(
        history.metrics().into_iter().collect::<Vec<_>>(),
        ["accuracy", "loss"]
    );
}

#[test]
fn an_epoch_takes_the_place_of_its_number_and_of_later_ones() {
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
fn absurd_epochs_are_taken_as_they_are() {
    let mut history = History::default();
    history.push(Event::Epoch(Box::new(Epoch {
        epoch: usize::MAX,
        step: usize::MAX,
        ..Epoch::default()
    })));
    assert_eq!(history.epoch(), (usize::MAX, 0.0));
}

#[test]
fn a_resumed_run_forgets_what_does_not_count() {
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
            reason: None,
        }));
        assert_eq!(history.state(false), state);
    }
    assert_eq!(history.seconds(), 20.0);
}
