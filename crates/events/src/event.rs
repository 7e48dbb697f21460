//! The kinds of events.
//!
//! `seconds` is the time that a run has taken so far, over all its sittings, without the pauses between
//! them. Epochs and steps are counted from 1, steps over the whole run.

use serde::{Deserialize, Serialize};

use crate::metrics::Metrics;
use crate::thumbnail::Thumbnail;

/// A line of the stream; `event` names the kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run begins.
    Started(Box<Started>),
    /// A run goes on from a checkpoint. What came after that checkpoint does not count any more:
    /// [`Writer`](crate::Writer) takes it out of the file, and a reader forgets it.
    Resumed(Resumed),
    /// The network took a step.
    Step(Step),
    /// How far a pass over images other than the training images is.
    Progress(Progress),
    /// An epoch was trained and scored.
    Epoch(Box<Epoch>),
    /// Where the time of the last steps went.
    Speed(Speed),
    /// How busy the machine is.
    System(System),
    /// The run can go on from here.
    Checkpoint(Checkpoint),
    /// Something was said.
    Message(Message),
    /// The network that is kept was tested.
    Tested(Box<Tested>),
    /// The run ended in good order, or with an error that it could name.
    Ended(Ended),
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Started {
    /// When, as RFC 3339 with the offset from UTC.
    pub at: String,
    /// The program's version.
    pub version: String,
    /// The words of the command line, the program's name first.
    pub command: Vec<String>,
    /// The folder that it was given in, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Name and system of the machine.
    pub machine: String,
    /// The processor's name.
    pub processor: String,
    /// What computes, as the program names it.
    pub device: String,
    /// Threads that compute on the CPU.
    pub threads: usize,
    /// Name of the data.
    pub data: String,
    /// Names of its classes.
    pub classes: Vec<String>,
    /// How many images each part has.
    pub images: ImageCounts,
    /// Channels, height and width of an image as the network sees it.
    pub shape: [usize; 3],
    /// The network's name.
    pub model: String,
    /// How many numbers it learns.
    pub parameters: usize,
    /// How many epochs the run is to have.
    pub epochs: usize,
    /// Steps in each.
    pub steps_per_epoch: usize,
    /// Images in a step.
    pub batch_size: usize,
    /// The learning rate as planned: places in the run, 0 to 1, with the rate there.
    pub rates: Vec<(f64, f64)>,
    /// Every setting, as in `config.toml`.
    pub config: serde_json::Value,
    /// Whether the last epoch's network is kept, whatever the scores are, and not that of the best.
    pub keeps_last: bool,
    /// Whether each epoch is scored on the test images, because none are held back.
    pub scores_on_test: bool,
}

/// How many images each part of the data has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageCounts {
    /// Trained on.
    pub train: usize,
    /// Scored after each epoch.
    pub validation: usize,
    /// Scored at the end.
    pub test: usize,
}

/// Where a run goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resumed {
    /// When, as RFC 3339 with the offset from UTC.
    pub at: String,
    /// Time that it had taken up to the checkpoint.
    pub seconds: f64,
    /// Steps that count.
    pub step: usize,
    /// Epochs that were finished and scored.
    pub epochs_done: usize,
    /// The best epoch, if none was better for as long as the run's patience, so that no epoch is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_early: Option<usize>,
    /// The words of the command line, the program's name first.
    #[serde(default)]
    pub command: Vec<String>,
    /// The folder that it was given in, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// What computes now.
    #[serde(default)]
    pub device: String,
    /// How many epochs there are to be now; none if that is as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// The planned learning rates, as those of [`Started`]; empty if they are as before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<(f64, f64)>,
    /// All settings as they are now; null if they are as before.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub config: serde_json::Value,
}

/// A step of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Time of the run after it.
    pub seconds: f64,
    /// The epoch that it belongs to.
    pub epoch: usize,
    /// Its number.
    pub step: usize,
    /// What it came to: `loss` in nats, which the optimizer minimizes; `accuracy` 0 to 1; `rate`; where labels are
    /// smoothed, `cross_entropy`, the loss without smoothing; and others.
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// A part of a run that is not training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Scoring after an epoch.
    Validation,
    /// Scoring at the end.
    Test,
}

/// How far a pass over images is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Time of the run.
    pub seconds: f64,
    /// What is done.
    pub work: Work,
    /// Images done.
    pub done: usize,
    /// Of how many.
    pub total: usize,
}

