//! Records the events of the training loop in the run's folder.
//!
//! | module | what it holds |
//! |---|---|
//! | `clock` | total time of a run, across resumptions |
//! | `start` | the events at the start of a run |
//! | `machine` | load of the machine |
//! | `requests` | requests of other processes |
//! | `scores` | metrics of a network as events |

mod clock;
mod machine;
mod requests;
mod scores;
mod start;
mod ticker;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use data::ImageDataset;
use events::{
    Checkpoint, Ended, Ending, Epoch, Event, Level, Lock, LockError, Message, Metrics, Progress,
    Request, Step, Work, WriteError, Writer,
};

use crate::checkpoint::RunState;
use crate::error::TrainError;
use crate::evaluation::Evaluation;
use crate::folder::RunFolder;
use crate::plan::Plan;
use crate::stop::Stop;

pub(crate) use clock::Clock;
pub(crate) use scores::{EpochFigures, Scored, step_metrics};
use ticker::Ticker;

/// Shortest time between two progress events.
const PROGRESS: Duration = Duration::from_millis(500);

/// Facts about the training program for the run's events.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Words of the command line, starting with the program's name.
    pub command: Vec<String>,
    /// Working directory of the command, if it is known and valid Unicode.
    pub folder: Option<String>,
    /// Compute device, as [`device`] names it.
    pub device: String,
    /// Index of the NVIDIA GPU whose load is recorded, as the driver counts them.
    pub gpu: u32,
}

/// Receives every event of the training loop, on its thread and in order. The event file is written on a separate
/// thread and also holds events of other threads: machine load and messages.
pub trait Listener: Send {
    /// Receives an event. A listener must not log, because a log message is an event, too.
    fn hear(&mut self, event: &Event);
}

/// Event stream of a run that this program trains. While it exists, no other program can train the run.
pub struct Stream {
    writer: Writer,
    about: About,
    clock: Clock,
    told: Mutex<Option<Instant>>,
    /// Whether the event file already had events.
    goes_on: bool,
    listeners: Mutex<Vec<Box<dyn Listener>>>,
    _lock: Lock,
}

impl Stream {
    /// Locks a run and opens its event file. The stream stops the run if it cannot write an event.
    ///
    /// # Errors
    ///
    /// If another program trains the run, or a file cannot be written.
    pub fn open(folder: &RunFolder, about: About, stop: Stop) -> Result<Self, TrainError> {
        let path = folder.path();
        let lock = Lock::take(path).map_err(|error| match error {
            LockError::Io { path, source } => TrainError::io("write", path)(source),
            _ => TrainError::Taken {
                folder: path.to_owned(),
            },
        })?;
        // Discard requests to an earlier process.
        Request::take(path);
        let file = path.join(events::FILE);
        let goes_on = file.metadata().is_ok_and(|file| file.len() > 0);
        let writer = Writer::open_with(path, move || stop.request()).map_err(unwritten)?;
        Ok(Self {
            writer,
            about,
            clock: Clock::default(),
            told: Mutex::new(None),
            goes_on,
            listeners: Mutex::default(),
            _lock: lock,
        })
    }

    /// Records that a run starts or resumes, and starts its clock.
    pub(crate) fn begin(&self, plan: &Plan, state: &RunState) {
        self.clock.start(state.seconds);
        let is_new = state.step == 0 && state.history.is_empty();
        if is_new || !self.goes_on {
            self.send(start::started(plan, &self.about));
        }
        if !is_new {
            self.send(start::resumed(plan, state, &self.about));
        }
    }

    /// Also writes the events from now on to `target`, as JSON lines.
    pub fn echo(&self, target: Box<dyn std::io::Write + Send>) {
        self.writer.echo(target);
    }

