//! Kinds of events.
//!
//! `seconds` is the total time of the run so far over all sittings, without the pauses between
//! them. Epochs and steps are counted from 1, steps over the whole run.

use serde::{Deserialize, Serialize};

use crate::metrics::Metrics;
use crate::thumbnail::Thumbnail;

/// A line of the event stream; `event` names the kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run starts.
    Started(Box<Started>),
    /// A run continues from a checkpoint. Everything after that checkpoint is discarded:
    /// [`Writer`](crate::Writer) removes it from the file, and a reader forgets it.
    Resumed(Resumed),
    /// Metrics of a training step.
    Step(Step),
    /// Progress of a pass over images other than the training images.
    Progress(Progress),
    /// An epoch was trained and scored.
    Epoch(Box<Epoch>),
    /// Time spent in the parts of the last steps.
    Speed(Speed),
    /// Utilization of the machine.
    System(System),
    /// A checkpoint was saved.
    Checkpoint(Checkpoint),
    /// A message was logged.
    Message(Message),
    /// The kept network was tested.
    Tested(Box<Tested>),
    /// The run ended normally, or with an error that it could report.
    Ended(Ended),
    /// A kind unknown to this version.
    #[serde(other)]
    Unknown,
}

/// Description of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Started {
    /// Start time, as RFC 3339 with the offset from UTC.
    pub at: String,
    /// The program's version.
    pub version: String,
    /// The command line as words, the program's name first.
    pub command: Vec<String>,
    /// Working directory of the command, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Name and operating system of the machine.
    pub machine: String,
    /// Name of the processor.
    pub processor: String,
    /// Compute device, as the program names it.
    pub device: String,
    /// Number of CPU threads used for computation.
    pub threads: usize,
    /// Name of the data set.
    pub data: String,
    /// Names of its classes.
    pub classes: Vec<String>,
    /// Number of images in each part.
    pub images: ImageCounts,
    /// Channels, height and width of an image as the network sees it.
    pub shape: [usize; 3],
    /// The network's name.
    pub model: String,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// Planned number of epochs.
    pub epochs: usize,
    /// Steps per epoch.
    pub steps_per_epoch: usize,
    /// Images per step.
    pub batch_size: usize,
    /// The planned learning rate: positions in the run, 0 to 1, and the rate at each.
    pub rates: Vec<(f64, f64)>,
    /// All settings, as in `config.toml`.
    pub config: serde_json::Value,
    /// Whether the network of the last epoch is kept, regardless of scores, instead of that of the
    /// best.
    pub keeps_last: bool,
    /// Whether each epoch is scored on the test images because none are held back.
    pub scores_on_test: bool,
}

/// Number of images in each part of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageCounts {
    /// Images for training.
    pub train: usize,
    /// Images scored after each epoch.
    pub validation: usize,
    /// Images scored at the end.
    pub test: usize,
}

/// Point from which a run continues.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resumed {
    /// Time of resuming, as RFC 3339 with the offset from UTC.
    pub at: String,
    /// Time that the run had taken up to the checkpoint.
    pub seconds: f64,
    /// Number of steps that are kept.
    pub step: usize,
    /// Number of epochs that were finished and scored.
    pub epochs_done: usize,
    /// The best epoch, if the run's patience ended after it, so that no epoch is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_early: Option<usize>,
    /// The command line as words, the program's name first.
    #[serde(default)]
    pub command: Vec<String>,
    /// Working directory of the command, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Current compute device.
    #[serde(default)]
    pub device: String,
    /// New number of epochs; `None` if unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// The planned learning rates, as in [`Started`]; empty if unchanged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<(f64, f64)>,
    /// All current settings; null if unchanged.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub config: serde_json::Value,
}

/// A training step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Time of the run after the step.
    pub seconds: f64,
    /// Epoch of the step.
    pub epoch: usize,
    /// Number of the step.
    pub step: usize,
    /// Metrics of the step, among them: `loss` in nats, which the optimizer minimizes; `accuracy`,
    /// 0 to 1; `rate`; and, with label smoothing, `cross_entropy`, the loss without smoothing.
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// A phase of a run other than training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Scoring after an epoch.
    Validation,
    /// Scoring at the end.
    Test,
}

/// Progress of a pass over images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Time of the run.
    pub seconds: f64,
    /// The current phase.
    pub work: Work,
    /// Number of images done.
    pub done: usize,
    /// Total number of images.
    pub total: usize,
}

