//! What the screen says is so.

mod stage;
#[path = "../../events/tests/synthetic/mod.rs"]
mod synthetic;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use dashboard::{Colors, Input, Options, Theme, update};
use ratatui::style::Color;
use stage::{Stage, going_on, watch};
use synthetic::Plan;

const SMALL: (u16, u16) = (80, 24);

/// The words of the first row that has one.
fn words_after<'a>(screen: &'a str, word: &str) -> Vec<&'a str> {
    let row = screen.lines().find(|row| row.contains(word));
    let (_, rest) = row.and_then(|row| row.split_once(word)).unwrap_or_default();
    rest.split_whitespace().collect()
}

#[test]
fn cursor_value_matches_its_step_in_any_drawing() {
    let stage = going_on();
    let (_, history, _) = &stage.runs[0];
    let losses = history.steps.figures("cross_entropy").unwrap();
    for (keys, is_last) in [
        ("2", true),
        ("2S", true),
        ("2ssss", true),
        ("2+++<<<", true),
        ("2→←←←←←←", false),
        ("2S→←←←←←←←←←←", false),
        ("2sss++→←←←", false),
    ] {
        let screen = stage.screen(watch(), SMALL, keys);
        let words = words_after(&screen, "━━━ train");
        let step: usize = words[2].parse().unwrap();
        let shown: f32 = words[0].parse().unwrap();
        let loss = losses[step - 1];
        assert!((shown - loss).abs() < 6e-4, "{keys}: {loss}\n{screen}");
        assert_eq!(step == losses.len(), is_last, "{keys}\n{screen}");
        // Where no curve is seen, there is nothing that it could be smoothed to.
        let is_smooth = !keys.contains(['S', '<']);
        assert_eq!(screen.contains(" smoothed ─"), is_smooth, "{screen}");
    }
}

#[test]
fn overview_states_how_curves_are_drawn() {
    let stage = going_on();
    let (_, history, _) = &stage.runs[0];
    let loss = history
        .steps
        .figures("cross_entropy")
        .unwrap()
        .last()
        .unwrap();
    for size in [SMALL, (120, 40), (200, 60)] {
        let screen = stage.screen(watch(), size, "1");
        assert!(
            screen.contains("loss by step, smoothed by 0.5 ─"),
            "{screen}"
        );
        let words = words_after(&screen, "━ train");
        let shown: f32 = words[0].parse().unwrap();
        assert!((shown - loss).abs() < 6e-4, "{screen}");
    }
    let screen = stage.screen(watch(), (40, 10), "1");
    assert!(screen.contains("loss  ━ 0.2605  ● 0.3537"), "{screen}");
    let screen = stage.screen(watch(), SMALL, "1xS");
    assert!(screen.contains("accuracy by epoch ─"), "{screen}");
}

#[test]
fn axes_show_name_and_two_numbers() {
    let rows = |screen: &str, name: &str| -> Vec<usize> {
        let rows = screen
            .lines()
            .filter(|row| row.trim_start().starts_with(name) && !row.contains(" of "));
        // A row may belong to charts side by side.
        let charts = rows.flat_map(|row| row.split(name).skip(1));
        let number = |word: &&str| word.parse::<f64>().is_ok();
        charts
            .map(|chart| chart.split_whitespace().filter(number).count())
            .collect()
    };
    for steps in [100, 200, 300, 480, 567, 845] {
        let stage = Stage::new(vec![("first", Plan::default().history(steps))], true);
        let overview = stage.screen(watch(), SMALL, "1");
        let labels = rows(&overview, "step ");
        assert_eq!(labels.len(), 2, "{overview}");
        assert!(labels.iter().all(|labels| *labels >= 2), "{overview}");
        for (keys, name) in [("2", "step "), ("2x", "epoch "), ("2xx", "time ")] {
            let charts = stage.screen(watch(), SMALL, keys);
            let labels = rows(&charts, name);
            assert!(labels.iter().any(|labels| *labels >= 2), "{charts}");
        }
    }
}

