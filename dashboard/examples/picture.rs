//! The screen of a run as a picture: `cargo run -p dashboard --example picture -- RUN picture.svg 3` draws
//! page 3 of the run in the folder `RUN`, as it is now. Without a number, it is the first page.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dashboard::{Background, Colours, Input, Mode, Options, Run, State, Theme, draw, update};
use events::{Follower, alerts, is_locked};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Columns and rows.
const SIZE: [u16; 2] = [140, 42];
/// Pixels of a cell.
const CELL: [f64; 2] = [8.4, 18.0];
const FOREGROUND: &str = "#d7dae0";
const BACKGROUND: &str = "#16181d";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("name a run's folder, a file for the picture and, if you like, a page".into());
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
    }];
    let mut state = State::new(Options {
        mode: if is_running { Mode::Live } else { Mode::Watch },
        theme: Theme {
            colours: Colours::Full,
            background: Background::Dark,
            ascii: false,
        },
    });
    let [width, height] = SIZE;
    update(&mut state, Input::Resize(width, height), &runs);
    for key in arguments.flat_map(|keys| keys.chars().collect::<Vec<_>>()) {
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        update(&mut state, Input::Key(key), &runs);
    }
    let mut terminal = Terminal::new(TestBackend::new(width, height))?;
    terminal.draw(|frame| draw(frame, &state, &runs))?;
    fs::write(output, svg(terminal.backend().buffer()))?;
    Ok(())
}

fn svg(buffer: &Buffer) -> String {
    let [width, height] = [0, 1].map(|axis| f64::from(SIZE[axis]) * CELL[axis]);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{BACKGROUND}\"/>\n"
    );
    for y in 0..SIZE[1] {
        let mut x = 0;
        while x < SIZE[0] {
            let first = &buffer[(x, y)];
            let same = |x: &u16| looks(&buffer[(*x, y)]) == looks(first);
            let cells = (x..SIZE[0]).take_while(same).count() as u16;
            let words: String = (x..x + cells).map(|x| buffer[(x, y)].symbol()).collect();
            piece(&mut text, [x, y], cells, &words, first);
            x += cells;
        }
    }
    text + "</svg>\n"
}

/// What cells have in common that are drawn together: words, as browsers join spaces.
fn looks(cell: &Cell) -> (Color, Color, Modifier, bool) {
    (cell.fg, cell.bg, cell.modifier, cell.symbol() == " ")
}

fn piece(text: &mut String, [x, y]: [u16; 2], cells: u16, words: &str, cell: &Cell) {
    let (left, top) = (f64::from(x) * CELL[0], f64::from(y) * CELL[1]);
    let width = f64::from(cells) * CELL[0];
    let mut colours = [colour(cell.fg, FOREGROUND), colour(cell.bg, BACKGROUND)];
    if cell.modifier.contains(Modifier::REVERSED) {
        colours.reverse();
    }
    let [foreground, background] = colours;
    // Writing to a string cannot fail, here and below.
    if background != BACKGROUND {
        let _ = writeln!(
            text,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{}\" fill=\"{background}\"/>",
            CELL[1]
        );
    }
    if words.trim().is_empty() {
        return;
    }
    let mut style = String::new();
    if cell.modifier.contains(Modifier::BOLD) {
        style += " font-weight=\"bold\"";
    }
    if cell.modifier.contains(Modifier::DIM) {
        style += " opacity=\"0.6\"";
    }
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        text,
        "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{foreground}\"{style}>{words}</text>",
        top + 13.5
    );
}

fn colour(colour: Color, usual: &str) -> String {
    let named = match colour {
        Color::Black => "#16181d",
        Color::Red => "#d0464f",
        Color::Green => "#4fa66a",
        Color::Yellow => "#d9a441",
        Color::Blue => "#4a82d9",
        Color::Magenta => "#b066c9",
        Color::Cyan => "#3fb1bf",
        Color::Gray => "#b4b9c4",
        Color::DarkGray => "#6b7280",
        Color::LightRed => "#ef6b73",
        Color::LightGreen => "#7fd08f",
        Color::LightYellow => "#f0c674",
        Color::LightBlue => "#7aa7f0",
        Color::LightMagenta => "#d495e6",
        Color::LightCyan => "#74d4de",
        Color::White => "#ffffff",
        Color::Rgb(red, green, blue) => return format!("#{red:02x}{green:02x}{blue:02x}"),
        _ => usual,
    };
    named.to_owned()
}
