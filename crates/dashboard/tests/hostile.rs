//! Files that were made to do harm: nothing that they say may act on the terminal, and no size or key may
//! make the screen panic.

#[path = "../../events/tests/hostile/mod.rs"]
mod hostile;
mod strategies;
#[path = "../../events/tests/synthetic/mod.rs"]
mod synthetic;

use std::fs;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dashboard::{Colors, Input, Mode, Options, Run, State, Theme, draw, update};
use events::{Event, Follower, History, Level, Message, alerts};
use hostile::{EVIL, event_strategy, text_strategy};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use strategies::input;
use synthetic::Plan;

fn drawn(state: &State, runs: &[Run], columns: u16, rows: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(frame, state, runs)).unwrap();
    terminal.backend().buffer().clone()
}

fn views<'a>(histories: &'a [(String, History, Vec<events::Alert>)]) -> Vec<Run<'a>> {
    let views = histories.iter().map(|(name, history, alerts)| Run {
        name,
        history,
        alerts,
        is_running: name.len().is_multiple_of(2),
        idle: 1e9,
        loading: None,
        problem: None,
        resume: None,
    });
    views.collect()
}

/// Characters that a terminal, or what shows its text, obeys.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}

fn check(state: &State, runs: &[Run], columns: u16, rows: u16) {
    for cell in drawn(state, runs, columns, rows).content() {
        assert!(!cell.symbol().contains(acts), "{:?}", cell.symbol());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn hostile_events_are_escaped_and_do_not_panic(
        histories in prop::collection::vec((text_strategy(), prop::collection::vec(event_strategy(), 0..25)), 0..3),
        inputs in prop::collection::vec(input(), 0..60),
        size in (0_u16..200, 0_u16..70),
        looks in (0_usize..4, prop::bool::ANY, prop::bool::ANY),
    ) {
        let histories: Vec<_> = histories
            .into_iter()
            .map(|(name, events)| {
                let history = synthetic::history(events);
                let alerts = alerts(&history);
                (name, history, alerts)
            })
            .collect();
        let runs = views(&histories);
        let colors = [Colors::None, Colors::Sixteen, Colors::Palette, Colors::Full][looks.0];
        let mode = if looks.1 { Mode::Live } else { Mode::Watch };
        let theme = Theme { colors, ascii: looks.2, ..Theme::default() };
        let options = Options::default().with_mode(mode).with_theme(theme);
        let mut state = State::new(options.with_detaches(true));
        update(&mut state, Input::Resize(size.0, size.1), &runs);
        for input in inputs {
            update(&mut state, input, &runs);
            check(&state, &runs, size.0, size.1);
        }
        for page in "123456".chars() {
            let key = KeyEvent::new(KeyCode::Char(page), KeyModifiers::NONE);
            // Twice, as the first may close a dialog.
            for _ in 0..2 {
                update(&mut state, Input::Key(key), &runs);
            }
            for (columns, rows) in [size, (0, 0), (1, 1), (40, 10), (80, 24)] {
                check(&state, &runs, columns, rows);
            }
        }
    }
}

/// A file whose lines are cut, repeated, mixed with those of another run and with rubbish.
#[test]
fn damaged_file_is_shown_up_to_damage() {
    let plan = Plan::default();
    let other = Plan { seed: 9, ..plan };
    let mut lines = vec![plan.started()];
    for step in 1..=200 {
        lines.extend(plan.step(step));
        if step % 50 == 0 {
            lines.extend(other.step(step));
        }
    }
    let mut text = Vec::new();
    for (index, event) in lines.iter().enumerate() {
        let line = serde_json::to_vec(event).unwrap();
        match index % 17 {
            3 => text.extend_from_slice(&line[..line.len() / 2]),
            5 => text.extend_from_slice(b"\x1b[31m\xff\xfe\0"),
            7 => text.extend_from_slice(&line),
            _ => {}
        }
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    let folder = tempfile::tempdir().unwrap();
    for length in [text.len(), text.len() / 2, text.len() / 3, 100, 0] {
        fs::write(folder.path().join(events::FILE), &text[..length]).unwrap();
        let mut follower = Follower::open(folder.path());
        follower.poll().unwrap();
        let histories = [("damaged".to_owned(), follower.into_history(), Vec::new())];
        let runs = views(&histories);
        let mut state = State::new(Options::default());
        for page in "123456".chars() {
            let key = KeyEvent::new(KeyCode::Char(page), KeyModifiers::NONE);
            update(&mut state, Input::Key(key), &runs);
            check(&state, &runs, 100, 30);
        }
    }
}

/// What of a name and a message is seen instead of acting.
#[test]
fn escape_sequences_are_shown_as_text() {
    let plan = Plan::default();
    let mut history = History::default();
    let Event::Started(mut started) = plan.started() else {
        panic!("the first event is another");
    };
    for (class, name) in started.classes.iter_mut().zip(EVIL) {
        *class = name.to_owned();
    }
    started.model = "\u{1b}[31mred".to_owned();
    history.push(Event::Started(started));
    for event in (1..=200).flat_map(|step| plan.step(step)) {
        history.push(event);
    }
    for text in EVIL {
        history.push(Event::Message(Message {
            seconds: 20.0,
            level: Level::Error,
            text: text.to_owned(),
        }));
    }
    let histories = [("\u{1b}c evil".to_owned(), history, Vec::new())];
    let runs = views(&histories);
    let mut state = State::new(Options::default());
    for (name, page) in [("classes", '3'), ("mistakes", '4'), ("log", '6')] {
        let key = KeyEvent::new(KeyCode::Char(page), KeyModifiers::NONE);
        update(&mut state, Input::Key(key), &runs);
        let buffer = drawn(&state, &runs, 100, 30);
        let rows = (0..30).map(|y| {
            let row: String = (0..100).map(|x| buffer[(x, y)].symbol()).collect();
            row.trim_end().to_owned()
        });
        let screen = rows.collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(format!("hostile_{name}"), screen);
    }
}
