//! Dialogs over a page: help and questions.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::keys::help_lines;
use crate::layout::{dialog, help_columns, help_rows, options, within};
use crate::mode::Scope;
use crate::panel::columns;
use crate::pen::Pen;
use crate::state::{Dialog, State};
use crate::text::width;

/// Columns for key names.
const NAMES: u16 = 9;

/// Draws the dialog over the page.
pub(crate) fn draw(pen: &mut Pen, state: &State, scope: Scope, open: Dialog, screen: Rect) {
    let area = dialog(scope, open, screen);
    pen.clear(area);
    frame(pen, area, title(open));
    let inner = within(area);
    match open {
        Dialog::Help => {
            help(pen, state, scope, inner);
            rest_of_help(pen, state, scope, area, screen);
        }
        _ => question(pen, scope, open, inner),
    }
}

fn title(open: Dialog) -> &'static str {
    match open {
        Dialog::Help => " Keys ",
        Dialog::Leave => " Training is still running ",
        Dialog::Stop => " Stop now? The run can be resumed ",
        Dialog::StopAfterEpoch => " Stop after this epoch? The run can be resumed ",
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

fn question(pen: &mut Pen, scope: Scope, open: Dialog, area: Rect) {
    let key = pen.theme.key();
    let options = options(scope, open);
    for (row, (name, does)) in options.iter().enumerate() {
        let y = row as u16 + 2;
        pen.print(area, 1, y, &name.to_string(), key);
        pen.print(area, 4, y, does, Style::new());
    }
    let y = options.len() as u16 + 3;
    let x = pen.print(area, 1, y, "any other key", Style::new());
    pen.print(area, x + 1, y, "goes back", Style::new());
}

/// Returns the maximum scroll position of the help page.
fn last_help_row(scope: Scope, screen: Rect) -> u16 {
    let area = dialog(scope, Dialog::Help, screen);
    help_rows(scope, area.width).saturating_sub(within(area).height)
}

/// Scrolls the help page.
pub(crate) fn scroll_help(state: &mut State, scope: Scope, by: i16) {
    let screen = Rect::new(0, 0, state.size.width, state.size.height);
    let last = last_help_row(scope, screen);
    let row = state.help_row.min(last).saturating_add_signed(by);
    state.help_row = row.min(last);
}

fn help(pen: &mut Pen, state: &State, scope: Scope, area: Rect) {
    let lines = help_lines(scope);
    let count = help_columns(area.width);
    let places: [Rect; 2] = match count {
        1 => [area, Rect::ZERO],
        _ => columns(area, 2),
    };
    let rows = lines.len().div_ceil(count);
    let last = rows.saturating_sub(usize::from(area.height));
    let first = usize::from(state.help_row).min(last);
    let (heading, key) = (pen.theme.heading(), pen.theme.key());
    for (column, place) in lines.chunks(rows.max(1)).zip(places) {
        for (y, (name, does)) in (0..area.height).zip(column.iter().skip(first)) {
            if does.is_empty() {
                pen.print(place, 0, y, name, heading);
            } else {
                pen.print(place, 1, y, name, key);
                pen.print(place, NAMES + 1, y, does, Style::new());
            }
        }
    }
}

/// Shows at the lower edge of the help page how much is hidden.
fn rest_of_help(pen: &mut Pen, state: &State, scope: Scope, area: Rect, screen: Rect) {
    let last = last_help_row(scope, screen);
    let above = state.help_row.min(last);
    let below = last - above;
    let said = match (above, below) {
        (0, 0) => return,
        (_, 0) => format!(" {above} more above: ↑ "),
        (_, below) => format!(" {below} more below: ↓ "),
    };
    let start = area.width.saturating_sub(width(&said) as u16 + 2);
    let heading = pen.theme.heading();
    pen.print(area, start, area.height.saturating_sub(1), &said, heading);
}
