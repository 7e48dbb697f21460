//! Every page at several sizes, as text.

mod synthetic;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dashboard::{
    Background, Colours, Command, Input, Mode, Options, Run, State, Theme, draw, update,
};
use events::{Alert, History, alerts};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use synthetic::Plan;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];
const PAGES: [&str; 6] = ["overview", "charts", "classes", "mistakes", "speed", "log"];

/// Histories with what is told of them.
struct Stage {
    runs: Vec<(&'static str, History, Vec<Alert>)>,
    is_running: bool,
}

impl Stage {
    fn new(runs: Vec<(&'static str, History)>, is_running: bool) -> Self {
        let runs = runs.into_iter().map(|(name, history)| {
            let alerts = alerts(&history);
            (name, history, alerts)
        });
        Self {
            runs: runs.collect(),
            is_running,
        }
    }

    fn views(&self) -> Vec<Run<'_>> {
        let views = self.runs.iter().map(|(name, history, alerts)| Run {
            name,
            history,
            alerts,
            is_running: self.is_running,
            idle: 0.0,
            loading: None,
            problem: None,
        });
        views.collect()
    }

    fn state(&self, options: Options, (columns, rows): (u16, u16)) -> State {
        let mut state = State::new(options);
        update(&mut state, Input::Resize(columns, rows), &self.views());
        state
    }

    fn press(&self, state: &mut State, keys: &str) -> Vec<Command> {
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
            update(state, Input::Key(key), &views)
        });
        pressed.collect()
    }

    fn buffer(&self, state: &State, (columns, rows): (u16, u16)) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal
            .draw(|frame| draw(frame, state, &self.views()))
            .unwrap();
        terminal.backend().buffer().clone()
    }

    /// The screen after some keys.
    fn screen(&self, options: Options, size: (u16, u16), keys: &str) -> String {
        let mut state = self.state(options, size);
        self.press(&mut state, keys);
        text(&self.buffer(&state, size))
    }
}

fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let row = |y| {
        let cells = (0..area.width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    let rows: Vec<String> = (0..area.height).map(row).collect();
    rows.join("\n")
}

fn live() -> Options {
    Options {
        mode: Mode::Live,
        theme: Theme::default(),
    }
}

fn watch() -> Options {
    Options::default()
}

fn going_on() -> Stage {
    let history = Plan::default().history(169 * 3 + 60);
    Stage::new(vec![("first", history)], true)
}

fn compared() -> Stage {
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

#[test]
fn every_page_of_a_run_that_goes_on() {
    let stage = going_on();
    for size in SIZES {
        for (index, page) in PAGES.into_iter().enumerate() {
            let screen = stage.screen(live(), size, &(index + 1).to_string());
            insta::assert_snapshot!(format!("live_{}x{}_{page}", size.0, size.1), screen);
        }
    }
}

#[test]
fn pages_of_runs_that_are_compared() {
    let stage = compared();
    for page in [1, 2, 6] {
        let screen = stage.screen(watch(), (120, 40), &format!("{page}r"));
        insta::assert_snapshot!(format!("compare_{}", PAGES[page - 1]), screen);
    }
}

#[test]
fn charts_as_the_user_wants_them() {
    let stage = going_on();
    for (name, keys) in [
        ("cursor_and_zoom", "2++→←←←←←←"),
        ("log_and_epochs", "2xlSS"),
        ("accuracy_over_time_best", "2MMxxb"),
        ("rate", "2m"),
        ("panned_validation", "2vv+++<<<"),
    ] {
        let screen = stage.screen(watch(), (100, 30), keys);
        insta::assert_snapshot!(format!("charts_{name}"), screen);
    }
}

#[test]
fn classes_as_the_user_wants_them() {
    let stage = going_on();
    for (name, keys) in [("worst", "3o↓↓"), ("fitted", "3z"), ("earlier", "3[[")] {
        let screen = stage.screen(watch(), (100, 30), keys);
        insta::assert_snapshot!(format!("classes_{name}"), screen);
    }
}

#[test]
fn help_and_questions() {
    let stage = going_on();
    for size in SIZES {
        let screen = stage.screen(live(), size, "?");
        insta::assert_snapshot!(format!("help_{}x{}", size.0, size.1), screen);
    }
    insta::assert_snapshot!("leave", stage.screen(live(), (80, 24), "q"));
    insta::assert_snapshot!("stop", stage.screen(live(), (80, 24), "2n"));
}

#[test]
fn runs_without_events_and_runs_that_are_over() {
    let empty = Stage::new(vec![("new", History::default())], true);
    insta::assert_snapshot!("empty", empty.screen(live(), (80, 24), ""));
    let begun = Stage::new(vec![("new", Plan::default().history(0))], true);
    for (index, page) in PAGES.into_iter().enumerate() {
        let screen = begun.screen(live(), (80, 24), &(index + 1).to_string());
        insta::assert_snapshot!(format!("begun_{page}"), screen);
    }
    let finished = Stage::new(vec![("first", Plan::default().finished())], false);
    for page in [1, 3] {
        let screen = finished.screen(watch(), (120, 40), &page.to_string());
        insta::assert_snapshot!(format!("finished_{}", PAGES[page - 1]), screen);
    }
}

#[test]
fn small_screens_say_so() {
    let stage = going_on();
    assert!(stage.screen(live(), (39, 24), "").contains("too small"));
    assert!(stage.screen(live(), (80, 9), "").contains("too small"));
    assert!(stage.screen(live(), (40, 10), "").contains("epoch 4 of 5"));
}

#[test]
fn ascii_is_ascii() {
    let theme = Theme {
        ascii: true,
        ..Theme::plain()
    };
    let options = Options {
        theme,
        ..Options::default()
    };
    let stage = going_on();
    for page in 1..=6 {
        let screen = stage.screen(options, (120, 40), &page.to_string());
        let others: String = screen.chars().filter(|c| !c.is_ascii()).collect();
        // What stands for a missing figure, between words, and on the keys.
        let rest = others.trim_matches(['–', '·', '…', '←', '→', '↑', '↓']);
        assert_eq!(rest, "", "page {page}");
    }
}

#[test]
fn the_plain_theme_has_no_colour_and_the_others_only_sixteen() {
    let stages = [going_on(), compared()];
    let sixteen = Theme::default();
    let light = Theme {
        background: Background::Light,
        ..sixteen
    };
    for theme in [Theme::plain(), sixteen, light] {
        for stage in &stages {
            for page in "123456?".chars() {
                let options = Options {
                    mode: Mode::Live,
                    theme,
                };
                let mut state = stage.state(options, (120, 40));
                stage.press(&mut state, &page.to_string());
                for cell in stage.buffer(&state, (120, 40)).content() {
                    for colour in [cell.fg, cell.bg] {
                        let is_rich = matches!(colour, Color::Rgb(..) | Color::Indexed(_));
                        assert!(!is_rich, "{page}");
                        if theme.colours == Colours::None {
                            assert_eq!(colour, Color::Reset, "{page}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn keys_ask_the_owner_and_only_the_owner() {
    let stage = going_on();
    let mut state = stage.state(live(), (80, 24));
    let asked = stage.press(&mut state, "cenxny");
    assert_eq!(
        asked,
        [
            Command::Checkpoint,
            Command::StopAfterEpoch,
            Command::StopNow
        ]
    );
    assert_eq!(stage.press(&mut state, "qx"), []);
    assert_eq!(stage.press(&mut state, "qd"), [Command::Detach]);
    let interrupt = Input::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    let views = stage.views();
    assert_eq!(
        update(&mut state, interrupt, &views),
        Some(Command::StopNow)
    );
    let mut state = stage.state(watch(), (80, 24));
    assert_eq!(stage.press(&mut state, "cend"), []);
    assert_eq!(stage.press(&mut state, "q"), [Command::Quit]);
    assert_eq!(update(&mut state, interrupt, &views), Some(Command::Quit));
}
