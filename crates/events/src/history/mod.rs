//! What the events of a run come to.

use crate::event::{
    Checkpoint, Ended, Ending, Epoch, Event, Level, Message, Mistake, Progress, Resumed, Speed,
    Started, Step, System, Tested,
};
use crate::parse::ParsedLines;
use crate::series::Split;
use crate::steps::Steps;

/// Everything that is known of a run, without what was taken back when it was resumed.
///
/// Nothing that a file says is checked against the rest: a class in a confusion may have no name, and
/// texts may hold any characters.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What the run is.
    pub started: Option<Started>,
    /// Whether it went on with another number of epochs than it was started with.
    pub is_replanned: bool,
    /// From each start or resume to its end; the first is that of `started`.
    pub sittings: Vec<Sitting>,
    /// Every step.
    pub steps: Steps,
    /// Every epoch, in order.
    pub epochs: Vec<Epoch>,
    /// Where the time went, in order.
    pub speeds: Vec<Speed>,
    /// How busy the machine was, in order.
    pub systems: Vec<System>,
    /// Every checkpoint, in order.
    pub checkpoints: Vec<Checkpoint>,
    /// Everything that was said, what was taken back included.
    pub messages: Vec<Message>,
    /// A pass over other images that goes on now.
    pub progress: Option<Progress>,
    /// What the kept network came to.
    pub tested: Option<Tested>,
    /// Lines of the file that are no events.
    pub damaged: usize,
}

/// A time in which a run went on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sitting {
    /// When it began, as RFC 3339 with the offset from UTC.
    pub at: String,
    /// Time that the run had taken before.
    pub seconds: f64,
    /// Steps that it had taken before.
    pub step: usize,
    /// The words of the command line, the program's name first.
    pub command: Vec<String>,
    /// The folder that it was given in, where that is known.
    pub folder: Option<String>,
    /// How it ended, if it did in good order.
    pub ended: Option<Ended>,
}

/// How a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A program works on it.
    Running,
    /// All epochs were trained and the network tested.
    Finished,
    /// It was told to stop, and can go on.
    Stopped,
    /// It ended with an error.
    Failed,
    /// Its program ended without a word.
    Crashed,
}

impl History {
    /// Adds what comes next.
    pub fn push(&mut self, event: Event) {
        match event {
            Event::Started(started) => {
                // What was said before the first beginning belongs to it.
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
                // They are in order, so this takes no longer the more there are.
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

    /// How the run is; `is_running` says whether a program works on it, as [`is_locked`](crate::is_locked) does.
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

    /// What to do where a run failed and would fail again if it were resumed.
    pub fn instead_of_resuming(&self) -> Option<&str> {
        let ended = self.sittings.last()?.ended.as_ref()?;
        ended.hint.as_deref()
    }

    /// The steps that the whole run is to have, as far as that is known.
    pub fn planned_steps(&self) -> Option<usize> {
        let started = self.started.as_ref()?;
        let steps = started.epochs.checked_mul(started.steps_per_epoch)?;
        (steps > 0).then_some(steps)
    }

    /// The number of the last step, 0 before the first.
    pub fn step(&self) -> usize {
        let last = self.steps.steps().last();
        last.map_or(0, |&step| usize::try_from(step).unwrap_or(usize::MAX))
    }

    /// The epoch at hand, counted from 1, and the share of its steps that are taken.
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

    /// The time that the run has taken, as of its last event.
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

    /// The time that is left, in seconds, test not included: what the last steps and scores took, for
    /// those to come. None before there is enough to tell from.
    pub fn seconds_left(&self) -> Option<f64> {
        let started = self.started.as_ref()?;
        let left = self.planned_steps()?.saturating_sub(self.step()) as f64;
        let per_step = self.seconds_per_step()?;
        // What an epoch takes besides its steps: scores, saving.
        let beside = self.epochs.last().map_or(0.0, |epoch| {
            (epoch.took - per_step * started.steps_per_epoch as f64).max(0.0)
        });
        let done = self.epochs.last().map_or(0, |epoch| epoch.epoch);
        let epochs = started.epochs.saturating_sub(done) as f64;
        Some(left * per_step + epochs * beside)
    }

    /// The median of what the last steps of this sitting took, in seconds.
    pub fn seconds_per_step(&self) -> Option<f64> {
        let seconds = self.steps.seconds();
        let since = self.sittings.last().map_or(0, |sitting| sitting.step) as u64;
        let first = self.steps.steps().partition_point(|&step| step <= since);
        let recent = &seconds[first.max(seconds.len().saturating_sub(RECENT))..];
        let mut took: Vec<f64> = recent.windows(2).map(|pair| pair[1] - pair[0]).collect();
        // The last step of an epoch is told with the one before it.
        took.retain(|took| took.is_finite() && *took > 0.0);
        took.sort_by(f64::total_cmp);
        took.get(took.len() / 2).copied()
    }

    /// The epoch whose network is kept: the best so far or, in some runs, the last.
    pub fn kept(&self) -> Option<&Epoch> {
        match self.keeps_last() {
            true => self.epochs.last(),
            false => self.epochs.iter().rev().find(|epoch| epoch.best),
        }
    }

    /// Whether the last epoch's network is kept, whatever the scores are.
    pub fn keeps_last(&self) -> bool {
        self.started
            .as_ref()
            .is_some_and(|started| started.keeps_last)
    }

    /// Whether epochs are scored on the test images, because none are held back.
    pub fn scores_on_test(&self) -> bool {
        let started = self.started.as_ref();
        started.is_some_and(|started| started.scores_on_test)
    }

    /// What people call the images or weights that a figure is of.
    pub fn name_of(&self, split: Split) -> &'static str {
        match split {
            Split::Validation if self.scores_on_test() => "test",
            _ => split.name(),
        }
    }

    /// Returns what to call the image of a mistake: its file, relative to the data folder if it is in there,
    /// or its index in the set that was scored.
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

    /// The name of a class, or its number.
    pub fn class_name(&self, class: usize) -> String {
        let classes = self.started.as_ref().map(|started| &started.classes);
        match classes.and_then(|classes| classes.get(class)) {
            Some(name) => name.clone(),
            None => format!("class {class}"),
        }
    }
}

/// What the name of a data set begins with that is a folder of images; the folder's path follows.
const FOLDER: &str = "folder:";
/// What separates the names in a path, here or on the machine of the run.
const SEPARATORS: [char; 2] = ['/', '\\'];

/// Steps that tell how fast it goes.
const RECENT: usize = 200;

#[cfg(test)]
mod tests;
