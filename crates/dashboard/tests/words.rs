//! What the screen says of runs and of keys.

mod stage;
#[path = "../../events/tests/synthetic/mod.rs"]
mod synthetic;

use events::{Epoch, Event, History};
use stage::{Stage, going_on, live, watch};
use synthetic::Plan;

#[test]
fn averaged_scores_are_labeled_everywhere() {
    let plan = Plan {
        has_average: true,
        ..Plan::default()
    };
    let stage = Stage::new(vec![("first", plan.history(169 * 3))], true);
    let metrics = stage.runs[0].1.epochs[2].average.as_ref().unwrap();
    let accuracy = format!("{:.2} %", 100.0 * metrics.get("accuracy").unwrap());
    let overview = stage.screen(watch(), (120, 40), "");
    let expected = format!("validation accuracy (averaged weights) {accuracy}");
    assert!(overview.contains(&expected), "{overview}");
    assert!(overview.contains(&format!("average {accuracy}")), "a curve");
    let rest = overview.replace("validation accuracy (averaged weights)", "");
    assert!(!rest.contains("validation accuracy"), "{overview}");
    let classes = stage.screen(watch(), (120, 40), "3");
    let expected = format!("average after epoch 3   accuracy {accuracy}");
    assert!(classes.contains(&expected), "{classes}");
    let mistakes = stage.screen(watch(), (120, 40), "4");
    assert!(mistakes.contains("average after epoch 3: "), "{mistakes}");
    let without = going_on().screen(watch(), (120, 40), "3");
    assert!(without.contains("validation after epoch 3"));
}

#[test]
fn keys_without_effect_show_a_note() {
    let stage = going_on();
    let first = |keys: &str, size| {
        let screen = stage.screen(live(), size, keys);
        screen.lines().next().unwrap().to_owned()
    };
    for size in [(80, 24), (40, 10)] {
        assert!(first("2f", size).contains("all is shown"), "{size:?}");
        assert!(
            first("2mb", size).contains("no best point here"),
            "the rate"
        );
        assert!(
            first("2vb", size).contains("no best point here"),
            "training"
        );
        for keys in ["2", "2fx", "2+f", "2b", "2mb?"] {
            let first = first(keys, size);
            assert!(!first.contains("all is"), "{keys}: {first}");
            assert!(!first.contains("no best"), "{keys}: {first}");
        }
    }
}

#[test]
fn image_counts_use_singular_and_plural() {
    let mut history = History::default();
    history.push(Event::Epoch(Box::new(Epoch {
        epoch: 1,
        confusion: vec![(0, 0, 1), (1, 1, 2000)],
        ..Epoch::default()
    })));
    let stage = Stage::new(vec![("few", history)], true);
    let words = |keys: &str| stage.screen(watch(), (100, 30), keys);
    assert!(words("3").contains("class 0: 100.0 % of 1 image right"));
    assert!(words("3↓").contains("class 1: 100.0 % of 2,000 images right"));
}

#[test]
fn file_being_read_shows_no_state() {
    let mut stage = Stage::new(vec![("first", History::default())], false);
    for is_running in [false, true] {
        stage.is_running = is_running;
        stage.loading = Some(0.25);
        let screen = stage.screen(watch(), (80, 24), "");
        let first = screen.lines().next().unwrap();
        assert!(first.ends_with("… reading"), "{first}");
        assert!(screen.contains("reading events: 25 %"));
        stage.loading = None;
        let screen = stage.screen(watch(), (80, 24), "");
        let first = screen.lines().next().unwrap();
        let state = if is_running { "running" } else { "crashed" };
        assert!(first.contains(state), "{first}");
    }
}

/// Three of five epochs, as with little patience.
#[test]
fn run_ended_early_shows_reason() {
    let plan = Plan::default();
    let mut history = plan.history(169 * 3);
    for event in plan.ended() {
        history.push(event);
    }
    let stage = Stage::new(vec![("first", history)], false);
    for (name, size) in [("narrow", (40, 10)), ("wide", (100, 30))] {
        let screen = stage.screen(watch(), size, "");
        let bars: Vec<&str> = screen.lines().filter(|row| row.contains("%")).collect();
        let bars = bars.into_iter().take(2).collect::<Vec<&str>>().join("\n");
        insta::assert_snapshot!(format!("ended_early_{name}"), bars);
    }
}
