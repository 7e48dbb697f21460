//! What the user has chosen.

use std::borrow::Cow;
use std::collections::BTreeMap;

use events::Axis;
use ratatui::layout::Size;

use crate::keys::Scope;
use crate::mode::{Command, Mode, Options};
use crate::runs::Run;
use crate::theme::{Colors, Theme};
use crate::window::Window;

/// The pages of the screen.
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

/// What lies over the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialog {
    /// All keys.
    Help,
    /// How to leave a run that goes on.
    Leave,
    /// Whether to stop now.
    Stop,
    /// Whether to stop after the epoch at hand.
    StopAfterEpoch,
}

/// What the user asked of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The number of checkpoints when another one was asked for.
    pub checkpoints: Option<usize>,
    /// How the run is going to stop.
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

/// Weights of what came before, for smooth curves. They are of the points that are drawn, not of steps, so that
/// curves of ten million steps are made smooth as quickly, and as visibly, as those of a hundred.
pub(crate) const SMOOTHING: [f64; 7] = [0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98];

/// What charts show.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub metric: String,
    pub axis: Axis,
    pub log: bool,
    /// Place in [`SMOOTHING`].
    pub smoothing: usize,
    pub shown: Shown,
    pub window: Window,
    /// A place of the axis.
    pub cursor: Option<f64>,
    pub drag: Option<Drag>,
}

/// A mouse button that is held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Drag {
    /// Where it was pressed.
    pub column: u16,
    /// What was shown then.
    pub window: Window,
    pub moved: bool,
}

/// Which scores the classes and mistakes are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    #[default]
    Newest,
    Epoch(usize),
    Test,
}

/// How the table of classes is sorted.
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

/// What has the keys of the log's page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    Settings,
    #[default]
    Messages,
}

/// What the user has chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(crate) mode: Mode,
    pub(crate) theme: Theme,
    /// What the terminal has.
    pub(crate) colors: Colors,
    pub(crate) size: Size,
    pub(crate) tab: Tab,
    /// The run that pages of one run show.
    pub(crate) run: usize,
    pub(crate) dialog: Option<Dialog>,
    /// The first row of the help page.
    pub(crate) help_row: u16,
    pub(crate) view: View,
    pub(crate) choice: Choice,
    /// The row of the table of classes.
    pub(crate) class: usize,
    pub(crate) order: Order,
    /// Whether the confusion matrix is the other way than it would be: made to fit, or with numbers.
    pub(crate) is_matrix_switched: bool,
    /// The first row of images.
    pub(crate) mistake_row: usize,
    /// The mistake whose file is shown in full.
    pub(crate) mistake: usize,
    /// Images are so much larger than they would be.
    pub(crate) image_size: i16,
    pub(crate) pane: Pane,
    /// The first row of the settings.
    pub(crate) setting: usize,
    /// Messages that lie below the last one that is shown.
    pub(crate) message: usize,
    /// Whether the owner goes on in the background after [`Command::Detach`].
    pub(crate) detaches: bool,
    /// What was asked of each run, by its place.
    pub(crate) asked: BTreeMap<usize, Asked>,
    /// Why the last key did nothing, if it should say so.
    pub(crate) notice: Option<Cow<'static, str>>,
    /// Whether the terminal may show something else than was drawn.
    pub(crate) is_redrawn: bool,
}

impl State {
    /// At the start.
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

    /// Which keys work.
    pub(crate) fn scope(&self, runs: &[Run]) -> Scope {
        let is_running = runs.get(self.run).is_some_and(|run| run.is_running);
        Scope {
            mode: self.mode,
            controls: self.mode == Mode::Live || is_running,
            detaches: self.detaches,
        }
    }

    /// What was asked of the run that is shown.
    pub(crate) fn asked(&self) -> Asked {
        self.asked.get(&self.run).copied().unwrap_or_default()
    }

    /// Nothing was asked of the run after all.
    pub(crate) fn refused(&mut self, problem: String) {
        self.asked.remove(&self.run);
        self.notice = Some(problem.into());
    }
}
