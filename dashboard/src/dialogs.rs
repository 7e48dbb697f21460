//! What lies over a page: help and questions.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::keys::{CHARTS, CLASSES, CURVES, KEYS, Key, LOG, MISTAKES, Place, SCORES};
use crate::layout::{dialog, options, within};
use crate::mode::Mode;
use crate::panel::columns;
use crate::pen::Pen;
use crate::state::{Dialog, State};

/// Columns for the names of keys.
const NAMES: u16 = 9;

/// Draws what lies over the page.
pub(crate) fn draw(pen: &mut Pen, state: &State, open: Dialog, screen: Rect) {
    let area = dialog(state.mode, open, screen);
    pen.clear(area);
    frame(pen, area, title(open));
    let inner = within(area);
    match open {
        Dialog::Help => help(pen, state, inner),
        _ => question(pen, open, inner),
    }
}

fn title(open: Dialog) -> &'static str {
    match open {
        Dialog::Help => " Keys ",
        Dialog::Leave => " Training goes on. What now? ",
        Dialog::Stop => " Stop now? The run can be resumed ",
    }
}

fn frame(pen: &mut Pen, area: Rect, title: &str) {
    let [level, upright] = pen.theme.either(['─', '│'], ['-', '|']);
    let [top_left, top_right, bottom_left, bottom_right] =
        pen.theme.either(['╭', '╮', '╰', '╯'], ['+'; 4]);
    let style = pen.theme.accent();
    let (right, bottom) = (area.width.saturating_sub(1), area.height.saturating_sub(1));
    pen.rule(area, 0, 0, level, style);
    pen.rule(area, 0, bottom, level, style);
    for row in 0..=bottom {
        pen.cell(area, 0, row, upright, style);
        pen.cell(area, right, row, upright, style);
    }
    for (x, y, corner) in [
        (0, 0, top_left),
        (right, 0, top_right),
        (0, bottom, bottom_left),
        (right, bottom, bottom_right),
    ] {
        pen.cell(area, x, y, corner, style);
    }
    let heading = pen.theme.heading();
    pen.print(area, 2, 0, title, heading);
}

fn question(pen: &mut Pen, open: Dialog, area: Rect) {
    let key = pen.theme.key();
    for (row, (name, does)) in options(open).iter().enumerate() {
        let y = row as u16 + 2;
        pen.print(area, 1, y, &name.to_string(), key);
        pen.print(area, 4, y, does, Style::new());
    }
    let y = options(open).len() as u16 + 3;
    let x = pen.print(area, 1, y, "any other key", Style::new());
    pen.print(area, x + 1, y, "goes back", Style::new());
}

/// Lines of the help page: headings without a key.
fn help_lines(mode: Mode) -> Vec<(&'static str, &'static str)> {
    let group = |heading: &'static str, keys: &mut dyn Iterator<Item = &'static Key>| {
        let mut lines = vec![(heading, "")];
        lines.extend(keys.map(|key| (key.shown, key.long)));
        lines
    };
    let mut lines = Vec::new();
    if mode == Mode::Live {
        let mut run = KEYS.iter().filter(|key| key.place == Place::Run);
        lines.extend(group("The run", &mut run));
    }
    let mut everywhere = KEYS.iter().filter(|key| key.place == Place::Everywhere);
    lines.extend(group("Everywhere", &mut everywhere));
    for (heading, place) in [
        ("Overview and charts", CURVES),
        ("Charts", CHARTS),
        ("Classes", CLASSES),
        ("Classes and mistakes", SCORES),
        ("Mistakes", MISTAKES),
        ("Log", LOG),
    ] {
        let mut keys = KEYS.iter().filter(|key| key.place == place);
        lines.extend(group(heading, &mut keys));
    }
    lines
}

/// Rows of the help page, in two columns.
pub(crate) fn help_rows(mode: Mode) -> u16 {
    help_lines(mode).len().div_ceil(2) as u16
}

fn help(pen: &mut Pen, state: &State, area: Rect) {
    let lines = help_lines(state.mode);
    let halves: [Rect; 2] = columns(area, 2);
    let rows = usize::from(area.height.max(1)).min(lines.len().div_ceil(2));
    let (heading, key) = (pen.theme.heading(), pen.theme.key());
    for (index, (name, does)) in lines.into_iter().enumerate() {
        let Some(half) = halves.get(index / rows.max(1)) else {
            break;
        };
        let y = (index % rows.max(1)) as u16;
        if does.is_empty() {
            pen.print(*half, 0, y, name, heading);
        } else {
            pen.print(*half, 1, y, name, key);
            pen.print(*half, NAMES + 1, y, does, Style::new());
        }
    }
}
