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
//! Data flows one way: flags and a file become a validated [`TrainConfig`]; config and loaded images become a [`Plan`];
//! [`train`] runs the plan on a backend and writes a [`RunFolder`]. This crate does not read arguments or the
//! environment, and does not print: every step, epoch, checkpoint and message is an event of the run's [`Stream`],
//! which passes it to its [`Listener`]s.
//!
//! A module only imports from modules above it in this table:
//!
//! | module | what it holds |
//! |---|---|
//! | `error` | errors, with hints on how to fix them |
//! | `stop` | requests to stop a run or to save a checkpoint |
//! | `settings` | key, flag, default and range of every setting; recipes |
//! | `evaluation` | metrics over a set of images |
//! | `folder` | the run's folder |
//! | `plan` | the settings resolved to data, network and numbers of steps |
//! | `step` | a training step: network, optimizer, moving average |
//! | `scoring` | passes over images without training |
//! | `checkpoint` | saving and restoring a run; keeping the best network |
//! | `stream` | the events of a run |
//! | `run` | training and testing a network by a plan |
//! | `benchmark` | speed of a training step |
//! | [`study`] | networks with and without shortcuts, compared by depth |

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
pub use scoring::{
    EvaluationPlan, EvaluationSettings, Form, MatchedBy, QuantizeProgress, Quantized, SetPart,
};
pub use settings::{
    Group, Keep, LoaderConfig, OptimizerKind, Overrides, Schedule, Setting, Takes, TrainConfig,
    recipe_names, settings,
};
pub use stop::Stop;
pub use stream::{About, Listener, Stream, Teller};
