//! A run of ten million steps on the screen.

use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dashboard::{Input, Options, Run, State, draw, update};
use events::{Event, History, Metrics, Started, Step};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const STEPS: usize = 10_000_000;

/// `cargo test --release -p dashboard --test large -- --ignored --nocapture` tells how long it takes.
#[test]
#[ignore = "holds ten million steps"]
#[expect(clippy::print_stdout, reason = "what is measured is read by people")]
fn ten_million_steps_are_drawn_and_zoomed() {
    let mut history = History::default();
    history.push(Event::Started(Box::new(Started {
        epochs: 100,
        steps_per_epoch: STEPS / 100,
        ..Started::default()
    })));
    for step in 1..=STEPS {
        let figure = |digits: usize| (step * 7919 % digits) as f64 / digits as f64;
        history.push(Event::Step(Step {
            seconds: step as f64 / 128.0,
            epoch: 1 + (step - 1) / (STEPS / 100),
            step,
            metrics: Metrics::from_iter([("accuracy", figure(128)), ("loss", figure(99_991))]),
        }));
    }
    let runs = [Run {
        name: "large",
        history: &history,
        alerts: &[],
        is_running: false,
        idle: 0.0,
        loading: None,
        problem: None,
        resume: None,
    }];
    let mut state = State::new(Options::default());
    let mut terminal = Terminal::new(TestBackend::new(200, 50)).unwrap();
    let mut press = |key| {
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        update(&mut state, Input::Key(key), &runs);
        let begin = Instant::now();
        terminal.draw(|frame| draw(frame, &state, &runs)).unwrap();
        begin.elapsed().as_secs_f64()
    };
    let mut report = |name: &str, keys: &str| {
        let times: Vec<f64> = keys.chars().map(&mut press).collect();
        let longest = times.iter().copied().fold(0.0, f64::max);
        println!(
            "{name}: {} screens, {:.1} ms at most",
            times.len(),
            1000.0 * longest
        );
    };
    report("overview", "1111");
    report("charts", "2222");
    report("zooming in", &"+".repeat(40));
    report("panning", &"<".repeat(100));
    report("epochs and time", "xxxx");
}
