//! A run as its events tell it.

mod facts;

use crate::event::{
    Checkpoint, Ended, Epoch, Event, Level, Message, Progress, Resumed, Speed, Started, Step,
    System, Tested,
};
use crate::parse::ParsedLines;
use crate::steps::Steps;
pub use facts::State;

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
}

#[cfg(test)]
mod tests;
