//! Events of training runs, as one stream per run.
//!
//! A run appends its events to the file `events.jsonl` in its folder, one line of JSON per event.
//! When a run is resumed, an event states the step it continues from, and everything after that
//! step is removed from the file. Screens, reports and exports read only this file, during the run
//! or later, in the same process or another.
//!
//! | module | contents |
//! |---|---|
//! | `event` | the kinds of events |
//! | `metrics` | named numbers, and what they are computed from |
//! | `chart` | groups of figures that may share an axis |
//! | `thumbnail` | a small image inside an event |
//! | `writer` | writes events to the file |
//! | `rewind` | restores a file to its state at a checkpoint |
//! | `lock` | whether a run is in progress |
//! | `request` | requests from other processes to a run |
//! | `parse` | parses many lines at a time |
//! | `step_line` | a fast parser for step lines as the writer formats them |
//! | `follower` | reads the file into a history as it grows |
//! | `steps` | the figures of all steps, in columns |
//! | `history` | a run as its events tell it: state, progress, the kept epoch |
//! | `speed` | the parts of a step, and the mean speed of a run |
//! | `series` | curves of one figure, downsampled for display |
//! | `setting` | the settings of a run one by one, which of them distinguish runs, and how they are shown |
//! | `interval` | confidence interval of an accuracy |
//! | `confusion` | confusion matrix, and metrics of each class |
//! | [`format`](mod@format) | formats numbers for people |
//! | [`ticks`] | scale and ticks of an axis |
//! | `alerts` | signs that something is wrong with a run |
//!
//! ```
//! use events::{Event, Follower, Metrics, Step, Writer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let writer = Writer::open(folder.path())?;
//! writer.send(Event::Step(Step {
//!     seconds: 0.1,
//!     epoch: 1,
//!     step: 1,
//!     metrics: Metrics::from_iter([("loss", 2.3)]),
//! }));
//! writer.close()?;
//!
//! let mut follower = Follower::open(folder.path());
//! follower.poll()?;
//! assert_eq!(follower.history().steps.len(), 1);
//! # Ok(())
//! # }
//! ```

mod alerts;
mod chart;
mod confusion;
mod event;
mod follower;
pub mod format;
mod history;
mod interval;
mod lock;
mod metrics;
mod parse;
mod request;
mod rewind;
mod series;
mod setting;
mod speed;
mod step_line;
mod steps;
mod thumbnail;
pub mod ticks;
mod writer;

pub use alerts::{Alert, AlertKind, alerts};
pub use confusion::{ClassScores, Confusion};
pub use event::{
    Checkpoint, Ended, Ending, Epoch, Event, ImageCounts, Level, Message, Mistake, Progress,
    Resumed, Speed, Started, Step, System, Tested, Work,
};
pub use follower::{FILE, Follower};
pub use history::{History, Sitting, State};
pub use interval::accuracy_interval;
pub use lock::{Lock, LockError, is_locked};
pub use metrics::{
    CROSS_ENTROPY, MIXED_ACCURACY, Metrics, OPTIMIZED_LOSS, Split, is_share, round, title,
};
pub use request::{Request, RequestError};
pub use series::{Axis, Bucket, Curve};
pub use setting::{flat_settings, rounded_setting, tells_runs_apart};
pub use steps::Steps;
pub use thumbnail::{Thumbnail, ThumbnailError};
pub use writer::{WriteError, Writer};
