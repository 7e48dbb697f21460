//! Purpose of the dashboard, and commands to its owner.

use std::path::PathBuf;

use derive_setters::Setters;

use crate::theme::Theme;

/// Whether the dashboard belongs to a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Belongs to a run in this program: keys control it, and the dashboard closes when the run is
    /// over.
    Live,
    /// Watches runs of other programs: keys control the visible run while it trains.
    #[default]
    Watch,
}

/// What can be controlled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub mode: Mode,
    /// Whether the visible run can be controlled.
    pub controls: bool,
    /// Whether it can continue in the background.
    pub detaches: bool,
}

/// A command to the owner of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Save a checkpoint as soon as possible, and continue.
    Checkpoint,
    /// Stop after the current epoch.
    StopAfterEpoch,
    /// Save a checkpoint and stop as soon as possible.
    StopNow,
    /// Close the dashboard and continue without it; only sent to the owner of a run.
    Detach,
    /// No command: the user stops watching. The dashboard closes.
    Quit,
}

/// How a dashboard was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The run is over.
    Finished,
    /// The user wants the run to continue without the dashboard.
    Detached,
    /// The user stopped watching.
    Quit,
    /// [`restore`](crate::restore) closed it, or a panic did.
    Restored,
}

/// A run to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Display name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The command line that resumes the run, shown if it ended early.
    pub resume: Option<String>,
}

/// Options of a dashboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Setters)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct Options {
    /// Whether the first run is the owner's.
    pub mode: Mode,
    /// Look of the dashboard.
    pub theme: Theme,
    /// Whether the owner continues in the background after [`Command::Detach`], instead of in the
    /// foreground.
    pub detaches: bool,
}
