//! Mouse input.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use crate::chart::place_of_column;
use crate::curves::extent;
use crate::dialogs::scroll_help;
use crate::layout::{Target, target};
use crate::mode::Command;
use crate::pages::{charts, classes, log, mistakes};
use crate::press::{ZOOM, press, scroll_log};
use crate::runs::Run;
use crate::state::{Dialog, Drag, State, Tab};

/// Handles a mouse event.
pub(crate) fn update(state: &mut State, event: MouseEvent, runs: &[Run]) -> Option<Command> {
    let at = Position::new(event.column, event.row);
    // A drag continues outside.
    match event.kind {
        MouseEventKind::Drag(MouseButton::Left) => {
            drag(state, at, runs);
            return None;
        }
        MouseEventKind::Up(MouseButton::Left) => {
            release(state, at, runs);
            return None;
        }
        MouseEventKind::Moved => return None,
        _ => {}
    }
    if state.dialog == Some(Dialog::Help) {
        let scope = state.scope(runs);
        match event.kind {
            MouseEventKind::ScrollUp => scroll_help(state, scope, -3),
            MouseEventKind::ScrollDown => scroll_help(state, scope, 3),
            _ => {}
        }
    }
    match (target(state, runs, at), event.kind) {
        (Target::Tab(tab), MouseEventKind::Down(_)) => state.tab = tab,
        (Target::Key(code), MouseEventKind::Down(_)) => {
            return press(state, KeyEvent::new(code, KeyModifiers::NONE), runs);
        }
        (Target::Body(body), MouseEventKind::Down(MouseButton::Left)) => {
            click(state, body, at, runs);
        }
        (Target::Body(body), MouseEventKind::ScrollUp) => wheel(state, body, at, true, runs),
        (Target::Body(body), MouseEventKind::ScrollDown) => wheel(state, body, at, false, runs),
        _ => {}
    }
    None
}

fn click(state: &mut State, body: Rect, at: Position, runs: &[Run]) {
    match state.tab {
        Tab::Charts => {
            if let Some(metric) = charts::metric_at(state, body, runs, at) {
                state.view.metric = metric;
            } else if charts::plot(body, runs).contains(at) {
                state.view.drag = Some(Drag {
                    column: at.x,
                    window: state.view.window,
                    moved: false,
                });
            }
        }
        Tab::Classes => {
            if let Some(row) = classes::row_at(state, body, at, runs) {
                state.class = row;
            }
        }
        Tab::Log => state.pane = log::pane_at(body, at),
        Tab::Mistakes => {
            if let Some(mistake) = mistakes::mistake_at(state, body, at, runs) {
                state.mistake = mistake;
            }
        }
        Tab::Overview | Tab::Speed => {}
    }
}

fn drag(state: &mut State, at: Position, runs: &[Run]) {
    let end = extent(runs, state.view.axis);
    let width = f64::from(charts::plot_width(state.size).max(1));
    if let Some(drag) = &mut state.view.drag {
        let columns = f64::from(drag.column) - f64::from(at.x);
        drag.moved |= columns != 0.0;
        state.view.window = drag.window.pan(end, columns / width);
    }
}

fn release(state: &mut State, at: Position, runs: &[Run]) {
    if let Some(drag) = state.view.drag.take()
        && !drag.moved
        && let Some(plot) = charts::plot_on_screen(state, runs)
    {
        let range = state.view.window.range(extent(runs, state.view.axis));
        state.view.cursor = Some(place_of_column(plot, at.x, range));
    }
}

fn wheel(state: &mut State, body: Rect, at: Position, is_up: bool, runs: &[Run]) {
    let key = |code| KeyEvent::new(code, KeyModifiers::NONE);
    let arrow = if is_up { KeyCode::Up } else { KeyCode::Down };
    match state.tab {
        Tab::Charts => {
            let end = extent(runs, state.view.axis);
            let plot = charts::plot(body, runs);
            let about = place_of_column(plot, at.x, state.view.window.range(end));
            let factor = if is_up { ZOOM } else { 1.0 / ZOOM };
            state.view.window = state.view.window.zoom(end, about, factor);
        }
        Tab::Log => {
            state.pane = log::pane_at(body, at);
            scroll_log(state, if is_up { -3 } else { 3 }, runs);
        }
        Tab::Classes | Tab::Mistakes => {
            press(state, key(arrow), runs);
        }
        Tab::Overview | Tab::Speed => {}
    }
}
