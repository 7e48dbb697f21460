//! What a history says about its run: state, progress, time, the kept epoch, names.

use super::History;
use crate::confusion::Confusion;
use crate::event::{Ended, Ending, Epoch, Mistake};
use crate::metrics::Metrics;
use crate::metrics::Split;

/// Prefix of the name of a data set that is a folder of images; the folder's path follows.
const FOLDER: &str = "folder:";
/// Path separators, on this machine or the machine of the run.
const SEPARATORS: [char; 2] = ['/', '\\'];

/// Number of recent steps used to measure speed.
const RECENT: usize = 200;

/// State of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A program is training the run.
    Running,
    /// All epochs were trained and the network tested.
    Finished,
    /// The run was asked to stop, and can be resumed.
    Stopped,
    /// The run ended with an error.
    Failed,
    /// The program ended without reporting an end.
    Crashed,
}

impl State {
    /// Returns the display name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
        }
    }
}

impl Ending {
    /// Returns the state of a run whose last sitting ended like this.
    pub fn state(self) -> State {
        match self {
            Self::Finished => State::Finished,
            Self::Stopped => State::Stopped,
            Self::Failed => State::Failed,
        }
    }
}

impl Epoch {
    /// Returns the metrics of a split, if it was scored.
    pub fn metrics(&self, split: Split) -> Option<&Metrics> {
        match split {
            Split::Train => Some(&self.train),
            Split::Validation => Some(&self.validation),
            Split::Average => self.average.as_ref(),
        }
    }

    /// Returns the scores that count and which weights they are of: of the average if there is one,
    /// or else of the trained weights.
    pub fn scores(&self) -> (Split, &Metrics) {
        match &self.average {
            Some(average) => (Split::Average, average),
            None => (Split::Validation, &self.validation),
        }
    }
}

impl History {
    /// Returns the state of the run. `is_running` is whether a program is training it, as reported
    /// by [`is_locked`](crate::is_locked).
    pub fn state(&self, is_running: bool) -> State {
        if is_running {
            return State::Running;
        }
        self.ended()
            .map_or(State::Crashed, |ended| ended.ending.state())
    }

    /// Returns how the last sitting ended, if it ended normally.
    pub fn ended(&self) -> Option<&Ended> {
        self.sittings.last()?.ended.as_ref()
    }

    /// Returns what to do if the run failed and would fail again when resumed.
    pub fn instead_of_resuming(&self) -> Option<&str> {
        self.ended()?.hint.as_deref()
    }

    /// Returns the planned number of epochs, 0 if unknown.
    pub fn planned_epochs(&self) -> usize {
        self.started.as_ref().map_or(0, |started| started.epochs)
    }

    /// Returns the number of steps of an epoch, 0 if unknown.
    pub fn steps_per_epoch(&self) -> usize {
        let started = self.started.as_ref();
        started.map_or(0, |started| started.steps_per_epoch)
    }

    /// Returns the planned number of steps of the whole run, if known.
    pub fn planned_steps(&self) -> Option<usize> {
        let steps = self.planned_epochs().checked_mul(self.steps_per_epoch())?;
        (steps > 0).then_some(steps)
    }

    /// Returns the last epoch that was trained and scored, 0 before the first.
    pub fn epochs_done(&self) -> usize {
        self.epochs.last().map_or(0, |epoch| epoch.epoch)
    }

    /// Returns the number of the last step, 0 before the first.
    pub fn step(&self) -> usize {
        let last = self.steps.steps().last();
        last.map_or(0, |&step| usize::try_from(step).unwrap_or(usize::MAX))
    }

    /// Returns the current epoch, counted from 1, and the fraction of its steps that are done.
    pub fn epoch(&self) -> (usize, f64) {
        let before = self.epochs.last().map_or(0, |epoch| epoch.step);
        let next = self.epochs_done().saturating_add(1);
        match self.steps_per_epoch() {
            0 => (next, 0.0),
            steps => {
                let share = self.step().saturating_sub(before) as f64 / steps as f64;
                (next, share.clamp(0.0, 1.0))
            }
        }
    }

    /// Returns the time of the run as of its last event.
    pub fn seconds(&self) -> f64 {
        let sitting = self.sittings.last();
        [
            sitting.map(|sitting| sitting.seconds),
            self.ended().map(|ended| ended.seconds),
            self.steps.seconds().last().copied(),
            self.epochs.last().map(|epoch| epoch.seconds),
            self.systems.last().map(|system| system.seconds),
            self.progress.map(|progress| progress.seconds),
            self.tested.as_ref().map(|tested| tested.seconds),
        ]
        .into_iter()
        .flatten()
        .filter(|seconds| seconds.is_finite())
        .fold(0.0, f64::max)
    }