/// Metrics of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Epoch {
    /// Time of the run after the epoch.
    pub seconds: f64,
    /// Number of the epoch.
    pub epoch: usize,
    /// Last step of the epoch.
    pub step: usize,
    /// Time that the epoch took, including scoring.
    pub took: f64,
    /// Metrics over the training images during the epoch, named as in [`Step`].
    pub train: Metrics,
    /// Validation metrics after the epoch: `loss`, `accuracy`, `top5` and `calibration_error`, all
    /// except the loss 0 to 1.
    pub validation: Metrics,
    /// Like `validation`, for the moving average of the weights, if one is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<Metrics>,
    /// Whether it scored better than all epochs before.
    pub best: bool,
    /// The best epoch, if the run's patience ended after it, so that this epoch is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_early: Option<usize>,
    /// Number of validation images by true and predicted class, if there are any: `(class,
    /// prediction, images)`. Of the average, if one is kept.
    pub confusion: Vec<(usize, usize, u64)>,
    /// Misclassified validation images, most confident first.
    pub mistakes: Vec<Mistake>,
}

/// A misclassified image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Index, from 0, in the scored set: the validation images for an [`Epoch`], the test images
    /// for [`Tested`].
    pub image: usize,
    /// File of the image; `None` if the images of the data set are not separate files. Bytes that
    /// are not UTF-8 are written as `\xFF`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// True class.
    pub class: usize,
    /// Predicted class.
    pub likeliest: usize,
    /// Probability of the predicted class, 0 to 1.
    pub confidence: f64,
    /// A small version of the image.
    pub thumbnail: Thumbnail,
}

/// Time spent in the parts of the last steps. With a GPU, it is the time to submit the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Speed {
    /// Time of the run.
    pub seconds: f64,
    /// Last step that is included.
    pub step: usize,
    /// Images per second.
    pub images: f64,
    /// Seconds per step spent waiting for images.
    pub waiting: f64,
    /// Seconds per step in the forward pass.
    pub forward: f64,
    /// Seconds per step in the backward pass.
    pub backward: f64,
    /// Seconds per step in the optimizer.
    pub optimizer: f64,
    /// Seconds per step in everything else.
    pub rest: f64,
}

/// Utilization of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct System {
    /// Time of the run.
    pub seconds: f64,
    /// Fraction of all cores used by this program, 0 to 1.
    pub cpu: f64,
    /// Fraction of all cores used by all programs, 0 to 1.
    pub cpu_machine: f64,
    /// Memory of this program in bytes.
    pub memory: u64,
    /// Used memory of the machine in bytes.
    pub memory_machine: u64,
    /// Total memory of the machine in bytes.
    pub memory_total: u64,
    /// GPU utilization, 0 to 1, if a GPU is queried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<f64>,
    /// Used memory of the GPU in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_memory: Option<u64>,
}

/// The state of the run was saved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Time of the run.
    pub seconds: f64,
    /// Number of steps taken.
    pub step: usize,
    /// Current epoch.
    pub epoch: usize,
}

/// Severity of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Informational.
    Info,
    /// Something may be wrong.
    Warning,
    /// Something is wrong.
    Error,
}

/// A logged message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Time of the run.
    pub seconds: f64,
    /// Severity.
    pub level: Level,
    /// A sentence.
    pub text: String,
}

/// Test metrics of the kept network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tested {
    /// Time of the run.
    pub seconds: f64,
    /// Epoch of the network.
    pub epoch: usize,
    /// Test metrics, named as in [`Epoch`].
    pub metrics: Metrics,
    /// Like `metrics`, for the weights without averaging, if `metrics` is of their moving average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Metrics>,
    /// As in [`Epoch`].
    pub confusion: Vec<(usize, usize, u64)>,
    /// As in [`Epoch`].
    pub mistakes: Vec<Mistake>,
}

impl Tested {
    /// Returns the number of images classified correctly, and the total number.
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

/// How a sitting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All epochs were trained and the network tested.
    Finished,
    /// The run was asked to stop; everything is saved.
    Stopped,
    /// The run failed.
    Failed,
}

/// The end of a sitting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Time of the run.
    pub seconds: f64,
    /// How it ended.
    pub ending: Ending,
    /// Reason of the failure, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do instead of resuming the run, if that would fail again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
