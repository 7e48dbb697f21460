//! The state of a run, collected from its events.

use crate::event::{
    Checkpoint, Ended, Ending, Epoch, Event, Level, Message, Mistake, Progress, Resumed, Speed,
    Started, Step, System, Tested,
};
use crate::metrics::Split;
use crate::parse::ParsedLines;
use crate::steps::Steps;

/// Everything known about a run, without what was discarded when it was resumed.
///
/// The contents of the file are not checked for consistency: a class in a confusion matrix may have
/// no name, and strings may contain any characters.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Description of the run.
    pub started: Option<Started>,
    /// Whether the run was resumed with a different number of epochs than it was started with.
    pub is_replanned: bool,
    /// One per start or resume; the first is that of `started`.
    pub sittings: Vec<Sitting>,
    /// All steps.
    pub steps: Steps,
    /// All epochs, in order.
    pub epochs: Vec<Epoch>,
    /// Time spent in the parts of steps, in order.
    pub speeds: Vec<Speed>,
    /// Utilization of the machine, in order.
    pub systems: Vec<System>,
    /// All checkpoints, in order.
    pub checkpoints: Vec<Checkpoint>,
    /// All messages, including discarded ones.
    pub messages: Vec<Message>,
    /// The current pass over images other than the training images.
    pub progress: Option<Progress>,
    /// Test metrics of the kept network.
    pub tested: Option<Tested>,
    /// Number of lines in the file that are not events.
    pub damaged: usize,
}

/// A period in which a program trained the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sitting {
    /// Start time, as RFC 3339 with the offset from UTC.
    pub at: String,
    /// Time that the run had taken before.
    pub seconds: f64,
    /// Steps that the run had taken before.
    pub step: usize,
    /// The command line as words, the program's name first.
    pub command: Vec<String>,
    /// Working directory of the command, if known.
    pub folder: Option<String>,
    /// How it ended, if it ended normally.
    pub ended: Option<Ended>,
}

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

impl History {
    /// Adds the next event.
    pub fn push(&mut self, event: Event) {
        match event {
            Event::Started(started) => {
                // Messages before the first start belong to it.
                let messages = match &self.started {
                    None => std::mem::take(&mut self.messages),
                    Some(_) => Vec::new(),
                };
                *self = Self {
                    messages,
                    damaged: self.damaged,
                    ..Self::default()
                };
                self.sittings.push(Sitting {
                    at: started.at.clone(),
                    command: started.command.clone(),
                    folder: started.folder.clone(),
                    ..Sitting::default()
                });
                self.started = Some(*started);
            }
            Event::Resumed(resumed) => self.resume(resumed),
            Event::Step(step) => self.push_step(&step),
            Event::Progress(progress) => self.progress = Some(progress),
            Event::Epoch(epoch) => {
                self.progress = None;
                // Epochs are in order, so a binary search suffices however many there are.
                let kept = self
                    .epochs
                    .partition_point(|earlier| earlier.epoch < epoch.epoch);
                self.epochs.truncate(kept);
                self.epochs.push(*epoch);
            }
            Event::Speed(speed) => self.speeds.push(speed),
            Event::System(system) => self.systems.push(system),
            Event::Checkpoint(checkpoint) => self.checkpoints.push(checkpoint),
            Event::Message(message) => self.messages.push(message),
            Event::Tested(tested) => {
                self.progress = None;
                self.tested = Some(*tested);
            }
            Event::Ended(ended) => self.end(ended),
            Event::Unknown => {}
        }
    }

    fn push_step(&mut self, step: &Step) {
        self.progress = None;
        self.steps.push(step);
    }

    pub(crate) fn add(&mut self, part: ParsedLines) {
        match part {
            ParsedLines::Event(event) => self.push(event),
            ParsedLines::Steps(steps) => {
                self.progress = None;
                self.steps.append(steps);
            }
        }
    }

