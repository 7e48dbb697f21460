//! Settings, messages and alerts.

mod settings;

use events::{Level, Message};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::layout::layout;
use crate::panel::{above, left, panel};
use crate::pen::{Pen, Span};
use crate::progress;
use crate::runs::Run;
use crate::state::{Pane, State};
use crate::text::wrap;
use crate::theme::Theme;
use events::format::duration;

/// Maximum number of lines shown per message.
const LINES: usize = 12;
/// Columns for the time of a message.
const TIME: u16 = 13;

/// Returns the number of rows of settings.
pub(crate) fn settings_count(state: &State, runs: &[Run]) -> usize {
    let screen = Rect::new(0, 0, state.size.width, state.size.height);
    layout(screen).map_or(0, |layout| {
        settings::count(state, runs, settings_width(layout.body))
    })
}

/// Returns the width of the settings in columns.
fn settings_width(body: Rect) -> u16 {
    (body.width * 9 / 20).min(80)
}

/// Returns the pane under the mouse.
pub(crate) fn pane_at(body: Rect, at: Position) -> Pane {
    match at.x < body.x + settings_width(body) {
        true => Pane::Settings,
        false => Pane::Messages,
    }
}

pub(crate) fn draw(pen: &mut Pen, state: &State, runs: &[Run], run: &Run, body: Rect) {
    let resume = progress::resume_line(run);
    let alerts = run.alerts.len() as u16 + u16::from(resume.is_some());
    let height = if alerts == 0 { 0 } else { alerts + 2 };
    let (top, rest) = above(body, height.min(body.height / 2));
    if alerts > 0 {
        let inner = panel(pen, top, "alerts", &[]);
        let drawn = draw_alerts(pen, run, inner);
        let style = pen.theme.warning();
        pen.print(inner, 0, drawn, &resume.unwrap_or_default(), style);
    }
    let (own, said) = left(rest, settings_width(rest), 2);
    settings::draw(pen, state, runs, own);
    draw_messages(pen, state, run, said);
}

/// Draws a row for each alert and returns the number of rows.
fn draw_alerts(pen: &mut Pen, run: &Run, area: Rect) -> u16 {
    let style = pen.theme.warning();
    for (y, alert) in run.alerts.iter().enumerate() {
        pen.print(area, 0, y as u16, &format!("! {}", alert.text), style);
    }
    run.alerts.len() as u16
}

/// Returns a title that shows which pane has the focus.
fn title(pen: &Pen, state: &State, pane: Pane) -> Vec<Span> {
    match state.pane == pane {
        true => vec![(pen.theme.either("↕", "*").to_owned(), pen.theme.accent())],
        false => Vec::new(),
    }
}

/// Returns the sign of a level and its style.
fn sign(theme: Theme, level: Level) -> (&'static str, Style) {
    match level {
        Level::Info => (theme.either("·", "."), Style::new()),
        Level::Warning => ("!", theme.warning()),
        Level::Error => (theme.either("✘", "x"), theme.bad()),
    }
}

fn draw_messages(pen: &mut Pen, state: &State, run: &Run, area: Rect) {
    let messages = &run.history.messages;
    let mut notes = title(pen, state, Pane::Messages);
    let below = state.message.min(messages.len().saturating_sub(1));
    if below > 0 {
        notes.push((format!(" {below} more below"), Style::new()));
    }
    let inner = panel(pen, area, "messages", &notes);
    let mut inner = inner;
    let damaged = run.history.damaged;
    if damaged > 0 || run.problem.is_some() {
        let said = match run.problem {
            Some(problem) => format!("! cannot read the events: {problem}"),
            None => format!("! {damaged} lines of the file are not events"),
        };
        let style = pen.theme.warning();
        let (last, rest) = (above(inner, inner.height.saturating_sub(1)).1, inner);
        pen.print(last, 0, 0, &said, style);
        inner = above(rest, rest.height.saturating_sub(1)).0;
    }
    if messages.is_empty() {
        pen.print(inner, 0, 0, "no messages", Style::new());
        return;
    }
    // Narrow panes have no room for the time.
    let start = if inner.width >= 3 * TIME { TIME } else { 0 };
    let width = usize::from(inner.width.saturating_sub(start + 2));
    let shown = &messages[..messages.len() - below];
    let mut rows: Vec<(Option<&Message>, String, Style)> = Vec::new();
    for message in shown.iter().rev() {
        if rows.len() >= usize::from(inner.height) {
            break;
        }
        let (_, style) = sign(pen.theme, message.level);
        let lines = wrap(&message.text, width, LINES);
        for (index, line) in lines.into_iter().enumerate().rev() {
            rows.push(((index == 0).then_some(message), line, style));
        }
    }
    rows.truncate(usize::from(inner.height));
    for (y, (message, line, style)) in rows.into_iter().rev().enumerate() {
        let y = y as u16;
        if let Some(message) = message {
            let (sign, style) = sign(pen.theme, message.level);
            let time = duration(message.seconds);
            if start > 0 {
                pen.print(inner, 0, y, &format!("{time:>11}"), Style::new());
            }
            pen.print(inner, start, y, sign, style);
        }
        pen.print(inner, start + 2, y, &line, style);
    }
}

/// Draws alerts, then the last messages, newest first.
pub(crate) fn draw_news(pen: &mut Pen, run: &Run, area: Rect) {
    let alerts = draw_alerts(pen, run, area);
    let mut y = alerts;
    for message in run.history.messages.iter().rev() {
        if y >= area.height {
            return;
        }
        let (sign, style) = sign(pen.theme, message.level);
        let width = usize::from(area.width.saturating_sub(2));
        let most = if area.height > 4 { 3 } else { 1 };
        pen.print(area, 0, y, sign, style);
        for line in wrap(&message.text, width, most) {
            pen.print(area, 2, y, &line, style);
            y += 1;
        }
    }
    if y == 0 {
        pen.print(area, 0, 0, "nothing to report", Style::new());
    }
}
