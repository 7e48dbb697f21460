//! The screen of a run as an image: `cargo run -p dashboard --example screenshot -- RUN image.svg 3` draws
//! page 3 of the run in the folder `RUN`, as it is now. Without a number, it is the first page.

mod svg;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dashboard::{Background, Colors, Input, Mode, Options, Run, State, Theme, trace, update};
use events::{Follower, alerts, is_locked};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// Columns and rows.
const SIZE: [u16; 2] = [140, 42];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("name a run's folder, a file for the image and, if you like, a page".into());
    };
    let folder = PathBuf::from(folder);
    let mut follower = Follower::open(&folder);
    follower.poll()?;
    let history = follower.history();
    let alerts = alerts(history);
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let is_running = is_locked(&folder);
    let runs = [Run {
        name: &name,
        history,
        alerts: &alerts,
        is_running,
        idle: 0.0,
        loading: None,
        problem: None,
        resume: None,
    }];
    let mode = if is_running { Mode::Live } else { Mode::Watch };
    let theme = Theme {
        colors: Colors::Full,
        background: Background::Dark,
        ascii: false,
    };
    let options = Options::default().with_mode(mode).with_theme(theme);
    let mut state = State::new(options.with_detaches(true));
    let [width, height] = SIZE;
    update(&mut state, Input::Resize(width, height), &runs);
    for key in arguments.flat_map(|keys| keys.chars().collect::<Vec<_>>()) {
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        update(&mut state, Input::Key(key), &runs);
    }
    let mut terminal = Terminal::new(TestBackend::new(width, height))?;
    let mut curves = Vec::new();
    terminal.draw(|frame| curves = trace(frame, &state, &runs))?;
    fs::write(output, svg::svg(terminal.backend().buffer(), &curves))?;
    Ok(())
}
