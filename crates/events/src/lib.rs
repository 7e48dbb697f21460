//! What happens in a training run, as one stream of events.
//!
//! A run writes its events to a file of its folder, `events.jsonl`, a line of JSON for each, one after the
//! other. A resumed run says from which step on it begins again, and what came after that leaves the file.
//! Screens, reports and exports read nothing else, while the run goes on or after it, from
//! the same process or another.
//!
//! | module | what it holds |
//! |---|---|
//! | `event` | the kinds of events |
//! | `metrics` | numbers with names |
//! | `chart` | which figures may share an axis |
//! | `thumbnail` | a small image inside an event |
//! | `writer` | events into the file |
//! | `rewind` | a file as it was at a checkpoint |
//! | `lock` | whether a run is going on |
//! | `request` | what other processes ask of a run |
//! | `parse` | lines into events, many at a time |
//! | `step_line` | a step's line as the writer makes it, read fast |
//! | `follower` | the file into a history, as far as it has grown |
//! | `steps` | the figures of all steps, in columns |
//! | `history` | what the events of a run come to |
//! | `speed` | how fast a run was on the whole |
//! | `series` | curves of one figure, thinned out for display |
//! | `setting` | which settings make runs different, and how they are shown |
//! | `interval` | how certain an accuracy is |
//! | `confusion` | which classes are taken for which, and the metrics of each class |
//! | [`format`](mod@format) | numbers as people read them |
//! | `alerts` | what someone should look at |
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
mod writer;

pub use alerts::{Alert, AlertKind, alerts};
pub use chart::{CROSS_ENTROPY, MIXED_ACCURACY, OPTIMIZED_LOSS};
pub use confusion::{ClassScores, Confusion};
pub use event::{
    Checkpoint, Ended, Ending, Epoch, Event, ImageCounts, Level, Message, Mistake, Progress,
    Resumed, Speed, Started, Step, System, Tested, Work,
};
pub use follower::{FILE, Follower};
pub use history::{History, Sitting, State};
pub use interval::accuracy_interval;
pub use lock::{Lock, LockError, is_locked};
pub use metrics::{Metrics, is_share, round, title};
pub use request::{Request, RequestError};
pub use series::{Axis, Bucket, Curve, Split};
pub use setting::{rounded_setting, tells_runs_apart};
pub use steps::Steps;
pub use thumbnail::{Thumbnail, ThumbnailError};
pub use writer::{WriteError, Writer};
