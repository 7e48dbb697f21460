//! User interface of a run while it trains.

use std::io::{self, IsTerminal as _};

use clap::ValueEnum;

/// Value of `--ui`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ui {
    /// Everything about the run, on the whole terminal.
    Dashboard,
    /// A line for each epoch, and a progress bar.
    Lines,
    /// burn-train's own dashboard.
    Burn,
}

/// The user interface in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Dashboard,
    Lines,
    Burn,
    /// Neither lines nor a bar.
    Nothing,
}

impl Shown {
    /// Selects the user interface; the dashboard is the default if the terminal supports it.
    pub(crate) fn new(ui: Option<Ui>, silent: bool) -> Self {
        match (ui, has_screen()) {
            _ if silent => Self::Nothing,
            (Some(Ui::Lines), _) => Self::Lines,
            (Some(Ui::Burn), true) => Self::Burn,
            (Some(Ui::Dashboard) | None, true) => Self::Dashboard,
            (_, false) => Self::Lines,
        }
    }
}

/// Returns whether the program can draw on the whole terminal: input and output are the same terminal, which can move
/// its cursor, and the program is in the foreground.
pub(crate) fn has_screen() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb() && is_in_foreground()
}

/// Returns whether the terminal supports only lines, or its type is unknown.
pub(crate) fn is_dumb() -> bool {
    // Windows does not set `TERM`.
    cfg!(unix) && knows_only_lines(&std::env::var("TERM").unwrap_or_default())
}

/// Terminal types that are unknown or cannot move their cursor.
const ONLY_LINES: [&str; 7] = [
    "", "dumb", "unknown", "network", "dialup", "switch", "emacs",
];

fn knows_only_lines(term: &str) -> bool {
    // Variants have a suffix, such as dumb-emacs-ansi.
    let (kind, _) = term.split_once('-').unwrap_or((term, ""));
    ONLY_LINES.contains(&kind)
}

/// Returns whether the program is in the foreground; in the background, it may not change the terminal.
#[cfg(unix)]
pub(crate) fn is_in_foreground() -> bool {
    let foreground = rustix::termios::tcgetpgrp(rustix::stdio::stdin());
    // Only the session's own terminal has background processes.
    foreground.map_or(true, |group| group == rustix::process::getpgrp())
}

#[cfg(not(unix))]
pub(crate) fn is_in_foreground() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumb_terminals_get_lines() {
        for term in ["", "dumb", "dumb-emacs-ansi", "unknown", "network"] {
            assert!(knows_only_lines(term), "{term}");
        }
        for term in [
            "xterm-256color",
            "screen",
            "linux",
            "vt100",
            "eterm-color",
            "ansi",
        ] {
            assert!(!knows_only_lines(term), "{term}");
        }
    }
}