    fn resume(&mut self, resumed: Resumed) {
        let Resumed {
            at,
            seconds,
            step,
            epochs_done,
            ended_early: _,
            command,
            folder,
            device,
            epochs,
            rates,
            config,
        } = resumed;
        self.progress = None;
        self.tested = None;
        self.steps.rewind(step as u64);
        self.epochs.retain(|epoch| epoch.epoch <= epochs_done);
        self.speeds.retain(|speed| speed.step <= step);
        self.checkpoints
            .retain(|checkpoint| checkpoint.step <= step);
        self.systems.retain(|system| system.seconds <= seconds);
        if let Some(started) = &mut self.started {
            if !device.is_empty() {
                started.device = device;
            }
            if !rates.is_empty() {
                started.rates = rates;
            }
            if !config.is_null() {
                started.config = config;
            }
            if let Some(epochs) = epochs {
                self.is_replanned |= epochs != started.epochs;
                started.epochs = epochs;
            }
        }
        self.sittings.push(Sitting {
            at,
            seconds,
            step,
            command,
            folder,
            ended: None,
        });
    }

    fn end(&mut self, ended: Ended) {
        self.progress = None;
        if let Some(reason) = &ended.reason {
            self.messages.push(Message {
                seconds: ended.seconds,
                level: Level::Error,
                text: reason.clone(),
            });
        }
        match self.sittings.last_mut() {
            Some(sitting) => sitting.ended = Some(ended),
            None => self.sittings.push(Sitting {
                ended: Some(ended),
                ..Sitting::default()
            }),
        }
    }

    /// Returns the state of the run. `is_running` is whether a program is training it, as reported
    /// by [`is_locked`](crate::is_locked).
    pub fn state(&self, is_running: bool) -> State {
        if is_running {
            return State::Running;
        }
        let ended = self.sittings.last().and_then(|last| last.ended.as_ref());
        match ended.map(|ended| ended.ending) {
            Some(Ending::Finished) => State::Finished,
            Some(Ending::Stopped) => State::Stopped,
            Some(Ending::Failed) => State::Failed,
            None => State::Crashed,
        }
    }

    /// Returns what to do if the run failed and would fail again when resumed.
    pub fn instead_of_resuming(&self) -> Option<&str> {
        let ended = self.sittings.last()?.ended.as_ref()?;
        ended.hint.as_deref()
    }

    /// Returns the planned number of steps of the whole run, if known.
    pub fn planned_steps(&self) -> Option<usize> {
        let started = self.started.as_ref()?;
        let steps = started.epochs.checked_mul(started.steps_per_epoch)?;
        (steps > 0).then_some(steps)
    }

    /// Returns the number of the last step, 0 before the first.
    pub fn step(&self) -> usize {
        let last = self.steps.steps().last();
        last.map_or(0, |&step| usize::try_from(step).unwrap_or(usize::MAX))
    }

    /// Returns the current epoch, counted from 1, and the fraction of its steps that are done.
    pub fn epoch(&self) -> (usize, f64) {
        let done = self.epochs.last().map_or(0, |epoch| epoch.epoch);
        let started = self.started.as_ref();
        let per_epoch = started.map_or(0, |started| started.steps_per_epoch);
        let before = self.epochs.last().map_or(0, |epoch| epoch.step);
        let next = done.saturating_add(1);
        match per_epoch {
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
        let ended = sitting.and_then(|sitting| sitting.ended.as_ref());
        [
            sitting.map(|sitting| sitting.seconds),
            ended.map(|ended| ended.seconds),
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
        let started = self.started.as_ref()?;
        let left = self.planned_steps()?.saturating_sub(self.step()) as f64;
        let per_step = self.seconds_per_step()?;
        // Time of an epoch besides its steps: scoring and saving.
        let beside = self.epochs.last().map_or(0.0, |epoch| {
            (epoch.took - per_step * started.steps_per_epoch as f64).max(0.0)
        });
        let done = self.epochs.last().map_or(0, |epoch| epoch.epoch);
        let epochs = started.epochs.saturating_sub(done) as f64;
        Some(left * per_step + epochs * beside)
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

    /// Returns the name of a class, or its number.
    pub fn class_name(&self, class: usize) -> String {
        let classes = self.started.as_ref().map(|started| &started.classes);
        match classes.and_then(|classes| classes.get(class)) {
            Some(name) => name.clone(),
            None => format!("class {class}"),
        }
    }
}

/// Prefix of the name of a data set that is a folder of images; the folder's path follows.
const FOLDER: &str = "folder:";
/// Path separators, on this machine or the machine of the run.
const SEPARATORS: [char; 2] = ['/', '\\'];

/// Number of recent steps used to measure speed.
const RECENT: usize = 200;

#[cfg(test)]
mod tests;
