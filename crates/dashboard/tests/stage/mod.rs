//! Runs in front of a screen, and keys that are pressed there.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dashboard::{Command, Input, Mode, Options, Run, State, draw, update};
use events::{Alert, History, alerts};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use crate::synthetic::Plan;

/// Histories with what is told of them.
pub struct Stage {
    pub runs: Vec<(&'static str, History, Vec<Alert>)>,
    pub is_running: bool,
    /// The share of the files that is read, if they are not read whole.
    pub loading: Option<f64>,
}

impl Stage {
    pub fn new(runs: Vec<(&'static str, History)>, is_running: bool) -> Self {
        let runs = runs.into_iter().map(|(name, history)| {
            let alerts = alerts(&history);
            (name, history, alerts)
        });
        Self {
            runs: runs.collect(),
            is_running,
            loading: None,
        }
    }

    pub fn views(&self) -> Vec<Run<'_>> {
        let views = self.runs.iter().map(|(name, history, alerts)| Run {
            name,
            history,
            alerts,
            is_running: self.is_running,
            idle: 0.0,
            loading: self.loading,
            problem: None,
            resume: Some("train --resume runs/first"),
        });
        views.collect()
    }

    pub fn state(&self, options: Options, (columns, rows): (u16, u16)) -> State {
        let mut state = State::new(options);
        update(&mut state, Input::Resize(columns, rows), &self.views());
        state
    }

    pub fn press(&self, state: &mut State, keys: &str) -> Vec<Command> {
        let views = self.views();
        let pressed = keys.chars().filter_map(|key| {
            let code = match key {
                '←' => KeyCode::Left,
                '→' => KeyCode::Right,
                '↑' => KeyCode::Up,
                '↓' => KeyCode::Down,
                key => KeyCode::Char(key),
            };
            let key = KeyEvent::new(code, KeyModifiers::NONE);
            update(state, Input::Key(key), &views).command
        });
        pressed.collect()
    }

    pub fn buffer(&self, state: &State, (columns, rows): (u16, u16)) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal
            .draw(|frame| draw(frame, state, &self.views()))
            .unwrap();
        terminal.backend().buffer().clone()
    }

    /// The screen after some keys.
    pub fn screen(&self, options: Options, size: (u16, u16), keys: &str) -> String {
        let mut state = self.state(options, size);
        self.press(&mut state, keys);
        text(&self.buffer(&state, size))
    }
}

pub fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let row = |y| {
        let cells = (0..area.width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    let rows: Vec<String> = (0..area.height).map(row).collect();
    rows.join("\n")
}

#[allow(dead_code, reason = "some tests only watch")]
pub fn live() -> Options {
    Options::default().with_mode(Mode::Live).with_detaches(true)
}

pub fn watch() -> Options {
    Options::default()
}

pub fn going_on() -> Stage {
    let history = Plan::default().history(169 * 3 + 60);
    Stage::new(vec![("first", history)], true)
}

#[allow(dead_code, reason = "some tests have one run")]
pub fn compared() -> Stage {
    let plan = Plan {
        has_average: true,
        ..Plan::default()
    };
    let other = Plan {
        seed: 2,
        epochs: 4,
        ..Plan::default()
    };
    let runs = vec![
        ("with average", plan.finished()),
        ("half the rate", other.finished()),
    ];
    Stage::new(runs, false)
}
