//! What shows a run while it trains.

use std::io::{self, IsTerminal as _};

use clap::ValueEnum;

/// The value of `--ui`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ui {
    /// Everything about the run, on the whole terminal.
    Dashboard,
    /// A line for each epoch, and a progress bar.
    Lines,
    /// burn-train's own dashboard.
    Burn,
}

/// What is shown, after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Dashboard,
    Lines,
    Burn,
    /// Neither lines nor a bar.
    Nothing,
}

impl Shown {
    /// A dashboard is the default where there can be one.
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

/// Whether a program can draw on the whole terminal: input and output are one, it can move its cursor, and the
/// program has it in the foreground.
pub(crate) fn has_screen() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb() && is_in_foreground()
}

/// Whether the terminal knows nothing but lines, or nobody says what it knows.
pub(crate) fn is_dumb() -> bool {
    // Windows has no such variable.
    cfg!(unix) && knows_only_lines(&std::env::var("TERM").unwrap_or_default())
}

/// Types that stand for any terminal, or for one without a cursor to move.
const ONLY_LINES: [&str; 7] = [
    "", "dumb", "unknown", "network", "dialup", "switch", "emacs",
];

fn knows_only_lines(term: &str) -> bool {
    // Variants have a suffix, such as dumb-emacs-ansi.
    let (kind, _) = term.split_once('-').unwrap_or((term, ""));
    ONLY_LINES.contains(&kind)
}

/// Whether the shell has not put the program into the background, where it may not change the terminal.
#[cfg(unix)]
pub(crate) fn is_in_foreground() -> bool {
    let foreground = rustix::termios::tcgetpgrp(rustix::stdio::stdin());
    // A terminal that is not the session's own puts nobody into the background.
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
