//! Flags that name a model and its images.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use command_line::flags::WeightsFlags;
use data::Source;
use saved_models::NamedNetwork;

use crate::cli::arguments::settings::{source, within};

/// A trained model, and images to use it on.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["run", "weights"]))]
#[command(group = ArgGroup::new("foreign").args(["weights"]))]
pub(crate) struct SubjectFlags {
    /// A run's folder, or its name in --runs-dir [default: the newest run]
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,

    /// Use weights instead of a run
    ///
    /// A file written by torch.save, or safetensors, as for `infer --weights`. A run's own file uses the run's
    /// settings.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Network in --weights [default: recognized]
    #[arg(
        long,
        value_name = "NAME",
        requires = "weights",
        conflicts_with = "run"
    )]
    pub model: Option<NamedNetwork>,

    #[command(flatten)]
    pub weights_flags: WeightsFlags,

    #[arg(long, value_name = "DATA", value_parser = source)]
    pub data: Option<Source>,

    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    #[arg(long, value_name = "N", value_parser = within::<NonZeroU64>("max_pixels"))]
    pub max_pixels: Option<NonZeroU64>,

    /// Seed of the test split of a folder without one, and of the validation split [default: the run's own, or 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    #[arg(long, value_name = "X", value_parser = within::<f64>("validation"))]
    pub validation: Option<f64>,

    #[arg(long, value_name = "N", value_parser = within::<NonZeroUsize>("batch_size"), default_value = "64")]
    pub batch_size: NonZeroUsize,

    #[arg(long, value_name = "N", value_parser = within::<usize>("threads"))]
    pub threads: Option<usize>,

    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
}
