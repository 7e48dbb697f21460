//! Updates the state from user input.

use crossterm::event::MouseEventKind;
use ratatui::layout::Size;

use crate::input::{Input, Response};
use crate::mouse;
use crate::press::press;
use crate::runs::Run;
use crate::state::State;

/// Handles a user input.
pub fn update(state: &mut State, input: Input, runs: &[Run]) -> Response {
    let before = state.clone();
    if is_deed(input) {
        state.notice = None;
    }
    let command = match input {
        Input::Key(key) => press(state, key, runs),
        Input::Mouse(event) => mouse::update(state, event, runs),
        Input::Resize(columns, rows) => {
            state.size = Size::new(columns, rows);
            None
        }
    };
    // The terminal may have changed back to its previous size before a screen was drawn in the new
    // one.
    let is_resized = matches!(input, Input::Resize(..));
    Response {
        command,
        is_changed: is_resized || *state != before,
    }
}

/// Returns whether the input is an action of its own, not the rest of a click.
fn is_deed(input: Input) -> bool {
    match input {
        Input::Key(_) => true,
        Input::Mouse(event) => !matches!(
            event.kind,
            MouseEventKind::Moved | MouseEventKind::Up(_) | MouseEventKind::Drag(_)
        ),
        Input::Resize(..) => false,
    }
}
