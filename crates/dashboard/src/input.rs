//! User input and the response to it.

use crossterm::event::{Event, KeyEvent, KeyEventKind, MouseEvent};

use crate::mode::Command;

/// A user input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse was used.
    Mouse(MouseEvent),
    /// The terminal was resized: columns and rows.
    Resize(u16, u16),
}

impl TryFrom<Event> for Input {
    /// An event that is ignored.
    type Error = Event;

    fn try_from(event: Event) -> Result<Self, Event> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => Ok(Self::Key(key)),
            Event::Mouse(mouse) => Ok(Self::Mouse(mouse)),
            Event::Resize(columns, rows) => Ok(Self::Resize(columns, rows)),
            other => Err(other),
        }
    }
}

/// The response to a user input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// The command for the owner.
    pub command: Option<Command>,
    /// Whether the screen must be redrawn.
    pub is_changed: bool,
}
