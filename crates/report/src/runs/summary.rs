//! What a run came to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use events::{Epoch, Follower, History, Metrics, Split, State};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::settings;

/// How a run is, as far as can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A program works on it.
    Running,
    /// Its program ended without a word.
    Crashed,
    /// It ended with an error.
    Failed,
    /// It was told to stop, and can go on.
    Stopped,
    /// All epochs were trained and the network tested.
    Finished,
    /// It has no events and no test, so that it is not known how it ended.
    Unknown,
    /// Its events are there, but cannot be read.
    Unreadable,
}

impl RunState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Crashed,
        Self::Failed,
        Self::Stopped,
        Self::Finished,
        Self::Unknown,
        Self::Unreadable,
    ];

    /// Its name for people, which filters know it by too.
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

/// A run in a few figures. What is not known, or not a number, is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    /// Its name: that of its folder, behind that of its study if it has one.
    pub name: String,
    /// Where it is.
    #[serde(serialize_with = "as_text")]
    pub folder: PathBuf,
    /// How it is.
    pub state: RunState,
    /// Why it failed, or why it cannot be read.
    pub reason: Option<String>,
    /// Name of the data.
    pub data: Option<String>,
    /// The network's name.
    pub model: Option<String>,
    /// What computes, as of the last sitting.
    pub device: Option<String>,
    /// The seed of everything that is drawn at random.
    pub seed: Option<u64>,
    /// The last epoch that was trained and scored, 0 before the first.
    pub epochs_done: usize,
    /// How many it is to have.
    pub epochs: Option<usize>,
    /// The epoch whose network is kept: as a rule that with the best accuracy on the validation images.
    pub kept_epoch: Option<usize>,
    /// That accuracy, 0 to 1; of the weights' moving average, if one is kept. None if no images are held
    /// back.
    pub accuracy: Option<f64>,
    /// The validation loss of the same epoch, in nats.
    pub loss: Option<f64>,
    /// The accuracy on the test images of the network that is kept, 0 to 1.
    pub test_accuracy: Option<f64>,
    /// The loss there, in nats.
    pub test_loss: Option<f64>,
    /// The time it has taken, in seconds, without pauses.
    pub seconds: Option<f64>,
    /// When it was started, as RFC 3339.
    pub started: Option<String>,
}

/// Also where a path is no text.
fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

impl RunSummary {
    /// Reads the run in a folder. This never fails: it is part of the summary if something cannot be
    /// read.
    pub fn read(name: String, folder: &Path) -> Self {
        // Looked at first: a program that ends meanwhile has written how before it lets go.
        let is_running = events::is_locked(folder);
        let mut follower = Follower::skim(folder);
        let read = match fs::metadata(folder.join(events::FILE)) {
            Ok(file) if file.is_file() => follower.poll().map(|_| ()),
            // It could be waited for without end.
            Ok(_) => Err(io::Error::other(format!("{} is no file", events::FILE))),
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

    /// Sums up what is known from events; where these do not tell what the run is, its settings do.
    pub fn of(name: String, folder: &Path, history: &History, is_running: bool) -> Self {
        let scored = match history.epochs.iter().any(|epoch| epoch.average.is_some()) {
            true => Split::Average,
            false => Split::Validation,
        };
        let metrics = |epoch: &Epoch| match scored {
            Split::Average => epoch.average.clone().unwrap_or_default(),
            _ => epoch.validation.clone(),
        };
        let kept = history.kept();
        // Scores on test images say nothing of the run before its test.
        let validated = kept.map(metrics).filter(|_| !history.scores_on_test());
        let validated = validated.as_ref();
        let tested = history.tested.as_ref().map(|tested| &tested.metrics);
        let ended = history.sittings.last().and_then(|last| last.ended.as_ref());
        let mut summary = Self {
            reason: ended.and_then(|ended| ended.reason.clone()),
            epochs_done: history.epochs.last().map_or(0, |epoch| epoch.epoch),
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

    /// Of which nothing is known yet.
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

    /// When it was started.
    pub(super) fn start(&self) -> Option<Timestamp> {
        self.started.as_ref()?.parse().ok()
    }
}

fn figure(metrics: &Metrics, name: &str) -> Option<f64> {
    metrics.get(name).filter(|figure| figure.is_finite())
}
