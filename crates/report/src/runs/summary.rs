//! Summary of a run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use events::{Follower, History, Metrics, State};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::settings;

/// State of a run, as far as it is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A program is training it.
    Running,
    /// Its program ended without reporting an end.
    Crashed,
    /// It ended with an error.
    Failed,
    /// It was asked to stop, and can be resumed.
    Stopped,
    /// All epochs were trained and the network tested.
    Finished,
    /// It has no events and no test, so its end is unknown.
    Unknown,
    /// It has events, but they cannot be read.
    Unreadable,
}

impl RunState {
    /// All values.
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Crashed,
        Self::Failed,
        Self::Stopped,
        Self::Finished,
        Self::Unknown,
        Self::Unreadable,
    ];

    /// Returns the display name, which filters use too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Crashed => "crashed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
            Self::Unknown => "unknown",
            Self::Unreadable => "unreadable",
        }
    }
}

impl From<State> for RunState {
    fn from(state: State) -> Self {
        match state {
            State::Running => Self::Running,
            State::Finished => Self::Finished,
            State::Stopped => Self::Stopped,
            State::Failed => Self::Failed,
            State::Crashed => Self::Crashed,
        }
    }
}

/// A summary of a run. Values that are unknown or not finite are `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    /// Name of the run's folder, prefixed with its study if it has one.
    pub name: String,
    /// Its folder.
    #[serde(serialize_with = "as_text")]
    pub folder: PathBuf,
    /// Its state.
    pub state: RunState,
    /// Why it failed, or why it cannot be read.
    pub reason: Option<String>,
    /// Name of the data set.
    pub data: Option<String>,
    /// The network's name.
    pub model: Option<String>,
    /// Compute device of the last sitting.
    pub device: Option<String>,
    /// Random seed.
    pub seed: Option<u64>,
    /// Last epoch that was trained and scored, or 0 before the first.
    pub epochs_done: usize,
    /// Planned number of epochs.
    pub epochs: Option<usize>,
    /// Epoch whose network is kept, usually the one with the best validation accuracy.
    pub kept_epoch: Option<usize>,
    /// Validation accuracy of that epoch, 0 to 1, of the moving average if one is kept. `None` if
    /// no images are held back.
    pub accuracy: Option<f64>,
    /// Validation loss of that epoch, in nats.
    pub loss: Option<f64>,
    /// Test accuracy of the kept network, 0 to 1.
    pub test_accuracy: Option<f64>,
    /// Test loss of the kept network, in nats.
    pub test_loss: Option<f64>,
    /// Time that it has taken in seconds, without pauses.
    pub seconds: Option<f64>,
    /// Start time, as RFC 3339.
    pub started: Option<String>,
}

/// Serializes a path, even if it is not valid Unicode.
fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

impl RunSummary {
    /// Reads the run in a folder. This never fails: the summary states if something cannot be read.
    pub fn read(name: String, folder: &Path) -> Self {
        // Checked first: a program that ends in the meantime records its end before it releases the
        // lock.
        let is_running = events::is_locked(folder);
        let mut follower = Follower::skim(folder);
        let read = match fs::metadata(folder.join(events::FILE)) {
            Ok(file) if file.is_file() => follower.poll().map(|_| ()),
            // Opening it could block forever.
            Ok(_) => Err(io::Error::other(format!("{} is not a file", events::FILE))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return settings::summary(name, folder, is_running);
            }
            Err(error) => Err(error),
        };
        let mut summary = Self::of(name, folder, follower.history(), is_running);
        if let Err(error) = read {
            summary.state = RunState::Unreadable;
            summary.reason = Some(files::without_number(&error.to_string()));
        }
        summary
    }

    /// Summarizes a run from its events, and from its settings where the events do not describe it.
    pub fn of(name: String, folder: &Path, history: &History, is_running: bool) -> Self {
        let kept = history.kept();
        // Scores on test images do not count before the run's test.
        let validated = kept.filter(|_| !history.scores_on_test());
        let validated = validated.map(|epoch| epoch.scores().1);
        let tested = history.tested.as_ref().map(|tested| &tested.metrics);
        let mut summary = Self {
            reason: history.ended().and_then(|ended| ended.reason.clone()),
            epochs_done: history.epochs_done(),
            kept_epoch: kept.map(|epoch| epoch.epoch),
            accuracy: validated.and_then(|metrics| figure(metrics, "accuracy")),
            loss: validated.and_then(|metrics| figure(metrics, "loss")),
            test_accuracy: tested.and_then(|metrics| figure(metrics, "accuracy")),
            test_loss: tested.and_then(|metrics| figure(metrics, "loss")),
            seconds: Some(history.seconds()),
            ..Self::empty(name, folder, history.state(is_running).into())
        };
        match &history.started {
            Some(started) => {
                let text = |text: &String| (!text.is_empty()).then(|| text.clone());
                summary.data = text(&started.data);
                summary.model = text(&started.model);
                summary.device = text(&started.device);
                summary.seed = started.config.get("seed").and_then(|seed| seed.as_u64());
                summary.epochs = Some(started.epochs);
                let is_time = started.at.parse::<Timestamp>().is_ok();
                summary.started = is_time.then(|| started.at.clone());
            }
            None => settings::fill(&mut summary),
        }
        summary
    }

    /// Returns a summary without any values.
    pub(super) fn empty(name: String, folder: &Path, state: RunState) -> Self {
        Self {
            name,
            folder: folder.to_owned(),
            state,
            reason: None,
            data: None,
            model: None,
            device: None,
            seed: None,
            epochs_done: 0,
            epochs: None,
            kept_epoch: None,
            accuracy: None,
            loss: None,
            test_accuracy: None,
            test_loss: None,
            seconds: None,
            started: None,
        }
    }

    /// Returns the start time.
    pub(super) fn start(&self) -> Option<Timestamp> {
        self.started.as_ref()?.parse().ok()
    }
}

fn figure(metrics: &Metrics, name: &str) -> Option<f64> {
    metrics.get(name).filter(|figure| figure.is_finite())
}
