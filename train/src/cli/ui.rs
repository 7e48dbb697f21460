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
    /// A dashboard wants a terminal for input and output, and is the default on one.
    pub(crate) fn new(ui: Option<Ui>, silent: bool) -> Self {
        let on_terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
        match (ui, on_terminal) {
            _ if silent => Self::Nothing,
            (Some(Ui::Lines), _) => Self::Lines,
            (Some(Ui::Burn), true) => Self::Burn,
            (Some(Ui::Dashboard) | None, true) => Self::Dashboard,
            (_, false) => Self::Lines,
        }
    }
}