#[test]
fn run_equals_itself() {
    let run = Plan::default().finished();
    let stage = Stage::new(vec![("one", run.clone()), ("same", run)], false);
    let screen = stage.screen(watch(), (120, 40), "6");
    assert!(
        screen.contains("settings, 0 other than in same"),
        "{screen}"
    );
    assert!(screen.contains("run, 0 other than in same"), "{screen}");
}

#[test]
fn long_values_are_not_truncated() {
    let screen = going_on().screen(watch(), SMALL, "6");
    for word in ["resnet20", "0.999", "03:04:05+00:00", "21,632", "28"] {
        assert!(screen.contains(word), "{word}\n{screen}");
    }
    assert!(!screen.contains('…'), "{screen}");
}

#[test]
fn run_without_end_is_crashed() {
    let stage = Stage::new(vec![("first", Plan::default().history(99))], false);
    let screen = stage.screen(watch(), SMALL, "");
    assert!(screen.contains("✘ crashed"), "{screen}");
}

#[test]
fn mistakes_without_images_are_counted() {
    let stage = going_on();
    let epoch = stage.runs[0].1.epochs.last().unwrap();
    let wrong = epoch.confusion.iter();
    let wrong = wrong.filter(|(class, likeliest, _)| class != likeliest);
    let count: u64 = wrong.map(|(.., count)| count).sum();
    assert!(count > 12);
    let screen = stage.screen(watch(), SMALL, "4");
    let said = format!("the 12 most confident of {count} mistakes");
    assert!(screen.contains(&said), "{screen}");
}

#[test]
fn class_names_are_complete_if_they_fit() {
    let screen = going_on().screen(watch(), (200, 60), "3");
    let words = words_after(&screen, " images   ").join(" ");
    assert!(words.contains("T-shirt/top Trouser Pullover"), "{screen}");
    assert!(words.contains("Bag Ankle boot"), "{screen}");
}

#[test]
fn only_changes_trigger_redraw() {
    let stage = going_on();
    let views = stage.views();
    let mut state = stage.state(watch(), SMALL);
    let mut is_changed = |input| update(&mut state, input, &views).is_changed;
    let key = |code, modifiers| Input::Key(KeyEvent::new(code, modifiers));
    let plain = |code| key(KeyCode::Char(code), KeyModifiers::NONE);
    let moved = |column| {
        Input::Mouse(MouseEvent {
            kind: MouseEventKind::Moved,
            column,
            row: 9,
            modifiers: KeyModifiers::NONE,
        })
    };
    assert!(!is_changed(moved(4)) && !is_changed(moved(40)));
    assert!(!is_changed(plain('y')), "a key without a meaning");
    assert!(!is_changed(plain('1')), "the page that is shown");
    assert!(is_changed(plain('2')));
    assert!(is_changed(plain('l')));
    assert!(is_changed(Input::Resize(100, 30)));
    assert!(is_changed(key(KeyCode::Char('l'), KeyModifiers::CONTROL)));
}

#[test]
fn images_keep_all_colors() {
    let theme = Theme {
        colors: Colors::Full,
        ..Theme::default()
    };
    let options = Options::default().with_theme(theme);
    let stage = going_on();
    for (keys, is_rich) in [("4", true), ("4tt", false), ("4ttt", true)] {
        let mut state = stage.state(options, SMALL);
        stage.press(&mut state, keys);
        let buffer = stage.buffer(&state, SMALL);
        let rich = |color| matches!(color, Color::Rgb(..));
        let any = buffer
            .content()
            .iter()
            .any(|cell| rich(cell.fg) || rich(cell.bg));
        assert_eq!(any, is_rich, "{keys}");
    }
}

#[test]
fn help_says_where_keys_work() {
    let screen = going_on().screen(watch(), SMALL, "?");
    let row = |word: &str| screen.lines().position(|row| row.contains(word));
    let (both, axis, charts) = (row("Overview and charts"), row(" x "), row("│ Charts"));
    assert!(both.is_some() && both < axis, "{screen}");
    assert!(charts.is_none() || axis < charts, "{screen}");
    assert!(screen.contains("Classes and mistakes"), "{screen}");
}