    /// Estimates the remaining time in seconds, without the test, from the duration of the last
    /// steps and scores. Returns `None` until there is enough data.
    pub fn seconds_left(&self) -> Option<f64> {
        let left = self.planned_steps()?.saturating_sub(self.step()) as f64;
        let per_step = self.seconds_per_step()?;
        // Time of an epoch besides its steps: scoring and saving.
        let beside = self.epochs.last().map_or(0.0, |epoch| {
            (epoch.took - per_step * self.steps_per_epoch() as f64).max(0.0)
        });
        let epochs = self.planned_epochs().saturating_sub(self.epochs_done());
        Some(left * per_step + epochs as f64 * beside)
    }

    /// Returns the median duration of the last steps of this sitting, in seconds.
    pub fn seconds_per_step(&self) -> Option<f64> {
        let seconds = self.steps.seconds();
        let since = self.sittings.last().map_or(0, |sitting| sitting.step) as u64;
        let first = self.steps.steps().partition_point(|&step| step <= since);
        let recent = &seconds[first.max(seconds.len().saturating_sub(RECENT))..];
        let mut took: Vec<f64> = recent.windows(2).map(|pair| pair[1] - pair[0]).collect();
        // The last step of an epoch is reported together with the one before it.
        took.retain(|took| took.is_finite() && *took > 0.0);
        took.sort_by(f64::total_cmp);
        took.get(took.len() / 2).copied()
    }

    /// Returns the epoch whose network is kept: the best so far or, in some runs, the last.
    pub fn kept(&self) -> Option<&Epoch> {
        match self.keeps_last() {
            true => self.epochs.last(),
            false => self.epochs.iter().rev().find(|epoch| epoch.best),
        }
    }

    /// Returns whether a moving average of the weights is scored.
    pub fn has_average(&self) -> bool {
        self.epochs.iter().any(|epoch| epoch.average.is_some())
    }

    /// Returns the epoch with the best score, which weights it is of, and the score: of the average
    /// if one is kept, as in [`Epoch::scores`].
    pub fn best_score(&self, metric: &str) -> Option<(&Epoch, Split, f64)> {
        let split = match self.has_average() {
            true => Split::Average,
            false => Split::Validation,
        };
        let (epoch, score) = self.best_of(split, metric)?;
        Some((epoch, split, score))
    }

    /// Returns whether the network of the last epoch is kept, regardless of scores.
    pub fn keeps_last(&self) -> bool {
        self.started
            .as_ref()
            .is_some_and(|started| started.keeps_last)
    }

    /// Returns whether epochs are scored on the test images because none are held back.
    pub fn scores_on_test(&self) -> bool {
        let started = self.started.as_ref();
        started.is_some_and(|started| started.scores_on_test)
    }

    /// Returns the display name of the images or weights that a figure is of.
    pub fn name_of(&self, split: Split) -> &'static str {
        match split {
            Split::Validation if self.scores_on_test() => "test",
            _ => split.name(),
        }
    }

    /// Returns a name for the image of a mistake: its file, relative to the data folder if it is
    /// inside, or its index in the scored set.
    pub fn image_name(&self, mistake: &Mistake) -> String {
        let Some(path) = &mistake.path else {
            return format!("image {}", mistake.image);
        };
        let data = self.started.as_ref().map(|started| started.data.as_str());
        let below = data
            .and_then(|data| data.strip_prefix(FOLDER))
            .and_then(|folder| path.strip_prefix(folder.trim_end_matches(SEPARATORS)))
            .and_then(|rest| rest.strip_prefix(SEPARATORS));
        below.unwrap_or(path).to_owned()
    }

    /// Returns the names of the classes, as far as they are known.
    pub fn classes(&self) -> &[String] {
        let started = self.started.as_ref();
        started.map_or(&[], |started| &started.classes)
    }

    /// Returns a confusion matrix over all classes with a name or an image.
    pub fn confusion(&self, entries: &[(usize, usize, u64)]) -> Confusion {
        Confusion::new(entries, self.classes().len())
    }

    /// Returns the name of a class, or its number.
    pub fn class_name(&self, class: usize) -> String {
        match self.classes().get(class) {
            Some(name) => name.clone(),
            None => format!("class {class}"),
        }
    }
}
