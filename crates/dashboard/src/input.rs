//! What the user does, and what comes of it.

use crossterm::event::{Event, KeyEvent, KeyEventKind, MouseEvent};

use crate::mode::Command;

/// Something that the user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse was used.
    Mouse(MouseEvent),
    /// The terminal has another size: columns and rows.
    Resize(u16, u16),
}

impl TryFrom<Event> for Input {
    /// An event that means nothing here.
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

/// What came of something that the user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// What the owner has to do.
    pub command: Option<Command>,
    /// Whether the screen has to be drawn.
    pub is_changed: bool,
}