    /// Adds a listener, which receives the events from now on.
    pub fn listen(&self, listener: Box<dyn Listener>) {
        self.listeners().push(listener);
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Box<dyn Listener>>> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a message for the users who follow the run.
    pub fn say(&self, level: Level, text: impl Into<String>) {
        self.send(Event::Message(Message {
            seconds: self.clock.seconds(),
            level,
            text: text.into(),
        }));
    }

    /// Returns a handle that records messages even after the run has taken ownership of the stream.
    pub fn teller(&self) -> Teller {
        Teller {
            writer: self.writer.clone(),
            clock: self.clock.clone(),
        }
    }

    /// Records the load of the machine until the returned value is dropped.
    pub(crate) fn watch_machine(&self) -> Option<Ticker> {
        machine::watch(self.writer.clone(), self.clock.clone(), self.about.gpu)
    }

    /// Passes requests of other processes on to `stop` until the returned value is dropped.
    pub(crate) fn watch_requests(&self, folder: &RunFolder, stop: &Stop) -> Option<Ticker> {
        requests::watch(folder.path().to_owned(), stop.clone(), self.teller())
    }

    /// Returns the time of the run so far, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.clock.seconds()
    }

    /// Waits until all sent events are in the file.
    pub(crate) fn flush(&self) -> Result<(), TrainError> {
        self.writer.flush().map_err(unwritten)
    }

    pub(crate) fn send(&self, event: Event) {
        for listener in self.listeners().iter_mut() {
            listener.hear(&event);
        }
        self.writer.send(event);
    }

    /// Records a training step.
    pub(crate) fn step(&self, epoch: usize, step: usize, metrics: Metrics) {
        self.send(Event::Step(Step {
            seconds: self.clock.seconds(),
            epoch,
            step,
            metrics,
        }));
    }

    /// Records an epoch, its last step, and whether it scored better than all before. `ended_early` is the best epoch
    /// of a run that ran out of patience.
    pub(crate) fn epoch(
        &self,
        plan: &Plan,
        [epoch, step]: [usize; 2],
        figures: &EpochFigures,
        best: bool,
        ended_early: Option<usize>,
    ) {
        self.send(Event::Epoch(Box::new(Epoch {
            seconds: self.clock.seconds(),
            epoch,
            step,
            best,
            ended_early,
            ..figures.event(&plan.validation)
        })));
    }

    /// Records the test metrics of an epoch's network.
    pub(crate) fn tested(
        &self,
        plan: &Plan,
        epoch: usize,
        scored: &Scored,
        raw: Option<&Evaluation>,
    ) {
        let images = ImageDataset::all(plan.data.test.clone());
        let seconds = self.clock.seconds();
        self.send(scores::tested(seconds, epoch, scored, raw, &images));
    }

    /// Records the progress of a pass over images, at most every half second.
    pub(crate) fn progress(&self, work: Work, done: usize, total: usize) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|told| told.elapsed() < PROGRESS) && done < total {
            return;
        }
        *told = Some(Instant::now());
        self.send(Event::Progress(Progress {
            seconds: self.clock.seconds(),
            work,
            done,
            total,
        }));
    }

    pub(crate) fn saved(&self, state: &RunState) {
        self.send(Event::Checkpoint(Checkpoint {
            seconds: self.clock.seconds(),
            step: state.step,
            epoch: state.epoch,
        }));
    }

    /// Records how the run ended, flushes the file, and drops the listeners.
    pub(crate) fn end(&self, ending: Ending, error: Option<&TrainError>) -> Result<(), TrainError> {
        // Resuming would repeat the same steps and diverge again, so the event includes this error's hint.
        let diverged = error.filter(|error| matches!(error, TrainError::Diverged { .. }));
        self.send(Event::Ended(Ended {
            seconds: self.clock.seconds(),
            ending,
            reason: error.map(|error| sentence(error)),
            hint: diverged.and_then(TrainError::hint),
        }));
        let written = self.flush();
        self.listeners().clear();
        written
    }
}

fn unwritten(error: WriteError) -> TrainError {
    TrainError::io("write", error.path)(error.source)
}

/// Returns an error's message, followed by those of its causes that it does not include itself.
fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let reason = next.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = next.source();
    }
    files::without_number(&text)
}

/// Handle that records messages of a run from other threads.
#[derive(Clone, Debug)]
pub struct Teller {
    writer: Writer,
    clock: Clock,
}

impl Teller {
    /// Records a message for the users who follow the run.
    pub fn say(&self, level: Level, text: impl Into<String>) {
        self.writer.send(Event::Message(Message {
            seconds: self.clock.seconds(),
            level,
            text: text.into(),
        }));
    }
}
