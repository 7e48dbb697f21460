//! Trains residual networks with burn-train's `Learner`.
//!
//! Data flows one way: flags and a file become a validated [`TrainConfig`]; it and the loaded
//! images become a [`Plan`]; [`train`] runs the plan on a backend and writes a [`RunFolder`].
//! Nothing here reads arguments or the environment, or prints: what there is to tell goes to an
//! [`Observer`] and to burn-train's renderer.
//!
//! | module | what it holds |
//! |---|---|
//! | `config` | every setting, its range, its place in a TOML file |
//! | `overrides` | settings that are given one by one |
//! | `optimizer` | the optimizers by name |
//! | `recipe` | settings that were found to be good, by name |
//! | `plan` | settings made concrete: data, network, numbers of steps |
//! | `pretrained` | trained weights that a run starts from |
//! | `folder` | the run's folder |
//! | `run` | from a plan to a trained, tested network |
//! | `strategy` | the loop over epochs and steps |
//! | `epoch_end` | scores, the best network kept, a report |
//! | `trainee` | a network and its optimizer, one step at a time |
//! | `classifier` | a network as burn-train's `Learner` wants it |
//! | `gradients` | gradients of all parameters together |
//! | `average` | the moving average of a network |
//! | `schedule` | the learning rate of each step |
//! | `divergence` | noticing that training diverges |
//! | `keep` | keeping the best network |
//! | `scoring` | scoring a network on a set of images |
//! | `evaluate` | a saved model on a part of a data set |
//! | `matching` | which of a model's classes a class of the data is |
//! | `evaluation` | metrics over a whole set of images |
//! | `checkpoint` | the state of a run, saved and restored |
//! | `stream` | the events of a run |
//! | `totals` | loss and accuracy over many batches |
//! | `benchmark` | how fast a step is |
//! | [`study`] | why shortcuts |
//! | `stop` | how a run is told to end early |
//! | `error` | everything that can go wrong, with a way out |

mod average;
mod benchmark;
mod checkpoint;
mod classifier;
mod config;
mod divergence;
mod epoch_end;
mod error;
mod evaluate;
mod evaluation;
mod exact;
mod fingerprint;
mod finite;
mod folder;
mod gradients;
mod keep;
mod matching;
mod optimizer;
mod overrides;
mod plan;
mod pretrained;
mod recipe;
mod run;
mod schedule;
mod scoring;
mod start;
mod stop;
mod strategy;
mod stream;
pub mod study;
mod totals;
mod trainee;

pub use benchmark::StepBenchmark;
pub use checkpoint::EpochScores;
pub use config::{Group, Keep, LoaderConfig, Setting, Takes, TrainConfig, settings};
pub use epoch_end::EpochReport;
pub use error::{ConfigError, TrainError};
pub use evaluate::{EvaluationPlan, EvaluationSettings, SetPart};
pub use evaluation::{ClassEvaluation, Evaluation, Misclassified};
pub use folder::RunFolder;
pub use matching::MatchedBy;
pub use optimizer::{OptimizerKind, optimizer};
pub use overrides::Overrides;
pub use plan::Plan;
pub use pretrained::{Fitting, Pretrained};
pub use recipe::recipe_names;
pub use run::{Finished, Observer, Outcome, Place, train};
pub use schedule::Schedule;
pub use stop::Stop;
pub use stream::{About, Stream, Teller};
pub use totals::Score;
