//! The user's choices.

use std::borrow::Cow;
use std::collections::BTreeMap;

use events::Axis;
use ratatui::layout::Size;

use crate::mode::{Command, Mode, Options, Scope};
use crate::runs::Run;
use crate::theme::{Colors, Theme};
use crate::window::Window;

/// Pages of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tab {
    #[default]
    Overview,
    Charts,
    Classes,
    Mistakes,
    Speed,
    Log,
}

impl Tab {
    pub(crate) const ALL: [Self; 6] = [
        Self::Overview,
        Self::Charts,
        Self::Classes,
        Self::Mistakes,
        Self::Speed,
        Self::Log,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Charts => "Charts",
            Self::Classes => "Classes",
            Self::Mistakes => "Mistakes",
            Self::Speed => "Speed",
            Self::Log => "Log",
        }
    }

    pub(crate) fn index(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0)
    }
}

/// Dialogs over the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialog {
    /// Lists all keys.
    Help,
    /// How to leave a run that continues.
    Leave,
    /// Whether to stop now.
    Stop,
    /// Whether to stop after the current epoch.
    StopAfterEpoch,
}

/// The user's requests to a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Number of checkpoints at the time when another one was requested.
    pub checkpoints: Option<usize>,
    /// How the run will stop.
    pub stop: Option<Command>,
}

/// Which curves are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shown {
    #[default]
    All,
    Train,
    Validation,
}

/// Smoothing factors of curves. They apply to drawn points, not steps, so that curves of ten
/// million steps are smoothed as quickly, and as visibly, as those of a hundred.
pub(crate) const SMOOTHING: [f64; 7] = [0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98];

/// Contents of charts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub metric: String,
    pub axis: Axis,
    pub log: bool,
    /// Index into [`SMOOTHING`].
    pub smoothing: usize,
    pub shown: Shown,
    pub window: Window,
    /// Position on the axis.
    pub cursor: Option<f64>,
    pub drag: Option<Drag>,
}

/// A mouse button that is held down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Drag {
    /// Column where it was pressed.
    pub column: u16,
    /// Window at that time.
    pub window: Window,
    pub moved: bool,
}

/// Scores shown by the pages of classes and mistakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    #[default]
    Newest,
    Epoch(usize),
    Test,
}

/// Sort order of the class table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    #[default]
    Number,
    WorstF1,
    WorstPrecision,
    WorstRecall,
}

impl Order {
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Number => Self::WorstF1,
            Self::WorstF1 => Self::WorstPrecision,
            Self::WorstPrecision => Self::WorstRecall,
            Self::WorstRecall => Self::Number,
        }
    }
}

/// The pane of the log page that has the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    Settings,
    #[default]
    Messages,
}

/// The user's choices.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(crate) mode: Mode,
    pub(crate) theme: Theme,
    /// Colors that the terminal supports.
    pub(crate) colors: Colors,
    pub(crate) size: Size,
    pub(crate) tab: Tab,
    /// Index of the run on pages that show one run.
    pub(crate) run: usize,
    pub(crate) dialog: Option<Dialog>,
    /// First visible row of the help page.
    pub(crate) help_row: u16,
    pub(crate) view: View,
    pub(crate) choice: Choice,
    /// Selected row of the class table.
    pub(crate) class: usize,
    pub(crate) order: Order,
    /// Whether the confusion matrix is switched from its default view: scaled to fit, or with
    /// numbers.
    pub(crate) is_matrix_switched: bool,
    /// First visible row of images.
    pub(crate) mistake_row: usize,
    /// The selected mistake, whose file is shown in full.
    pub(crate) mistake: usize,
    /// Rows that images are larger than by default.
    pub(crate) image_size: i16,
    pub(crate) pane: Pane,
    /// First visible row of the settings.
    pub(crate) setting: usize,
    /// Number of messages below the last visible one.
    pub(crate) message: usize,
    /// Whether the owner continues in the background after [`Command::Detach`].
    pub(crate) detaches: bool,
    /// Requests to each run, by its index.
    pub(crate) asked: BTreeMap<usize, Asked>,
    /// Why the last key had no effect, if it should be shown.
    pub(crate) notice: Option<Cow<'static, str>>,
    /// Whether the terminal may show something other than what was drawn.
    pub(crate) is_redrawn: bool,
}

impl State {
    /// Creates the initial state.
    pub fn new(options: Options) -> Self {
        Self {
            mode: options.mode,
            theme: options.theme,
            colors: options.theme.colors,
            size: Size::default(),
            tab: Tab::default(),
            run: 0,
            dialog: None,
            help_row: 0,
            view: View {
                metric: "loss".to_owned(),
                axis: Axis::default(),
                log: false,
                smoothing: 1,
                shown: Shown::default(),
                window: Window::default(),
                cursor: None,
                drag: None,
            },
            choice: Choice::default(),
            class: 0,
            order: Order::default(),
            is_matrix_switched: false,
            mistake_row: 0,
            mistake: 0,
            image_size: 0,
            pane: Pane::default(),
            setting: 0,
            message: 0,
            detaches: options.detaches,
            asked: BTreeMap::new(),
            notice: None,
            is_redrawn: false,
        }
    }

    /// Returns the scope of keys that work.
    pub(crate) fn scope(&self, runs: &[Run]) -> Scope {
        let is_running = runs.get(self.run).is_some_and(|run| run.is_running);
        Scope {
            mode: self.mode,
            controls: self.mode == Mode::Live || is_running,
            detaches: self.detaches,
        }
    }

    /// Returns the requests to the visible run.
    pub(crate) fn asked(&self) -> Asked {
        self.asked.get(&self.run).copied().unwrap_or_default()
    }

    /// Withdraws the requests to the run after a failure.
    pub(crate) fn refused(&mut self, problem: String) {
        self.asked.remove(&self.run);
        self.notice = Some(problem.into());
    }
}
