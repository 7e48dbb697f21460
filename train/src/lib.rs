//! Trains residual networks with burn-train's `Learner`.
//!
//! ```
//! use train::{Overrides, Plan, TrainConfig};
//!
//! let flags = Overrides::of([("model", "resnet20"), ("epochs", "2")])?;
//! let config = TrainConfig::of_flags(&flags)?;
//! let plan = Plan::new(config, &|_| {})?;
//! assert_eq!(plan.train.len(), 5400); // of the built-in sample
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Data flows one way: flags and a file become a validated [`TrainConfig`]; it and the loaded images become a [`Plan`];
//! [`train`] runs the plan on a backend and writes a [`RunFolder`]. Nothing here reads arguments or the environment, or
//! prints: every step, epoch, checkpoint and message is an event of the run's [`Stream`], whose [`Listener`]s show it.
//!
//! A module imports from those above it alone.
//!
//! | module | what it holds |
//! |---|---|
//! | `error` | everything that can go wrong, with a way out |
//! | `stop` | requests to stop a run or to save a checkpoint |
//! | `settings` | every setting: key, flag, default, range; recipes |
//! | `evaluation` | metrics over a set of images |
//! | `folder` | the run's folder |
//! | `plan` | settings made concrete: data, network, numbers of steps |
//! | `step` | a training step: network, optimizer, moving average |
//! | `scoring` | passes over images without training |
//! | `checkpoint` | the state of a run, saved and restored; the best network kept |
//! | `stream` | the events of a run |
//! | `run` | from a plan to a trained, tested network |
//! | `benchmark` | how fast a step is |
//! | [`study`] | why shortcuts |

mod benchmark;
mod checkpoint;
mod error;
mod evaluation;
mod folder;
mod plan;
mod run;
mod scoring;
mod settings;
mod step;
mod stop;
mod stream;
pub mod study;

pub use benchmark::StepBenchmark;
pub use checkpoint::{EpochScores, RunProgress};
pub use error::{ConfigError, TrainError};
pub use evaluation::{ClassEvaluation, Evaluation, Misclassified, Score};
pub use folder::RunFolder;
pub use plan::{Fitting, Plan, Pretrained};
pub use run::{Control, Finished, Outcome, train};
pub use scoring::{EvaluationPlan, EvaluationSettings, MatchedBy, SetPart};
pub use settings::{
    Group, Keep, LoaderConfig, OptimizerKind, Overrides, Schedule, Setting, Takes, TrainConfig,
    recipe_names, settings,
};
pub use stop::Stop;
pub use stream::{About, Listener, Stream, Teller};
