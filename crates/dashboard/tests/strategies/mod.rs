//! Inputs that nobody should make.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use dashboard::Input;
use proptest::prelude::*;

/// Anything that a user can do.
pub fn input() -> impl Strategy<Value = Input> {
    let keys = "123456rRtmMxlsSv+-<>fboz[]?qcend"
        .chars()
        .map(KeyCode::Char);
    let others = [
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Esc,
    ];
    let keys: Vec<KeyCode> = keys.chain(others).collect();
    let key = (prop::sample::select(keys), prop::bool::ANY).prop_map(|(code, is_shifted)| {
        let modifiers = if is_shifted {
            KeyModifiers::SHIFT
        } else {
            KeyModifiers::NONE
        };
        Input::Key(KeyEvent::new(code, modifiers))
    });
    let kinds = vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
    ];
    let mouse =
        (prop::sample::select(kinds), 0_u16..200, 0_u16..70).prop_map(|(kind, column, row)| {
            Input::Mouse(MouseEvent {
                kind,
                column,
                row,
                modifiers: KeyModifiers::NONE,
            })
        });
    prop_oneof![3 => key, 1 => mouse]
}