/// What an epoch came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Epoch {
    /// Time of the run after it.
    pub seconds: f64,
    /// Its number.
    pub epoch: usize,
    /// The last step in it.
    pub step: usize,
    /// Time that this epoch took, scores included.
    pub took: f64,
    /// Over the training images as they were met, with the figures of a [`Step`].
    pub train: Metrics,
    /// Over the validation images, after it: `loss`, `accuracy`, `top5`, `calibration_error`, 0 to 1 but
    /// for the loss.
    pub validation: Metrics,
    /// The same of the weights' moving average, if one is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<Metrics>,
    /// Whether it scored better than all before.
    pub best: bool,
    /// The best epoch, if none was better for as long as the run's patience, so that this one is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_early: Option<usize>,
    /// Validation images by their class and the likeliest one, where there are any:
    /// `(class, likeliest, images)`. Of the average, if one is kept.
    pub confusion: Vec<(usize, usize, u64)>,
    /// Validation images taken for another class, the most certain first.
    pub mistakes: Vec<Mistake>,
}

/// An image that was taken for another class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Its index, from 0, in the set that was scored: the validation images for an [`Epoch`], the test
    /// images for [`Tested`].
    pub image: usize,
    /// The file that it was read from; none for data whose images have no files of their own. Bytes that are
    /// not UTF-8 are written as `\xFF`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its class.
    pub class: usize,
    /// The class it was taken for.
    pub likeliest: usize,
    /// How likely that was held, 0 to 1.
    pub confidence: f64,
    /// The image itself, small.
    pub thumbnail: Thumbnail,
}

/// Where the time of the last steps went. With a GPU, times are those of handing work over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Speed {
    /// Time of the run.
    pub seconds: f64,
    /// The last step that is counted.
    pub step: usize,
    /// Images a second.
    pub images: f64,
    /// Of each step in seconds: waiting for images.
    pub waiting: f64,
    /// Of each step in seconds: the forward pass.
    pub forward: f64,
    /// Of each step in seconds: the backward pass.
    pub backward: f64,
    /// Of each step in seconds: the optimizer.
    pub optimizer: f64,
    /// Of each step in seconds: all else.
    pub rest: f64,
}

/// How busy the machine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct System {
    /// Time of the run.
    pub seconds: f64,
    /// Share of all cores that this program uses, 0 to 1.
    pub cpu: f64,
    /// Share of all cores in use by anything, 0 to 1.
    pub cpu_machine: f64,
    /// Memory that this program holds, in bytes.
    pub memory: u64,
    /// Memory of the machine that is in use, in bytes.
    pub memory_machine: u64,
    /// Memory of the machine, in bytes.
    pub memory_total: u64,
    /// Share of the GPU's time in use, 0 to 1, where one is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<f64>,
    /// Memory of the GPU in use, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_memory: Option<u64>,
}

/// The state of the run was saved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Time of the run.
    pub seconds: f64,
    /// Steps taken.
    pub step: usize,
    /// The epoch at hand.
    pub epoch: usize,
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// May be wrong.
    Warning,
    /// Is wrong.
    Error,
}

/// Something was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Time of the run.
    pub seconds: f64,
    /// How much it matters.
    pub level: Level,
    /// What: a sentence.
    pub text: String,
}

/// What the network that is kept came to on the test images.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tested {
    /// Time of the run.
    pub seconds: f64,
    /// The epoch that the network is from.
    pub epoch: usize,
    /// As for the validation images of an [`Epoch`].
    pub metrics: Metrics,
    /// The same of the weights without averaging, if `metrics` is of their moving average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Metrics>,
    /// As for an [`Epoch`].
    pub confusion: Vec<(usize, usize, u64)>,
    /// As for an [`Epoch`].
    pub mistakes: Vec<Mistake>,
}

impl Tested {
    /// How many images were classified correctly, and of how many.
    pub fn counts(&self) -> [u64; 2] {
        let add = |[correct, images]: [u64; 2],
                   &(class, likeliest, count): &(usize, usize, u64)| {
            let is_correct = u64::from(class == likeliest);
            [
                correct.saturating_add(is_correct.saturating_mul(count)),
                images.saturating_add(count),
            ]
        };
        self.confusion.iter().fold([0, 0], add)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All epochs were trained and the network tested.
    Finished,
    /// It was told to stop; everything is saved.
    Stopped,
    /// It could not go on.
    Failed,
}

/// The end of a sitting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Time of the run.
    pub seconds: f64,
    /// How.
    pub ending: Ending,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do instead of resuming the run, where that would fail again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
