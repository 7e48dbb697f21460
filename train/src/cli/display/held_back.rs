//! Lines that wait until the terminal is free.

use std::sync::{Arc, Mutex, PoisonError};

use command_line::voice;
use indicatif::ProgressBar;

/// Prints lines above a progress bar, or after the full-screen display has closed. Clones share their state.
#[derive(Clone)]
pub(crate) struct HeldBack {
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
}

struct State {
    is_hidden: bool,
    lines: Vec<Line>,
}

enum Line {
    Result(String),
    Warning(String),
}

impl HeldBack {
    /// Creates the printer; `is_hidden` states whether a screen occupies the terminal.
    pub(crate) fn new(bar: ProgressBar, is_hidden: bool) -> Self {
        let lines = Vec::new();
        let state = Arc::new(Mutex::new(State { is_hidden, lines }));
        Self { bar, state }
    }

    /// Prints a line to standard output.
    pub(crate) fn print(&self, line: String) {
        self.add(Line::Result(line));
    }

    /// Prints a line to standard error.
    pub(crate) fn warn(&self, line: String) {
        self.add(Line::Warning(line));
    }

    fn add(&self, line: Line) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lines.push(line);
        self.print_lines(&mut state);
    }

    /// Returns whether a screen occupies the terminal.
    pub(crate) fn is_hidden(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_hidden
    }

    /// Prints the held lines, because the screen has closed.
    pub(crate) fn release(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_hidden = false;
        self.print_lines(&mut state);
    }

    fn print_lines(&self, state: &mut State) {
        if state.is_hidden || state.lines.is_empty() {
            return;
        }
        let lines = std::mem::take(&mut state.lines);
        self.bar.suspend(|| {
            for line in lines {
                match line {
                    // A run continues without its reader, and reports a failure at its end.
                    Line::Result(line) => drop(voice::print_line(&line)),
                    Line::Warning(line) => voice::warn(&line),
                }
            }
        });
    }
}
