//! What the screen is for, and what it asks of its owner.

use std::path::PathBuf;

use crate::theme::Theme;

/// Whether the screen belongs to a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is that of a run in this program: keys control it, and it closes when the run is over.
    Live,
    /// It watches runs of other programs: keys control the one that is shown while it trains.
    #[default]
    Watch,
}

/// What the owner of the run is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Save a checkpoint as soon as possible, and go on.
    Checkpoint,
    /// Stop after the epoch at hand.
    StopAfterEpoch,
    /// Save a checkpoint and stop as soon as possible.
    StopNow,
    /// Go on without the screen, which is closed; only asked of the owner of a run.
    Detach,
    /// Nothing: who only watched has seen enough. The screen is closed.
    Quit,
}

/// How a screen was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The run is over.
    Finished,
    /// The user wants the run to go on without it.
    Detached,
    /// The user has seen enough.
    Quit,
    /// [`restore`](crate::restore) closed it, or a panic did.
    Restored,
}

/// A run to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it is called.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The command line that resumes it, to be shown if it has ended before its time.
    pub resume: Option<String>,
}

/// How to show them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether the first run is the owner's.
    pub mode: Mode,
    /// What it looks like.
    pub theme: Theme,
    /// Whether the owner goes on in the background after [`Command::Detach`], and not in the foreground.
    pub detaches: bool,
}
