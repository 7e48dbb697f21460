//! Positions of everything on the screen, for drawing and for the mouse.

use std::ops::Range;

use crossterm::event::KeyCode;
use ratatui::layout::{Position, Rect, Size};

use crate::keys::{foot, help_lines};
use crate::mode::Scope;
use crate::panel::{above, below};
use crate::runs::Run;
use crate::state::{Dialog, State, Tab};
use crate::text::width;

/// Minimum size; smaller screens show nothing.
pub(crate) const SMALLEST: Size = Size {
    width: 40,
    height: 10,
};
/// On narrower screens, only the current page is shown by name, and the others by number.
const NAMES: u16 = 72;

/// Screens with fewer rows have only one row of keys.
const LOW: u16 = 14;

/// Columns within the frame that two columns of keys need.
const TWO_COLUMNS: u16 = 76;

/// The parts of the screen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub header: Rect,
    pub tabs: Rect,
    pub body: Rect,
    pub foot: Rect,
}

/// Returns the parts of the screen, or `None` if it is too small.
pub(crate) fn layout(area: Rect) -> Option<Layout> {
    if area.width < SMALLEST.width || area.height < SMALLEST.height {
        return None;
    }
    let (header, rest) = above(area, 1);
    let (tabs, rest) = above(rest, 1);
    let feet = if area.height >= LOW { 2 } else { 1 };
    let (body, foot) = above(rest, rest.height - feet);
    Some(Layout {
        header: inset(header),
        tabs: inset(tabs),
        body: inset(body),
        foot: inset(foot),
    })
}

/// Returns an area without its first and last column.
pub(crate) fn inset(area: Rect) -> Rect {
    Rect {
        x: area.x + 1.min(area.width),
        width: area.width.saturating_sub(2),
        ..area
    }
}

/// Returns the title of each page and the columns it occupies.
pub(crate) fn tabs(
    state: &State,
    runs: &[Run],
    width_of_row: u16,
) -> Vec<(Tab, String, Range<u16>)> {
    let alerts = runs.get(state.run).map_or(0, |run| run.alerts.len());
    let mut x = 0;
    let places = Tab::ALL.iter().enumerate().map(|(index, &tab)| {
        let mut name = format!(" {} ", index + 1);
        if width_of_row >= NAMES || tab == state.tab {
            name += tab.name();
            name.push(' ');
        }
        if tab == Tab::Log && alerts > 0 {
            name += &format!("!{alerts} ");
        }
        let start = x;
        x += width(&name) as u16;
        (tab, name, start..x)
    });
    places.collect()
}

/// A key at the foot and its area.
pub(crate) struct Hint {
    pub row: u16,
    pub columns: Range<u16>,
    pub key: &'static str,
    pub name: &'static str,
    pub code: KeyCode,
}

/// Returns the keys that fit at the foot.
pub(crate) fn hints(scope: Scope, tab: Tab, foot_area: Rect) -> Vec<Hint> {
    let mut hints = Vec::new();
    let (mut x, mut row) = (0, 0);
    // The page's keys come last, on their own row if there is one.
    for of_page in [false, true] {
        if of_page && foot_area.height > 1 {
            (x, row) = (0, 1);
        }
        for key in foot(scope, tab, of_page) {
            let end = x + (width(key.shown) + 1 + width(key.short)) as u16;
            if end > foot_area.width {
                break;
            }
            hints.push(Hint {
                row,
                columns: x..end,
                key: key.shown,
                name: key.short,
                code: key.code,
            });
            x = end + 2;
        }
    }
    hints
}

/// Returns the options of a question: a key and its action.
pub(crate) fn options(scope: Scope, dialog: Dialog) -> &'static [(char, &'static str)] {
    match dialog {
        Dialog::Help => &[],
        Dialog::Leave if scope.detaches => &[
            ('d', "detach: continue in the background"),
            ('e', "stop after this epoch"),
            ('n', "save and stop now"),
        ],
        Dialog::Leave => &[
            ('d', "close the screen and keep training"),
            ('e', "stop after this epoch"),
            ('n', "save and stop now"),
        ],
        Dialog::Stop => &[('y', "yes, save and stop now")],
        Dialog::StopAfterEpoch => &[('y', "yes, stop after this epoch")],
    }
}

/// Returns the area of a dialog.
pub(crate) fn dialog(scope: Scope, dialog: Dialog, screen: Rect) -> Rect {
    let columns = if dialog == Dialog::Help { 84 } else { 56 };
    let width = screen.width.min(columns);
    let rows = match dialog {
        Dialog::Help => help_rows(scope, width) + 2,
        _ => options(scope, dialog).len() as u16 + 6,
    };
    let height = rows.min(screen.height);
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    }
}

/// Returns the number of key columns for a screen width.
pub(crate) fn help_columns(width: u16) -> usize {
    if width < TWO_COLUMNS { 1 } else { 2 }
}

/// Returns the rows of the help page within a frame of the given width.
pub(crate) fn help_rows(scope: Scope, width: u16) -> u16 {
    let inner = within(Rect::new(0, 0, width, 3));
    let columns = help_columns(inner.width);
    help_lines(scope).len().div_ceil(columns) as u16
}

/// Returns the area inside a dialog's frame.
pub(crate) fn within(frame: Rect) -> Rect {
    let mut inner = inset(inset(below(frame, 1)));
    inner.height = inner.height.saturating_sub(1);
    inner
}

/// The element under the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Tab(Tab),
    Key(KeyCode),
    Body(Rect),
    Nothing,
}

pub(crate) fn target(state: &State, runs: &[Run], at: Position) -> Target {
    let screen = Rect::new(0, 0, state.size.width, state.size.height);
    let Some(layout) = layout(screen) else {
        return Target::Nothing;
    };
    let scope = state.scope(runs);
    if let Some(open) = state.dialog {
        let inner = within(dialog(scope, open, screen));
        let row = usize::from(at.y.saturating_sub(inner.y));
        let option = options(scope, open).get(row.wrapping_sub(2));
        return match option {
            Some((key, _)) if inner.contains(at) => Target::Key(KeyCode::Char(*key)),
            _ => Target::Key(KeyCode::Esc),
        };
    }
    if layout.tabs.contains(at) {
        let column = at.x - layout.tabs.x;
        let tabs = tabs(state, runs, layout.tabs.width);
        let hit = tabs
            .iter()
            .find(|(_, _, columns)| columns.contains(&column));
        return hit.map_or(Target::Nothing, |(tab, ..)| Target::Tab(*tab));
    }
    if layout.foot.contains(at) {
        let (column, row) = (at.x - layout.foot.x, at.y - layout.foot.y);
        let hints = hints(scope, state.tab, layout.foot);
        let hit = hints
            .iter()
            .find(|hint| hint.row == row && hint.columns.contains(&column));
        return hit.map_or(Target::Nothing, |hint| Target::Key(hint.code));
    }
    match layout.body.contains(at) {
        true => Target::Body(layout.body),
        false => Target::Nothing,
    }
}
